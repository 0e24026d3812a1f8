"""How the base moves towards the apex and back, found in every gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.geometry import N_RAYS, LongAxis, WallGeometry, rays_of, trilinear

OUT_MM, IN_MM = 24.0, 34.0
STEP_MM = 1.0
HALF_WALL_MM = 9.0
PLATEAU_MM = (8.0, 22.0)
"""The wall's own counts are taken so far from the edge, towards the apex."""

FARTHEST_MM = 22.0
N_SECTORS = 10
OUTSIDE_MM = 20.0
N_TURNS = 4
N_HARMONICS = 2
HUBER_MM = 1.5
N_ROUNDS = 6
UNEVEN_MM = (2.0, 4.0)
"""A side that ends so much earlier than the rest is believed from nothing to all of it."""


@dataclass(frozen=True)
class BaseMotion:
    """Where the base is in every gate, and with it every ring.

    Attributes
    ----------
    axis : LongAxis
        Distances count along it.
    base_mm, apex_mm : float
        Mean place of the base over the cycle, and the middle of the apical wall, which stays.
    shift_mm : ndarray, shape (n_slots, N_RAYS)
        How far the base has moved from its mean place, positive towards the apex.
    scatter_mm : float
        Of the edges that were found about this motion, the standard deviation (robust).
    uneven_mm : ndarray, shape (N_RAYS,)
        How much nearer to the apex each side ends than the median one, over the whole cycle: the
        septum, most often, whose uppermost part is a membrane.
    """

    axis: LongAxis
    base_mm: float
    apex_mm: float
    shift_mm: NDArray[np.float64]
    scatter_mm: float
    uneven_mm: NDArray[np.float64]

    @property
    def descent_mm(self) -> float:
        """From its farthest to its nearest place, the mean around."""
        return float(np.ptp(self.shift_mm.mean(axis=1)))

    def base_by_slot_mm(self) -> NDArray[np.float64]:
        """Return the base of every gate as a distance along the axis, the mean around."""
        return np.asarray(self.base_mm + self.shift_mm.mean(axis=1))

    def base_by_angle_mm(self) -> NDArray[np.float64]:
        """Return the base of every gate and ray as a distance along the axis."""
        return np.asarray(self.base_mm + self.shift_mm + self.uneven_mm)

    def displacement(self, points_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how far points move along the axis, shape (n_slots, n_rings, N_RAYS).

        A point moves by the base's shift times its share of the way from the apex to the base;
        where a side ends early, its rings lie nearer to the apex all the time.
        """
        along = (points_mm - np.array(self.axis.point_mm)) @ np.array(self.axis.direction)
        share = (self.apex_mm - along) / (self.apex_mm - self.base_mm)
        shift_mm = self.shift_mm + self.uneven_mm
        return np.asarray(shift_mm[:, None] * np.clip(share, 0.0, 1.2))

    def stretch(self) -> NDArray[np.float64]:
        """Return by what lengths along the axis are multiplied, shape (n_slots, N_RAYS)."""
        return np.asarray(1.0 - self.shift_mm / (self.apex_mm - self.base_mm))


def find_base_motion(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    axis: LongAxis,
    base_mm: float,
    apex_mm: float,
    geometry: WallGeometry,
) -> BaseMotion:
    """Find the base in every gate.

    In every gate and in ten sectors around, counts within 9 mm of the mid-wall are followed along
    the axis; the base is where they fall to half way between the wall's, 8 to 22 mm further in,
    and the least outside. Because a wall that thickens grows brighter, it is each gate's own wall
    that they are measured by. The places are then fitted with a mean, a cosine and a sine around,
    times two harmonics over the cycle, and weights that outliers lose.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts in canonical orientation.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    axis : LongAxis
        The long axis.
    base_mm, apex_mm : float
        Found on the summed volume, along the axis.
    geometry : WallGeometry
        Found on the summed volume.
    """
    along = base_mm + np.arange(-OUT_MM, IN_MM, STEP_MM)
    wall = _along_the_wall(counts, voxel_mm, axis, along, geometry)
    edges, trust = _edges(wall, along - base_mm)
    fitted, off = _smooth(edges, trust)
    shift_mm = fitted - fitted.mean(axis=0)
    scatter_mm = 1.4826 * float(np.median(np.abs(off)))
    uneven_mm = _uneven(fitted.mean(axis=0), off.reshape(edges.shape), trust)
    # The mean around is of what moves; a side that ends early does not draw the others in.
    mean_mm = base_mm + float(fitted.mean()) - float(uneven_mm.mean())
    return BaseMotion(axis, mean_mm, apex_mm, shift_mm, scatter_mm, uneven_mm)


def _along_the_wall(
    counts: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    axis: LongAxis,
    along: NDArray[np.float64],
    geometry: WallGeometry,
) -> NDArray[np.float64]:
    """Return mean counts near the mid-wall, shape (n_slots, n_levels, N_SECTORS)."""
    rays, radius_mm = rays_of(geometry)
    levels = (rays.origins[geometry.n_cap :, 0] - np.array(axis.point_mm)) @ np.array(
        axis.direction
    )
    order = np.argsort(levels)
    cylinder = radius_mm[geometry.n_cap :][order]
    # Beyond the outermost ring the wall is taken to go on straight.
    at = np.clip(along, levels[order][0], levels[order][-1])
    radius = np.stack([np.interp(at, levels[order], ray) for ray in cylinder.T], axis=1)
    offset = np.arange(-HALF_WALL_MM, HALF_WALL_MM + 0.1, min(voxel_mm) / 2)
    around = axis.around(N_RAYS)
    points = (
        axis.at(along)[:, None, None]
        + around[None, :, None] * (radius[..., None] + offset)[..., None]
    )
    seen = trilinear(counts, voxel_mm, points).mean(axis=2)
    height = np.array(voxel_mm) * (np.array(counts.shape[1:]) - 0.5)
    inside = (points[:, :, len(offset) // 2, 0] >= -voxel_mm[0] / 2) & (
        points[:, :, len(offset) // 2, 0] <= height[0]
    )
    seen = np.where(inside[..., None], seen, 0.0)
    sectors = seen.reshape(len(along), N_SECTORS, N_RAYS // N_SECTORS, -1).mean(axis=2)
    return np.asarray(np.moveaxis(sectors, -1, 0), dtype=np.float64)


def _edges(
    wall: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the base of every gate and sector from the mean one, and how far to trust it.

    The wall by which a gate is measured lies a fixed way behind the edge; so both are found in
    turns, beginning at the mean edge.
    """
    n_slots, _, n_sectors = wall.shape
    edges = np.zeros((n_slots, n_sectors))
    plateau = np.ones_like(edges)
    for _ in range(N_TURNS):
        behind = along - edges[..., None]
        profiles = np.moveaxis(wall, 1, 2)
        within = (behind >= PLATEAU_MM[0]) & (behind <= PLATEAU_MM[1])
        plateau = (profiles * within).sum(axis=-1) / np.maximum(within.sum(axis=-1), 1)
        plateau = np.maximum(plateau, 1e-12)
        before = (behind <= 0) & (behind >= -OUTSIDE_MM)
        outside = np.where(before, profiles, np.inf).min(axis=-1) / plateau
        # One share for all gates: slices that reformatting left empty in some move no edge.
        half = plateau * (1.0 + np.median(outside, axis=0)) / 2
        for slot, sector in np.ndindex(edges.shape):
            edges[slot, sector] = _crossing(
                profiles[slot, sector], along, float(half[slot, sector]), float(edges[slot, sector])
            )
    # A defect shows no edge.
    return edges, np.clip((plateau / np.median(plateau) - 0.5) / 0.3, 0.02, 1.0)


def _crossing(
    profile: NDArray[np.float64], along: NDArray[np.float64], half: float, near: float
) -> float:
    """Return the upward crossing of `half` nearest to `near`, or `near` where there is none."""
    rises = np.flatnonzero((profile[:-1] < half) & (profile[1:] >= half))
    if len(rises) == 0:
        return near
    low, high = profile[rises], profile[rises + 1]
    at = along[rises] + (half - low) / (high - low) * STEP_MM
    found = float(at[np.abs(at - near).argmin()])
    return found if abs(found) <= FARTHEST_MM else near


def _uneven(
    mean_mm: NDArray[np.float64], off_mm: NDArray[np.float64], trust: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return by how much each ray's wall ends earlier than the median one, over the cycle.

    A cosine and a sine around are too smooth for a short septum; what they leave over in all gates
    is added, by sector, as far as the edges are to be trusted.
    """
    left = (off_mm * trust).mean(axis=0)
    width = N_RAYS // len(left)
    middle = np.arange(len(left)) * width + (width - 1) / 2
    edge = mean_mm + np.interp(np.arange(N_RAYS), middle, left, period=N_RAYS)
    early = np.maximum(edge - np.median(edge), 0.0)
    low, high = UNEVEN_MM
    return np.asarray(early * np.clip((early.max() - low) / (high - low), 0.0, 1.0))


def _smooth(
    edges: NDArray[np.float64], trust: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit the edges robustly; returns them for every gate and ray, and how far they were off."""
    n_slots, n_sectors = edges.shape
    width = N_RAYS // n_sectors

    def design(n: int, middle: float) -> NDArray[np.float64]:
        time = 2 * np.pi * (np.arange(n_slots) + 0.5) / n_slots
        angle = 2 * np.pi * (np.arange(n) * (N_RAYS / n) + middle) / N_RAYS
        over = [np.ones(n_slots)]
        for k in range(1, N_HARMONICS + 1):
            over += [np.cos(k * time), np.sin(k * time)]
        around = np.stack([np.ones(n), np.cos(angle), np.sin(angle)])
        return np.asarray(np.einsum("at,bs->tsab", np.stack(over), around).reshape(n_slots * n, -1))

    seen = design(n_sectors, (width - 1) / 2)
    target, weights = edges.ravel(), trust.ravel()
    robust: Any = weights
    solution = np.zeros(seen.shape[1])
    for _ in range(N_ROUNDS):
        normal = seen.T @ (seen * robust[:, None]) + 1e-6 * np.eye(seen.shape[1])
        solution = np.linalg.solve(normal, seen.T @ (robust * target))
        off = np.abs(target - seen @ solution)
        robust = weights * np.minimum(1.0, HUBER_MM / np.maximum(off, 1e-6))
    off = target - seen @ solution
    return np.asarray((design(N_RAYS, 0.0) @ solution).reshape(n_slots, N_RAYS)), off
