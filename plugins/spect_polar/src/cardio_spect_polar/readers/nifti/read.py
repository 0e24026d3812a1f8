"""NIfTI: a gated stack as one four-dimensional file, or as one volume for every gate.

A NIfTI file knows no gating, and often no true distances: writers that were given none leave
1.0 mm. Such a file is read with the distances of a sidecar or of the caller, never with the 1.0.

References
----------
NIfTI-1 data format (https://nifti.nimh.nih.gov/nifti-1); nibabel.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.readers.checks import (
    MIN_SLOTS,
    require_counts,
    require_shape,
    require_size,
    slot_flags,
)
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.readers.nifti.axes import (
    Axes,
    axes_by_affine,
    axes_by_name,
    directions_in_patient,
)
from cardio_spect_polar.readers.nifti.opening import open_nifti
from cardio_spect_polar.readers.nifti.spacing import affine_of, distances, zooms_mm
from cardio_spect_polar.readers.radial import require_no_planes
from cardio_spect_polar.readers.reorientation.reorient import turn
from cardio_spect_polar.readers.reorientation.shell import Body
from cardio_spect_polar.readers.sidecar import Sidecar
from cardio_spect_polar.readers.state import state_of_path, state_of_words

MAX_SLOTS = 32
"""More time slots than any gated SPECT has: the time axis is another one."""

_RR_RANGE_MS = (250.0, 3000.0)
_MS = {"sec": 1000.0, "msec": 1.0, "usec": 0.001}
_AGAIN = "export the study again"


def read_nifti(
    files: Sequence[Path],
    *,
    voxel_mm: tuple[float, float, float] | None = None,
    sidecar: Sidecar | None = None,
    min_slots: int = MIN_SLOTS,
) -> GatedStack:
    """Read a gated short-axis stack from NIfTI files.

    Parameters
    ----------
    files : sequence of Path
        One file of four dimensions, time last; or one of three dimensions for every gate, in the
        order of the gates from the R wave.
    voxel_mm : tuple of float, optional
        Distance of slices, rows and columns in mm, used where the header's is a dummy.
    sidecar : Sidecar, optional
        What is known beside the file; outranks the header and `voxel_mm`.
    min_slots : int
        Fewest time slots that are accepted; 6 at least.

    Returns
    -------
    GatedStack
        Rows and columns turned to the canonical directions as far as the header tells; the flags
        say what was assumed. See `readers.nifti.axes`.

    Raises
    ------
    DataError
        No NIfTI, a damaged one, colours or complex numbers, no time axis, gates that differ in
        shape or spacing, no true distance, too few slots or slices, lost gates, counts that are
        no numbers.
    """
    name = files[0].name
    images = [_open(path) for path in files]
    try:
        with warnings.catch_warnings(action="ignore"):  # nibabel's warnings may quote values
            _refuse_single_volume(images, files)
            shape, n_slots = _shape(images, name)
            require_size(name, n_slots * shape[2], shape[1], shape[0])
            return _read_stack(
                images, files, shape, n_slots, voxel_mm, sidecar or Sidecar(), min_slots
            )
    except DataError:
        raise
    except Exception:  # codes that NIfTI does not know
        raise DataError.unusable(name, "a NIfTI header of known codes", "others", _AGAIN) from None


def _read_stack(
    images: list[Any],
    files: Sequence[Path],
    shape: tuple[int, int, int],
    n_slots: int,
    voxel_mm: tuple[float, float, float] | None,
    sidecar: Sidecar,
    min_slots: int,
) -> GatedStack:
    name = files[0].name
    image = images[0]
    affine = affine_of(image)
    if sidecar.long_axis:
        axes = Axes(order=(0, 1, 2))  # along the body: the affine alone tells
    else:
        axes = axes_by_name(sidecar.axes) if sidecar.axes else axes_by_affine(affine, shape)
    n_slices, n_rows, n_columns = (shape[axis] for axis in axes.order)
    require_shape(name, n_slots, n_slices, n_rows, n_columns, min_slots)
    gates = _load_gates(images, files, shape, n_slots)
    require_no_planes(name, gates)
    distances_mm, spacing_flags = distances(image, affine, axes, sidecar, voxel_mm, name)
    for other, path in zip(images[1:], files[1:], strict=True):
        if not np.allclose(zooms_mm(other), zooms_mm(image), rtol=1e-3):
            raise DataError.unusable(path.name, "the spacing of the first gate", "another", _AGAIN)
    counts = _turned(gates, axes)
    require_counts(name, counts)
    if sidecar.long_axis:
        directions = directions_in_patient(affine)
        if directions is None:
            raise DataError.unusable(
                name, "an affine, to turn the slices by", "none", "leave --long-axis out"
            )
        made = turn(Body(counts, distances_mm, directions), name, sidecar.long_axis)
        counts, distances_mm = made.counts, made.voxel_mm
        axes = Axes(apex_first=False, flags=made.flags)
        sidecar = replace(sidecar, apex_first=None)
    state = sidecar.state or state_of_path(files[0]) or _state_of_header(image)
    return GatedStack(
        counts=counts,
        voxel_mm=distances_mm,
        apex_first=axes.apex_first if sidecar.apex_first is None else sidecar.apex_first,
        state=state,
        rr_ms=sidecar.rr_ms or _rr_ms(image, n_slots if len(images) == 1 else 0),
        rejected_share=sidecar.rejected_share,
        flags=(*slot_flags(n_slots), *axes.flags, *spacing_flags, *sidecar.flags),
    )


def _open(path: Path) -> Any:
    """Open a NIfTI file; its voxels are not read yet."""
    if not path.is_file():
        raise DataError.unusable(path.name, "a file", "none", "check the path")
    image = open_nifti(path)
    if image.get_data_dtype().kind not in "iuf":
        raise DataError.unusable(
            path.name, "counts", "colours or complex numbers", "export the slices as numbers"
        )
    return image


def _refuse_single_volume(images: list[Any], files: Sequence[Path]) -> None:
    """Refuse a volume without gates; what its array is goes before what its file is named."""
    shape = _without_ones(images[0].shape)
    if len(images) > 1 or len(shape) != 3:
        return
    name = files[0].name
    require_size(name, shape[2], shape[1], shape[0])
    require_no_planes(name, _load(images[0], files[0]).reshape(1, *shape))
    raise DataError.unusable(
        name,
        "a fourth axis, of time, or one file for every gate",
        "a single volume",
        "export the gated study, or name the files by gate: study_gate1.nii.gz and so on",
    )


def _shape(images: list[Any], name: str) -> tuple[tuple[int, int, int], int]:
    shapes = {_without_ones(image.shape) for image in images}
    if len(shapes) > 1:
        raise DataError.unusable(name, "gates of one shape", f"{len(shapes)} shapes", _AGAIN)
    shape = shapes.pop()
    if len(images) > 1:
        if len(shape) != 3:
            raise DataError.unusable(
                name, "one volume in every file of a gate", f"{len(shape)} dimensions", _AGAIN
            )
        return (shape[0], shape[1], shape[2]), len(images)
    if len(shape) != 4:
        raise DataError.unusable(name, "four dimensions, time last", f"{len(shape)}", _AGAIN)
    n_slots = shape[3]
    if n_slots > MAX_SLOTS or (shape[0] in (8, 16) and n_slots not in (8, 16)):
        raise DataError.unusable(
            name,
            f"time as the fourth axis, of at most {MAX_SLOTS} slots",
            " × ".join(str(length) for length in shape),
            "store time last",
        )
    return (shape[0], shape[1], shape[2]), n_slots


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop axes of one after the third, which some writers leave before or after time."""
    return (*shape[:3], *(length for length in shape[3:] if length != 1))


