"""Parts of the stack that hold nothing in some gates, and how much of the wall lies there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, uniform_filter

from cardio_spect_polar.phase.ventricle.base_motion import BaseMotion
from cardio_spect_polar.phase.ventricle.wall import WallGeometry
from cardio_spect_polar.readers.flag import Flag

SEEN_SHARE = 0.2
"""Of the wall's usual counts: where other gates hold it, a gate that holds none was emptied."""

NOTHING = 0.01
BOX = (1, 3, 3)

UNSEEN = (0.005, 0.04)
"""Share of the samples, over all gates, that may lie where nothing is: without effect, and with one
that can still be told. On digital ventricles whose end slices were emptied in one to three gates,
0.5 to 3 % moved the phase SD by 2 degrees and the ejection fraction by up to 8 points; 6 % moved
the phase SD by 10 degrees."""

Box = tuple[slice, slice, slice]


def filled_box(counts: NDArray[np.floating], box: Box) -> Box:
    """Return the box without the slices at its ends that are empty in some gate.

    Examples
    --------
    >>> counts = np.ones((8, 10, 4, 4))
    >>> counts[3, :2] = 0
    >>> filled_box(counts, (slice(0, 8), slice(0, 4), slice(0, 4)))[0]
    slice(2, 8, None)
    """
    held = np.abs(counts[:, box[0]]).sum(axis=(2, 3))
    filled = (held > NOTHING * held.mean(axis=0)).all(axis=0)
    if not filled.any():
        return box
    first = (box[0].start or 0) + int(filled.argmax())
    return slice(first, first + int(np.flatnonzero(filled)[-1] - filled.argmax()) + 1), *box[1:]


def empty_flags(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    geometry: WallGeometry,
    motion: BaseMotion | None,
) -> tuple[Flag, ...]:
    """Say what emptied slices, or parts of them, do to the numbers.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        In canonical orientation.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    geometry : WallGeometry
        The wall that was sampled.
    motion : BaseMotion or None
        Where its rings lie in every gate.
    """
    empty = _emptied(counts, voxel_mm, geometry)
    if not empty.any():
        return ()
    n_gates = int(empty.any(axis=(1, 2, 3)).sum())
    told = f"parts of the stack are empty in {n_gates} of {len(counts)} gates"
    # A sample is read between voxels: it also feels its neighbour along the stack.
    beside = binary_dilation(empty, np.ones((1, 3, 1, 1), dtype=bool))
    unseen = _share_unseen(beside, voxel_mm, geometry, motion)
    if unseen < UNSEEN[0]:
        return ()
    lie = f"{told}, and {max(100 * unseen, 1):.0f} % of the wall's samples lie there"
    if unseen < UNSEEN[1]:
        return (
            Flag(
                f"{lie}: phases at that end are off, by which the phase SD may be too large by 3 "
                "degrees and the ejection fraction by 8 points",
                "caution",
            ),
        )
    return (
        Flag(
            f"{lie}: they look as if the wall vanished, so no phase or volume holds", "no verdict"
        ),
    )


def _emptied(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    geometry: WallGeometry,
) -> NDArray[np.bool_]:
    """Return the voxels about which a gate holds nothing while the other gates hold something."""
    around = uniform_filter(np.asarray(counts, np.float32), (0, *BOX), mode="nearest")
    mean = around.mean(axis=0)
    wall = float(np.median(mean[_voxels(geometry.points_mm, voxel_mm, mean.shape)]))
    return np.asarray((around <= NOTHING * mean) & (mean >= SEEN_SHARE * wall))


def _share_unseen(
    empty: NDArray[np.bool_],
    voxel_mm: tuple[float, float, float],
    geometry: WallGeometry,
    motion: BaseMotion | None,
) -> float:
    points = np.broadcast_to(geometry.points_mm, (len(empty), *geometry.points_mm.shape))
    if motion is not None:
        moved = motion.displacement(geometry.points_mm)
        points = points + moved[..., None] * np.array(motion.axis.direction)
    hit = [
        one[_voxels(where, voxel_mm, one.shape)].mean()
        for one, where in zip(empty, points, strict=True)
    ]
    return float(np.mean(hit))


def _voxels(
    points_mm: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    shape: tuple[int, ...],
) -> tuple[NDArray[np.intp], ...]:
    """Return the indices of the voxels that hold the points."""
    at = np.rint(points_mm / np.array(voxel_mm)).astype(np.intp)
    return tuple(np.moveaxis(np.clip(at, 0, np.array(shape) - 1), -1, 0))
