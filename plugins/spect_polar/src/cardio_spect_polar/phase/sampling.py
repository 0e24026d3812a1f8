"""From a gated stack to the sampled wall, in one call; and cuts of the heart that show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from cardio_core.api import DataError
from cardio_spect_polar.phase.base_motion import BaseMotion, find_base_motion
from cardio_spect_polar.phase.curves import (
    Mode,
    empty_flags,
    filled_box,
    sample_wall,
    with_neighbours,
    without_inverted_rings,
)
from cardio_spect_polar.phase.find_wall import OUTER_MM, Wall, find_wall
from cardio_spect_polar.phase.gating import (
    GatingReport,
    check_gating,
    check_slots,
    gate_order,
    heart_box,
    holds_heart,
)
from cardio_spect_polar.phase.geometry import N_RAYS, SampledWall, WallGeometry, rays_of
from cardio_spect_polar.phase.orientation import Canonical, canonical, sides_flags
from cardio_spect_polar.phase.quality import Sampled, quality_flags
from cardio_spect_polar.phase.volumes import Volumes, volumes
from cardio_spect_polar.readers.gated import Flag, GatedStack

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
        >>> from cardio_spect_polar.synthetic.imaging import Camera, image
        >>> from cardio_spect_polar.synthetic.ventricle import Ventricle
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


GATES = ("end-diastole", "end-systole")
SHORT_AXIS = ("base", "middle", "apex")
LONG_AXIS = ("vertical", "horizontal")
CUTS = SHORT_AXIS + LONG_AXIS
N_PIXELS = 64
MAX_RINGS = 48
SURFACES: tuple[Literal[-1, 0, 1], ...] = (-1, 1)
"""Endocardium and epicardium, see `SampledHeart.geometry_at`."""

N_DOTS = 2 * MAX_RINGS
"""Both sides of a long-axis cut; a short-axis cut has a dot a ray."""

LEVELS = (1.0, 0.55, 0.2)
"""Arc length of the rings that are shown, from the apex: base, middle, apex."""

MARGINS_MM = (20.0, 22.0)
"""Around the mid-wall in short-axis and long-axis cuts."""

WALL_PERCENTILE = 99
BEYOND_MM = 12.0
"""The line of the base ends so far outside the mid-wall."""


@dataclass(frozen=True)
class QcView:
    """Cuts of two gates, and the mid-wall in them.

    Short-axis cuts lie across the long axis that was found, through the same rings in both gates:
    the outermost, one half way and one near the apex. Anterior is up and the septum on the left.
    Long-axis cuts hold the axis: the vertical one has the apex on the right and anterior up, the
    horizontal one the apex up and the septum on the left. Dots and lines are (right, down) in mm
    from the middle of a cut.

    Attributes
    ----------
    counts : ndarray of uint8, shape (2, 5, N_PIXELS, N_PIXELS)
        By gate (`GATES`) and cut (`CUTS`); 255 is the brightest of the mid-wall in both gates,
        and all that is brighter.
    pixels_mm : tuple of float
        Side of a pixel in short-axis and in long-axis cuts.
    slots : tuple of int
        The two gates, from 0.
    n_slots : int
        Gates of the study.
    dots_mm : ndarray of float16, shape (2, 5, N_DOTS, 2)
        Mid-wall where the cut meets it; NaN after the last.
    edges_mm : ndarray of float16, shape (2, 5, 2, N_DOTS, 2)
        Endocardium and epicardium as lines: around in short-axis cuts, from one side of the base
        over the apex to the other in long-axis cuts; NaN after the last.
    base_mm : ndarray of float16, shape (2, 2, 2, 2)
        Ends of the line along the base, by gate, long-axis cut and side.
    """

    counts: NDArray[np.uint8]
    pixels_mm: tuple[float, float]
    slots: tuple[int, int]
    n_slots: int
    dots_mm: NDArray[np.float16]
    edges_mm: NDArray[np.float16]
    base_mm: NDArray[np.float16]


def qc_view(heart: SampledHeart) -> QcView:
    """Cut the heart in end-diastole and in end-systole."""
    slots = (heart.volumes.end_diastole, heart.volumes.end_systole)
    geometries = [heart.geometry_at(slot) for slot in slots]
    along = np.array(heart.wall.axis.direction)
    anterior, septal = heart.wall.axis.around(4)[:2]
    start = np.array(heart.wall.axis.point_mm)
    extent = np.concatenate([geometry.points_mm.reshape(-1, 3) for geometry in geometries]) - start
    away = np.hypot(extent @ anterior, extent @ septal)
    depth = extent @ along
    across_mm = 2 * float(away.max())
    sides_mm = (across_mm, max(float(np.ptp(depth)), across_mm))
    short, long = (
        (side + 2 * margin) / N_PIXELS for side, margin in zip(sides_mm, MARGINS_MM, strict=True)
    )
    pixels_mm = (short, long)
    middle = start + (depth.min() + depth.max()) / 2 * along
    pictures, dots = [], np.full((2, len(CUTS), N_DOTS, 2), np.nan)
    edges = np.full((2, len(CUTS), 2, N_DOTS, 2), np.nan)
    for n, (slot, geometry) in enumerate(zip(slots, geometries, strict=True)):
        levels = _levels(geometry, along, start)
        centres = [start + level * along for level in levels] + [middle] * 2
        planes = [(-septal, -anterior)] * 3 + [(along, -anterior), (-septal, -along)]
        met = [_meet(geometry, along, start, level) for level in levels] + [
            _sides(geometry, ray) for ray in (0, N_RAYS // 4)
        ]
        for cut, (centre, plane, points) in enumerate(zip(centres, planes, met, strict=True)):
            pixel_mm = pixels_mm[cut >= len(SHORT_AXIS)]
            pictures.append(
                _picture(heart.canonical.counts[slot], heart.voxel_mm, centre, plane, pixel_mm)
            )
            dots[n, cut, : len(points)] = (points - centre) @ np.stack(plane, axis=1)
        for surface, outwards in enumerate(SURFACES):
            edge = heart.geometry_at(slot, outwards)
            lines = [_around(edge, along, start, level) for level in levels] + [
                _over_the_apex(edge, ray) for ray in (0, N_RAYS // 4)
            ]
            for cut, (centre, plane, line) in enumerate(zip(centres, planes, lines, strict=True)):
                edges[n, cut, surface, : len(line)] = (line - centre) @ np.stack(plane, axis=1)
    shown = np.reshape(pictures, (2, len(CUTS), N_PIXELS, N_PIXELS))
    brightest = _brightest(shown, dots, np.repeat(pixels_mm, (len(SHORT_AXIS), len(LONG_AXIS))))
    return QcView(
        np.round(255 * np.clip(shown / brightest, 0, 1)).astype(np.uint8),
        pixels_mm,
        slots,
        len(heart.canonical.counts),
        dots.astype(np.float16),
        edges.astype(np.float16),
        _base(heart, slots, middle).astype(np.float16),
    )


def _levels(
    geometry: WallGeometry, along: NDArray[np.float64], start: NDArray[np.float64]
) -> list[float]:
    """Return where along the axis the short-axis cuts lie."""
    depth = (geometry.points_mm - start) @ along
    found = []
    for arc in LEVELS:
        ring = depth[int(np.abs(geometry.arc - arc).argmin())]
        # The outermost ring leans with the base: only its deepest point is met all around.
        found.append(float(ring.max() if arc == LEVELS[0] else ring.mean()))
    return found


def _meet(
    geometry: WallGeometry, along: NDArray[np.float64], start: NDArray[np.float64], level: float
) -> NDArray[np.float64]:
    """Return where a plane across the axis meets the wall, a point a ray: (N_RAYS, 3)."""
    depth = np.minimum.accumulate((geometry.points_mm - start) @ along, axis=0)[::-1]
    points = geometry.points_mm[::-1]
    return np.array(
        [
            [np.interp(level, depth[:, ray], points[:, ray, axis]) for axis in range(3)]
            for ray in range(N_RAYS)
        ]
    )


def _around(
    geometry: WallGeometry, along: NDArray[np.float64], start: NDArray[np.float64], level: float
) -> NDArray[np.float64]:
    """Return a surface's line in a plane across the axis, closed; none beyond its apex."""
    if level > float(((geometry.points_mm - start) @ along).max()):
        return np.empty((0, 3))
    met = _meet(geometry, along, start, level)
    return np.concatenate([met, met[:1]])


