"""Estimates of several places summed up, held to R and to what metafor prints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardio_stats import random_effects
from cardio_stats.errors import DataError

from .from_r import oracle

# Made by oracles/random_effects.R with R 4.2.2
R: dict[str, Any] = oracle("random_effects")


@pytest.mark.parametrize("name", ["bcg", "four", "alike"])
def test_every_number_is_that_of_the_restricted_likelihood_in_r(name):
    theirs = R[name]
    ours = random_effects(theirs["y"], theirs["se"])
    for field in ("mean", "tau2", "low", "high", "predicted_low", "predicted_high", "i2", "q"):
        assert getattr(ours, field) == pytest.approx(theirs[field], abs=2e-6), field
    assert ours.se == pytest.approx(theirs["error"], abs=1e-6)
    assert ours.p_value == pytest.approx(theirs["p"], rel=1e-6)


def test_the_trials_of_bcg_give_what_metafor_prints():
    found = random_effects(R["bcg"]["y"], R["bcg"]["se"])
    printed = (round(found.mean, 4), round(found.tau2, 4), round(100 * found.i2, 2))
    assert printed == (-0.7145, 0.3132, 92.22)
    assert round(found.q, 4) == 152.2330


def test_places_that_agree_too_well_get_no_narrower_interval_than_chance_allows():
    found = random_effects([1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5])
    assert found.se == pytest.approx(0.25)  # 0.5 / sqrt(4)
    assert (found.tau2, found.i2) == (0.0, 0.0)


def test_the_mean_over_places_is_covered_as_stated():
    # 300 studies of eight places each.
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        errors = rng.uniform(0.15, 0.5, 8)
        found = random_effects(rng.normal(rng.normal(1.0, 0.4, 8), errors), errors)
        inside += found.low <= 1.0 <= found.high
    # 95 %, and three standard errors of 300 draws below it (.0126 each).
    assert inside / 300 > 0.912


@pytest.mark.parametrize(
    ("values", "errors", "said"),
    [
        ([1.0, 2.0], [0.1, 0.1], "three places or more"),
        ([1.0, 2.0, 3.0], [0.1, 0.0, 0.1], "errors above 0"),
        ([1.0, np.nan, 3.0], [0.1, 0.1, 0.1], "finite"),
    ],
)
def test_what_cannot_be_summed_up_is_a_sentence(values, errors, said):
    with pytest.raises(DataError, match=said):
        random_effects(values, errors)
