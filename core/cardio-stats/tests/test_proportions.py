"""Intervals of a proportion against R's prop.test and binom.test."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio_core.testing import refuses
from cardio_stats import binomial_all_correct, proportion
from cardio_stats.errors import DataError

from .from_r import oracle

# Made by oracles/proportions.R with R 4.2.2
R: dict[str, Any] = oracle("proportions")


@pytest.mark.parametrize("case", R["cases"], ids=lambda case: f"{case['k']} of {case['n']}")
def test_limits_agree_with_r(case: dict[str, Any]) -> None:
    k, n = case["k"], case["n"]
    wilson, narrow = proportion(k, n), proportion(k, n, level=0.9)
    exact = proportion(k, n, method="clopper-pearson")
    assert [wilson.low, wilson.high] == pytest.approx(case["wilson"], abs=1e-9)
    assert [narrow.low, narrow.high] == pytest.approx(case["wilson_90"], abs=1e-9)
    assert [exact.low, exact.high] == pytest.approx(case["clopper_pearson"], abs=1e-9)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_limits_hold_the_proportion_and_mirror_its_complement(kn: tuple[int, int]) -> None:
    k, n = kn
    for method in ("wilson", "clopper-pearson"):
        found, other = proportion(k, n, method=method), proportion(n - k, n, method=method)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert other.low == pytest.approx(1 - found.high, abs=1e-9)


def test_the_estimate_names_its_unit_and_count() -> None:
    found = proportion(24, 29, unit="patient", name="accuracy")
    assert (found.n, found.n_patients, found.extra["k"]) == (29, 29, 24)
    assert proportion(24, 29, unit="beat").n_patients is None


def test_all_correct_has_the_power_of_its_accuracy() -> None:
    assert binomial_all_correct(0.9, 10).value == pytest.approx(0.9**10, rel=1e-12)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with refuses(DataError, "proportion", code="out_of_range"):
        proportion(k, n)
