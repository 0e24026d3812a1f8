"""Which base the rings follow: the one found in every gate, or an operator's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.ventricle.base_motion import BaseMotion, find_base_motion
from cardio_spect_polar.phase.ventricle.find_wall import OUTER_MM, Wall, find_wall
from cardio_spect_polar.phase.ventricle.orientation import Canonical
from cardio_spect_polar.readers.flag import Flag

MAX_SCATTER_MM = 6.0
"""Edges of the wall that scatter farther about a smooth motion say nothing of the base."""

LOST = Flag(
    "the base cannot be followed over the cycle: rings stay at their slices, and phases near the "
    "base may be off by 180 degrees",
    "caution",
)


def wall_of(summed: NDArray[np.floating], turned: Canonical) -> Wall:
    """Find the wall on the summed volume, with an operator's limits where there are any."""
    base_mm = turned.base_mm
    return find_wall(
        summed, turned.voxel_mm,
        base_mm=None if base_mm is None else float(np.mean(base_mm)),
        apex_mm=turned.apex_mm, heart=turned.heart,
    )  # fmt: skip


def follow_base(
    summed: NDArray[np.floating], turned: Canonical, wall: Wall
) -> tuple[Wall, BaseMotion | None, tuple[str, ...]]:
    """Find how the base moves; an operator's base says where, or all of it.

    One number of an operator is the base at end-diastole, where it lies farthest from the apex:
    the motion is found, and laid so that it begins there. One number a slot is the motion itself,
    as it stands; only how the sides differ is found.

    Parameters
    ----------
    summed : ndarray, shape (n_slices, n_rows, n_columns)
        Mean over the time slots.
    turned : Canonical
        Its counts as they were acquired.
    wall : Wall
        From `wall_of`.

    Returns
    -------
    wall : Wall
        Laid again where an operator's base at end-diastole asks for it.
    motion : BaseMotion or None
        None where the base cannot be followed.
    flags : tuple of str
    """
    found = find_base_motion(
        turned.counts, turned.voxel_mm, wall.axis,
        wall.base_mm, wall.apex_mm - OUTER_MM, wall.geometry,
    )  # fmt: skip
    lost = found.scatter_mm > MAX_SCATTER_MM
    given = turned.base_mm
    if isinstance(given, np.ndarray):
        by_slot = np.array([wall.axis.along_of_z(float(mm)) for mm in given])
        around = found.shift_mm - found.shift_mm.mean(axis=1, keepdims=True)
        shift_mm = (by_slot - by_slot.mean())[:, None] + (0.0 if lost else 1.0) * around
        return wall, replace(found, base_mm=wall.base_mm, shift_mm=shift_mm), ()
    if lost:
        return wall, None, (LOST,)
    if given is None:
        return wall, found, _out_of_sight(found)
    mean_mm = float(given) - float(found.shift_mm.mean(axis=1).min()) * wall.axis.direction[0]
    wall = find_wall(
        summed, turned.voxel_mm, base_mm=mean_mm, apex_mm=turned.apex_mm, heart=turned.heart
    )
    return wall, replace(found, base_mm=wall.base_mm, apex_mm=wall.apex_mm - OUTER_MM), ()


def _out_of_sight(motion: BaseMotion) -> tuple[str, ...]:
    """Say in how many slots the base lies beyond the first slice, where nothing shows it."""
    z_mm = motion.axis.at(motion.base_by_slot_mm())[:, 0]
    n_out = int((z_mm < 0).sum())
    if n_out == 0:
        return ()
    seen = (
        f"the base lies beyond the first slice in {n_out} of {len(z_mm)} time slots: its motion "
        "there is not known"
    )
    if n_out < len(z_mm):
        return (Flag(f"{seen}, and volumes are too small", "caution"),)
    return (
        Flag(
            "the base is never in sight: volumes are of what the stack holds, the ejection "
            "fraction is 3 points too low on average, and phases near the base are uncertain",
            "caution",
        ),
    )
