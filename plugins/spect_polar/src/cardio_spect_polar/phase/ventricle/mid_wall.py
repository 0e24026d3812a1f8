"""The middle of the wall on every ray: a smooth surface along the brightest ridge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_spect_polar.phase.ventricle.interpolate import trilinear
from cardio_spect_polar.phase.ventricle.rays import Rays
from cardio_spect_polar.phase.ventricle.ridge import trace_ridges

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
