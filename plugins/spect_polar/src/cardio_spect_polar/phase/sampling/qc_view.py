"""A small picture of the heart with its wall, of one size for every study, to check it by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from cardio_spect_polar.phase.ventricle.wall import N_RAYS, WallGeometry

N_SLICES = 16
N_PIXELS = 48
N_RINGS = 16
FIELD_MM = 144.0
MARGIN_MM = 12.0


@dataclass(frozen=True)
class QcView:
    """The summed counts around the left ventricle, and the mid-wall in them.

    Attributes
    ----------
    counts : ndarray of uint8, shape (N_SLICES, N_PIXELS, N_PIXELS)
        Canonical orientation; 255 is the brightest voxel.
    voxel_mm : ndarray of float32, shape (3,)
        Distance of slices, rows and columns.
    points_mm : ndarray of float32, shape (N_RINGS, N_RAYS, 3)
        Mid-wall points from the centre of the first voxel of `counts`.
    """

    counts: NDArray[np.uint8]
    voxel_mm: NDArray[np.float32]
    points_mm: NDArray[np.float32]

    def geometry(self) -> WallGeometry:
        """Return the points as the figures take them; directions and areas are not kept."""
        points = np.asarray(self.points_mm, np.float64)
        return WallGeometry(
            points,
            np.zeros_like(points),
            np.linspace(0, 1, len(points)),
            np.ones(points.shape[:2]),
            0,
        )


def qc_view(
    summed: NDArray[np.floating], voxel_mm: tuple[float, float, float], geometry: WallGeometry
) -> QcView:
    """Cut the heart out of a summed volume.

    Parameters
    ----------
    summed : ndarray, shape (n_slices, n_rows, n_columns)
        In canonical orientation.
    voxel_mm : tuple of float
    geometry : WallGeometry
        Of that volume.
    """
    points = geometry.points_mm
    z_low, z_high = points[..., 0].min() - MARGIN_MM, points[..., 0].max() + MARGIN_MM
    centre = points[..., 1:].reshape(-1, 2).mean(axis=0)
    start = np.array([z_low, *(centre - FIELD_MM / 2)])
    end = np.array([z_high, *(centre + FIELD_MM / 2)])
    shape = (N_SLICES, N_PIXELS, N_PIXELS)
    axes = [np.linspace(a, b, n) for a, b, n in zip(start, end, shape, strict=True)]
    grid = np.meshgrid(
        *(axis / step for axis, step in zip(axes, voxel_mm, strict=True)), indexing="ij"
    )
    cut = map_coordinates(np.asarray(summed, np.float32), grid, order=1, mode="constant")
    top = float(cut.max()) or 1.0
    rings = np.linspace(0, len(points) - 1, N_RINGS)
    low = np.floor(rings).astype(int).clip(0, len(points) - 1)
    high = np.minimum(low + 1, len(points) - 1)
    share = (rings - low)[:, None, None]
    kept = points[low] * (1 - share) + points[high] * share
    step_mm = (end - start) / (np.array(shape) - 1)
    return QcView(
        np.round(255 * np.clip(cut / top, 0, 1)).astype(np.uint8),
        step_mm.astype(np.float32),
        (kept - start).astype(np.float32).reshape(N_RINGS, N_RAYS, 3),
    )
