"""Trilinear counts of all time slots at points of the stack, in one gather."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def trilinear(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    points_mm: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Interpolate every time slot at the same points.

    The neighbours and weights of a point are computed once for all slots, and a neighbour's
    slots lie side by side in memory, so that one gather fetches them together.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    points_mm : ndarray, shape (..., 3)
        Points (z, y, x) in mm from the centre of the first voxel. Outside the stack the nearest
        voxel of its border counts.

    Returns
    -------
    ndarray, shape (..., n_slots)
        Interpolated counts.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.arange(4.0).reshape(1, 4, 1, 1) * np.ones((1, 1, 2, 2))
    >>> trilinear(ramp, (5.0, 4.0, 4.0), np.array([[7.5, 1.0, 2.0]]))
    array([[1.5]], dtype=float32)
    """
    size = np.array(counts.shape[1:])
    at = np.asarray(points_mm, dtype=np.float32).reshape(-1, 3) / np.asarray(voxel_mm, np.float32)
    at = np.clip(at, 0, (size - 1).astype(np.float32))
    lowest = np.minimum(at.min(axis=0).astype(np.intp), np.maximum(size - 2, 0))
    highest = np.minimum(at.max(axis=0).astype(np.intp) + 2, size)
    box = tuple(slice(lo, hi) for lo, hi in zip(lowest, highest, strict=True))
    near = np.ascontiguousarray(np.moveaxis(counts[(slice(None), *box)], 0, -1), dtype=np.float32)
    n_z, n_y, n_x, n_slots = near.shape
    rows = near.reshape(-1, n_slots)

    at -= lowest.astype(np.float32)
    corner = np.minimum(at.astype(np.int32), np.maximum(np.array([n_z, n_y, n_x]) - 2, 0))
    share = at - corner
    first = (corner[:, 0] * n_y + corner[:, 1]) * n_x + corner[:, 2]
    strides = (n_y * n_x * (n_z > 1), n_x * (n_y > 1), int(n_x > 1))
    weights = [(1 - share[:, axis], share[:, axis]) for axis in range(3)]
    values = np.zeros((len(at), n_slots), dtype=np.float32)
    for dz, dy, dx in product((0, 1), repeat=3):
        weight = weights[0][dz] * weights[1][dy] * weights[2][dx]
        corner_values = rows.take(first + (dz * strides[0] + dy * strides[1] + dx * strides[2]), 0)
        corner_values *= weight[:, None]
        values += corner_values
    return values.reshape(*points_mm.shape[:-1], n_slots)
