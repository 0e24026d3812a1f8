"""From a gated stack to the sampled wall, in one call; and what another base would do to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.phase.sampling.curves import Mode, sample_wall
from cardio_spect_polar.phase.sampling.empty_frames import empty_flags, filled_box
from cardio_spect_polar.phase.sampling.follow_base import follow_base, wall_of
from cardio_spect_polar.phase.sampling.gate_order import gate_order
from cardio_spect_polar.phase.sampling.gating import (
    GatingReport,
    check_gating,
    check_slots,
    heart_box,
    holds_heart,
)
from cardio_spect_polar.phase.sampling.neighbours import with_neighbours
from cardio_spect_polar.phase.sampling.off_wall import without_inverted_rings
from cardio_spect_polar.phase.sampling.quality import Sampled, quality_flags
from cardio_spect_polar.phase.sampling.volumes import Volumes, volumes
from cardio_spect_polar.phase.ventricle.base_motion import BaseMotion
from cardio_spect_polar.phase.ventricle.find_wall import Wall, find_wall
from cardio_spect_polar.phase.ventricle.orientation import Canonical, canonical
from cardio_spect_polar.phase.ventricle.rays import rays_of
from cardio_spect_polar.phase.ventricle.sides import sides_flags
from cardio_spect_polar.phase.ventricle.wall import N_RAYS, SampledWall, WallGeometry
from cardio_spect_polar.readers.gated import GatedStack

Rings = Literal["moving", "fixed"]


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
    n_cut : int
        Rings at the base that ran against the rest and were left out of `sampled`.
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
    n_cut: int = 0

    @property
    def base_by_slot_mm(self) -> NDArray[np.float64]:
        """Base of each time slot, the mean around, as `Wall.base_z_mm` counts: (n_slots,)."""
        if self.motion is None:
            return np.full(len(self.canonical.counts), self.wall.base_z_mm)
        return np.asarray(self.wall.axis.at(self.motion.base_by_slot_mm())[:, 0])

    @property
    def base_by_slot_slices(self) -> NDArray[np.float64]:
        """The same in slices of the canonical stack; 0 is the centre of the first."""
        return self.base_by_slot_mm / self.voxel_mm[0]

    @property
    def descent_mm(self) -> float:
        """How far the base comes towards the apex; NaN where it was not followed."""
        return float("nan") if self.motion is None else self.motion.descent_mm

    @property
    def scatter_mm(self) -> float:
        """Of the edges about the base's motion; NaN where it was not followed."""
        return float("nan") if self.motion is None else self.motion.scatter_mm

    def geometry_at(self, slot: int, outwards: Literal[-1, 0, 1] = 0) -> WallGeometry:
        """Return where the sampled rings lie in one time slot.

        On the middle of the wall, or with -1 on the endocardium, with 1 on the epicardium, as the
        volumes have them.

        Rings have moved with the base, and points inwards or outwards with the middle of the wall.
        Directions, arc lengths and areas are those of the mean over the cycle. Slots from 0;
        ``volumes.end_diastole`` and ``volumes.end_systole`` are two of them.

        Examples
        --------
        >>> from cardio_spect_polar.readers.gated import GatedStack
        >>> from cardio_spect_polar.synthetic.phantom.imaging import Camera, image
        >>> from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle
        >>> counts, voxel_mm, _ = image(Ventricle(shortening_mm=10.0), None, Camera(n_slices=24))
        >>> heart = sample_heart(GatedStack(counts, voxel_mm, apex_first=False))
        >>> late, middle = (heart.geometry_at(slot).points_mm[-1, :, 0].mean() for slot in (7, 2))
        >>> bool(middle - late > 7)
        True
        """
        geometry = self.sampled.geometry
        rays, _ = rays_of(geometry)
        radius_mm = self.volumes.middle_mm[slot] + outwards * self.volumes.half_mm[slot]
        points = rays.points(np.maximum(radius_mm[: len(geometry.arc)], 0.0))
        if self.motion is not None:
            moved = self.motion.displacement(geometry.points_mm)[slot]
            points = points + moved[..., None] * np.array(self.wall.axis.direction)
        return replace(geometry, points_mm=points)


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
        See `sample_wall`; of ``tracked`` ones, curves that noise has drowned borrow from their
        neighbours (`with_neighbours`).
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
    wall = wall_of(summed, turned)
    box = filled_box(turned.counts, heart_box(summed.shape, turned.voxel_mm, wall.geometry))
    corrected, gating = check_gating(
        turned.counts,
        box=box,
        rejected_share=stack.rejected_share,
        correct=correct_drop_off,
        max_drop_off=stack.max_drop_off,
        max_rejected=stack.max_rejected,
        whole=holds_heart(box, turned.voxel_mm, wall.geometry),
    )
    if gating.failures:
        raise DataError(f"gating cannot be trusted: {'; '.join(gating.failures)}; acquire again")
    motion = None
    lost: tuple[str, ...] = ()
    if rings == "moving":
        wall, motion, lost = follow_base(summed, turned, wall)
    acquired, turned = turned.counts, replace(turned, counts=corrected)
    flags = (*turned.flags, *gating.flags, *wall.flags, *lost)
    sampled, n_cut = _sampled(turned, wall.geometry, motion, mode, cut=rings == "moving")
    if n_cut:
        flags += (f"{n_cut} ring(s) at the base thin while the wall thickens and were left out",)
    cavity = volumes(acquired, turned.voxel_mm, wall.geometry, motion=motion, gain=gating.gain)
    order = gate_order(corrected, turned.voxel_mm, box)
    flags += quality_flags(Sampled(sampled.curves, gating, order, cavity, stack.rr_ms))
    flags += empty_flags(corrected, turned.voxel_mm, sampled.geometry, motion)
    level = float(np.median(sampled.curves))
    uneven_mm = np.zeros(N_RAYS) if motion is None else motion.uneven_mm
    flags += tuple(sides_flags(summed, turned.voxel_mm, sampled.geometry, level, uneven_mm))
    return SampledHeart(
        canonical=turned,
        summed=summed,
        voxel_mm=turned.voxel_mm,
        gating=gating,
        wall=wall,
        sampled=sampled,
        volumes=cavity,
        flags=flags,
        motion=motion,
        n_cut=n_cut,
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
    motion = heart.motion
    return _sampled(heart.canonical, wall.geometry, motion, mode, cut=motion is not None)[0]


def _sampled(
    turned: Canonical,
    geometry: WallGeometry,
    motion: BaseMotion | None,
    mode: Mode,
    *,
    cut: bool,
) -> tuple[SampledWall, int]:
    """Sample the wall, cut what runs against it, and let noisy curves borrow; also the cut."""
    sampled = sample_wall(turned.counts, turned.voxel_mm, geometry, mode=mode, motion=motion)
    sampled, n_cut = without_inverted_rings(sampled) if cut else (sampled, 0)
    return with_neighbours(sampled) if mode == "tracked" else sampled, n_cut
