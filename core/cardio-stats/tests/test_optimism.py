"""The optimism bootstrap against rms, and on models whose worth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardio_core.testing import refuses
from cardio_stats._numerics.intervals import maximise
from cardio_stats.errors import DataError
from cardio_stats.optimism import Predictor, RidgeLogistic, optimism_bootstrap

from .from_r import oracle


def logistic(x: Any, y: Any) -> Predictor:
    centre, spread = x.mean(axis=0), x.std(axis=0)
    beta, _ = maximise(np.column_stack([np.ones(len(x)), (x - centre) / spread]), y)
    return lambda new: ((new - centre) / spread) @ beta[1:]


def test_the_corrected_auc_agrees_with_rms_validate() -> None:
    data = oracle("association")["data"]
    expected = oracle("optimism")  # rms 6.5-0, 4000 resamples
    x = np.column_stack([data[name] for name in ("qrs_ms", "lvef_pct", "scar_pct", "age_y")])
    found = optimism_bootstrap(x, data["y"], logistic, n_resamples=500, seed=3)
    assert found.extra["apparent"] == pytest.approx(expected["apparent_auc"], abs=1e-9)
    # the optimism of one resample has an SD of 0.04; the mean of 500 an SE of 0.0018
    assert found.extra["optimism"] == pytest.approx(expected["optimism_auc"], abs=0.006)
    assert found.value == found.extra["apparent"] - found.extra["optimism"]


def test_a_model_fitted_to_noise_is_corrected_towards_one_half() -> None:
    rng = np.random.default_rng(8)
    corrected, apparent = [], []
    for _ in range(10):
        x, y = rng.normal(size=(80, 8)), rng.permutation(np.repeat([0, 1], 40))
        found = optimism_bootstrap(x, y, logistic, n_resamples=40, correction="632+", seed=1)
        corrected.append(found.value)
        apparent.append(found.extra["apparent"])
    assert np.mean(apparent) > 0.68
    assert np.mean(corrected) == pytest.approx(0.5, abs=0.06)


def test_632_plus_lies_between_the_apparent_and_the_left_out_figure() -> None:
    rng = np.random.default_rng(4)
    y = np.repeat([0, 1], 30)
    x = rng.normal(size=(60, 3)) + 0.8 * y[:, None]
    found = optimism_bootstrap(x, y, logistic, n_resamples=100, correction="632+")
    assert found.extra["left_out"] < found.value < found.extra["apparent"]


def test_resampling_patients_sees_an_optimism_that_resampling_rows_does_not() -> None:
    """Rows of a patient are alike, so rows left out by chance are still known by heart."""
    rng = np.random.default_rng(6)
    patients = np.repeat(np.arange(30), 8)
    x = rng.normal(size=30)[patients][:, None] + 0.001 * rng.normal(size=(240, 1))
    y = rng.integers(0, 2, 30)[patients].astype(float)

    def nearest(x: Any, y: Any) -> Predictor:
        return lambda new: y[np.abs(new - x.T).argmin(axis=1)]

    by_row = optimism_bootstrap(x, y, nearest, n_resamples=40, correction="632+")
    by_patient = optimism_bootstrap(
        x, y, nearest, patient=patients, n_resamples=40, correction="632+"
    )
    assert by_row.extra["left_out"] > 0.95
    assert by_patient.extra["left_out"] < 0.7
    assert by_patient.n_patients == 30


def test_the_seed_fixes_the_result() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 2)), rng.integers(0, 2, 40)
    first, again, other = (
        optimism_bootstrap(x, y, logistic, n_resamples=20, seed=seed) for seed in (5, 5, 6)
    )
    assert first == again
    assert first.value != other.value


@pytest.mark.parametrize(
    ("y", "words"), [([1] * 10, "both classes"), ([0, 1, np.nan] * 3 + [1], "1 missing|3 missing")]
)
def test_outcomes_that_cannot_be_resampled_are_refused(y: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        optimism_bootstrap(np.zeros((10, 1)), y, logistic)


@pytest.mark.parametrize("c", [0.1, 1e4])
def test_a_ridge_of_all_resamples_together_is_that_of_scikit_learn_in_each(c: float) -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(5)
    x = rng.normal(size=(70, 4)) * [1, 10, 0.1, 1] + [0, 100, 0, 0]
    x[:, 3] = 0.0
    x[0, 3] = 1.0  # constant in the resamples that lack the first row
    y = (x[:, 0] + rng.normal(size=70) > 0) * 1.0
    rows = rng.integers(70, size=(12, 70))
    found = RidgeLogistic(c).of_resamples(x, y, rows)
    for own, scores in zip(rows, found, strict=True):
        mean, sd = x[own].mean(axis=0), x[own].std(axis=0)
        used = sd > 0
        z = (x - mean)[:, used] / sd[used]
        model = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(z[own], y[own])
        assert scores == pytest.approx(model.predict_proba(z)[:, 1], abs=1e-5)
    assert any((x[own, 3] == 0).all() for own in rows)


def test_fitting_all_resamples_together_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 5))
    y = (x[:, 0] + 2 * rng.normal(size=50) > 0) * 1.0
    x[rng.random(x.shape) < 0.05] = np.nan
    ridge = RidgeLogistic(0.5)
    together = optimism_bootstrap(x, y, ridge, n_resamples=40, seed=1)
    one_by_one = optimism_bootstrap(x, y, lambda a, b: ridge(a, b), n_resamples=40, seed=1)
    assert together.value == pytest.approx(one_by_one.value, abs=1e-9)
    assert together.extra == pytest.approx(one_by_one.extra, abs=1e-9)


def test_the_ridge_of_a_resample_without_two_of_each_outcome_is_refused() -> None:
    with refuses(DataError, "ridge regression", "1", code="too_few"):
        RidgeLogistic()(np.arange(6.0)[:, None], np.array([0.0, 0, 0, 0, 0, 1]))
