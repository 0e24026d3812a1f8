"""Matching of events against the assignment solver of scipy as an independent oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from cardio_core.evaluation.aggregate import match_events
from cardio_core.testing import refuses
from cardio_stats.errors import DataError

# Whole hundredths, so that the oracle and the code round distances in the same way.
TIMES = st.lists(st.integers(0, 200), max_size=25).map(lambda v: np.sort(v) / 100.0)
TOLERANCES = st.integers(0, 40).map(lambda v: v / 100.0)


def optimum(reference, found, tolerance):
    """Number of pairs and sum of distances of the best assignment, found by brute optimisation."""
    distance = np.abs(np.subtract.outer(reference, found))
    allowed = distance <= tolerance + 1e-9
    rows, columns = linear_sum_assignment(np.where(allowed, distance - 1e6, 0.0))
    used = allowed[rows, columns]
    return int(used.sum()), float(distance[rows, columns][used].sum())


@given(TIMES, TIMES, TOLERANCES)
def test_pairs_are_as_many_and_as_close_as_the_assignment_solver_finds(reference, found, tolerance):
    i, j = match_events(reference, found, tolerance)
    n_pairs, total = optimum(reference, found, tolerance)
    assert i.size == n_pairs
    assert np.abs(reference[i] - found[j]).sum() == pytest.approx(total, abs=1e-6)


@given(TIMES, TIMES, TOLERANCES)
def test_no_event_is_used_twice_and_no_pairs_cross(reference, found, tolerance):
    i, j = match_events(reference, found, tolerance)
    assert (np.diff(i) > 0).all()
    assert (np.diff(j) > 0).all()
    assert (np.abs(reference[i] - found[j]) <= tolerance + 1e-9).all()


def test_a_long_crowded_recording_reaches_the_optimum():
    rng = np.random.default_rng(7)
    reference = np.sort(rng.uniform(0, 60, 400))
    found = np.sort(rng.uniform(0, 60, 700))
    i, j = match_events(reference, found, 0.15)
    n_pairs, total = optimum(reference, found, 0.15)
    assert i.size == n_pairs
    assert np.abs(reference[i] - found[j]).sum() == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize("n_samples", range(1, 60))
def test_a_distance_equal_to_the_tolerance_matches_at_any_sample(n_samples):
    i, _ = match_events([12345 / 360], [(12345 + n_samples) / 360], n_samples / 360)
    assert i.size == 1


def test_a_zero_tolerance_matches_equal_times_once_each():
    i, j = match_events([1.0, 1.0, 2.0], [1.0, 2.0, 2.0], 0.0)
    assert i.size == j.size == 2


@pytest.mark.parametrize(("reference", "found"), [([], []), ([], [1.0]), ([1.0], [])])
def test_nothing_matches_an_empty_list(reference, found):
    i, j = match_events(reference, found, 0.1)
    assert i.dtype == j.dtype == np.int64
    assert i.size == j.size == 0


@pytest.mark.parametrize("bad", [[2.0, 1.0], [1.0, np.nan], [[1.0]]])
def test_times_out_of_order_or_missing_are_refused(bad):
    with refuses(DataError, "match_events"):
        match_events(bad, [1.0], 0.1)
    with refuses(DataError, "match_events"):
        match_events([1.0], bad, 0.1)


@pytest.mark.parametrize("tolerance", [-0.1, np.nan])
def test_a_negative_tolerance_is_refused(tolerance):
    with refuses(DataError, "match_events", code="out_of_range"):
        match_events([1.0], [1.0], tolerance)
