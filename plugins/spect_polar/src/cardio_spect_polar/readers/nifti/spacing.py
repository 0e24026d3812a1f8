"""Distances of the voxels of a NIfTI file, which are often a dummy of 1 mm."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.readers.checks import require_voxel
from cardio_spect_polar.readers.nifti.axes import Axes
from cardio_spect_polar.readers.sidecar import Sidecar

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
