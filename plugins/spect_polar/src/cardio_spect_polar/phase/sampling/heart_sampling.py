"""From a gated stack to the sampled wall, in one call; and what another base would do to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.phase.sampling.curves import Mode, sample_wall
from cardio_spect_polar.phase.sampling.gating import (
    GatingReport,
    check_gating,
    check_slots,
    heart_box,
)
from cardio_spect_polar.phase.sampling.inverted import without_inverted_rings
from cardio_spect_polar.phase.sampling.volumes import Volumes, volumes
from cardio_spect_polar.phase.ventricle.base_motion import BaseMotion, find_base_motion
from cardio_spect_polar.phase.ventricle.find_wall import OUTER_MM, Wall, find_wall
from cardio_spect_polar.phase.ventricle.orientation import Canonical, canonical
from cardio_spect_polar.phase.ventricle.wall import SampledWall
from cardio_spect_polar.readers.gated import GatedStack

Rings = Literal["moving", "fixed"]

MAX_SCATTER_MM = 6.0
"""Edges of the wall that scatter farther about a smooth motion say nothing of the base."""


@dataclass(frozen=True)
class SampledHeart:
    """Everything that is known about a study before its phases.

    Attributes
    ----------
    canonical : Canonical
        The stack in canonical orientation, its counts corrected where beats were lost.
    summed : ndarray of float32, shape (n_slices, n_rows, n_columns)
        Mean over the time slots, canonical, in which the wall was found.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    gating : GatingReport
        Quality of the gating.
    wall : Wall
        Geometry, axis, base and apex; its mid-wall points are ``wall.geometry.points_mm``.
    sampled : SampledWall
        Curves over the cycle.
    volumes : Volumes
        Cavity volumes and ejection fraction.
    flags : tuple of str
        All that the report should say.
    motion : BaseMotion or None
        Where the base is in every slot, which the rings and the cavity follow; None where they
        stay at fixed slices.
    """

    canonical: Canonical
    summed: NDArray[np.float32]
    voxel_mm: tuple[float, float, float]
    gating: GatingReport
    wall: Wall
    sampled: SampledWall
    volumes: Volumes
    flags: tuple[str, ...]
    motion: BaseMotion | None = None


def sample_heart(
    stack: GatedStack,
    *,
    mode: Mode = "tracked",
    rings: Rings = "moving",
    correct_drop_off: bool = True,
) -> SampledHeart:
    """Find the left ventricle in a stack and sample its wall, unattended.

    Parameters
    ----------
    stack : GatedStack
        As a reader returns it; an operator's base and apex in it are followed.
    mode : {"tracked", "independent"}
        See `sample_wall`.
    rings : {"moving", "fixed"}
        ``moving`` rings and cavity follow the base, which descends by about 10 mm in systole, and
        basal rings that still run against the rest are cut. ``fixed`` ones stay at their slices:
        at the base they leave the wall in systole and their phase turns by 180 degrees, so that a
        synchronous digital ventricle of 10 mm descent shows a phase SD of 50 degrees.
    correct_drop_off : bool
        Whether to undo the loss of counts in late slots.

    Raises
    ------
    DataError
        With the reason, if the stack holds no left ventricle that can be measured or its gating
        cannot be trusted.
    """
    check_slots(stack.counts)
    turned = canonical(stack)
    summed = turned.counts.mean(axis=0)
    wall = find_wall(
        summed, turned.voxel_mm,
        base_mm=turned.base_mm, apex_mm=turned.apex_mm, heart=turned.heart,
    )  # fmt: skip
    corrected, gating = check_gating(
        turned.counts,
        box=heart_box(summed.shape, turned.voxel_mm, wall.geometry),
        rejected_share=stack.rejected_share,
        correct=correct_drop_off,
    )
    if gating.failures:
        raise DataError(f"gating cannot be trusted: {'; '.join(gating.failures)}; acquire again")
    flags = (*turned.flags, *gating.flags, *wall.flags)
    turned = replace(turned, counts=corrected)
    motion = None
    if rings == "moving":
        motion = find_base_motion(
            corrected, turned.voxel_mm, wall.axis,
            wall.base_mm, wall.apex_mm - OUTER_MM, wall.geometry,
        )  # fmt: skip
        if motion.scatter_mm > MAX_SCATTER_MM:
            motion = None
            flags += (
                "the base cannot be followed over the cycle: rings stay at their slices, and "
                "phases near the base may be off by 180 degrees",
            )
    sampled = sample_wall(corrected, turned.voxel_mm, wall.geometry, mode=mode, motion=motion)
    if rings == "moving":
        sampled, n_cut = without_inverted_rings(sampled)
        if n_cut:
            flags += (
                f"{n_cut} ring(s) at the base thin while the wall thickens and were left out",
            )
    return SampledHeart(
        canonical=turned,
        summed=summed,
        voxel_mm=turned.voxel_mm,
        gating=gating,
        wall=wall,
        sampled=sampled,
        volumes=volumes(corrected, turned.voxel_mm, wall.geometry, motion=motion),
        flags=flags,
        motion=motion,
    )


def with_base_moved(heart: SampledHeart, n_slices: float, *, mode: Mode) -> SampledWall | None:
    """Sample the wall again with another base.

    Parameters
    ----------
    heart : SampledHeart
        As it was found.
    n_slices : float
        How far the base is moved towards the apex, in slices; negative is away from it.
    mode : {"tracked", "independent"}
        See `sample_wall`.

    Returns
    -------
    SampledWall or None
        None where no wall is found with that base.

    Notes
    -----
    Nucl Med Commun 2008;29:374: the placement of the base decides how well phase indices repeat
    in normal hearts, so its effect belongs into every report.
    """
    base_mm = heart.wall.base_z_mm + n_slices * heart.voxel_mm[0]
    try:
        wall = find_wall(
            heart.summed, heart.voxel_mm,
            base_mm=base_mm, apex_mm=heart.wall.apex_z_mm, heart=heart.wall.heart,
        )  # fmt: skip
    except DataError:
        return None
    counts, motion = heart.canonical.counts, heart.motion
    sampled = sample_wall(counts, heart.voxel_mm, wall.geometry, mode=mode, motion=motion)
    return sampled if motion is None else without_inverted_rings(sampled)[0]
