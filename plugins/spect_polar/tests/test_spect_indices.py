"""Indices of dyssynchrony, against scipy, brute force, published numbers and invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq

from cardio_core.api import DataError
from cardio_spect_polar.phase.cycle import cut_deg, phase_histogram, unwrapped
from cardio_spect_polar.phase.dyssynchrony import (
    INDEX_UNITS,
    PhaseIndices,
    entropy_of,
    phase_indices,
    smallest_arc,
)
from cardio_spect_polar.polar.maps import signed_deg

SPREAD = ("psd_deg", "pbw_deg", "pbw_central_deg", "entropy", "entropy_60", "circular_sd_deg",
          "skewness", "kurtosis", "skewness_of_bins", "kurtosis_of_bins")  # fmt: skip

whole_degrees = st.lists(st.integers(0, 359), min_size=3, max_size=60).filter(
    lambda degrees: len(set(degrees)) > 1
)


def normal_phases(mean_deg=130.0, sd_deg=20.0, n=900, seed=1):
    return np.random.default_rng(seed).normal(mean_deg, sd_deg, n) % 360


def narrowest_by_brute_force(phases, held):
    """Try every arc that begins at a sample, and count."""
    best = math.inf
    for begin in phases:
        reach = np.sort((phases - begin) % 360)
        best = min(best, reach[held - 1])
    return best


@pytest.mark.parametrize("mean_deg", [130.0, 2.0, 359.0])
def test_moments_are_scipys_of_the_phases_before_they_were_wrapped(mean_deg):
    line = np.random.default_rng(1).normal(mean_deg, 20, 900)
    found = phase_indices(line % 360)
    assert found.psd_deg == pytest.approx(np.std(line, ddof=1), rel=1e-12)
    assert found.skewness == pytest.approx(stats.skew(line), rel=1e-9)
    assert found.kurtosis == pytest.approx(stats.kurtosis(line), rel=1e-9)
    low, high = np.percentile(line, [2.5, 97.5])
    assert found.pbw_central_deg == pytest.approx(high - low, rel=1e-12)
    assert found.n == 900


@pytest.mark.parametrize("sd_deg", [5.0, 40.0, 90.0])
def test_circular_moments_are_scipys(sd_deg):
    phases = normal_phases(mean_deg=350.0, sd_deg=sd_deg)
    found = phase_indices(phases)
    assert found.circular_sd_deg == pytest.approx(stats.circstd(phases, high=360), rel=1e-9)
    assert found.mean_deg == pytest.approx(stats.circmean(phases, high=360), abs=1e-6)


def test_entropy_is_scipys_over_that_of_equal_bins():
    phases = normal_phases()
    for n_bins, name in ((360, "entropy"), (60, "entropy_60")):
        counts, _ = np.histogram(phases, n_bins, (0, 360))
        expected = stats.entropy(counts) / np.log(n_bins)
        assert getattr(phase_indices(phases), name) == pytest.approx(expected, rel=1e-12)


def test_moments_of_bins_are_scipys_of_the_histogram():
    phases = normal_phases()
    counts, _ = np.histogram(phases, 360, (0, 360))
    found = phase_indices(phases)
    assert found.skewness_of_bins == pytest.approx(stats.skew(counts), rel=1e-9)
    assert found.kurtosis_of_bins == pytest.approx(stats.kurtosis(counts), rel=1e-9)


def test_bins_of_a_laplace_histogram_have_the_moments_published_for_normal_hearts():
    # Normal men: skewness 4.19, kurtosis 19.7 at PSD 14.2 (s12350-017-0863-6). Phases cannot have
    # such a skewness at that PSD, the heights of a peaked histogram do: 4.19 and 18.9 with a
    # Laplace distribution of SD 11.8 and some 900 samples.
    rng = np.random.default_rng(2)
    found = [phase_indices(rng.laplace(134.5, 11.8 / math.sqrt(2), 900)) for _ in range(200)]
    assert np.mean([one.skewness_of_bins for one in found]) == pytest.approx(4.19, abs=0.05)
    assert np.mean([one.kurtosis_of_bins for one in found]) == pytest.approx(18.9, abs=0.7)
    assert abs(np.mean([one.skewness for one in found])) < 0.15


@settings(deadline=None, max_examples=60)
@given(whole_degrees, st.floats(0.1, 1.0))
def test_the_bandwidth_is_the_narrowest_arc_found_by_brute_force(degrees, share):
    phases = np.array(degrees, float)
    held = max(1, math.ceil(round(share * len(phases), 9)))
    assert smallest_arc(phases, share)[1] == narrowest_by_brute_force(phases, held)


def test_two_lumps_across_zero_are_measured_the_short_way():
    phases = np.repeat([345.0, 15.0], 50)
    found = phase_indices(phases)
    # Two equal lumps 30 degrees apart: SD 15 * sqrt(n / (n - 1)), R = cos 15.
    assert found.psd_deg == pytest.approx(15 * math.sqrt(100 / 99))
    assert found.pbw_deg == pytest.approx(30)
    assert found.circular_sd_deg == pytest.approx(
        math.degrees(math.sqrt(-2 * math.log(math.cos(math.radians(15)))))
    )
    assert found.entropy == pytest.approx(math.log(2) / math.log(360))
    assert found.mean_deg == 0


@settings(deadline=None, max_examples=60)
@given(whole_degrees, st.integers(1, 359))
def test_turning_all_phases_changes_no_spread(degrees, turn):
    phases = np.array(degrees, float)
    one, other = phase_indices(phases), phase_indices((phases + turn) % 360)
    assume_one_cut = abs(signed_deg(cut_deg(phases) + turn - cut_deg((phases + turn) % 360)))
    for name in SPREAD:
        if name in ("pbw_deg", "entropy", "circular_sd_deg", "kurtosis_of_bins"):
            # These know no cut.
            pass
        elif name == "entropy_60" and turn % 6:
            continue
        elif assume_one_cut > 1e-6:
            # Two arcs are equally large and equally far from the mean: a tie without an answer.
            continue
        expected = getattr(one, name)
        assert getattr(other, name) == pytest.approx(expected, abs=1e-5, rel=1e-5, nan_ok=True)


def test_turning_a_heart_by_a_part_of_a_degree_hardly_changes_psd():
    phases = normal_phases(sd_deg=35.0)
    for turn in (0.3, 77.7, 233.1):
        turned = phase_indices(phases + turn)
        assert turned.psd_deg == pytest.approx(phase_indices(phases).psd_deg, rel=1e-9)
        assert turned.pbw_deg == pytest.approx(phase_indices(phases).pbw_deg, rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.permutations(list(range(0, 300, 7))))
def test_the_order_of_samples_does_not_matter(degrees):
    expected = phase_indices(np.arange(0, 300, 7.0))
    found = phase_indices(np.array(degrees, float))
    for name in SPREAD:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-9)


def test_more_of_the_same_samples_changes_no_shape():
    phases = normal_phases()
    one, ten = phase_indices(phases), phase_indices(np.repeat(phases, 10))
    for name in ("entropy", "circular_sd_deg", "skewness", "skewness_of_bins", "kurtosis_of_bins"):
        assert getattr(ten, name) == pytest.approx(getattr(one, name), rel=1e-9)


def test_whole_weights_are_repeated_samples():
    phases = normal_phases(mean_deg=355.0, n=300)
    weights = np.random.default_rng(3).integers(1, 5, 300)
    weighted, repeated = phase_indices(phases, weights=weights), phase_indices(
        np.repeat(phases, weights)
    )  # fmt: skip
    for name in ("pbw_deg", "entropy", "entropy_60", "circular_sd_deg", "mean_deg", "skewness",
                 "kurtosis", "skewness_of_bins", "peak_deg"):  # fmt: skip
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-6), name
    assert weighted.psd_deg == pytest.approx(repeated.psd_deg, rel=0.01)


def test_equal_weights_of_any_size_are_none():
    phases = normal_phases(n=200)
    plain = phase_indices(phases)
    for size in (1e-3, 1.0, 40.0):
        found = phase_indices(phases, weights=np.full(200, size))
        for name in SPREAD:
            assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-9), name


def test_zero_weight_leaves_a_sample_out():
    phases = np.append(normal_phases(n=100), 300.0)
    weights = np.append(np.ones(100), 0.0)
    assert phase_indices(phases, weights=weights).psd_deg == pytest.approx(
        phase_indices(phases[:-1]).psd_deg
    )


def test_equal_noise_is_subtracted_in_squares_and_never_below_zero():
    phases = np.array([110.0, 130.0, 150.0, 130.0])
    psd = np.std(phases, ddof=1)
    found = phase_indices(phases, sigma_deg=np.full(4, 4.0))
    assert found.psd_corrected_deg == pytest.approx(math.sqrt(psd**2 - 16))
    assert found.pbw_corrected_deg == pytest.approx(40 * math.sqrt(1 - 16 / psd**2))
    noisy = phase_indices(phases, sigma_deg=[3.0, 5.0, np.nan, 4.0])
    assert noisy.phase_noise_deg == pytest.approx(math.sqrt(50 / 3))
    drowned = phase_indices(phases, sigma_deg=np.full(4, 60.0))
    assert drowned.psd_corrected_deg == drowned.pbw_corrected_deg == 0
    for name in ("psd_corrected_deg", "pbw_corrected_deg"):
        assert math.isnan(getattr(phase_indices(phases), name))
        assert math.isnan(getattr(phase_indices(phases, sigma_deg=[3.0] + [np.nan] * 3), name))


def test_without_noise_nothing_is_taken_off():
    phases = normal_phases(n=300)
    found = phase_indices(phases, sigma_deg=np.zeros(300))
    assert found.psd_corrected_deg == pytest.approx(found.psd_deg, rel=1e-9)
    assert found.pbw_corrected_deg == pytest.approx(found.pbw_deg, rel=1e-9)


def test_unequal_noise_is_taken_off_as_paule_and_mandel_do():
    """Their equation: squares over the sum of both variances add up to the number less one."""
    rng = np.random.default_rng(12)
    sigma = rng.uniform(3, 40, 400)
    phases = np.append(200 + rng.normal(0, 12, 400) + rng.normal(0, sigma), 17.0)

    def excess(variance):
        w = 1 / (variance + sigma**2)
        d = phases[:-1] - np.average(phases[:-1], weights=w)
        return w @ d**2 - (400 - w @ w / w.sum() ** 2 * 400)

    expected = math.sqrt(brentq(excess, 1, 1000))
    found = phase_indices(phases, sigma_deg=np.append(sigma, np.nan))
    assert found.psd_corrected_deg == pytest.approx(expected, rel=1e-3)
    assert expected == pytest.approx(12, abs=1.5)


def test_a_scar_that_is_nothing_but_noise_does_not_decide():
    rng = np.random.default_rng(13)
    phases = np.concatenate([rng.normal(130, 4, 500), rng.uniform(0, 360, 120)])
    sigma = np.repeat([4.0, 103.9], [500, 120])
    found = phase_indices(phases, sigma_deg=sigma)
    assert found.psd_deg > 40
    assert found.psd_corrected_deg < 2


def test_samples_that_hardly_beat_do_not_decide_even_without_noise():
    """Twenty of 500, turned by 180 degrees, make a phase SD of 35 degrees alone."""
    phases = np.repeat([130.0, 310.0], [480, 20])
    doubt = np.repeat([4.0, 40.0], [480, 20])
    found = phase_indices(phases, sigma_deg=np.zeros(500), doubt_deg=doubt)
    assert found.psd_deg > 33
    assert found.psd_corrected_deg < 10
    # Doubt alone, where all have it, takes nothing off.
    spread = phase_indices(normal_phases(n=300), sigma_deg=np.zeros(300), doubt_deg=20.0)
    assert spread.psd_corrected_deg == pytest.approx(spread.psd_deg, rel=1e-9)


def test_bandwidth_without_noise_is_that_of_the_phases_underneath():
    rng = np.random.default_rng(14)
    sigma = rng.uniform(5, 30, 4000)
    true = rng.uniform(100, 160, 4000)
    found = phase_indices(true + rng.normal(0, sigma), sigma_deg=sigma)
    assert found.pbw_deg > 85
    # A uniform distribution holds 95 % in 57 degrees; normal noise rounds its corners.
    assert found.pbw_corrected_deg == pytest.approx(57, abs=8)


def test_phases_without_direction_are_cut_where_they_are_fewest():
    rng = np.random.default_rng(4)
    everywhere = np.concatenate([np.arange(0, 360, 2.0), rng.normal(90, 25, 800) % 360])
    cut = cut_deg(everywhere)
    assert 180 < cut < 360
    assert np.all((unwrapped(everywhere) >= cut) & (unwrapped(everywhere) < cut + 360))


def test_the_circle_is_cut_in_its_largest_gap():
    # Gaps: 20 to 100 and 120 to 380; the larger ends are bins 120 and 380.
    assert cut_deg([20.5, 100.5, 120.5]) == 250.5


def test_the_histogram_is_numpys():
    phases = normal_phases(mean_deg=359.0)
    expected, _ = np.histogram(phases, 72, (0, 360))
    np.testing.assert_array_equal(phase_histogram(phases, n_bins=72), expected)


def test_a_phase_of_minus_nothing_lies_in_the_first_bin():
    assert phase_histogram([-1e-15, 360.0, 0.0])[0] == 3


def test_missing_phases_are_left_out():
    phases = normal_phases(n=100)
    holes = np.insert(phases, [0, 50, 100], np.nan)
    plain, found = phase_indices(phases), phase_indices(holes)
    assert [getattr(found, name) for name in SPREAD] == [getattr(plain, name) for name in SPREAD]
    assert found.n == 100


def test_one_and_the_same_phase_has_no_spread_and_no_shape():
    found = phase_indices(np.full(50, 0.0))
    assert (found.psd_deg, found.pbw_deg, found.entropy, found.circular_sd_deg) == (0, 0, 0, 0)
    assert math.isnan(found.skewness)
    assert found.peak_deg == 0.5


def test_entropy_runs_from_one_bin_to_all_bins():
    assert entropy_of(np.eye(1, 360)[0]) == 0
    assert entropy_of(np.ones(360)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("phases", "weights", "message"),
    [
        ([np.nan, 3.0], None, "at least 2 phases, found 1"),
        ([], None, "found 0"),
        ([1.0, 2.0], [1.0, -1.0], "not negative"),
        ([1.0, 2.0], [1.0], "one weight for each"),
        ([1.0, 2.0], [0.0, 0.0], "found 0"),
    ],
)
def test_unusable_phases_are_refused(phases, weights, message):
    with pytest.raises(DataError, match=message):
        phase_indices(phases, weights=weights)


def test_every_index_has_a_unit():
    assert list(INDEX_UNITS) == list(PhaseIndices.__dataclass_fields__)
