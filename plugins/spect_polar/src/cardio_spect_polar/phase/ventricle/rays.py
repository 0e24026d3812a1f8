"""Rays that leave the long axis: rings of a cylinder, and the cap around its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.ventricle.long_axis import LongAxis
from cardio_spect_polar.phase.ventricle.wall import N_RAYS, WallGeometry

CYLINDER_SHARE = 2 / 3
"""The cylinder ends here on the way from the base to the apex; the hemisphere begins."""

MIN_CAP_RINGS = 3
MIN_CYLINDER_RINGS = 2


@dataclass(frozen=True)
class Rays:
    """Where samples are looked for.

    Rings run from the apex to the base, rays from anterior over the septum.

    Attributes
    ----------
    origins : ndarray, shape (n_rings, 1, 3)
        Points (z, y, x) in mm on the long axis.
    directions : ndarray, shape (n_rings, N_RAYS, 3)
        Unit vectors.
    n_cap : int
        Rings of the hemisphere, the first ones.
    """

    origins: NDArray[np.float64]
    directions: NDArray[np.float64]
    n_cap: int

    def points(self, radius_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the points at a radius of shape (n_rings, N_RAYS) or (n_rings, N_RAYS, n)."""
        if radius_mm.ndim == 3:
            return self.origins[:, :, None] + self.directions[:, :, None] * radius_mm[..., None]
        return self.origins + self.directions * radius_mm[..., None]


def lay_rays(axis: LongAxis, base_mm: float, apex_mm: float, spacing_mm: float) -> Rays:
    """Lay forty rays a ring over the ventricle.

    One ring a slice across the axis from the base to two thirds of the length; beyond, rays that
    leave the centre of the last of these rings, at polar angles of (j + 1/2)/n times 90 degrees.

    Parameters
    ----------
    axis : LongAxis
        The long axis.
    base_mm, apex_mm : float
        The base and the middle of the apical wall along the axis, as `LongAxis.at` counts.
    spacing_mm : float
        Distance of neighbouring rings, about; the slice thickness.

    Examples
    --------
    >>> from cardio_spect_polar.phase.ventricle.long_axis import LongAxis
    >>> rays = lay_rays(LongAxis((0.0, 50.0, 50.0), (1.0, 0.0, 0.0)), 20.0, 110.0, 5.0)
    >>> rays.n_cap, len(rays.directions)
    (6, 18)
    """
    along, around = np.asarray(axis.direction), axis.around(N_RAYS)
    length_mm = apex_mm - base_mm
    n_cylinder = max(MIN_CYLINDER_RINGS, int(CYLINDER_SHARE * length_mm / spacing_mm))
    levels = base_mm + (np.arange(n_cylinder)[::-1] + 0.5) * spacing_mm
    n_cap = max(MIN_CAP_RINGS, round((apex_mm - levels[0]) / spacing_mm))
    polar = (np.arange(n_cap) + 0.5) / n_cap * np.pi / 2
    cap = np.cos(polar)[:, None, None] * along + np.sin(polar)[:, None, None] * around
    tip = axis.at(np.full(n_cap, levels[0]))
    return Rays(
        origins=np.concatenate([tip, axis.at(levels)])[:, None],
        directions=np.concatenate([cap, np.broadcast_to(around, (n_cylinder, N_RAYS, 3))]),
        n_cap=n_cap,
    )


def wall_on_rays(rays: Rays, radius_mm: NDArray[np.floating]) -> WallGeometry:
    """Return the wall at these radii, with its arc lengths and areas.

    Parameters
    ----------
    rays : Rays
        The rays.
    radius_mm : ndarray, shape (n_rings, N_RAYS)
        Distance of the mid-wall from the rays' origins.
    """
    points = rays.points(radius_mm)
    ahead = rays.directions[0].mean(axis=0)
    tip = rays.origins[0] + ahead / np.linalg.norm(ahead) * radius_mm[0].mean()
    end = points[-1] + 0.5 * (points[-1] - points[-2])
    edges = np.concatenate(
        [np.broadcast_to(tip, (1, N_RAYS, 3)), 0.5 * (points[1:] + points[:-1]), end[None]]
    )
    heights = np.linalg.norm(edges[1:] - points, axis=-1) + np.linalg.norm(
        points - edges[:-1], axis=-1
    )
    widths = np.linalg.norm(np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1), axis=-1) / 2
    upper = np.concatenate([[0.0], np.cumsum(heights.mean(axis=1))])
    return WallGeometry(
        points_mm=points,
        directions=np.array(rays.directions),
        arc=(upper[:-1] + upper[1:]) / 2 / upper[-1],
        area_mm2=heights * widths,
        n_cap=rays.n_cap,
    )


def rays_of(geometry: WallGeometry) -> tuple[Rays, NDArray[np.float64]]:
    """Return the rays on which a wall lies, and its radii.

    A ring's origin is the point nearest to all its lines in the least-squares sense; for rays
    that were laid by `lay_rays` it is exact.
    """
    along = geometry.directions
    across = np.eye(3) - along[..., :, None] * along[..., None, :]
    pull = np.einsum("rtij,rtj->ri", across, geometry.points_mm)
    origins = np.linalg.solve(across.sum(axis=1), pull[..., None])[..., 0][:, None]
    radius_mm = np.einsum("rti,rti->rt", geometry.points_mm - origins, along)
    return Rays(origins, along, geometry.n_cap), radius_mm