def _over_the_apex(geometry: WallGeometry, ray: int) -> NDArray[np.float64]:
    """Return a surface's line in a plane along the axis, from base to apex and back."""
    sides = _sides(geometry, ray).reshape(-1, 2, 3)
    return np.concatenate([sides[::-1, 0], sides[:, 1]])


def _sides(geometry: WallGeometry, ray: int) -> NDArray[np.float64]:
    """Return the points of a ray and of the opposite one, (n, 3)."""
    both = geometry.points_mm[:, [ray, ray + N_RAYS // 2]]
    kept = np.unique(np.linspace(0, len(both) - 1, MAX_RINGS).round().astype(int))
    return np.asarray(both[kept].reshape(-1, 3))


def _picture(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    centre: NDArray[np.float64],
    plane: tuple[NDArray[np.float64], NDArray[np.float64]],
    pixel_mm: float,
) -> NDArray[np.float32]:
    steps = (np.arange(N_PIXELS) - (N_PIXELS - 1) / 2) * pixel_mm
    right, down = plane
    points = centre + steps[:, None, None] * down + steps[:, None] * right
    places = np.moveaxis(points / np.array(voxel_mm), -1, 0)
    cut = map_coordinates(np.asarray(counts, np.float32), places, order=1, mode="constant")
    return np.asarray(cut, np.float32)


def _brightest(
    pictures: NDArray[np.float32], dots: NDArray[np.float64], pixel_mm: NDArray[np.float64]
) -> float:
    """Return how bright the wall is: gut and liver, which may be brighter, set no scale."""
    places = dots / pixel_mm[:, None, None] + (N_PIXELS - 1) / 2
    seen = []
    for picture, place in zip(
        pictures.reshape(-1, N_PIXELS, N_PIXELS), places.reshape(-1, N_DOTS, 2), strict=True
    ):
        known = place[np.isfinite(place[:, 0])]
        seen.append(map_coordinates(picture, known[:, ::-1].T, order=1, mode="nearest"))
    return float(np.percentile(np.concatenate(seen), WALL_PERCENTILE)) or 1.0


def _base(
    heart: SampledHeart, slots: tuple[int, int], middle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the ends of the line along the base in the long-axis cuts, (2, 2, 2, 2)."""
    axis = heart.wall.axis
    around, along = axis.around(N_RAYS), np.array(axis.direction)
    anterior, septal = axis.around(4)[:2]
    outermost = len(rays_of(heart.wall.geometry)[1]) - 1
    found = np.zeros((2, 2, 2, 2))
    for gate, slot in enumerate(slots):
        for cut, plane in enumerate(((along, -anterior), (-septal, -along))):
            for side in range(2):
                ray = cut * N_RAYS // 4 + side * N_RAYS // 2
                depth = heart.wall.base_mm
                if heart.motion is not None:
                    depth = heart.motion.base_mm + heart.motion.shift_mm[slot, ray]
                radius = heart.volumes.middle_mm[slot, outermost, ray] + BEYOND_MM
                end = axis.at(np.asarray(depth)) + radius * around[ray]
                found[gate, cut, side] = (end - middle) @ np.stack(plane, axis=1)
    return found
