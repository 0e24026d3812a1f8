"""From a summed volume to the geometry of the wall, unattended, or with an operator's limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.phase.ventricle.extent import Extent, find_extent
from cardio_spect_polar.phase.ventricle.heart import Heart, find_heart
from cardio_spect_polar.phase.ventricle.interpolate import trilinear
from cardio_spect_polar.phase.ventricle.long_axis import MAX_TILT_DEG, LongAxis, fit_long_axis
from cardio_spect_polar.phase.ventricle.mid_wall import trace_mid_wall
from cardio_spect_polar.phase.ventricle.rays import Rays, lay_rays, wall_on_rays
from cardio_spect_polar.phase.ventricle.wall import WallGeometry
from cardio_spect_polar.readers.flag import Flag

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
                "perfusion beside it are too much its own",
                "caution",
            )
        ]
    return []
