"""The 17 segments, their means and their delays, against the published layout."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cardio_spect_polar.phase.summary import lateral_delay_deg, latest_viable_deg
from cardio_spect_polar.polar.maps import LATERAL, SEPTAL, segment_means, segments_of
from cardio_spect_polar.polar.segment_names import SEGMENT_NAMES

ANTERIOR, SEPTUM, INFERIOR, FREE_WALL = 0, 90, 180, 270


@pytest.mark.parametrize(
    ("arc", "angle_deg", "segment"),
    [
        # Centres of the segments in Cerqueira et al. 2002, figure 4.
        *[(0.85, 60 * k, 1 + k) for k in range(6)],
        *[(0.55, 60 * k, 7 + k) for k in range(6)],
        *[(0.25, 90 * k, 13 + k) for k in range(4)],
        *[(0.05, angle, 17) for angle in (0, 45, 181, 359)],
        # Borders belong to the segment beyond them.
        (0.1, ANTERIOR, 13), (0.4, ANTERIOR, 7), (0.7, ANTERIOR, 1), (1.0, ANTERIOR, 1),
        (0.9, 30, 2), (0.9, 29.9, 1), (0.9, 330, 1), (0.9, 329.9, 6),
        (0.2, 45, 14), (0.2, 44.9, 13), (0.2, 315, 13), (0.2, -46, 16), (0.0, 0, 17),
    ],
)  # fmt: skip
def test_a_point_lies_in_the_published_segment(arc, angle_deg, segment):
    assert segments_of(arc, angle_deg) == segment


def test_computed_borders_are_where_they_are_written():
    steps = np.cumsum(np.full(10, 0.1))
    assert segments_of(steps, 0.0).tolist() == [13, 13, 13, 7, 7, 7, 1, 1, 1, 1]


def test_names_say_what_the_angle_says():
    at = {"anterior": ANTERIOR, "anteroseptal": 60, "septal": SEPTUM, "inferoseptal": 120}
    at |= {"inferior": INFERIOR, "inferolateral": 240, "lateral": FREE_WALL, "anterolateral": 300}
    level = {"basal": 0.9, "mid": 0.5, "apical": 0.2}
    for number, name in enumerate(SEGMENT_NAMES[:16], start=1):
        where, wall = name.split()
        assert segments_of(level[where], at[wall]) == number
    assert all("sept" in SEGMENT_NAMES[k - 1] for k in SEPTAL)
    assert all("lateral" in SEGMENT_NAMES[k - 1] for k in LATERAL)


def test_segments_are_equal_parts_of_a_level():
    numbers = segments_of(np.array([0.05, 0.2, 0.5, 0.9])[:, None], np.arange(0, 360, 1.0) + 0.5)
    counts = np.bincount(numbers.ravel(), minlength=18)[1:]
    assert counts.tolist() == [60] * 12 + [90] * 4 + [360]


def test_circular_means_are_scipys():
    rng = np.random.default_rng(1)
    numbers = rng.integers(1, 18, 4000)
    phases = (20 * numbers + rng.normal(0, 30, 4000)) % 360
    found = segment_means(phases, numbers, circular=True)
    expected = [stats.circmean(phases[numbers == k], high=360) for k in range(1, 18)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_plain_and_weighted_means_are_numpys():
    rng = np.random.default_rng(2)
    numbers, values, weights = rng.integers(1, 17, 500), rng.normal(size=500), rng.random(500)
    found = segment_means(values, numbers, weights=weights)
    expected = [np.average(values[numbers == k], weights=weights[numbers == k])
                for k in range(1, 17)]  # fmt: skip
    np.testing.assert_allclose(found[:16], expected)
    assert math.isnan(found[16])


def test_degrees_are_not_averaged_as_numbers():
    found = segment_means([359.0, 1.0, 0.5, 359.5], [3, 3, 3, 3], circular=True)
    assert found[2] == 0


def test_missing_samples_leave_the_others_their_mean():
    found = segment_means([np.nan, 40.0, np.nan], [1, 1, 2])
    assert found[0] == 40
    assert math.isnan(found[1])


def test_one_weight_a_ring_is_a_weight_of_all_its_rays():
    numbers = np.full((2, 3), 5)
    found = segment_means([[1.0, 1, 1], [4, 4, 4]], numbers, weights=[[2.0], [1.0]])
    assert found[4] == pytest.approx(2.0)


def test_a_late_free_wall_has_a_positive_delay():
    phases = np.full(17, 350.0)
    phases[np.array(LATERAL) - 1] = 40.0
    assert lateral_delay_deg(phases) == pytest.approx(50)
    assert lateral_delay_deg((phases + 123) % 360) == pytest.approx(50)
    swapped = np.full(17, 350.0)
    swapped[np.array(SEPTAL) - 1] = 40.0
    assert lateral_delay_deg(swapped) == pytest.approx(-50)


def test_no_septum_no_delay():
    phases = np.full(17, 100.0)
    phases[np.array(SEPTAL) - 1] = np.nan
    assert math.isnan(lateral_delay_deg(phases))


def test_scar_is_never_the_latest_viable_segment():
    phases, perfusion = np.full(17, 355.0), np.full(17, 90.0)
    phases[4], perfusion[4] = 90, 49.9
    phases[11], perfusion[11] = 30, 50.0
    # The other 15 viable segments lie 35 degrees before it.
    mean = stats.circmean([355.0] * 15 + [30.0], high=360, low=0)
    assert latest_viable_deg(phases, perfusion) == pytest.approx((30 - mean) % 360)


def test_a_heart_that_is_all_scar_has_no_latest_segment():
    assert math.isnan(latest_viable_deg(np.full(17, 100.0), np.full(17, 20.0)))
