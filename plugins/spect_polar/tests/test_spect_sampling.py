"""Curves, profiles and volumes against scipy's interpolation and analytic walls."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cardio_spect_polar.phase.curves import (
    WallProfiles,
    brightest_counts,
    sample_wall,
    wall_profiles,
)
from cardio_spect_polar.phase.geometry import LongAxis, lay_rays, trilinear, wall_on_rays
from cardio_spect_polar.phase.volumes import cavity_ml, fit_side, volumes, without_gate_averaging
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import Ventricle

VOXEL_MM = (5.0, 4.0, 4.5)


@cache
def imaged() -> tuple[np.ndarray, tuple[float, float, float], Truth]:
    return image(Ventricle(tilt_deg=7.0), None, Camera(n_rows=32, n_columns=32, n_subframes=2))


def test_trilinear_is_scipys_linear_interpolation_also_beyond_the_border() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(50, size=(3, 9, 11, 10)).astype(np.float32)
    points = rng.uniform(-6, 55, size=(40, 5, 3))
    found = trilinear(counts, VOXEL_MM, points)
    at = np.moveaxis(points / np.array(VOXEL_MM), -1, 0)
    expected = [map_coordinates(volume, at, order=1, mode="nearest") for volume in counts]
    assert np.allclose(found, np.moveaxis(expected, 0, -1), atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 6, 6), (6, 1, 6), (1, 1, 1)])
def test_trilinear_takes_stacks_of_one_voxel(shape: tuple[int, int, int]) -> None:
    counts = np.full((2, *shape), 3.0)
    assert np.allclose(trilinear(counts, VOXEL_MM, np.array([[4.0, 4.0, 4.0]])), 3.0)


def test_the_largest_counts_are_those_of_a_loop_over_rays() -> None:
    counts, voxel_mm, truth = imaged()
    geometry = truth.geometry
    profiles = wall_profiles(counts, voxel_mm, geometry)
    found = brightest_counts(profiles, smooth=False)
    step = 0.25 * min(voxel_mm)
    offsets = np.arange(-round(12 / step), round(12 / step) + 1) * step
    n_checked = 0
    for ring in range(0, len(geometry.arc), 3):
        for ray in range(0, 40, 7):
            if not profiles.allowed[ring, ray].all():
                continue
            n_checked += 1
            points = (
                geometry.points_mm[ring, ray] + offsets[:, None] * geometry.directions[ring, ray]
            )
            at = (points / np.array(voxel_mm)).T
            expected = map_coordinates(counts[3], at, order=1, mode="nearest").max()
            assert found[ring, ray, 3] == pytest.approx(expected, rel=1e-4)
    assert n_checked >= 10


def test_curves_scale_with_the_counts_and_do_not_depend_on_other_slots() -> None:
    counts, voxel_mm, truth = imaged()
    curves = sample_wall(counts, voxel_mm, truth.geometry).curves
    doubled = sample_wall(2 * counts, voxel_mm, truth.geometry).curves
    assert np.allclose(doubled, 2 * curves, rtol=1e-5)
    turned = sample_wall(np.roll(counts, 3, axis=0), voxel_mm, truth.geometry).curves
    assert np.allclose(turned, np.roll(curves, 3, axis=0), rtol=1e-5)


def test_the_independent_search_finds_the_same_wall_where_nothing_else_is() -> None:
    counts, voxel_mm, truth = imaged()
    free = sample_wall(counts, voxel_mm, truth.geometry, mode="independent").curves
    tracked = brightest_counts(wall_profiles(counts, voxel_mm, truth.geometry), smooth=False)
    assert np.allclose(free, np.moveaxis(tracked, -1, 0), rtol=0.05)


def test_activity_behind_a_valley_is_not_taken_for_the_wall() -> None:
    """A static ring, 11 mm behind the wall and three times as bright, within the 12 mm."""
    _, y, x = np.meshgrid(*(np.arange(n) * 2.0 for n in (24, 60, 60)), indexing="ij")
    radius = np.hypot(y - 60, x - 60)
    beat = 1 + 0.2 * np.cos(2 * np.pi * (np.arange(8) + 0.5) / 8)
    wall = np.exp(-((radius - 30) ** 2) / (2 * 2.5**2))
    other = 3 * np.exp(-((radius - 41) ** 2) / (2 * 2.5**2))
    counts = 100 * (beat[:, None, None, None] * wall + other)
    rays = lay_rays(LongAxis((0.0, 60.0, 60.0), (1.0, 0.0, 0.0)), 6.0, 46.0, 4.0)
    ring = wall_on_rays(rays, np.full((len(rays.directions), 40), 30.0))
    curves = sample_wall(counts, (2.0, 2.0, 2.0), ring).curves[:, rays.n_cap :]
    change = np.ptp(curves, axis=0) / curves.mean(axis=0)
    assert np.allclose(change, np.ptp(beat) / beat.mean(), rtol=0.1)


def test_an_asymmetric_gaussian_gives_back_its_peak_and_both_deviations() -> None:
    offset = np.arange(-20.0, 20.5, 0.5)
    sd = np.where(offset < 3, 5.0, 7.0)
    counts = (80 * np.exp(-((offset - 3) ** 2) / (2 * sd**2))).astype(np.float32)
    profiles = WallProfiles(
        np.broadcast_to(counts[:, None], (1, 40, len(offset), 1)).copy(),
        np.ones((1, 40, len(offset)), dtype=bool),
        np.broadcast_to(offset, (1, 40, len(offset))),
    )
    peak, inner = fit_side(profiles)
    _, outer = fit_side(profiles, outer=True)
    assert np.allclose(peak, 3.0)
    assert np.allclose(inner, 5.0, atol=0.02)
    assert np.allclose(outer, 7.0, atol=0.02)


def test_the_cavity_of_half_an_ellipsoid_is_two_thirds_pi_r2_l() -> None:
    length_mm, radius_mm = 80.0, 30.0
    rays = lay_rays(LongAxis((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)), 0.0, length_mm, 2.0)
    along = rays.origins[:, 0, 0]
    direction = rays.directions[:, 0]
    # Where o + t d meets (z/L)² + (r/R)² = 1.
    a = (direction[:, 0] / length_mm) ** 2 + (np.hypot(*direction[:, 1:].T) / radius_mm) ** 2
    b = 2 * along * direction[:, 0] / length_mm**2
    c = (along / length_mm) ** 2 - 1
    meets = (-b + np.sqrt(b**2 - 4 * a * c)) / (2 * a)
    found = cavity_ml(np.repeat(meets[:, None], 40, axis=1), rays.origins[:, 0], rays.n_cap)
    assert found == pytest.approx(2 / 3 * np.pi * radius_mm**2 * length_mm / 1000, rel=0.01)


def test_gate_averages_of_a_volume_curve_give_back_its_extremes() -> None:
    fine = (np.arange(8000) + 0.5) / 8000
    curve = 120 - 35 * np.sin(np.pi * np.minimum(fine / 0.75, 1)) ** 2
    averaged = curve.reshape(8, -1).mean(axis=1)
    found = without_gate_averaging(averaged)
    assert abs(np.ptp(found) - 35) < abs(np.ptp(averaged) - 35)
    assert np.ptp(found) == pytest.approx(35, abs=1.0)


def test_volumes_on_the_known_wall_are_those_of_the_phantom() -> None:
    counts, voxel_mm, truth = imaged()
    found = volumes(counts, voxel_mm, truth.geometry)
    assert found.edv_ml == pytest.approx(truth.edv_ml, rel=0.07)
    assert found.esv_ml == pytest.approx(truth.esv_ml, rel=0.12)
    assert found.ef_pct == pytest.approx(truth.ef_pct, abs=5)
