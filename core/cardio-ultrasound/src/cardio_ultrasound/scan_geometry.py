"""Scan conversion: from beams and depths to isotropic pixels, with anti-aliasing.

Every pixel is the mean, over a grid of points inside it, of the bilinear interpolation between
the beams. All of it is linear, so that it is one sparse matrix, made once for a loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError
from cardio_ultrasound.loop import BeamSector

MAX_PIXELS = 2**22
MAX_POINTS_A_SIDE = 8
"""Points of a pixel along each axis: enough for depths 8 times as fine as the pixels."""

_UNEVEN = 0.01


@dataclass(frozen=True, eq=False)
class ScanConversion:
    """The matrix from beams to pixels.

    Attributes
    ----------
    weights : scipy.sparse.csr_array, shape (rows × columns, n_beams × n_depths)
        Each row sums to 1 inside the sector, to 0 outside.
    size : tuple of int
        Rows and columns.
    spacing_mm : float
        Distance of neighbouring pixels along both axes.
    sector : BeamSector
        Where the beams lie in the image.
    """

    weights: Any
    size: tuple[int, int]
    spacing_mm: float
    sector: BeamSector

    def __call__(self, beams: NDArray[Any]) -> NDArray[np.uint8]:
        """Convert one frame.

        Parameters
        ----------
        beams : ndarray, shape (n_beams, n_depths)
            Grey levels, 0 to 255.

        Returns
        -------
        ndarray of uint8, shape (rows, columns)
            0 outside the sector.
        """
        values = self.weights @ beams.reshape(-1).astype(np.float32)
        image: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        return image.reshape(self.size)


def scan_conversion(
    angles_rad: NDArray[np.floating], depths_mm: NDArray[np.floating], spacing_mm: float = 0.3
) -> ScanConversion:
    """Make the matrix from beams to pixels.

    Parameters
    ----------
    angles_rad : ndarray, shape (n_beams,)
        From straight down, positive to the right, ascending, within ±π/2; need not be even.
    depths_mm : ndarray, shape (n_depths,)
        From the point where the beams meet, from 0 or more, ascending in even steps.
    spacing_mm : float
        Of the pixels.

    Returns
    -------
    ScanConversion
        Pixel (0, 0) is at the left of the first beam and at the top of the sector; a pixel
        belongs to the sector if at least half of its points do.

    Raises
    ------
    DataError
        Beams or depths that are not as described, or more than `MAX_PIXELS` pixels.

    Examples
    --------
    >>> angles = np.radians(np.linspace(-30, 30, 31))
    >>> convert = scan_conversion(angles, np.arange(0.0, 60.0, 0.5), spacing_mm=1.0)
    >>> image = convert(np.full((31, 120), 90))
    >>> convert.size, int(image[40, 30]), int(image[5, 2])
    ((60, 60), 90, 0)
    """
    angles = np.asarray(angles_rad, dtype=np.float64)
    depths = np.asarray(depths_mm, dtype=np.float64)
    _check(angles, depths, spacing_mm)
    left, right, top, bottom = _extent_mm(angles, depths)
    size = (
        max(math.ceil((bottom - top) / spacing_mm), 1),
        max(math.ceil((right - left) / spacing_mm), 1),
    )
    if size[0] * size[1] > MAX_PIXELS:
        raise DataError(
            f"spacing_mm {spacing_mm:g}: expected at most {MAX_PIXELS} pixels, found "
            f"{size[0]} × {size[1]}; choose a wider spacing (0.3 mm gives 500 rows for 150 mm)",
            code="too_large",
        )
    step_mm = float(depths[1] - depths[0])
    n_points = min(max(math.ceil(spacing_mm / step_mm - _UNEVEN), 1), MAX_POINTS_A_SIDE)
    offsets = (np.arange(n_points) + 0.5) / n_points
    weights = None
    for down in offsets:
        for along in offsets:
            x = left + (np.arange(size[1]) + along) * spacing_mm
            z = top + (np.arange(size[0]) + down) * spacing_mm
            part = _bilinear(angles, depths, x, z) / n_points**2
            weights = part if weights is None else weights + part
    return ScanConversion(
        weights=_normalised(weights),
        size=size,
        spacing_mm=spacing_mm,
        sector=BeamSector(
            apex_row=-top / spacing_mm - 0.5,
            apex_column=-left / spacing_mm - 0.5,
            low_rad=float(angles[0]),
            high_rad=float(angles[-1]),
            near_mm=float(depths[0]),
            far_mm=float(depths[-1]),
        ),
    )


def _check(angles: NDArray[np.float64], depths: NDArray[np.float64], spacing_mm: float) -> None:
    whole = angles.ndim == depths.ndim == 1 and min(angles.size, depths.size) >= 2
    if not whole or not (np.isfinite(angles).all() and np.isfinite(depths).all()):
        raise DataError(
            "angles_rad and depths_mm: expected at least 2 finite numbers each, found others; "
            "correct the file"
        )
    if not (np.diff(angles) > 0).all() or np.abs(angles).max() > np.pi / 2 + 1e-6:
        raise DataError(
            "angles_rad: expected ascending angles within ±π/2 from straight down, found others; "
            "are they in degrees?"
        )
    steps = np.diff(depths)
    if depths[0] < 0 or not (steps > 0).all() or np.ptp(steps) > _UNEVEN * steps.mean():
        raise DataError(
            "depths_mm: expected depths from 0 or more, ascending in even steps, found others; "
            "resample the beams"
        )
    if not (np.isfinite(spacing_mm) and spacing_mm > 0):
        raise DataError(f"spacing_mm: expected a distance above 0, found {spacing_mm:g}; set it")


def _extent_mm(
    angles: NDArray[np.float64], depths: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """Return left, right, top and bottom of the sector, from the point where the beams meet."""
    near, far = float(depths[0]), float(depths[-1])
    ends = np.sin(angles[[0, -1]])
    left = min(float(ends[0]) * near, float(ends[0]) * far)
    right = max(float(ends[1]) * near, float(ends[1]) * far)
    top = near * float(np.cos(angles[[0, -1]]).min())
    straight = angles[0] <= 0.0 <= angles[-1]
    bottom = far if straight else far * float(np.cos(angles[[0, -1]]).max())
    return left, right, top, bottom


def _bilinear(
    angles: NDArray[np.float64],
    depths: NDArray[np.float64],
    x_mm: NDArray[np.float64],
    z_mm: NDArray[np.float64],
) -> Any:
    """Return the bilinear weights at the points of a grid; none outside the sector."""
    from scipy.sparse import csr_array

    z, x = np.meshgrid(z_mm, x_mm, indexing="ij")
    angle, depth = np.arctan2(x, z).ravel(), np.hypot(x, z).ravel()
    inside = (angle >= angles[0]) & (angle <= angles[-1])
    inside &= (depth >= depths[0]) & (depth <= depths[-1])
    pixels = np.flatnonzero(inside)
    beam = np.interp(angle[pixels], angles, np.arange(angles.size))
    sample = (depth[pixels] - depths[0]) / (depths[-1] - depths[0]) * (depths.size - 1)
    beam_0 = np.minimum(beam.astype(np.intp), angles.size - 2)
    sample_0 = np.minimum(sample.astype(np.intp), depths.size - 2)
    across, down = beam - beam_0, sample - sample_0
    first = beam_0 * depths.size + sample_0
    columns = np.concatenate([first, first + 1, first + depths.size, first + depths.size + 1])
    values = np.concatenate(
        [(1 - across) * (1 - down), (1 - across) * down, across * (1 - down), across * down]
    ).astype(np.float32)
    shape = (z.size, angles.size * depths.size)
    return csr_array((values, (np.tile(pixels, 4), columns)), shape=shape)


def _normalised(weights: Any) -> Any:
    """Make every pixel's weights sum to 1, and drop pixels that are mostly outside."""
    from scipy.sparse import diags_array

    sums = np.asarray(weights.sum(axis=1)).ravel()
    scale = np.zeros_like(sums)
    np.divide(1.0, sums, out=scale, where=sums >= 0.5)
    scaled = (diags_array(scale) @ weights).tocsr().astype(np.float32)
    scaled.eliminate_zeros()
    return scaled
