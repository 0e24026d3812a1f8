"""The Bayes AUC against the sum over all pairs, and against labels that were drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from cardio_core.stats import bayes_auc


@given(st.lists(st.floats(0, 1, width=16), min_size=2, max_size=30))
@settings(deadline=None)
def test_bayes_auc_is_the_sum_over_all_pairs(probability: list[float]) -> None:
    eta = np.array(probability)
    weight = eta[:, None] * (1 - eta)
    np.fill_diagonal(weight, 0.0)
    right = (eta[:, None] > eta) + 0.5 * (eta[:, None] == eta)
    if weight.sum() == 0:
        assert np.isnan(bayes_auc(eta))
    else:
        assert bayes_auc(eta) == pytest.approx((weight * right).sum() / weight.sum())


def test_bayes_auc_is_what_true_probabilities_reach_on_drawn_labels() -> None:
    rng = np.random.default_rng(0)
    eta = 1 / (1 + np.exp(-2 * rng.normal(size=1000)))
    reached = [roc_auc_score(rng.uniform(size=1000) < eta, eta) for _ in range(200)]
    assert np.mean(reached) == pytest.approx(bayes_auc(eta), abs=0.004)
