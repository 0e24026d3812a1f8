"""From a summed volume to the geometry of the wall, unattended, or with an operator's limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_core.api import DataError
from cardio_spect_polar.phase.geometry import (
    MAX_TILT_DEG,
    N_RAYS,
    LongAxis,
    Rays,
    WallGeometry,
    fit_long_axis,
    lay_rays,
    trace_ridges,
    trilinear,
    wall_on_rays,
)
from cardio_spect_polar.phase.heart import Heart, find_heart
from cardio_spect_polar.readers.gated import Flag

STEP_MM = 1.0
PRIOR_SHARE = 0.5
SURFACE_MM = 6.0
BRIGHTEST = (1.0, 1.3)
"""Counts above these shares of the wall's attract no more, first and second time: gut is hotter."""

HUBER_MM = 2.0
N_ROUNDS = 5


def trace_mid_wall(
    summed: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    rays: Rays,
    expected_mm: NDArray[np.floating],
    level: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Trace the mid-wall twice: near the expected radii, then near a smooth surface.

    The surface between the two is a sum of few waves around the axis and few powers along it,
    fitted with weights that grow with the counts and fall with the distance; it carries the wall
    through defects and past gut.

    Parameters
    ----------
    summed : ndarray, shape (n_slices, n_rows, n_columns)
        Counts of all time slots together.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    rays : Rays
        Where to look.
    expected_mm : ndarray, shape (n_rings,)
        Radius of the mid-wall, roughly.
    level : float
        Counts of the wall.

    Returns
    -------
    radius_mm : ndarray, shape (n_rings, N_RAYS)
        Mid-wall radius on each ray.
    brightness : ndarray, shape (n_rings, N_RAYS)
        Counts there as a share of `level`.
    """
    # The range of the search, 1 voxel to 1.5 mean radii, is that of the method page.
    radius = np.arange(max(voxel_mm), 1.5 * float(expected_mm.max()) + STEP_MM, STEP_MM)
    shape = (*rays.directions.shape[:2], len(radius))
    profile = trilinear(summed[None], voxel_mm, rays.points(np.broadcast_to(radius, shape)))[..., 0]
    profile = profile / np.float32(level)
    profile = gaussian_filter1d(profile, 0.7, axis=0, mode="nearest")
    centre = np.broadcast_to(expected_mm[:, None], shape[:2])
    width_mm = PRIOR_SHARE * centre
    # Blur draws the ridge of a curved wall inwards; see `volumes`.
    power = np.where(np.arange(shape[0]) < rays.n_cap, 1.0, 0.5)[:, None, None]
    for brightest in BRIGHTEST:
        seen = profile * (radius / np.maximum(centre, STEP_MM)[..., None]) ** power
        away = (radius - centre[..., None]) / np.broadcast_to(width_mm, shape[:2])[..., None]
        strength = np.minimum(seen, brightest) - 0.5 * away**2
        step = trace_ridges(strength.astype(np.float32), stiffness=0.02)
        brightness = np.take_along_axis(profile, step[..., None], -1)[..., 0]
        found = radius[step] + _summit(seen, step) * STEP_MM
        centre = _smooth_surface(found, np.clip((brightness - 0.3) / 0.3, 0.02, 1.0))
        width_mm = np.full(shape[:2], SURFACE_MM)
    return _join(found, centre, brightness), brightness.astype(np.float64)


def _summit(profile: NDArray[np.floating], step: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return where a parabola through three steps peaks, -0.5 to 0.5 steps from the middle one."""
    middle = np.clip(step, 1, profile.shape[-1] - 2)
    left, here, right = (
        np.take_along_axis(profile, (middle + d)[..., None], -1)[..., 0] for d in (-1, 0, 1)
    )
    bend = left - 2 * here + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1.0), 0.0)
    return np.where(np.abs(shift) <= 0.5, shift, 0.0).astype(np.float64)


