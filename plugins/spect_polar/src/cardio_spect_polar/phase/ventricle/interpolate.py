"""Trilinear counts of all time slots at points of the stack that stay, or that move."""

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


def trilinear_along(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    starts_mm: NDArray[np.floating],
    directions: NDArray[np.floating],
    steps_mm: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Interpolate every time slot along its own lines, which may move from slot to slot.

    Slot by slot, which keeps all that is worked on in the processor's cache; the eight neighbours
    are read at one index from eight views of the slot, and mixed axis by axis.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    starts_mm : ndarray, shape (n_slots, n_lines, 3)
        A point (z, y, x) of each line in each slot, in mm from the centre of the first voxel.
    directions : ndarray, shape (n_lines, 3)
        Where it runs from there, the same in all slots.
    steps_mm : ndarray, shape (n_lines, n_steps)
        How far. Outside the stack the nearest voxel of its border counts.

    Returns
    -------
    ndarray, shape (n_slots, n_lines, n_steps)
        Interpolated counts.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.arange(4.0).reshape(1, 4, 1, 1) * np.ones((2, 1, 3, 3))
    >>> starts = np.array([[[7.5, 1.0, 2.0]], [[2.5, 1.0, 2.0]]])
    >>> upwards, steps = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 5.0]])
    >>> trilinear_along(ramp, (5.0, 4.0, 4.0), starts, upwards, steps)[:, 0]
    array([[1.5, 2.5],
           [0.5, 1.5]], dtype=float32)
    """
    steps = np.ascontiguousarray(steps_mm, dtype=np.float32)
    begin, ways, bounds, leaves = [], [], [], []
    for axis, mm in enumerate(voxel_mm):
        n = counts.shape[1 + axis]
        way = steps * (directions[:, axis, None] / mm).astype(np.float32)
        start = (starts_mm[..., axis, None] / mm).astype(np.float32)
        first, last = float(start.min() + way.min()), float(start.max() + way.max())
        leaves.append(first < 0 or last > n - 1)
        low = min(max(int(first), 0), max(n - 2, 0))
        bounds.append(slice(low, max(min(int(last) + 2, n), low + 1)))
        begin.append(start - np.float32(low))
        ways.append(way)
    near = np.ascontiguousarray(counts[(slice(None), *bounds)], dtype=np.float32)
    n_z, n_y, n_x = near.shape[1:]
    strides = (n_y * n_x, n_x, 1)
    # A neighbour beyond the border has no weight; what is read there only has to exist.
    flat = np.zeros((len(near), n_z * n_y * n_x + sum(strides)), dtype=np.float32)
    flat[:, : n_z * n_y * n_x] = near.reshape(len(near), -1)
    made = np.empty((len(counts), *steps.shape), dtype=np.float32)
    for slot, voxels in enumerate(flat):
        nearest = np.zeros(steps.shape, dtype=np.int32)
        shares = []
        for axis, stride in enumerate(strides):
            at = ways[axis] + begin[axis][slot]
            if leaves[axis]:
                np.clip(at, 0, near.shape[1 + axis] - 1, out=at)
            corner = at.astype(np.int32)
            at -= corner
            shares.append(at)
            corner *= np.int32(stride)
            nearest += corner
        made[slot] = _mixed(voxels, nearest.astype(np.intp), strides, shares)
    return made


def _mixed(
    voxels: NDArray[np.float32],
    nearest: NDArray[np.intp],
    strides: tuple[int, ...],
    shares: list[NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Mix the voxels from `nearest` on along the axes that are left, the first one last."""
    if not strides:
        return voxels.take(nearest)
    here = _mixed(voxels, nearest, strides[1:], shares[1:])
    beyond = _mixed(voxels[strides[0] :], nearest, strides[1:], shares[1:])
    beyond -= here
    beyond *= shares[0]
    here += beyond
    return here
