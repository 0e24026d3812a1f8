"""From a stack to the wall: orientation, axis, ends, operator, and stacks without a heart."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_spect_polar.phase.find_wall import find_wall
from cardio_spect_polar.phase.geometry import (
    LongAxis,
    fit_circles,
    fit_line,
    lay_rays,
    rays_of,
    trace_ridges,
    wall_on_rays,
)
from cardio_spect_polar.phase.orientation import canonical
from cardio_spect_polar.phase.sampling import SampledHeart, sample_heart, with_base_moved
from cardio_spect_polar.phase.summary import summarise
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import Ventricle, lbbb_delay

HEART = Ventricle(
    delay_rr=lbbb_delay(), rv_activity=0.3, tilt_deg=10.0, tilt_towards_deg=200.0,
    offset_mm=(12.0, -9.0),
)  # fmt: skip
CAMERA = Camera(n_rows=32, n_columns=32, n_subframes=2)


@cache
def imaged() -> tuple[np.ndarray, tuple[float, float, float], Truth]:
    counts, voxel_mm, truth = image(HEART, np.random.default_rng(3), CAMERA)
    return counts.astype(np.float32), voxel_mm, truth


@cache
def sampled() -> SampledHeart:
    counts, voxel_mm, _ = imaged()
    return sample_heart(GatedStack(counts, voxel_mm, apex_first=False))


def test_circles_are_found_on_three_fifths_of_their_arc_and_past_outliers() -> None:
    angle = np.linspace(0, 1.2 * np.pi, 40)
    points = np.stack([20 + 15 * np.cos(angle), 30 + 15 * np.sin(angle)], axis=-1)
    points[5:9] += 12
    weights = np.ones((1, 40))
    weights[0, 30:] = 0.02
    centres, radii, _ = fit_circles(points[None], weights)
    assert np.allclose(centres, [[20, 30]], atol=0.5)
    assert np.allclose(radii, 15, atol=0.5)


def test_an_outlying_slice_does_not_bend_the_axis() -> None:
    z = np.arange(0.0, 60.0, 5.0)
    centres = np.stack([50 + 0.1 * z, 40 - 0.05 * z], axis=1)
    centres[4] += [15, -15]
    line = fit_line(z, centres, np.ones(len(z)))
    assert np.allclose(line[1], [0.1, -0.05], atol=0.03)
    assert np.allclose(line[0], [50, 40], atol=1.0)


def test_the_ridge_is_the_best_closed_line_by_exhaustive_search() -> None:
    rng = np.random.default_rng(5)
    strength = rng.uniform(size=(3, 6, 4))
    found = trace_ridges(strength, max_jump=1, stiffness=0.1)
    lines = np.stack(np.meshgrid(*[np.arange(4)] * 6, indexing="ij"), axis=-1).reshape(-1, 6)
    jumps = np.abs(lines - np.roll(lines, 1, axis=1))
    lines, jumps = lines[jumps.max(axis=1) <= 1], jumps[jumps.max(axis=1) <= 1]
    for ring in range(3):
        totals = strength[ring, np.arange(6), lines].sum(axis=1) - 0.1 * (jumps**2).sum(axis=1)
        assert np.array_equal(found[ring], lines[totals.argmax()])


def test_rays_turn_from_anterior_over_the_septum_and_leave_the_axis_upright() -> None:
    axis = LongAxis((10.0, 60.0, 55.0), (0.98, 0.15, np.sqrt(1 - 0.98**2 - 0.15**2)))
    rays = lay_rays(axis, 5.0, 85.0, 5.0)
    cylinder = rays.directions[rays.n_cap :]
    assert np.allclose(np.linalg.norm(rays.directions, axis=-1), 1)
    assert np.allclose(cylinder @ np.array(axis.direction), 0, atol=1e-12)
    assert (cylinder[:, 0, 1] < -0.95).all()
    assert (cylinder[:, 10, 2] < -0.95).all()
    assert (rays.directions[0] @ np.array(axis.direction) > 0.9).all()
    radius = np.random.default_rng(0).uniform(20, 30, size=rays.directions.shape[:2])
    again, found = rays_of(wall_on_rays(rays, radius))
    assert np.allclose(found, radius)
    assert np.allclose(again.origins, rays.origins)


def test_the_areas_of_a_capped_cylinder_add_up_to_its_own() -> None:
    rays = lay_rays(LongAxis((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)), 0.0, 90.0, 3.0)
    geometry = wall_on_rays(rays, np.full(rays.directions.shape[:2], 25.0))
    height = rays.origins[rays.n_cap, 0, 0]
    expected = 2 * np.pi * 25**2 + 2 * np.pi * 25 * height
    assert geometry.area_mm2.sum() == pytest.approx(expected, rel=0.02)
    assert (np.diff(geometry.arc) > 0).all()
    quarter = np.pi / 2 * 25
    assert geometry.arc[rays.n_cap] == pytest.approx(quarter / (quarter + height), abs=0.02)


def test_a_tilted_ventricle_is_found_with_its_axis_base_and_apex() -> None:
    _, voxel_mm, truth = imaged()
    wall = sampled().wall
    leaning = np.degrees(np.arccos(np.dot(wall.axis.direction, truth.pose.axis)))
    assert leaning < 4
    assert abs(wall.base_z_mm - truth.base_mm) <= voxel_mm[0]
    assert abs(wall.apex_z_mm - truth.apex_mm) <= voxel_mm[0]
    radius, depth, _ = truth.pose.locate(wall.geometry.points_mm)
    far, deep, _ = truth.pose.locate(truth.geometry.points_mm)
    nearest = np.hypot(
        radius.ravel()[:, None] - far.ravel(), depth.ravel()[:, None] - deep.ravel()
    ).min(axis=1)
    assert np.percentile(nearest, 90) < 0.7 * voxel_mm[0]


def test_a_stack_without_direction_is_turned_by_its_tapering_and_says_so() -> None:
    counts, voxel_mm, _ = imaged()
    turned = canonical(GatedStack(counts[:, ::-1], voxel_mm))
    assert turned.reversed
    assert np.array_equal(turned.counts, counts)
    assert "does not say where the apex is" in turned.flags[0]


def test_a_header_that_contradicts_the_tapering_is_followed_and_flagged() -> None:
    counts, voxel_mm, _ = imaged()
    wrong = canonical(GatedStack(counts[:, ::-1], voxel_mm, apex_first=False))
    assert not wrong.reversed
    assert any("cavity is open" in flag for flag in wrong.flags)
    right = canonical(GatedStack(counts[:, ::-1], voxel_mm, apex_first=True))
    assert right.reversed
    assert right.flags == ()


def test_an_operators_limits_outrank_the_automatic_ones_in_either_order_of_slices() -> None:
    counts, voxel_mm, truth = imaged()
    last_mm = (counts.shape[1] - 1) * voxel_mm[0]
    base, apex = truth.base_mm + 8, truth.apex_mm - 5
    straight = sample_heart(
        GatedStack(counts, voxel_mm, apex_first=False, base_mm=base, apex_mm=apex)
    )
    turned = sample_heart(
        GatedStack(
            counts[:, ::-1],
            voxel_mm,
            apex_first=True,
            base_mm=last_mm - base,
            apex_mm=last_mm - apex,
        )
    )
    for heart in (straight, turned):
        # One number is the base at end-diastole.
        assert heart.base_by_slot_mm.min() == pytest.approx(base)
        assert heart.wall.apex_z_mm == pytest.approx(apex)
        assert any("operator" in flag for flag in heart.flags)
    assert np.allclose(straight.sampled.curves, turned.sampled.curves)


def test_limits_that_leave_no_ventricle_are_refused() -> None:
    counts, voxel_mm, _ = imaged()
    summed = counts.mean(axis=0)
    with refuses(DataError, "35", "170"):
        find_wall(summed, voxel_mm, base_mm=100.0, apex_mm=60.0)
    with pytest.raises(DataError, match="field of view"):
        find_wall(summed, voxel_mm, base_mm=-35.0)


def test_the_base_is_moved_by_a_slice_either_way() -> None:
    heart = sampled()
    moved = {n: with_base_moved(heart, n, mode="tracked") for n in (-1, 0, 1)}
    assert np.allclose(moved[0].curves, heart.sampled.curves)
    last = {n: wall.geometry.points_mm[-1, :, 0].mean() for n, wall in moved.items()}
    assert last[1] - last[0] == pytest.approx(heart.voxel_mm[0], rel=0.05)
    assert last[0] - last[-1] == pytest.approx(heart.voxel_mm[0], rel=0.05)


def test_gating_that_cannot_be_trusted_ends_the_study() -> None:
    counts, voxel_mm, _ = imaged()
    with refuses(DataError, "50%", "--max-rejected"):
        sample_heart(GatedStack(counts, voxel_mm, apex_first=False, rejected_share=0.5))


def test_six_slots_that_a_reader_was_told_to_take_are_measured_and_flagged() -> None:
    counts, voxel_mm, _ = image(
        Ventricle(), None, Camera(n_rows=32, n_columns=32, n_slices=24, n_slots=6)
    )
    heart = sample_heart(GatedStack(counts.astype(np.float32), voxel_mm, apex_first=False))
    assert any(flag.startswith("6 time slots") for flag in heart.flags)
    assert np.isfinite(summarise(heart.sampled.curves, heart.wall.geometry).indices["psd_deg"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[:, :1], "at least 8 short-axis slices, found 1"),
        (lambda c: np.where(c > c.max() / 2, np.nan, c), "NaN or infinite"),
        (lambda c: c[:, :, :8, :8], "at least 16 x 16, found 8 x 8"),
        (lambda c: c.max() - c, "no heart found"),
        (lambda c: np.full_like(c, 7), "no contrast"),
        (lambda c: c[0], "3 dimensions"),
    ],
)
def test_what_cannot_be_a_gated_ventricle_is_refused_with_its_reason(change, message) -> None:
    counts, voxel_mm, _ = imaged()
    with pytest.raises(DataError, match=message):
        sample_heart(GatedStack(change(counts), voxel_mm, apex_first=False))


def odd_volumes() -> dict[str, np.ndarray]:
    """Stacks that nobody would send, and some that somebody will."""
    rng = np.random.default_rng(1)
    shape = (8, 24, 32, 32)
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape[1:]), indexing="ij")
    away = np.sqrt((z - 12) ** 2 + (y - 16) ** 2 + (x - 16) ** 2)
    heart = imaged()[0]
    return {
        "counting noise": rng.poisson(20, shape),
        "noise around zero": rng.normal(0, 10, shape),
        "smooth noise": np.exp(3 * gaussian_filter(rng.normal(size=shape), (0, 1.5, 1.5, 1.5))),
        "smooth coloured noise": np.abs(gaussian_filter(rng.normal(size=shape), (0, 2, 2, 2))),
        "one blob": np.repeat(np.exp(-(away**2) / 30)[None], 8, 0),
        "one voxel": np.repeat((away == 0)[None], 8, 0) * 1e6,
        "closed shell": np.repeat(np.exp(-((away - 6) ** 2) / 4)[None], 8, 0),
        "endless tube": np.repeat(np.exp(-((np.hypot(y - 16, x - 16) - 5) ** 2) / 4)[None], 8, 0),
        "ramp": np.repeat(z[None] * 1.0, 8, 0),
        "disc": np.repeat((np.hypot(y - 16, x - 16) < 10)[None], 8, 0) * 1.0,
        "checkerboard": np.repeat(((x + y + z) % 2)[None], 8, 0) * 1.0,
        "heart minus background": heart - 20,
        "heart at the border": np.roll(heart, -12, axis=2),
        "heart cut at the base": heart[:, 9:],
        "heart cut at the apex": heart[:, :-9],
        "heart of few counts": rng.poisson(heart / 50),
        "heart on its side": heart.transpose(0, 2, 1, 3),
        "huge counts": heart * 1e25,
        "tiny counts": heart * 1e-25,
    }


@pytest.mark.parametrize("name", sorted(odd_volumes()))
def test_any_stack_ends_in_finite_curves_or_in_a_reason(name: str) -> None:
    stack = GatedStack(odd_volumes()[name].astype(np.float32), (6.4, 6.4, 6.4))
    try:
        heart = sample_heart(stack)
    except DataError as error:
        assert len(str(error)) > 20
        assert "\n" not in str(error)
        return
    assert "noise" not in name
    assert np.isfinite(heart.sampled.curves).all()
    assert 0 <= heart.volumes.ef_pct <= 100
    assert 0 <= heart.wall.confidence <= 1
