"""Where the ventricle ends: base and apex along the long axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.phase.ventricle.interpolate import trilinear
from cardio_spect_polar.phase.ventricle.long_axis import LongAxis
from cardio_spect_polar.phase.ventricle.wall import N_RAYS
from cardio_spect_polar.readers.flag import Flag

EDGE_SHARE = 0.5
RAYS_SHARE = 0.6
WINDOW_MM = 10.0
CORE_MM = 10.0
VISIBLE_SHARE = 0.3
NEAR_PEAK = 0.9
STEP_MM = 1.0
REACH_MM = 45.0


@dataclass(frozen=True)
class Extent:
    """The ends of the ventricle along its axis.

    Attributes
    ----------
    base_mm, apex_mm : float
        As `LongAxis.at` counts.
    level : float
        Counts of the wall, the median over bright rays of the mid-ventricle.
    flags : tuple of str
        What the report should say.
    """

    base_mm: float
    apex_mm: float
    level: float
    flags: tuple[str, ...]


def find_extent(
    summed: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    axis: LongAxis,
    length_mm: float,
    radii_mm: NDArray[np.floating],
) -> Extent:
    """Find base and apex where the counts fall to half of the wall's.

    The base is where the mean over rays of the wall's counts falls below 50 % of what these rays
    hold in mid-ventricle, or where fewer than 60 % of them exceed 50 % of it. Rays that are faint
    in mid-ventricle, in a defect, have no say. The apex is where the brightest point near the axis
    falls below 50 %.

    Parameters
    ----------
    summed : ndarray, shape (n_slices, n_rows, n_columns)
        Counts of all time slots together, base to apex.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    axis : LongAxis
        Distances along it count from the heart's first slice.
    length_mm : float
        From there to the heart's last slice that shows a cavity.
    radii_mm : ndarray, shape (n,)
        Mid-wall radius on the way.

    Raises
    ------
    DataError
        If the mid-ventricle is too faint to tell where it ends.
    """
    along = np.arange(-REACH_MM, length_mm + REACH_MM, STEP_MM)
    wall, level = _wall_along(summed, voxel_mm, axis, along, length_mm, radii_mm)
    middle = int(np.searchsorted(along, 0.35 * length_mm))
    held = np.median(wall[np.abs(along - along[middle]) <= 0.2 * length_mm], axis=0)
    eligible = held >= EDGE_SHARE * level
    if eligible.sum() < N_RAYS // 4:
        raise DataError(
            f"no heart found: only {int(eligible.sum())} of {N_RAYS} rays of the mid-ventricle "
            "show a wall; check that these are short-axis slices of the heart"
        )
    share = wall[:, eligible] / held[eligible]
    inside = (share.mean(axis=1) >= EDGE_SHARE) & ((share >= EDGE_SHARE).mean(axis=1) >= RAYS_SHARE)
    flags = []
    before = np.flatnonzero(~inside[:middle])
    base_mm = float(along[before[-1] + 1 if len(before) else 0])
    apex_mm = _apex(summed, voxel_mm, axis, along, 0.6 * length_mm, level)
    first_mm = axis.along_of_z(0.0)
    last_mm = axis.along_of_z((summed.shape[0] - 1) * voxel_mm[0])
    half_mm = voxel_mm[0] / 2
    if base_mm <= first_mm + half_mm:
        base_mm = max(base_mm, first_mm - half_mm)
        flags.append(
            Flag("the ventricle reaches the first slice: its base may be cut off", "caution")
        )
    if apex_mm >= last_mm - half_mm:
        apex_mm = min(apex_mm, last_mm + half_mm)
        flags.append(
            Flag("the ventricle reaches the last slice: its apex may be cut off", "caution")
        )
    return Extent(base_mm, apex_mm, level, tuple(flags))


def _wall_along(
    summed: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    axis: LongAxis,
    along: NDArray[np.floating],
    length_mm: float,
    radii_mm: NDArray[np.floating],
) -> tuple[NDArray[np.float32], float]:
    """Return the largest counts near the expected radius (level, ray), and their usual level."""
    known = np.linspace(0.0, length_mm, len(radii_mm))
    expected = np.interp(along, known, radii_mm)
    offsets = np.arange(-WINDOW_MM, WINDOW_MM + STEP_MM, STEP_MM)
    radius = np.maximum(expected[:, None] + offsets, 0.0)
    around = axis.around(N_RAYS)
    points = axis.at(along)[:, None, None] + around[None, :, None] * radius[:, None, :, None]
    wall = _counts_or_zero(summed, voxel_mm, points).max(axis=-1)
    core = (along > 0.1 * length_mm) & (along < 0.6 * length_mm)
    return wall, float(np.percentile(wall[core], 75))


def _apex(
    summed: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    axis: LongAxis,
    along: NDArray[np.floating],
    start_mm: float,
    level: float,
) -> float:
    """Return where the bright points within 10 mm of the axis fall to half, behind their peak.

    On the way from the cavity these points rise to the apical wall and fall behind it. Half is
    half of the wall's usual counts, or of the apex's own where a defect makes it fainter. Where the
    apex cannot be seen at all, points up to 20 mm from the axis are asked.
    """
    around = axis.around(16)
    ways = along[along >= start_mm]
    for core_mm in (CORE_MM, 2 * CORE_MM):
        radius = np.arange(0.0, core_mm + 1.0, 2.0)
        points = axis.at(ways)[:, None, None] + around[None, :, None] * radius[:, None]
        counts = _counts_or_zero(summed, voxel_mm, points).reshape(len(ways), -1)
        brightest = np.percentile(counts, 75, axis=1)
        peak = min(float(brightest.max()), level)
        if peak < VISIBLE_SHARE * level:
            continue
        begins = int((brightest >= NEAR_PEAK * peak).argmax())
        after = np.flatnonzero(brightest[begins:] < EDGE_SHARE * peak)
        return float(ways[begins + after[0]] if len(after) else ways[-1])
    return float(ways[-1])


def _counts_or_zero(
    summed: NDArray[np.floating], voxel_mm: tuple[float, float, float], points: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Interpolate; half a voxel outside the stack there is nothing."""
    at = points / np.array(voxel_mm)
    outside = ((at < -0.5) | (at > np.array(summed.shape) - 0.5)).any(axis=-1)
    counts = trilinear(summed[None], voxel_mm, points)[..., 0]
    counts[outside] = 0.0
    return counts
