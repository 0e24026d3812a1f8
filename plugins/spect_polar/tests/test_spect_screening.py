"""Screening codes, and the regression of what passed."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind
from sklearn.linear_model import LogisticRegression
from statsmodels.api import Logit
from statsmodels.stats.multitest import multipletests

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_spect_polar.response.config import RegressionBlock, ScreenBlock
from cardio_spect_polar.response.fitting import Regression, fit_regression, screen_codes

N, K = 90, 20


def noise(seed: int, k: int = K) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, k)), rng.permutation(np.repeat([1.0, 0.0], [40, 50]))


def with_signal(seed: int = 0, code: int = 7, size: float = 1.2):
    codes, y = noise(seed)
    codes[:, code] += size * y
    return codes, y


@pytest.mark.parametrize("by", ["max_t", "bh", "p"])
def test_a_code_that_goes_with_the_outcome_enters_first(by):
    codes, y = with_signal()
    found = screen_codes(codes, y, range(K), ScreenBlock(by=by, n_permutations=999))
    assert found.entered[0] == 7
    assert found.passed >= 1


def test_meaningless_codes_pass_max_t_as_rarely_as_alpha_says():
    settings = ScreenBlock(alpha=0.1, n_permutations=199)
    passed = [screen_codes(*noise(seed), range(K), settings).passed > 0 for seed in range(100)]
    # a binomial count with p = .1: below 20 of 100 with probability .998
    assert 2 <= sum(passed) <= 19


def test_plain_p_lets_alpha_of_the_meaningless_codes_pass():
    settings = ScreenBlock(by="p", alpha=0.1, n_permutations=99)
    passed = [screen_codes(*noise(seed), range(K), settings).passed for seed in range(5)]
    # the SD of the mean of five counts is 0.6
    assert np.mean(passed) == pytest.approx(0.1 * K, abs=1.5)


def test_p_is_that_of_a_likelihood_ratio_test():
    codes, y = with_signal()
    found = screen_codes(codes, y, [3, 7], ScreenBlock(by="p", n_permutations=99))
    for code, p in zip(found.table["code"], found.table["p"], strict=True):
        oracle = Logit(y, np.column_stack([codes[:, code], np.ones(N)])).fit(disp=0)
        assert p == pytest.approx(oracle.llr_pvalue, rel=1e-6)


def test_permutation_p_is_near_students_and_q_is_statsmodels():
    codes, y = with_signal()
    found = screen_codes(codes, y, range(K), ScreenBlock(by="bh", n_permutations=4000)).table
    student = ttest_ind(codes[y == 1], codes[y == 0]).pvalue
    np.testing.assert_allclose(found["p"], student, atol=0.03)
    np.testing.assert_allclose(found["q"], multipletests(found["p"], method="fdr_bh")[1])


def test_only_candidates_are_tested_and_constant_codes_are_not():
    codes, y = with_signal()
    codes[:, 4] = 2.5
    found = screen_codes(codes, y, [2, 4, 5], ScreenBlock(n_permutations=99))
    assert set(found.table["code"]) == {2, 5}
    assert 7 not in found.entered


def test_the_best_code_enters_even_where_none_passes_unless_told_otherwise():
    codes, y = noise(11)
    settings = ScreenBlock(alpha=0.001, n_permutations=99)
    found = screen_codes(codes, y, range(K), settings)
    best = found.table["r"].abs().idxmax()
    assert (found.entered, found.passed) == ((int(found.table["code"][best]),), 0)
    nobody = screen_codes(codes, y, range(K), settings.model_copy(update={"at_least": 0}))
    assert nobody.entered == ()


def test_no_more_codes_enter_than_allowed():
    codes, y = with_signal()
    found = screen_codes(codes, y, range(K), ScreenBlock(by="p", alpha=1.0, at_most=3))
    assert len(found.entered) == 3


def test_nothing_to_test_gives_an_empty_screen():
    codes, y = noise(0)
    found = screen_codes(np.ones_like(codes), y, range(K), ScreenBlock())
    assert (len(found.table), found.entered) == (0, ())


# --- the regression


def columns(k: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    codes, y = with_signal(code=0)
    return pd.DataFrame(codes[:, :k], columns=[f"x{i}" for i in range(k)]) * [1, 10, 100][:k], y


def test_maximum_likelihood_agrees_with_statsmodels():
    table, y = columns()
    found = fit_regression(table, y, RegressionBlock(method="ml"))
    oracle = Logit(y, np.column_stack([table, np.ones(N)])).fit(disp=0)
    np.testing.assert_allclose([*found.coefficients, found.intercept], oracle.params, rtol=1e-6)
    np.testing.assert_allclose(found.probabilities(table), oracle.predict(), rtol=1e-6)


def test_ridge_agrees_with_scikit_learn_on_standardised_columns():
    table, y = columns()
    standard = (table - table.mean()) / table.std(ddof=0)
    oracle = LogisticRegression(C=0.5, max_iter=5000, tol=1e-10).fit(standard, y)
    found = fit_regression(table, y, RegressionBlock(ridge_c=0.5))
    np.testing.assert_allclose(
        found.probabilities(table), oracle.predict_proba(standard)[:, 1], atol=1e-3
    )


def test_firth_stays_finite_where_a_column_separates_the_outcome():
    table, y = columns(1)
    found = fit_regression(table.assign(x0=y), y, RegressionBlock(method="firth"))
    # Firth's estimate of a 2x2 table adds one half to every cell (Heinze and Schemper 2002)
    expected = np.log(40.5 / 0.5) + np.log(50.5 / 0.5)
    assert found.coefficients[0] == pytest.approx(expected, rel=1e-3)


def test_a_missing_value_becomes_the_training_patients_median():
    table, y = columns()
    table.loc[:4, "x1"] = np.nan
    found = fit_regression(table, y, RegressionBlock())
    assert found.medians[1] == pytest.approx(table["x1"].median())
    new = pd.DataFrame({"x0": [0.0, 0.0], "x1": [np.nan, table["x1"].median()], "x2": [1.0, 1.0]})
    first, second = found.probabilities(new)
    assert first == second


def test_empty_and_constant_columns_are_left_out_and_named():
    table, y = columns()
    found = fit_regression(table.assign(none=np.nan, same=3.0), y, RegressionBlock())
    assert found.left_out == {"none": "empty", "same": "constant"}
    assert found.columns == ("x0", "x1", "x2")


def test_a_row_without_any_column_says_what_to_do():
    _, y = columns()
    with refuses(DataError, "regression", "empty"):
        fit_regression(pd.DataFrame({"none": np.full(N, np.nan)}), y, RegressionBlock())


def test_one_class_is_refused():
    table, y = columns()
    with refuses(DataError, "regression", "90 and 0"):
        fit_regression(table, np.ones_like(y), RegressionBlock())


def test_a_regression_comes_back_from_json():
    table, y = columns()
    found = fit_regression(table.assign(same=1.0), y, RegressionBlock())
    assert Regression.from_dict(json.loads(json.dumps(asdict(found)))) == found
