"""Five cuts of the heart with its wall in end-diastole and end-systole, to check them by eye.

Of one size for every study: the cuts are taken here, where the counts still are, and only they are
kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from cardio_spect_polar.phase.sampling.heart_sampling import SampledHeart
from cardio_spect_polar.phase.ventricle.rays import rays_of
from cardio_spect_polar.phase.ventricle.wall import N_RAYS, WallGeometry

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
    extent = np.concatenate([one.points_mm.reshape(-1, 3) for one in geometries]) - start
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
