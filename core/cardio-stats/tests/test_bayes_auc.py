"""The Bayes AUC against the sum over all pairs, and against labels that were drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from cardio_core.testing import refuses
from cardio_stats import bayes_auc, stated_bayes_auc
from cardio_stats.errors import DataError


@given(st.lists(st.floats(0, 1, width=16), min_size=1, max_size=30))
@settings(deadline=None)
def test_bayes_auc_is_the_sum_over_all_pairs(probability: list[float]) -> None:
    eta = np.array(probability)
    weight = eta[:, None] * (1 - eta)
    np.fill_diagonal(weight, 0.0)
    right = (eta[:, None] > eta) + 0.5 * (eta[:, None] == eta)
    if weight.sum() == 0:
        assert stated_bayes_auc(eta) is None
        with refuses(DataError, "Bayes AUC", code="degenerate"):
            bayes_auc(eta)
    else:
        expected = pytest.approx((weight * right).sum() / weight.sum())
        assert bayes_auc(eta).value == expected
        assert stated_bayes_auc(eta) == expected


def test_bayes_auc_is_what_true_probabilities_reach_on_drawn_labels() -> None:
    rng = np.random.default_rng(0)
    eta = 1 / (1 + np.exp(-2 * rng.normal(size=1000)))
    reached = [roc_auc_score(rng.uniform(size=1000) < eta, eta) for _ in range(200)]
    found = bayes_auc(eta, unit="patient")
    assert np.mean(reached) == pytest.approx(found.value, abs=0.004)
    assert (found.n, found.unit, found.low) == (1000, "patient", None)


@pytest.mark.parametrize("probability", [[], [0.4], [0.0, 0.0], [1.0, 1.0]])
def test_without_a_case_or_a_control_there_is_no_bayes_auc(probability: list[float]) -> None:
    with refuses(DataError, f"found {len(probability)}", code="degenerate"):
        bayes_auc(probability)
    assert stated_bayes_auc(probability) is None


@pytest.mark.parametrize("wrong", [1.2, -0.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with refuses(DataError, "Bayes AUC", code="out_of_range"):
        bayes_auc([0.2, wrong])