def _load_gates(
    images: list[Any], files: Sequence[Path], shape: tuple[int, int, int], n_slots: int
) -> NDArray[np.float32]:
    """Read all gates, shape (n_slots, i, j, k)."""
    if len(images) == 1:
        return np.moveaxis(_load(images[0], files[0]).reshape(*shape, n_slots), -1, 0)
    return np.stack(
        [_load(image, path).reshape(shape) for image, path in zip(images, files, strict=True)]
    )


def _load(image: Any, path: Path) -> NDArray[np.float32]:
    try:
        with warnings.catch_warnings(action="ignore"):
            return np.asarray(image.get_fdata(dtype=np.float32, caching="unchanged"))
    except Exception:
        raise DataError.unusable(
            path.name,
            "all voxels that the header claims",
            "fewer, or a damaged file",
            "copy or export it again",
        ) from None


def _turned(counts: NDArray[np.float32], axes: Axes) -> NDArray[np.float32]:
    """Bring (slots, i, j, k) into the order and direction of slots, slices, rows, columns."""
    turned = counts.transpose(0, *(axis + 1 for axis in axes.order))
    flips = tuple(slice(None, None, -1 if back else 1) for back in axes.reversed)
    return np.ascontiguousarray(turned[(slice(None), *flips)])


def _rr_ms(image: Any, n_slots: int) -> float | None:
    """Return the RR interval from the spacing in time, where that is a plausible one."""
    zooms, unit = image.header.get_zooms(), image.header.get_xyzt_units()[1]
    if len(zooms) < 4 or unit not in _MS:
        return None
    rr_ms = float(zooms[3]) * _MS[unit] * n_slots
    return rr_ms if _RR_RANGE_MS[0] <= rr_ms <= _RR_RANGE_MS[1] else None


def _state_of_header(image: Any) -> Any:
    """Tell stress from rest by the words of the header's description."""
    words = (bytes(image.header[key]).decode("latin-1") for key in ("descrip", "intent_name"))
    return state_of_words(" ".join(words).replace("_", " "))
