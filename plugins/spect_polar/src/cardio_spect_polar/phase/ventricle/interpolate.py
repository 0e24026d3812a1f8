"""Trilinear counts of all time slots at points of the stack, in one gather."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


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
    place = np.array(points_mm.reshape(-1, 3).T, dtype=np.float32, order="C")
    n_points = place.shape[1]
    corner = np.empty((3, n_points), dtype=np.int32)
    bounds = []
    for at, first, mm, n in zip(place, corner, voxel_mm, counts.shape[1:], strict=True):
        np.clip(at * np.float32(1 / mm), 0, n - 1, out=at)
        first[:] = np.minimum(at, max(n - 2, 0))
        at -= first
        low = int(first.min(initial=n))
        bounds.append(slice(low, min(int(first.max(initial=0)) + 2, n)))
        first -= low
    near = np.moveaxis(counts[(slice(None), *bounds)], 0, -1)
    n_z, n_y, n_x, n_slots = near.shape
    rows = np.ascontiguousarray(near, dtype=np.float32).reshape(-1, n_slots)

    nearest = (corner[0] * n_y + corner[1]) * n_x + corner[2]
    strides = (n_y * n_x * (n_z > 1), n_x * (n_y > 1), int(n_x > 1))
    shares = [(1 - at, at) for at in place]
    neighbours = np.empty((n_points, 8), dtype=np.int32)
    weights = np.empty((n_points, 8), dtype=np.float32)
    for k, (dz, dy, dx) in enumerate(product((0, 1), repeat=3)):
        neighbours[:, k] = nearest + (dz * strides[0] + dy * strides[1] + dx * strides[2])
        weights[:, k] = shares[0][dz] * shares[1][dy] * shares[2][dx]
    # A sparse matrix times the voxels' rows of slots: one pass in compiled code.
    ends = np.arange(0, 8 * n_points + 1, 8, dtype=np.int32)
    mix = csr_array((weights.ravel(), neighbours.ravel(), ends), shape=(n_points, len(rows)))
    values: NDArray[np.float32] = mix @ rows
    return values.reshape(*points_mm.shape[:-1], n_slots)