def _smooth_surface(
    radius_mm: NDArray[np.floating], weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Fit waves of order 0 to 2 around times powers 0 to 4 along, robustly."""
    n_rings, n_rays = radius_mm.shape
    azimuth = 2 * np.pi * np.arange(n_rays) / n_rays
    around = np.stack(
        [np.ones(n_rays)]
        + [wave(order * azimuth) for order in (1, 2) for wave in (np.cos, np.sin)],
        axis=1,
    )
    along = np.polynomial.legendre.legvander(np.linspace(-1, 1, n_rings), min(4, n_rings - 1))
    design = np.einsum("ra,tb->rtab", along, around).reshape(n_rings * n_rays, -1)
    target = radius_mm.ravel()
    robust = weights.ravel()
    surface = target
    for _ in range(N_ROUNDS):
        normal = design.T @ (design * robust[:, None]) + 1e-6 * np.eye(design.shape[1])
        surface = design @ np.linalg.solve(normal, design.T @ (robust * target))
        off = np.abs(target - surface)
        robust = weights.ravel() * np.minimum(1.0, HUBER_MM / np.maximum(off, 1e-6)) ** 2
    return np.asarray(surface.reshape(n_rings, n_rays), dtype=np.float64)


def _join(
    found: NDArray[np.floating], surface: NDArray[np.floating], brightness: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Take what was found where the wall is bright, the surface where it is faint; smooth."""
    trust = np.clip((brightness - 0.25) / 0.25, 0.0, 1.0)
    joined = trust * found + (1 - trust) * surface
    around = gaussian_filter1d(joined, 1.0, axis=1, mode="wrap")
    return np.asarray(gaussian_filter1d(around, 0.7, axis=0, mode="nearest"), dtype=np.float64)


EDGE_SHARE = 0.5
RAYS_SHARE = 0.6
WINDOW_MM = 10.0
CORE_MM = 10.0
VISIBLE_SHARE = 0.3
NEAR_PEAK = 0.9
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


LENGTH_MM = (35.0, 170.0)
RADIUS_MM = (8.0, 65.0)
OUTER_MM = 7.0
"""From the mid-wall to where the counts of a blurred wall have fallen to half."""

BEHIND_MM = 18.0
MIN_FALL = 0.2
MAX_COVERED = 0.1
BRIGHT_SHARE = 0.5
MIN_BRIGHT = 0.3
MAX_OUTSIDE = 0.1
SURE_TILT_DEG = 20.0


@dataclass(frozen=True)
class Wall:
    """The wall of the left ventricle on the summed volume.

    Attributes
    ----------
    geometry : WallGeometry
        Mid-wall points and rays.
    axis : LongAxis
        The centre line; distances along it count from its point.
    base_mm, apex_mm : float
        Ends of the ventricle as distances along the axis.
    base_z_mm, apex_z_mm : float
        The same ends as distances along the stack, from the centre of its first slice.
    heart : Heart
        The rings in which it was found.
    confidence : float
        0 to 1: the share of samples on a visible ridge, times the clarity of the cavity.
    flags : tuple of str
        What the report should say.
    """

    geometry: WallGeometry
    axis: LongAxis
    base_mm: float
    apex_mm: float
    base_z_mm: float
    apex_z_mm: float
    heart: Heart
    confidence: float
    flags: tuple[str, ...]


def find_wall(
    summed: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    *,
    base_mm: float | None = None,
    apex_mm: float | None = None,
    heart: Heart | None = None,
) -> Wall:
    """Find the wall: heart, long axis, base and apex, mid-wall.

    Parameters
    ----------
    summed : ndarray, shape (n_slices, n_rows, n_columns)
        Counts of all time slots together, in canonical orientation.
    voxel_mm : tuple of float
        Distance of slices, rows and columns in mm.
    base_mm, apex_mm : float, optional
        An operator's limits, in mm along the canonical stack from the centre of its first slice;
        they outrank the automatic ones.
    heart : Heart, optional
        What `find_heart` finds in the volume, where that is known already.

    Raises
    ------
    DataError
        If no heart is found, or what is found cannot be a left ventricle; the reason is given.
    """
    heart = heart or find_heart(summed, voxel_mm)
    axis, radii_mm = fit_long_axis(summed, voxel_mm, heart)
    if axis.tilt_deg > MAX_TILT_DEG:
        raise DataError(
            f"no heart found: the cavity's axis leans by {axis.tilt_deg:.0f} degrees from the "
            "stack; reorient to short-axis slices"
        )
    length_mm = axis.along_of_z(heart.slices[-1] * voxel_mm[0])
    extent = find_extent(summed, voxel_mm, axis, length_mm, radii_mm)
    flags = list(extent.flags)
    if base_mm is not None or apex_mm is not None:
        extent = _overruled(extent, axis, base_mm, apex_mm)
        flags.append(Flag("an operator's limits outrank the automatic base or apex"))
    _check_length(extent)
    rays = lay_rays(axis, extent.base_mm, extent.apex_mm - OUTER_MM, voxel_mm[0])
    expected = _expected_radii(axis, extent, rays.origins, rays.n_cap, length_mm, radii_mm)
    radius_mm, brightness = trace_mid_wall(summed, voxel_mm, rays, expected, extent.level)
    geometry = wall_on_rays(rays, radius_mm)
    flags += _check_wall(geometry, radius_mm, brightness, summed.shape, voxel_mm)
    if axis.tilt_deg > SURE_TILT_DEG:
        flags.append(
            Flag(f"the long axis leans by {axis.tilt_deg:.0f} degrees from the stack", "caution")
        )
    flags += _check_outside(summed, voxel_mm, rays, radius_mm, extent.level)
    visible = float((brightness >= BRIGHT_SHARE).mean())
    base_z, apex_z = (float(axis.at(np.array(mm))[0]) for mm in (extent.base_mm, extent.apex_mm))
    return Wall(
        geometry=geometry,
        axis=axis,
        base_mm=extent.base_mm,
        apex_mm=extent.apex_mm,
        base_z_mm=base_z,
        apex_z_mm=apex_z,
        heart=heart,
        confidence=visible * min(1.0, heart.contrast / 0.4),
        flags=tuple(flags),
    )


def _overruled(
    extent: Extent, axis: LongAxis, base_mm: float | None, apex_mm: float | None
) -> Extent:
    return replace(
        extent,
        base_mm=extent.base_mm if base_mm is None else axis.along_of_z(base_mm),
        apex_mm=extent.apex_mm if apex_mm is None else axis.along_of_z(apex_mm),
    )


def _expected_radii(
    axis: LongAxis,
    extent: Extent,
    origins: NDArray[np.floating],
    n_cap: int,
    length_mm: float,
    radii_mm: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the rough mid-wall radius of each ring: circles of the axis, an ellipse as cap."""
    along = (origins[:, 0] - np.array(axis.point_mm)) @ np.array(axis.direction)
    expected = np.interp(along, np.linspace(0.0, length_mm, len(radii_mm)), radii_mm)
    polar = (np.arange(n_cap) + 0.5) / n_cap * np.pi / 2
    depth = max(extent.apex_mm - along[0] - OUTER_MM, 8.0)
    width = max(float(expected[0]), 8.0)
    expected[:n_cap] = 1 / np.hypot(np.cos(polar) / depth, np.sin(polar) / width)
    return np.asarray(expected)


def _check_length(extent: Extent) -> None:
    length_mm = extent.apex_mm - extent.base_mm
    if not LENGTH_MM[0] <= length_mm <= LENGTH_MM[1]:
        raise DataError(
            f"expected a left ventricle of {LENGTH_MM[0]:g} to {LENGTH_MM[1]:g} mm from base to "
            f"apex, found {length_mm:.0f} mm: check the voxel size and the orientation, or give "
            "the limits with --base and --apex"
        )


def _check_wall(
    geometry: WallGeometry,
    radius_mm: NDArray[np.floating],
    brightness: NDArray[np.floating],
    shape: tuple[int, ...],
    voxel_mm: tuple[float, float, float],
) -> list[str]:
    """Refuse a wall that cannot be one; flag a doubtful one."""
    typical_mm = float(np.median(radius_mm[geometry.n_cap :]))
    if not RADIUS_MM[0] <= typical_mm <= RADIUS_MM[1]:
        raise DataError(
            f"expected a mid-wall radius of {RADIUS_MM[0]:g} to {RADIUS_MM[1]:g} mm, found "
            f"{typical_mm:.0f} mm: check the voxel size"
        )
    at = geometry.points_mm / np.array(voxel_mm)
    outside = float(((at < -0.5) | (at > np.array(shape) - 0.5)).any(axis=-1).mean())
    if outside > MAX_OUTSIDE:
        raise DataError(
            f"the wall leaves the field of view: {outside:.0%} of its samples lie outside "
            "(at most 10%); reconstruct a larger field"
        )
    visible = float((brightness >= BRIGHT_SHARE).mean())
    if visible < MIN_BRIGHT:
        raise DataError(
            f"no heart found: only {visible:.0%} of the wall's samples are visible (at least "
            f"{MIN_BRIGHT:.0%}); check that these are short-axis slices of the heart"
        )
    flags: list[str] = []
    if outside > 0:
        share = f"{outside:.0%}" if outside >= 0.005 else "less than 1%"
        flags.append(
            Flag(
                f"{share} of the wall lies outside the field of view: its phases are unknown there",
                "caution",
            )
        )
    if visible < 2 * MIN_BRIGHT:
        flags.append(
            Flag(
                f"only {visible:.0%} of the wall is visible: with a large defect, phases are those "
                "of noise there, or this is no left ventricle",
                "caution",
            )
        )
    return flags


def _check_outside(
    summed: NDArray[np.floating],
    voxel_mm: tuple[float, float, float],
    rays: Rays,
    radius_mm: NDArray[np.floating],
    level: float,
) -> list[str]:
    """Refuse a bright surface behind which the counts do not fall: no wall is like that."""
    behind = trilinear(summed[None], voxel_mm, rays.points(radius_mm + BEHIND_MM))[..., 0]
    wall = trilinear(summed[None], voxel_mm, rays.points(radius_mm))[..., 0]
    fall = float(np.median(wall - behind)) / level
    if fall < MIN_FALL:
        raise DataError(
            f"no heart found: behind the brightest ring the counts fall by {fall:.0%} of the "
            f"wall's (at least {MIN_FALL:.0%}); check that the counts are not inverted"
        )
    covered = float((behind > wall).mean())
    if covered > MAX_COVERED:
        return [
            Flag(
                f"activity outside the heart outshines {covered:.0%} of the wall: phases and "
                "perfusion next to it come partly from there",
                "caution",
            )
        ]
    return []
