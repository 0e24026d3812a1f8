"""Agreement of measurements and raters against psych, epiR, cor.test and written-out formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from statsmodels.stats.inter_rater import cohens_kappa

from cardio_stats import (
    cohen_kappa,
    correlation,
    gaussian_constant_mae,
    icc,
    limits_of_agreement,
    reclassification_index,
    regression_errors,
)
from cardio_stats.errors import DataError

from .from_r import oracle

# Made by oracles/agreement.R with R 4.2.2, psych 2.2.9 and epiR 2.0.57
R: dict[str, Any] = oracle("agreement")


@pytest.mark.parametrize("case", R["icc"])
def test_intraclass_correlations_agree_with_psych(case: dict[str, Any]) -> None:
    for position, label in enumerate(case["type"]):
        form: Any = f"{label[3]},{'k' if label.endswith('k') else '1'}"
        estimate = icc(case["ratings"], form)
        assert estimate.value == pytest.approx(case["icc"][position], abs=1e-9)
        assert estimate.low == pytest.approx(case["low"][position], abs=1e-9)
        assert estimate.high == pytest.approx(case["high"][position], abs=1e-9)
        assert estimate.p_value == pytest.approx(case["p"][position], rel=1e-6)
        assert estimate.extra["f"] == pytest.approx(case["f"][position], rel=1e-9)
        assert estimate.extra["df2"] == case["df2"][position]


def test_a_constant_bias_lowers_agreement_but_not_consistency() -> None:
    table = np.array(R["icc"][1]["ratings"])
    biased = table + np.array([0, 40])
    assert icc(biased, "3,1").value == pytest.approx(icc(table, "3,1").value)
    assert icc(biased).value < icc(table).value - 0.2


def test_subjects_without_every_rating_are_dropped_and_counted() -> None:
    table = np.array(R["icc"][1]["ratings"], dtype=float)
    with_gap = np.vstack([table, [np.nan, 3.0]])
    found = icc(with_gap)
    assert (found.n, found.n_dropped) == (40, 1)
    assert found.value == icc(table).value


@pytest.mark.parametrize("case", R["kappa"])
def test_kappa_and_its_error_agree_with_psych(case: dict[str, Any]) -> None:
    plain = cohen_kappa(case["a"], case["b"])
    assert plain.value == pytest.approx(case["kappa"], abs=1e-12)
    assert plain.extra["se"] ** 2 == pytest.approx(case["var"], rel=1e-9)
    for weights in ("linear", "quadratic"):
        weighted = cohen_kappa(case["a"], case["b"], weights=weights)
        assert weighted.value == pytest.approx(case[weights], abs=1e-12)


@pytest.mark.parametrize("case", R["kappa"])
@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_the_error_of_weighted_kappa_agrees_with_statsmodels(
    case: dict[str, Any], weights: str
) -> None:
    # psych 2.2.9 differs here from the second digit on; both statsmodels and we follow the paper
    table = np.zeros((max(case["a"]) + 1,) * 2)
    np.add.at(table, (case["a"], case["b"]), 1)
    expected = cohens_kappa(table, wt=weights)
    found = cohen_kappa(case["a"], case["b"], weights=weights)
    assert found.extra["se"] ** 2 == pytest.approx(expected.var_kappa, rel=1e-9)
    assert found.extra["se_null"] ** 2 == pytest.approx(expected.var_kappa0, rel=1e-9)


def test_the_error_of_kappa_under_independence_agrees_with_epir() -> None:
    case = R["kappa"][0]
    found = cohen_kappa(case["a"], case["b"])
    assert found.value == pytest.approx(case["epi"]["est"], abs=1e-12)
    assert found.extra["se_null"] == pytest.approx(case["epi"]["se"], rel=1e-9)


@pytest.mark.parametrize("case", R["limits"])
def test_limits_of_agreement_and_their_exact_bounds_agree_with_r(case: dict[str, Any]) -> None:
    found = limits_of_agreement(case["a"], case["b"])
    assert found.bias.value == pytest.approx(case["bias"], abs=1e-12)
    assert [found.bias.low, found.bias.high] == pytest.approx(case["ci"], abs=1e-9)
    assert found.bias.p_value == pytest.approx(case["p"], rel=1e-9)
    assert [found.sd.value, found.sd.low, found.sd.high] == pytest.approx(
        [case["sd"], *case["sd_ci"]], abs=1e-9
    )
    # R warns that its own non-central t has not reached full precision
    assert [found.upper.value, found.upper.low, found.upper.high] == pytest.approx(
        [case["upper"], *case["upper_ci"]], abs=1e-6
    )
    assert [found.lower.value, found.lower.low, found.lower.high] == pytest.approx(
        [case["lower"], *case["lower_ci"]], abs=1e-6
    )


@pytest.mark.parametrize("case", R["repeated"])
def test_limits_of_repeated_pairs_agree_with_the_analysis_of_variance(
    case: dict[str, Any],
) -> None:
    found = limits_of_agreement(case["a"], case["b"], patient=case["id"])
    for name, estimate in zip(("bias", "sd", "lower", "upper"), found.estimates, strict=True):
        interval = case["bias_ci" if name == "bias" else f"{name}_ci"]
        assert estimate.value == pytest.approx(case[name], abs=1e-9)
        assert [estimate.low, estimate.high] == pytest.approx(interval, abs=1e-9)
    assert found.bias.n == max(case["id"])
    assert found.bias.extra["n_rows"] == len(case["id"])


def test_bounds_of_a_limit_cover_it() -> None:
    rng = np.random.default_rng(6)
    truth, covered = 1 + 1.959964 * 2, 0
    for _ in range(1000):
        found = limits_of_agreement(np.zeros(12), rng.normal(1, 2, 12)).upper
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / 1000 <= 0.97


def test_bounds_of_a_limit_of_repeated_pairs_cover_it() -> None:
    rng = np.random.default_rng(7)
    subjects = np.repeat(np.arange(15), rng.integers(2, 6, 15))
    truth, covered = 1.959964 * np.hypot(1.5, 1.0), 0
    for _ in range(500):
        difference = rng.normal(0, 1.5, 15)[subjects] + rng.normal(0, 1, subjects.size)
        found = limits_of_agreement(np.zeros(subjects.size), difference, patient=subjects).upper
        covered += found.low <= truth <= found.high
    assert 0.92 <= covered / 500 <= 0.98


@given(st.floats(-100, 100), st.floats(0.1, 50))
def test_limits_move_and_stretch_with_the_measurement(shift: float, scale: float) -> None:
    case = R["limits"][0]
    a, b = np.array(case["a"], dtype=float), np.array(case["b"], dtype=float)
    plain = limits_of_agreement(a, b)
    moved = limits_of_agreement(scale * a, scale * b + shift)
    for one, other in zip(plain.estimates, moved.estimates, strict=True):
        moves = 0 if one.name == "sd_of_differences" else shift
        assert other.value == pytest.approx(scale * one.value + moves, abs=1e-8, rel=1e-8)
        assert other.low == pytest.approx(scale * one.low + moves, abs=1e-8, rel=1e-8)


@pytest.mark.parametrize("case", R["cor"])
def test_correlations_agree_with_cor_test(case: dict[str, Any]) -> None:
    pearson = correlation(case["x"], case["y"])
    assert pearson.value == pytest.approx(case["r"], abs=1e-12)
    assert [pearson.low, pearson.high] == pytest.approx(case["ci"], abs=1e-9)
    assert pearson.p_value == pytest.approx(case["p"], rel=1e-8)
    assert pearson.extra["t"] == pytest.approx(case["t"], rel=1e-9)
    spearman = correlation(case["x"], case["y"], method="spearman")
    assert spearman.value == pytest.approx(case["rho"], abs=1e-12)
    assert spearman.p_value == pytest.approx(case["p_rho"], rel=1e-6)
    half_width = 1.959964 * np.sqrt((1 + case["rho"] ** 2 / 2) / (len(case["x"]) - 3))
    assert np.arctanh(spearman.high) - np.arctanh(spearman.value) == pytest.approx(half_width)


def test_errors_of_predictions_agree_with_sklearn() -> None:
    rng = np.random.default_rng(2)
    ef = rng.normal(55, 10, 200)
    guess = 0.8 * ef + 15 + rng.normal(0, 5, 200)
    found = regression_errors(ef, guess, n_resamples=200)
    assert found["r2"].value == pytest.approx(r2_score(ef, guess))
    assert found["pearson_r2"].value == pytest.approx(np.corrcoef(ef, guess)[0, 1] ** 2)
    assert found["mae"].value == pytest.approx(mean_absolute_error(ef, guess))
    assert found["rmse"].value == pytest.approx(root_mean_squared_error(ef, guess))
    assert found["mae_constant"].value == pytest.approx(np.abs(ef - np.median(ef)).mean())
    assert found["bias"].value == pytest.approx((guess - ef).mean())
    assert found["r2"].low < found["r2"].value < found["r2"].high
    # the error of a mean: SD over root n
    expected = np.abs(ef - guess).std() / 200**0.5
    assert found["mae"].extra["se"] == pytest.approx(expected, rel=0.1)


def test_r2_is_negative_where_r_squared_is_perfect() -> None:
    ef = np.array([50.0, 42, 61, 35, 47])
    found = regression_errors(ef, ef + 20, n_resamples=50)
    assert found["pearson_r2"].value == pytest.approx(1.0)
    assert found["r2"].value < 0
    assert found["mae_skill"].value < 0


def test_a_constant_prediction_has_no_correlation_but_has_an_error() -> None:
    ef = np.array([50.0, 42, 61, 35, 47])
    found = regression_errors(ef, np.full(5, ef.mean()), n_resamples=50)
    assert "pearson_r2" not in found
    assert found["r2"].value == pytest.approx(0.0, abs=1e-12)


def test_predictions_of_repeated_patients_have_the_error_of_the_patients() -> None:
    rng = np.random.default_rng(3)
    ef = rng.normal(55, 10, 60)
    guess = ef + rng.normal(0, 5, 60)
    once = regression_errors(ef, guess, seed=1)["mae"]
    repeated = [np.repeat(column, 6) for column in (ef, guess, np.arange(60))]
    found = regression_errors(repeated[0], repeated[1], patient=repeated[2], seed=1)["mae"]
    assert found.extra["se"] == pytest.approx(once.extra["se"], rel=1e-9)
    assert (found.n, found.unit) == (60, "patient")


def test_a_normal_variables_constant_error_is_four_fifths_of_its_sd() -> None:
    draws = np.random.default_rng(0).normal(0, 7, 200_000)
    assert gaussian_constant_mae(7).value == pytest.approx(np.abs(draws).mean(), rel=0.01)


def test_reclassification_counts_moves_in_the_right_direction() -> None:
    labels = [1] * 4 + [0] * 5
    old = [0.5] * 9
    new = [0.6, 0.7, 0.4, 0.5, 0.4, 0.3, 0.6, 0.5, 0.2]
    found = reclassification_index(labels, old, new)
    assert found["nri_events"].value == pytest.approx((2 - 1) / 4)
    assert found["nri_nonevents"].value == pytest.approx((3 - 1) / 5)
    # Pencina 2008, equation 8: variance of a difference of two shares of one multinomial
    assert found["nri_events"].extra["se"] == pytest.approx(np.sqrt((3 / 4 - 1 / 16) / 4))
    assert found["nri"].value == pytest.approx(0.65)
    assert found["idi"].value == pytest.approx(np.mean(new[:4]) - np.mean(new[4:]))
    assert all("net benefit" in estimate.note for estimate in found.values())


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: icc([[1, 2], [3, 4]]), "3 complete subjects"),
        (lambda: icc([1, 2, 3]), "at least 2 raters"),
        (lambda: icc([[1, 1], [2, 2], [3, 3]]), "identical or differ"),
        (lambda: cohen_kappa(["a", "b"], ["a"]), "one length"),
        (lambda: cohen_kappa(["a", "a"], ["a", "a"]), "kappa is not defined"),
        (lambda: cohen_kappa(["a", "b"], ["a", "b"], weights="linear"), "order of the classes"),
        (lambda: cohen_kappa(["a", "b"], ["a", "c"], classes=["a", "b"]), "found 'c'"),
        (lambda: limits_of_agreement([1, 2], [1, 3]), "3 complete pairs"),
        (lambda: limits_of_agreement([1, 2, 3], [2, 3, 4]), "found 1 in every pair"),
        (lambda: limits_of_agreement([1, 2, 3], [2, 3, 5], patient=[1, 1, 2]), "at least 5"),
        (lambda: limits_of_agreement(range(6), [1, 3, 4, 4, 6, 5], patient=range(6)), "one each"),
        (lambda: correlation([1, 2, 3], [1, 2, 3]), "at least 4"),
        (lambda: correlation([1, 1, 1, 1], [1, 2, 3, 4]), "x: expected several values"),
        (lambda: regression_errors([5, 5, 5], [1, 2, 3]), "R² is not defined"),
        (lambda: regression_errors(["a", "b", "c"], [1, 2, 3]), "found text"),
        (lambda: reclassification_index([0, 1], [0.1, 0.2], [0.2, 0.3]), "at least 2 rows"),
    ],
)
def test_what_has_no_answer_is_refused_in_one_line(call: Any, says: str) -> None:
    with pytest.raises(DataError, match=says) as refusal:
        call()
    assert "\n" not in str(refusal.value)


def test_a_perfect_correlation_has_no_interval() -> None:
    found = correlation([1, 2, 3, 4], [2, 4, 6, 8])
    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert "perfect" in found.note
