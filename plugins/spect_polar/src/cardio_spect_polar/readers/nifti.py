"""NIfTI: a gated stack as one 4-D file or as a volume for each gate."""

from __future__ import annotations

import gzip
import re
import struct
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel
import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.readers.gated import (
    MIN_SLOTS,
    GatedStack,
    require_counts,
    require_shape,
    require_size,
    require_voxel,
    slot_flags,
    state_of_path,
    state_of_words,
    without_state,
)
from cardio_spect_polar.readers.reorientation import Body, turn
from cardio_spect_polar.readers.sidecar import Sidecar

CENTRE_SHARE = 0.25
"""Planes through one axis differ there by less than this share of how they differ elsewhere. In 60
random digital ventricles no axis of a short-axis stack came below 0.5 and was mirrored as well."""

MIRRORED = 0.9
"""Correlation of the last plane, turned round, with the first."""


def require_no_planes(name: str, counts: NDArray[np.floating]) -> None:
    """Refuse planes that turn about the heart's long axis, whatever the order of their axes.

    Such an array has one axis along the heart, one across it through the axis, and one that is an
    angle over 180 degrees: all planes share the column in their middle, and the last is the mirror
    of the first. Read as short-axis slices, a heart is found in it, and all that is measured of
    that is wrong.

    Parameters
    ----------
    name : str
        The file's name.
    counts : ndarray, shape (n_slots, n, n, n)
        In any order of the three axes.

    Raises
    ------
    DataError
        If the array is such a set of planes.
    """
    summed = np.asarray(counts.mean(axis=0), dtype=np.float64)
    for turning, across, along in permutations(range(3)):
        if _turns(np.transpose(summed, (turning, across, along))):
            raise DataError.unusable(
                name,
                "short-axis slices",
                f"planes that turn about the heart's long axis (array axis {turning + 1} of three "
                "is their angle)",
                "export the short-axis slices, from which these planes were made",
            )


