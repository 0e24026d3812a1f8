"""Maps, perfusion, thickening and the summary of a study."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_spect_polar.phase.geometry import WallGeometry
from cardio_spect_polar.phase.perfusion import perfusion_pct, scar_pct, thickening_pct
from cardio_spect_polar.phase.summary import SUMMARY_UNITS, sample_weights, summarise
from cardio_spect_polar.polar.maps import polar_grid, raster, raster_coordinates

RINGS = 26
ARC = (np.arange(RINGS) + 0.5) / RINGS
RAYS = np.arange(40) * 9.0


def wall(area=None):
    zeros = np.zeros((RINGS, 40, 3))
    return WallGeometry(zeros, zeros, ARC, np.ones((RINGS, 40)) if area is None else area, 8)


def curves_of(phase_deg, counts=200.0, amplitude=0.2, n_slots=8):
    middles = (np.arange(n_slots) + 0.5) / n_slots
    wave = np.cos(2 * np.pi * middles[:, None, None] - np.radians(phase_deg))
    return counts * (1 + amplitude * wave)


def late_free_wall(spread_deg=40.0, mean_deg=130.0):
    return mean_deg - spread_deg * np.sin(np.radians(RAYS)) + np.zeros((RINGS, 1))


def test_between_samples_the_map_is_scipys_linear_interpolation():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(RINGS, 40))
    around = np.column_stack([values, values[:, :1]])
    peer = RegularGridInterpolator((ARC, np.append(RAYS, 360.0)), around)
    radius, angle = raster_coordinates(128)
    inside = (radius >= ARC[0]) & (radius <= ARC[-1])
    found = raster(values, ARC)
    np.testing.assert_allclose(
        found[inside], peer(np.column_stack([radius[inside], angle[inside]])), atol=1e-12
    )


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 359.99), st.integers(0, 2**31))
def test_turning_phases_turns_the_map_and_nothing_else(turn, seed):
    phases = np.random.default_rng(seed).normal(130, 40, (6, 40))
    arc = (np.arange(6) + 0.5) / 6
    one = polar_grid(phases, arc, circular=True)
    other = polar_grid(phases + turn, arc, circular=True)
    apart = np.abs((other - one - turn + 180) % 360 - 180)
    assert apart.max() < 1e-5


def test_phases_on_both_sides_of_zero_meet_at_zero():
    phases = np.where(np.arange(40) % 2, 10.0, 350.0) + np.zeros((RINGS, 1))
    found = polar_grid(phases, ARC, n_angles=80, circular=True)
    # Between two rays of 350 and 10 degrees lies 0, never 180.
    halfway = found[5, 1::2]
    assert np.minimum(halfway, 360 - halfway).max() < 1e-6
    assert not np.any((found > 11) & (found < 349))


def test_columns_of_the_grid_follow_the_angle_and_rings_the_arc():
    values = ARC[:, None] * 100 + np.cos(np.radians(RAYS))
    found = polar_grid(values, ARC)
    rings, angles = (np.arange(24) + 0.5) / 24, np.arange(72) * 5.0
    expected = rings[:, None] * 100 + np.cos(np.radians(angles))
    assert found.shape == (24, 72)
    np.testing.assert_allclose(found, expected, atol=0.004)


def test_the_picture_has_anterior_on_top_and_the_septum_on_the_left():
    toward = {name: np.broadcast_to(np.cos(np.radians(RAYS - angle)), (RINGS, 40))
              for name, angle in (("anterior", 0), ("septum", 90), ("inferior", 180))}  # fmt: skip
    places = {"anterior": (5, 64), "septum": (64, 5), "inferior": (122, 64)}
    for name, values in toward.items():
        picture = raster(values, ARC)
        assert picture[places[name]] == pytest.approx(np.nanmax(picture), abs=0.01)


def test_outside_the_circle_the_picture_is_missing():
    picture = raster(np.ones((RINGS, 40)), ARC)
    assert picture.shape == (128, 128)
    known = np.isfinite(picture)
    assert known.mean() == pytest.approx(math.pi / 4, abs=0.003)
    assert np.all(picture[known] == 1)
    np.testing.assert_array_equal(known, known.T)


def test_the_middle_of_the_map_is_the_mean_of_the_first_ring():
    phases = np.broadcast_to(np.where(RAYS < 180, 340.0, 40.0), (RINGS, 40))
    middle = raster(phases, ARC, size=129, circular=True)[64, 64]
    assert middle == pytest.approx(10.0, abs=1e-6)


def test_a_missing_sample_leaves_its_neighbours_their_values():
    values = np.full((RINGS, 40), 7.0)
    values[10, 10] = np.nan
    assert np.all(polar_grid(values, ARC) == pytest.approx(7.0))
    np.testing.assert_allclose(polar_grid(values, ARC, circular=True), 7.0)
    values[:, 20:30] = np.nan
    holes = np.isnan(polar_grid(values, ARC))
    assert holes[:, 40:50].all()
    assert not holes[:, :30].any()


def test_several_maps_are_made_at_once():
    maps = np.random.default_rng(2).normal(size=(3, RINGS, 40))
    together = polar_grid(maps, ARC)
    for one, found in zip(maps, together, strict=True):
        np.testing.assert_array_equal(polar_grid(one, ARC), found)


def test_arcs_that_do_not_fit_are_refused():
    with refuses(DataError, "(5, 40)", "(26,)"):
        polar_grid(np.ones((5, 40)), ARC)
    with pytest.raises(DataError, match="increase"):
        polar_grid(np.ones((3, 40)), [0.1, 0.1, 0.3])


def test_perfusion_is_read_against_the_best_wall_not_the_hottest_voxel():
    counts = np.full((8, RINGS, 40), 50.0)
    counts[:, 20, 3] = 400
    counts[:, :5, 10:20] = 20
    found = perfusion_pct(counts)
    assert found[15, 30] == pytest.approx(100)
    assert found[2, 15] == pytest.approx(40)
    assert scar_pct(found) == pytest.approx(100 * 50 / (RINGS * 40))


def test_perfusion_knows_no_scale_of_counts():
    counts = np.random.default_rng(3).gamma(20, 5, (8, RINGS, 40))
    np.testing.assert_allclose(perfusion_pct(counts), perfusion_pct(1000 * counts))


def test_a_wall_without_counts_is_refused():
    with refuses(DataError, "perfusion", "wall"):
        perfusion_pct(np.zeros((8, RINGS, 40)))


def test_scar_weighted_by_area_is_a_share_of_area():
    assert scar_pct([20.0, 90.0, 90.0], weights=[6.0, 2.0, 4.0]) == pytest.approx(50)
    assert math.isnan(scar_pct([np.nan]))


def test_thickening_is_the_rise_from_the_thinnest_wall():
    # From 80 to 120 counts: half as much again.
    assert thickening_pct(100.0, 20.0) == pytest.approx(50)
    assert math.isnan(thickening_pct(10.0, 12.0))


def test_a_synchronous_study_has_no_spread_in_any_index():
    found = summarise(curves_of(np.full((RINGS, 40), 136.0)), wall())
    assert found.indices["psd_deg"] < 1e-6
    assert found.indices["pbw_deg"] < 1e-6
    assert found.indices["delay_deg"] == pytest.approx(0, abs=1e-6)
    assert found.indices["unreliable_pct"] == 0
    np.testing.assert_allclose(found.phase, 136, atol=1e-4)
    np.testing.assert_allclose(found.perfusion, 100, atol=1e-4)
    # 200 * .2 / (200 * .8)
    np.testing.assert_allclose(found.thickening, 50, atol=1e-3)


def test_a_late_free_wall_is_found_where_it_is():
    found = summarise(curves_of(late_free_wall()), wall())
    # The SD of 40 sin over 40 equally spaced rays in 26 rings, ddof 1.
    assert found.indices["psd_deg"] == pytest.approx(40 / math.sqrt(2), rel=1e-3)
    assert found.indices["mean_deg"] == pytest.approx(130, abs=1e-6)
    assert 0 < found.indices["latest_viable_deg"] < 40
    assert found.indices["delay_deg"] > 60
    assert found.segment_phase[8] < found.segment_phase[3] < found.segment_phase[4]
    assert found.phase[12, 54] == pytest.approx(170, abs=0.5)
    assert found.phase[12, 18] == pytest.approx(90, abs=0.5)


def test_onset_is_a_quarter_cycle_before_the_peak_and_as_spread():
    peak = summarise(curves_of(late_free_wall()), wall())
    onset = summarise(curves_of(late_free_wall()), wall(), convention="onset")
    assert onset.indices["mean_deg"] == pytest.approx(40, abs=1e-6)
    for name in ("psd_deg", "pbw_deg", "delay_deg", "latest_viable_deg"):
        assert onset.indices[name] == pytest.approx(peak.indices[name], abs=1e-6)


def test_scar_is_left_out_of_the_reliable_indices_alone():
    phases, counts = np.full((RINGS, 40), 130.0), np.full((RINGS, 40), 200.0)
    phases[:, 20:24], counts[:, 20:24] = 250.0, 60.0
    found = summarise(curves_of(phases, counts), wall())
    assert found.indices["psd_deg"] > 30
    assert found.indices["reliable_psd_deg"] < 1e-6
    assert found.indices["unreliable_pct"] == pytest.approx(10)
    assert found.indices["scar_pct"] == pytest.approx(10)


def test_the_raster_holds_what_the_grid_holds():
    grid = summarise(curves_of(late_free_wall()), wall())
    picture = summarise(curves_of(late_free_wall()), wall(), form="raster")
    assert picture.phase.shape == (128, 128)
    assert picture.indices == grid.indices
    assert np.isnan(picture.phase[0, 0])
    assert picture.phase[64, 30] == pytest.approx(90, abs=1)


def test_maps_stay_below_360_degrees_in_single_precision():
    found = summarise(curves_of(np.full((RINGS, 40), -1e-6)), wall())
    assert found.phase.dtype == np.float32
    assert found.phase.max() < 360


def test_every_index_of_a_study_has_a_unit_and_a_value():
    rng = np.random.default_rng(5)
    found = summarise(rng.poisson(curves_of(late_free_wall())).astype(float), wall())
    assert list(found.indices) == list(SUMMARY_UNITS)
    assert all(math.isfinite(value) for value in found.indices.values())
    assert np.isfinite(found.segment_phase).all()


def test_weights_are_wall_area_or_share_of_the_picture():
    area = np.linspace(1, 3, RINGS)[:, None] * np.ones(40)
    assert sample_weights(wall(area), "samples") is None
    np.testing.assert_array_equal(sample_weights(wall(area), "area"), area)
    pixels = sample_weights(wall(area), "pixels")
    assert pixels.sum() == pytest.approx(1)
    radius, _ = raster_coordinates(400)
    outer = np.mean((radius <= 1)[radius <= 1] & (radius[radius <= 1] > 0.5))
    assert pixels[ARC > 0.5].sum() == pytest.approx(outer, abs=0.01)


def test_weighting_by_area_gives_larger_walls_their_say():
    phases = np.where(ARC > 0.5, 100.0, 140.0)[:, None] + np.zeros(40)
    area = np.where(ARC > 0.5, 3.0, 1.0)[:, None] + np.zeros(40)
    plain = summarise(curves_of(phases), wall(area))
    weighted = summarise(curves_of(phases), wall(area), weighting="area")
    # Two lumps 40 degrees apart, half and half, or three quarters and one quarter.
    assert plain.indices["psd_deg"] == pytest.approx(20, rel=1e-3)
    assert weighted.indices["psd_deg"] == pytest.approx(40 * math.sqrt(3 / 16), rel=1e-3)
