"""Regions, thickening by segment, the volume curve and its rates, mass, and normal limits."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import spect_measures_study
from scipy import stats

from cardio_spect_polar.phase.sampling import SampledHeart, sample_heart
from cardio_spect_polar.phase.summary import REGION_UNITS, region_indices, segment_thickening
from cardio_spect_polar.phase.volumes import filling, volume_curve, without_gate_averaging
from cardio_spect_polar.polar.maps import segments_of
from cardio_spect_polar.published.normal_limits import LIMITS, within_limits
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.ventricle import (
    Ventricle,
    angles,
    area_mm2,
    cavity_ml,
    latitudes,
    mesh,
)

RINGS, RAYS = 26, 40
ARC = (np.arange(RINGS) + 0.5) / RINGS
ANGLE = np.arange(RAYS) * 9.0
SEGMENTS = segments_of(ARC[:, None], ANGLE)
EVEN = np.ones((RINGS, RAYS))
SMALL = Camera(n_rows=40, n_columns=40)


def gates(course, n_slots: int) -> np.ndarray:
    """Average a course over each gate."""
    return course.reshape(n_slots, -1).mean(axis=1)


def test_a_region_is_measured_on_its_own_samples() -> None:
    rng = np.random.default_rng(1)
    lateral = np.isin(SEGMENTS, (5, 6, 11, 12))
    phase = np.where(lateral, rng.normal(358, 12, SEGMENTS.shape), 100.0) % 360
    perfusion = np.where(np.isin(SEGMENTS, (5, 16)), 40.0, 90.0)
    found = region_indices(phase, perfusion, SEGMENTS)
    line = (phase[lateral] + 180) % 360
    assert found["lateral_psd_deg"] == pytest.approx(np.std(line, ddof=1))
    mean = stats.circmean(phase[lateral], high=360)
    assert found["lateral_mean_deg"] == pytest.approx(mean, abs=1e-6)
    assert found["septal_psd_deg"] == pytest.approx(0, abs=1e-9)
    assert found["septal_mean_deg"] == pytest.approx(100)
    lcx = np.isin(SEGMENTS, (5, 6, 11, 12, 16))
    share = np.isin(SEGMENTS, (5, 16)).sum() / lcx.sum()
    assert found["lcx_scar_pct"] == pytest.approx(100 * share)
    assert found["lad_scar_pct"] == found["rca_scar_pct"] == 0
    assert list(found) == list(REGION_UNITS)


def test_a_region_without_phases_is_missing() -> None:
    phase = np.where(np.isin(SEGMENTS, (1, 7)), np.nan, 120.0)
    found = region_indices(phase, 90 * EVEN, SEGMENTS, EVEN)
    assert math.isnan(found["anterior_psd_deg"])
    assert found["inferior_psd_deg"] == pytest.approx(0, abs=1e-9)


def curves(phase_deg, share=0.2, n_slots=8) -> np.ndarray:
    middles = (np.arange(n_slots) + 0.5) / n_slots
    wave = np.cos(2 * np.pi * middles[:, None, None] - np.radians(phase_deg * EVEN))
    return 200 * (1 + share * wave)


def test_thickening_of_a_segment_is_the_rise_of_its_mean_curve() -> None:
    late = np.where(SEGMENTS == 4, 310.0, 130.0)
    found = segment_thickening(curves(late), SEGMENTS, EVEN, 130.0)
    # From 160 to 240 counts, and from 240 to 160 where the segment runs against the wall.
    assert found[[0, 16]] == pytest.approx([50, 50])
    assert found[3] == pytest.approx(-100 / 3)


def test_noise_makes_a_segment_thicken_no_more() -> None:
    rng = np.random.default_rng(2)
    noisy = curves(130.0, 0.05) + rng.normal(0, 30, (8, RINGS, RAYS))
    found = segment_thickening(noisy, SEGMENTS, EVEN, 130.0)
    # 200 * .05 / .95; the samples' own amplitudes are twice the true one.
    assert found.mean() == pytest.approx(10.5, abs=2)


def test_a_volume_curve_has_the_same_times_whatever_the_gates() -> None:
    time = (np.arange(960) + 0.5) / 960
    course = 100 + 40 * np.cos(2 * np.pi * time + 0.3) + 8 * np.cos(6 * np.pi * time)
    truth = 100 + 40 * np.cos(2 * np.pi * (np.arange(32) + 0.5) / 32 + 0.3)
    truth = truth + 8 * np.cos(6 * np.pi * (np.arange(32) + 0.5) / 32)
    for n_slots in (8, 12, 16):
        assert volume_curve(gates(course, n_slots)) == pytest.approx(truth, abs=0.02)


def test_six_gates_show_two_harmonics() -> None:
    time = (np.arange(960) + 0.5) / 960
    course = 100 + 40 * np.cos(2 * np.pi * time) + 9 * np.cos(4 * np.pi * time - 1)
    third = 5 * np.cos(6 * np.pi * time - 0.4)
    plain, with_third = (volume_curve(gates(one, 6), 960) for one in (course, course + third))
    assert plain == pytest.approx(course, abs=0.02)
    assert with_third == pytest.approx(course, abs=0.02)
    largest = without_gate_averaging(gates(course + 20 * np.sin(6 * np.pi * time), 6)).max()
    assert largest == pytest.approx(course.max(), abs=0.3)


def test_rates_of_a_cosine_are_those_of_its_slope() -> None:
    course = 100 + 40 * np.cos(2 * np.pi * (np.arange(960) + 0.5) / 960)
    for n_slots in (8, 16):
        found = filling(gates(course, n_slots), 140.0, 800.0)
        assert found.peak_filling_rate_edv_s == pytest.approx(2 * np.pi * 40 / 140 / 0.8, rel=1e-3)
        assert found.peak_ejection_rate_edv_s == pytest.approx(found.peak_filling_rate_edv_s)
        assert found.time_to_peak_filling_ms == pytest.approx(200, abs=2)


def test_without_an_rr_interval_there_are_no_rates() -> None:
    found = filling([100.0, 80, 60, 60, 80, 90, 95, 100], 100.0, None)
    assert math.isnan(found.peak_filling_rate_edv_s)
    assert math.isnan(found.time_to_peak_filling_ms)
    assert math.isnan(found.peak_ejection_rate_edv_s)


def beat(fills_in: float) -> np.ndarray:
    """Return a volume that falls to 40 % at .36 RR and fills early, then with the atrium."""
    time = (np.arange(3840) + 0.5) / 3840

    def rise(start: float, length: float) -> np.ndarray:
        return 0.5 - 0.5 * np.cos(np.pi * np.clip((time - start) / length, 0, 1))

    return 1 - 0.6 * (rise(0, 0.36) - 0.75 * rise(0.42, fills_in) - 0.25 * rise(0.86, 0.12))


@pytest.mark.parametrize(
    ("fills_in", "loss_of_8", "loss_of_16"),
    [(0.25, 0.11, 0.06), (0.2, 0.19, 0.14), (0.15, 0.32, 0.26)],
)
def test_gates_flatten_fast_filling_by_what_the_documents_say(
    fills_in: float, loss_of_8: float, loss_of_16: float
) -> None:
    course = beat(fills_in)
    true = np.gradient(course, 1 / 3840).max()
    for n_slots, loss in ((8, loss_of_8), (16, loss_of_16)):
        found = filling(gates(course, n_slots), 1.0, 1000.0).peak_filling_rate_edv_s
        assert 1 - found / true == pytest.approx(loss, abs=0.015)


def measured(ventricle: Ventricle, camera: Camera = SMALL) -> SampledHeart:
    counts, voxel_mm, _ = image(ventricle, None, camera)
    return sample_heart(GatedStack(counts.astype(np.float32), voxel_mm, apex_first=False))


@pytest.mark.parametrize("n_slots", [8, 16])
def test_rates_of_a_digital_ventricle_are_found(n_slots: int) -> None:
    ventricle = Ventricle(shortening_mm=10.0)
    found = measured(ventricle, replace(SMALL, n_slots=n_slots)).volumes
    drawn = volume_curve(found.curve_ml)
    assert (drawn.max(), drawn.min()) == pytest.approx((found.edv_ml, found.esv_ml), abs=0.5)
    rates = filling(found.curve_ml, found.edv_ml, 1000.0)
    time = (np.arange(1024) + 0.5) / 1024
    course = cavity_ml(ventricle, time)
    slope = np.gradient(course, 1 / 1024) / course.max()
    assert rates.peak_filling_rate_edv_s == pytest.approx(slope.max(), rel=0.1)
    assert rates.peak_ejection_rate_edv_s == pytest.approx(-slope.min(), rel=0.1)
    wait_ms = 1000 * (time[slope.argmax()] - time[course.argmin()])
    assert rates.time_to_peak_filling_ms == pytest.approx(wait_ms, abs=40)


@pytest.mark.parametrize("thickness_mm", [8.0, 13.0])
def test_the_mass_of_a_digital_ventricle_is_found(thickness_mm: float) -> None:
    ventricle = Ventricle(shortening_mm=8.0, thickness_mm=thickness_mm)
    latitude, weight = latitudes(24)
    at = mesh(ventricle, latitude, angles(36))
    area = area_mm2(ventricle, latitude, weight, 36)[:, None]
    volume = at.volume_mm(np.full((24, 36), thickness_mm)) * area
    true_g = 1.05 * float(volume.sum()) / 1000
    assert measured(ventricle).volumes.mass_g == pytest.approx(true_g, rel=0.12)


def test_normal_limits_are_two_standard_deviations_from_the_published_means() -> None:
    named = {limit.name: limit for limit in LIMITS}
    assert named["psd_deg_men"].high == pytest.approx(24.4)
    assert named["pbw_deg_women"].high == pytest.approx(49.8)
    assert named["skewness_of_bins_men"].low == pytest.approx(2.83)
    assert named["kurtosis_of_bins_women"].low == pytest.approx(6.89)
    peak = named["peak_deg_men"]
    assert (peak.low, peak.high) == pytest.approx((105.9, 163.1))


def test_a_measurement_is_compared_with_its_own_sex_or_with_both() -> None:
    values = {"psd_deg": 23.0, "peak_deg": 100.0}
    man, unknown = within_limits(values, 1.0), within_limits(values, math.nan)
    assert man["psd_deg_men"] == 1
    assert math.isnan(man["psd_deg_women"])
    assert (unknown["psd_deg_men"], unknown["psd_deg_women"]) == (1, 0)
    assert unknown["peak_deg_women"] == 0
    assert math.isnan(unknown["pbw_deg_men"])
    assert math.isnan(within_limits(values, math.nan, of_peak=False)["peak_deg_women"])


def test_a_limit_says_whose_it_is_and_how_far_it_reaches() -> None:
    said = {limit.name: limit.within for limit in LIMITS}
    assert said["pbw_deg_women"] == (
        "Phase bandwidth within the limit of normal women by ECTb, mean + 2 SD 49.8°"
    )
    assert said["peak_deg_men"].endswith(
        "limits of normal men by ECTb, mean ± 2 SD 105.9 to 163.1°"
    )


def check_study(found: dict[str, Any]) -> None:
    assert found["n"] >= 80
    assert found["wall_mean_deg"]["rms"] <= 5
    assert found["territory_scar_points"]["rms"] <= 6
    assert found["segment_thickening"]["r"] >= 0.65
    assert found["mass_ratio"]["mean"] == pytest.approx(1, abs=0.1)
    assert found["mass_ratio"]["sd"] <= 0.08
    for n_slots in (8, 16):
        rates = found[f"{n_slots} gates"]
        assert rates["filling"]["mean"] == pytest.approx(1, abs=0.1)
        assert rates["ejection"]["mean"] == pytest.approx(1, abs=0.1)
        assert rates["filling"]["sd"] <= 0.12
        assert abs(rates["wait_ms"]["mean"]) <= 30


def test_the_stored_study_is_within_its_limits() -> None:
    check_study(json.loads(spect_measures_study.STORED.read_text("utf-8")))


@pytest.mark.slow
def test_random_hearts_are_within_the_limits() -> None:
    check_study(spect_measures_study.study())
