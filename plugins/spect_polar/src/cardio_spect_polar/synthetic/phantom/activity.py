"""Where the activity is: small pieces of wall and blood that move, and what lies around.

The wall is not voxelised. It is cut into pieces that are small against the point spread (Gauss
nodes in depth and along the meridian, equal steps around), every piece carries its volume times
its activity, and the sum of their Gaussians is evaluated at the voxel centres (`spread`): no
staircase, and partial volume as the camera has it. Each piece keeps its volume while it moves
(`wall_motion`), so the counts of the wall are the same in every gate.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.synthetic.phantom.pose import Pose
from cardio_spect_polar.synthetic.phantom.shortening import share_at, twist_deg
from cardio_spect_polar.synthetic.phantom.spread import Cloud
from cardio_spect_polar.synthetic.phantom.ventricle import Ventricle
from cardio_spect_polar.synthetic.phantom.wall_motion import (
    Mesh,
    angles,
    area_mm2,
    descent,
    latitudes,
    mesh,
    motion,
)

Floats = NDArray[np.float64]

_PER_SD = 1.1
"""Largest distance of neighbouring pieces in standard deviations of the point spread."""
_LEAST_LATITUDES, _LEAST_ANGLES = 28, 48
_N_DEPTHS, _N_CAVITY = 4, 6
_STUB_ANGLES_DEG = (30.0, 150.0)
_STUB_MM, _STUB_STEP_MM = 4.0, 3.0
_GUT_SD_MM, _LIVER_SD_MM = 13.0, 26.0


def heart(ventricle: Ventricle, at: Pose, n_slots: int, n_subframes: int, sigma_mm: float) -> Cloud:
    """Return the pieces of wall and blood in every gate.

    Parameters
    ----------
    ventricle : Ventricle
        Who.
    at : Pose
        Where.
    n_slots, n_subframes : int
        Gates, and moments that are averaged in each.
    sigma_mm : float
        Of the point spread; the pieces are small against it.
    """
    n_latitudes, n_angles = _resolution(ventricle, sigma_mm)
    latitude, weight = latitudes(n_latitudes)
    wall = mesh(ventricle, latitude, angles(n_angles))
    area = area_mm2(ventricle, latitude, weight, n_angles)[:, None]
    n_times = n_slots * n_subframes
    time = (np.arange(n_times) + 0.5) / n_times
    inner, thickness = motion(wall, ventricle, time)
    who = (ventricle, time)
    muscle = _pieces(
        wall, at, inner, thickness, area * wall.perfusion * wall.muscle, _N_DEPTHS, who
    )
    # The blood needs fewer pieces: it is faint and has no fine structure.
    few = slice(None, None, 2)
    axis = np.broadcast_to(-1.0 / wall.k2_per_mm, inner.shape)[..., few]
    coarse = mesh(ventricle, latitude, wall.angle_deg[0, few])
    pool = 2 * area * ventricle.blood
    blood = _pieces(coarse, at, axis, inner[..., few] - axis, pool, _N_CAVITY, who)
    parts = [muscle, blood]
    if ventricle.beyond_activity:
        # It lies where the wall would be at end-diastole, and stays there.
        still = replace(ventricle, shortening_mm=0.0, twist_deg=0.0)
        there = np.zeros(inner.shape)
        faint = area * ventricle.beyond_activity * (1 - wall.muscle)
        parts.append(_pieces(wall, at, there, there + wall.h0_mm, faint, _N_DEPTHS, (still, time)))
    points = np.concatenate([part.points_mm for part in parts], axis=1)
    weights = np.concatenate([part.weights for part in parts], axis=1) / n_subframes
    return Cloud(points.reshape(n_slots, -1, 3), weights.reshape(n_slots, -1))


def _resolution(ventricle: Ventricle, sigma_mm: float) -> tuple[int, int]:
    """Return how many latitudes and angles keep neighbouring pieces close enough.

    In the middle of a meridian Gauss-Legendre nodes lie π/2 times farther apart than on average.
    """
    apart = _PER_SD * sigma_mm
    around = 2 * np.pi * (ventricle.radius_mm + ventricle.thickness_mm)
    meridian = np.pi / 2 * np.hypot(ventricle.length_mm, ventricle.radius_mm)
    return (
        max(int(np.ceil(meridian / apart)), _LEAST_LATITUDES),
        max(2 * int(np.ceil(around / apart / 2)), _LEAST_ANGLES),
    )


def _pieces(
    wall: Mesh,
    at: Pose,
    start_mm: Floats,
    depth_mm: Floats,
    activity: Floats,
    n_depths: int,
    who: tuple[Ventricle, Floats],
) -> Cloud:
    """Cut what lies along the normals from `start_mm` into pieces, at every time.

    `start_mm` and `depth_mm` have the shape (n_times, n_latitudes, n_angles); `activity` is per
    mm³, times the endocardial area; `who` is the ventricle and the times.
    """
    node, share = np.polynomial.legendre.leggauss(n_depths)
    x = start_mm[..., None] + depth_mm[..., None] * (node + 1) / 2
    stretch = (1 + wall.k1_per_mm[..., None] * x) * (1 + wall.k2_per_mm[..., None] * x)
    weights = activity[..., None] * stretch * depth_mm[..., None] * share / 2
    ventricle, time_rr = who
    radius = wall.foot_mm[0][..., None] + x * wall.normal[0][..., None]
    depth = wall.foot_mm[1][..., None] + x * wall.normal[1][..., None]
    angle = wall.angle_deg[..., None]
    if ventricle.twist_deg:
        angle = angle + twist_deg(ventricle, time_rr[:, None, None, None], depth)
    if ventricle.shortening_mm:
        share, slope = share_at(ventricle, depth)
        base_mm = descent(wall, ventricle, time_rr)[..., None]
        weights = weights * (1 + base_mm * slope)
        depth = depth + base_mm * share
    points = at.place(radius, depth, angle)
    n_times = x.shape[0]
    return Cloud(points.reshape(n_times, -1, 3), weights.reshape(n_times, -1))


def right_ventricle(ventricle: Ventricle, at: Pose) -> Cloud:
    """Return the walls of the right ventricle where they leave the left one; they do not move."""
    if ventricle.rv_activity == 0:
        return Cloud(np.zeros((1, 0, 3)), np.zeros((1, 0)))
    depth = np.arange(_STUB_STEP_MM / 2, 0.7 * ventricle.length_mm, _STUB_STEP_MM)
    reach = np.arange(_STUB_STEP_MM / 2, ventricle.rv_length_mm, _STUB_STEP_MM)
    surface = ventricle.radius_mm * np.sqrt(1 - (depth / ventricle.length_mm) ** 2)
    surface = surface + ventricle.thickness_mm
    points = []
    for angle in _STUB_ANGLES_DEG:
        root = at.place(surface, depth, np.array(angle))
        across = np.cos(np.radians(angle)) * 0.4 * at.anterior + at.septal
        across = across / np.linalg.norm(across)
        points.append((root[:, None] + reach[:, None] * across).reshape(-1, 3))
    together = np.concatenate(points)
    piece = ventricle.rv_activity * _STUB_MM * _STUB_STEP_MM**2
    return Cloud(together[None], np.full((1, len(together)), piece))


def surroundings(
    ventricle: Ventricle,
    at: Pose,
    shape: tuple[int, int, int],
    voxel_mm: tuple[float, float, float],
    sigma_mm: float,
) -> Floats:
    """Return the activity of gut and liver near the inferior wall: Gaussians, blurred exactly."""
    total = np.zeros(shape)
    epicardium = ventricle.radius_mm + ventricle.thickness_mm
    # Activity, distance, depth as a share of the length, angle, standard deviation.
    for activity, distance, share, angle, sd in (
        (ventricle.gut_activity, ventricle.gut_distance_mm, 0.55, 185.0, _GUT_SD_MM),
        (ventricle.liver_activity, ventricle.liver_distance_mm, 0.4, 155.0, _LIVER_SD_MM),
    ):
        if activity == 0:
            continue
        outside, depth = np.array(epicardium + distance), np.array(share * ventricle.length_mm)
        centre = at.place(outside, depth, np.array(angle))
        variance = sd**2 + sigma_mm**2
        z, y, x = (
            np.exp(-((np.arange(n) * step - middle) ** 2) / (2 * variance))
            for n, step, middle in zip(shape, voxel_mm, centre, strict=True)
        )
        peak = activity * (sd**2 / variance) ** 1.5
        total += peak * z[:, None, None] * y[:, None] * x
    return total