def _turns(planes: NDArray[np.float64]) -> bool:
    """Whether planes (angle, across, along) share their middle column and end as mirrors."""
    n_across = planes.shape[1]
    first, last = planes[0], planes[-1][::-1]
    if first.std() == 0 or last.std() == 0:
        return False
    if np.corrcoef(first.ravel(), last.ravel())[0, 1] < MIRRORED:
        return False
    # Of an even number of samples across, the axis lies between the two in the middle.
    differ = planes.std(axis=0).mean(axis=1)
    middle = planes[:, (n_across - 1) // 2 : n_across // 2 + 1].mean(axis=1).std(axis=0).mean()
    seen = differ[np.abs(np.arange(n_across) - (n_across - 1) / 2) <= n_across / 4]
    return bool(middle < CENTRE_SHARE * seen.max())


_GATE = re.compile(
    r"[ ._-]*(?<![a-z])(?:gate|g|frame|fr|f|slot|bin|phase|time|t)[ ._-]*(?P<gate>\d{1,3})(?!\d)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[ ._-]*(?P<gate>\d{1,3})[ ._-]*")
_LAST = re.compile(r"(?P<shared>.*?)[ ._-]*(?<!\d)(?P<gate>\d{1,4})")
_LAST_WORD = re.compile(r"[a-z]+$", re.IGNORECASE)
_USUAL = (8, 16)

Gates = tuple[tuple[int, "Path"], ...]
"""Numbers and files of the gates of one study, in order."""


def stem_of(path: Path) -> str:
    """Return a file's name without the suffix of its format."""
    name = path.name
    for suffix in (".nii.gz", ".nii", ".dcm", ".dicom"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def group_gates(
    volumes: Iterable[Path], *, chosen: bool = False
) -> tuple[dict[tuple[Path, str], Gates], list[Path]]:
    """Group volumes into the gates of studies.

    Parameters
    ----------
    volumes : iterable of Path
        Files of one volume each.
    chosen : bool
        Whether somebody put these files together, so that 8 or 16 bare numbers are gates' anyway.

    Returns
    -------
    dict
        From folder and shared name to the gates, in order.
    list of Path
        Volumes that are no gates.

    Examples
    --------
    >>> from pathlib import Path
    >>> names = ["p7_rest_gate2.nii", "p7_rest_gate1.nii", "p8.nii"]
    >>> groups, others = group_gates(Path(name) for name in names)
    >>> [(shared, [gate for gate, _ in gates]) for (_, shared), gates in groups.items()]
    [('p7_rest', [1, 2])]
    >>> [path.name for path in others]
    ['p8.nii']
    """
    sure: defaultdict[tuple[Path, str], list[tuple[int, Path]]] = defaultdict(list)
    doubtful: defaultdict[tuple[Path, str], list[tuple[int, Path]]] = defaultdict(list)
    others: list[Path] = []
    for path in volumes:
        stem = stem_of(path)
        if (named := _split_at_word(stem)) is not None:
            sure[path.parent, named[0]].append((named[1], path))
        elif (last := _LAST.fullmatch(stem)) is not None:
            doubtful[path.parent, last["shared"]].append((int(last["gate"]), path))
        else:
            others.append(path)
    complete = {key for key, found in doubtful.items() if _is_usual_set(found)}
    alike = Counter(folder for folder, _ in complete)
    for key, found in doubtful.items():
        folder, shared = key
        as_channels = all(stem_of(path).endswith(f"{gate:04d}") for gate, path in found)
        together = chosen or shared == folder.name or alike[folder] > 1 or as_channels
        if key in complete and together:
            sure[key] += found
        else:
            others += [path for _, path in found]
    return {key: tuple(sorted(found)) for key, found in sure.items()}, others


def _split_at_word(stem: str) -> tuple[str, int] | None:
    """Split a name at a number that a word, or the lack of any other, makes a gate's."""
    found = list(_GATE.finditer(stem))
    if found:
        last = found[-1]
        shared = stem[: last.start()] + stem[last.end() :]
        return shared.strip(" ._-"), int(last["gate"])
    number = _NUMBER.fullmatch(without_state(stem))
    if number:
        return stem.replace(number["gate"], "", 1).strip(" ._-"), int(number["gate"])
    end = _LAST.fullmatch(stem)
    word = _LAST_WORD.search(end["shared"]) if end else None
    if end and word and state_of_words(word[0]) is not None:
        return end["shared"], int(end["gate"])
    return None


def _is_usual_set(found: list[tuple[int, Path]]) -> bool:
    """Whether the numbers run on from 0 or 1, without a gap, to 8 or 16 in all."""
    numbers = sorted(gate for gate, _ in found)
    first = numbers[0]
    return (
        first in (0, 1)
        and len(numbers) in _USUAL
        and numbers == list(range(first, first + len(numbers)))
    )


_MAX_EXTENSION_BYTES = 16_000_000
_KINDS = {348: (108, "f", nibabel.Nifti1Image), 540: (168, "q", nibabel.Nifti2Image)}
"""By the header's size: place and type of vox_offset, and the class that reads it."""

_AGAIN = "export the study again"


def open_nifti(path: Path) -> Any:
    """Open a NIfTI file; its voxels are not read yet.

    Raises
    ------
    DataError
        No NIfTI file, a damaged one, or extensions of more than 16 MB.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # nibabel's warnings may quote values
            kind = _kind(path)
            return kind.from_filename(str(path))
    except DataError:
        raise
    except Exception:  # nibabel's texts may quote the header
        raise DataError.unusable(
            path.name, "a readable NIfTI file", "a damaged one, or another kind of file", _AGAIN
        ) from None


def _kind(path: Path) -> Any:
    """Return the class that reads a file whose extensions are small."""
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        head = file.read(540)
        order = "<" if struct.unpack("<i", head[:4])[0] in _KINDS else ">"
        (n_head,) = struct.unpack(f"{order}i", head[:4])
        place, letter, kind = _KINDS[n_head]
        (voxels,) = struct.unpack_from(f"{order}{letter}", head, place)
        _require_small(path.name, cast("BinaryIO", file), order, n_head + 4, int(voxels))
    return kind


def _require_small(name: str, file: BinaryIO, order: str, at: int, end: int) -> None:
    """Walk over the extensions from byte `at` to `end`, the first voxel."""
    large = end > _MAX_EXTENSION_BYTES
    while not large and at + 16 <= end:
        file.seek(at)
        (n_bytes,) = struct.unpack(f"{order}i", file.read(8)[:4])
        large = not 8 <= n_bytes <= _MAX_EXTENSION_BYTES
        at += n_bytes
    if large:
        raise DataError.unusable(
            name,
            f"at most {_MAX_EXTENSION_BYTES // 10**6} MB between header and voxels",
            "more, or a damaged extension",
            _AGAIN,
        )


ASSUMED = "the first row taken for anterior and the first column for septal, as nothing says so"
"""What is assumed where a header does not tell the sides; see `phase.ventricle.sides`."""

_ALIGNED = 0.95
_TO_APEX = np.array([-1.0, 1.0, -1.0]) / 3**0.5
_TO_LATERAL = np.array([-1.0, -1.0, 0.0]) / 2**0.5
_TO_INFERIOR = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True)
class Axes:
    """How to turn an array (i, j, k) into slices, rows and columns.

    Attributes
    ----------
    order : tuple of int
        Axis of the array that is the slice, the row and the column.
    reversed : tuple of bool
        Whether each of the three, in that order, runs against the canonical direction.
    apex_first : bool or None
        Whether slice 0 lies at the apex; None where the header does not tell.
    flags : tuple of str
        What was assumed.
    """

    order: tuple[int, int, int] = (2, 1, 0)
    reversed: tuple[bool, bool, bool] = (False, False, False)
    apex_first: bool | None = None
    flags: tuple[str, ...] = ()


def axes_by_name(names: tuple[str, str, str]) -> Axes:
    """Read the axes as a sidecar names them.

    Examples
    --------
    >>> axes_by_name(("slice", "-row", "column"))
    Axes(order=(0, 1, 2), reversed=(False, True, False), apex_first=None, flags=())
    """
    plain = [name.removeprefix("-") for name in names]
    at_slice, at_row, at_column = (plain.index(what) for what in ("slice", "row", "column"))
    slices, rows, columns = (names[at].startswith("-") for at in (at_slice, at_row, at_column))
    return Axes((at_slice, at_row, at_column), (slices, rows, columns))


def axes_by_affine(affine: NDArray[np.float64] | None, shape: tuple[int, int, int]) -> Axes:
    """Read the axes from the affine, and from the shape where it tells nothing.

    Parameters
    ----------
    affine : ndarray, shape (4, 4), or None
        From indices to mm, x to the right, y to the front, z to the head; None where the header
        has none.
    shape : tuple of int
        Lengths of the first three axes.
    """
    directions = _directions(affine)
    if directions is not None and np.abs(directions).max(axis=1).min() < _ALIGNED:
        return _oblique(directions)
    order = _order_by_shape(shape)
    if order != (2, 1, 0):
        return Axes(
            order,
            flags=(f"array axis {order[0] + 1} read as slices: the others are square, {ASSUMED}",),
        )
    if directions is None or not np.array_equal(np.abs(directions).argmax(axis=1), (0, 1, 2)):
        return Axes(
            flags=(f"no orientation in the header: axes read as column, row, slice, {ASSUMED}",)
        )
    # From DICOM, columns run to the left. Rows run to the back, unless the converter turned them.
    from_dicom = directions[0, 0] < 0
    turned = bool(from_dicom and directions[1, 1] > 0)
    flag = (
        "axes of the body in the header: read as the column, row and slice of short-axis slices, "
        f"{ASSUMED}"
    )
    return Axes(reversed=(False, turned, False), flags=(flag,))


def directions_in_patient(affine: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return where the array's axes point, to the patient's left, back and head; None without.

    Examples
    --------
    >>> directions_in_patient(np.diag([-4.0, -4.0, 4.0, 1.0])).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    directions = _directions(affine)
    return None if directions is None else directions * (-1.0, -1.0, 1.0) + 0.0


def _directions(affine: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return the unit vectors of the array's axes, shape (3, 3), one a row; None without any."""
    if affine is None or not np.isfinite(affine).all():
        return None
    columns = affine[:3, :3].T
    lengths = np.linalg.norm(columns, axis=1)
    if lengths.min() <= 0:
        return None
    return np.asarray(columns / lengths[:, None])


def _oblique(directions: NDArray[np.float64]) -> Axes:
    """Find slices along the heart's long axis, rows towards inferior, columns towards lateral."""
    at_slice = int(np.abs(directions @ _TO_APEX).argmax())
    others = [axis for axis in range(3) if axis != at_slice]
    downwards = np.abs(directions[others] @ _TO_INFERIOR)
    at_row, at_column = others if downwards[0] > downwards[1] else reversed(others)
    return Axes(
        (at_slice, at_row, at_column),
        (
            False,
            bool(directions[at_row] @ _TO_INFERIOR < 0),
            bool(directions[at_column] @ _TO_LATERAL < 0),
        ),
        apex_first=bool(directions[at_slice] @ _TO_APEX < 0),
        flags=("slices, rows and columns by the orientation in the header",),
    )


def _order_by_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Take for slices the one axis whose removal leaves a square; the last if that is unclear."""
    first, second, third = shape
    if second == third != first:
        return 0, 1, 2  # as numpy's (slice, row, column) is dumped
    if first == third != second:
        return 1, 2, 0
    return 2, 1, 0


_MM = {"meter": 1000.0, "micron": 0.001}


def affine_of(image: Any) -> NDArray[np.float64] | None:
    """Return the affine, or None where both of the header's codes say that there is none."""
    header = image.header
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        return None
    return np.asarray(image.affine, dtype=np.float64)


def zooms_mm(image: Any) -> NDArray[np.float64]:
    """Return the header's distances along the first three axes in mm."""
    factor = _MM.get(image.header.get_xyzt_units()[0], 1.0)
    return np.abs(np.asarray(image.header.get_zooms()[:3], dtype=np.float64)) * factor


def distances(
    image: Any,
    affine: NDArray[np.float64] | None,
    axes: Axes,
    sidecar: Sidecar,
    given_mm: tuple[float, float, float] | None,
    name: str,
) -> tuple[tuple[float, float, float], tuple[str, ...]]:
    """Choose the distances of slices, rows and columns: sidecar, then header, then caller."""
    if sidecar.voxel_mm is not None:
        return sidecar.voxel_mm, ()
    spacing_mm = zooms_mm(image)
    if np.all(spacing_mm == 1.0) and affine is not None:
        factor = _MM.get(image.header.get_xyzt_units()[0], 1.0)
        spacing_mm = np.linalg.norm(affine[:3, :3], axis=0) * factor
    if np.allclose(spacing_mm, 1.0, atol=1e-6):
        if given_mm is None:
            raise DataError.unusable(
                name,
                "true distances of the voxels in mm",
                "1 × 1 × 1, a dummy",
                "give them with --voxel-mm SLICE,ROW,COLUMN",
            )
        require_voxel(name, given_mm)
        return given_mm, ("distances of the voxels as given: the header has none",)
    slices_mm, rows_mm, columns_mm = (float(spacing_mm[axis]) for axis in axes.order)
    voxel_mm = (slices_mm, rows_mm, columns_mm)
    require_voxel(name, voxel_mm)
    if given_mm is not None and not np.allclose(voxel_mm, given_mm, rtol=1e-3):
        return voxel_mm, ("distances of the voxels from the header, not as given",)
    return voxel_mm, ()


MAX_SLOTS = 32
"""More time slots than any gated SPECT has: the time axis is another one."""

_RR_RANGE_MS = (250.0, 3000.0)
_MS = {"sec": 1000.0, "msec": 1.0, "usec": 0.001}


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
