"""Calibration and net benefit against glm, rms, loess and arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardio_core.testing import refuses
from cardio_stats import (
    brier,
    calibration_curve,
    calibration_in_the_large,
    calibration_metrics,
    calibration_slope,
    decision_curve,
    expected_calibration_error,
    net_benefit,
    scaled_brier,
)
from cardio_stats.errors import DataError

from .from_r import integers, oracle

# Made by oracles/calibration.R with R 4.2.2 and rms 6.5.0
R: dict[str, Any] = oracle("calibration")
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def rows_of(case: dict[str, Any]) -> Columns:
    """Make the rows that calibration.R made, from integers alone."""
    u = integers(case["seed"], case["n"], 3)
    p = (u[:, 0] % 997 + 1) / 999
    y = (u[:, 1] % 1000 < 1000 * (0.15 + 0.6 * p)).astype(int)
    return y, p, u[:, 2] % case["n_clusters"]


def simulated(n: int, seed: int, *, extreme: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities whose log odds are `extreme` times the true ones."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(size=n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return labels, 1 / (1 + np.exp(-extreme * log_odds))


CASES = [(case, *rows_of(case)) for case in R["sets"]]


@pytest.mark.parametrize(("case", "y", "p", "cluster"), CASES)
def test_slope_and_intercept_agree_with_glm_and_rms(
    case: dict[str, Any], y: np.ndarray, p: np.ndarray, cluster: np.ndarray
) -> None:
    assert y.sum() == case["events"]
    slope, large = calibration_slope(y, p), calibration_in_the_large(y, p)
    assert slope.value == pytest.approx(case["slope"], abs=1e-8)
    assert slope.value == pytest.approx(case["slope_val_prob"], abs=1e-6)
    assert slope.extra["se"] == pytest.approx(case["slope_se"], abs=1e-8)
    assert slope.extra["intercept"] == pytest.approx(case["intercept"], abs=1e-8)
    assert large.value == pytest.approx(case["in_the_large"], abs=1e-8)
    assert large.extra["se"] == pytest.approx(case["in_the_large_se"], abs=1e-8)
    robust = calibration_slope(y, p, patient=cluster)
    assert robust.extra["se"] == pytest.approx(case["slope_se_robust"], abs=1e-8)
    assert robust.n == case["n_clusters"]


@pytest.mark.parametrize(("case", "y", "p", "cluster"), CASES)
def test_the_brier_score_agrees_with_rms(
    case: dict[str, Any], y: np.ndarray, p: np.ndarray, cluster: np.ndarray
) -> None:
    found = brier(y, p, patient=cluster, n_resamples=200)
    scaled = scaled_brier(y, p, patient=cluster, n_resamples=200)
    assert found.value == pytest.approx(case["brier"], abs=1e-12)
    assert scaled.value == pytest.approx(1 - case["brier"] / (y.mean() * (1 - y.mean())))
    assert found.low < found.value < found.high


@pytest.mark.parametrize(("case", "y", "p", "cluster"), CASES)
@pytest.mark.parametrize("span", [0.75, 0.4])
def test_the_smooth_curve_agrees_with_loess(
    case: dict[str, Any], y: np.ndarray, p: np.ndarray, cluster: np.ndarray, span: float
) -> None:
    curve = calibration_curve(y, p, span=span, n_points=11)
    np.testing.assert_allclose(curve.observed, case[f"loess_{span * 100:g}"], rtol=0, atol=1e-9)


def test_the_limits_of_the_curve_cover_the_true_risk() -> None:
    covered = []
    for seed in range(200):
        labels, p = simulated(400, seed)
        curve = calibration_curve(labels, p, span=0.5, n_points=21)
        inside = (curve.predicted > 0.2) & (curve.predicted < 0.8)
        covered.append(((curve.low <= curve.predicted) & (curve.predicted <= curve.high))[inside])
    assert 0.92 <= np.concatenate(covered).mean() <= 0.97


def test_repeated_patients_widen_the_curve() -> None:
    labels, p = simulated(150, 3)
    once = calibration_curve(labels, p)
    repeated = [np.repeat(column, 4) for column in (labels, p, np.arange(150))]
    clustered = calibration_curve(repeated[0], repeated[1], patient=repeated[2])
    naive = calibration_curve(repeated[0], repeated[1])
    middle = slice(30, 70)
    width = (once.high - once.low)[middle]
    np.testing.assert_allclose((clustered.high - clustered.low)[middle], width, rtol=0.03)
    np.testing.assert_allclose((naive.high - naive.low)[middle], width / 2, rtol=0.03)


def test_too_extreme_probabilities_have_a_slope_below_one() -> None:
    labels, p = simulated(20_000, 1, extreme=2.0)
    slope = calibration_slope(labels, p)
    assert slope.value == pytest.approx(0.5, abs=0.03)
    assert slope.p_value < 1e-6
    assert calibration_slope(*simulated(20_000, 1)).p_value > 0.01


def test_ece_is_the_weighted_gap_of_its_bins() -> None:
    labels = [0, 1, 1, 1, 0, 0, 1, 1]
    p = [0.1, 0.1, 0.2, 0.2, 0.7, 0.7, 0.9, 0.9]
    found = expected_calibration_error(labels, p, n_bins=2, binning="equal-width", n_draws=50)
    assert found.value == pytest.approx(abs(3 - 0.6) / 8 + abs(2 - 3.2) / 8)
    assert "2 equal-width bins" in found.method
    four = expected_calibration_error(labels, p, n_bins=4, n_draws=50)
    assert four.value == pytest.approx((0.8 + 1.6 + 1.4 + 0.2) / 8)


def test_net_benefit_is_true_less_weighted_false_positives() -> None:
    labels, p = np.array([0, 0, 1, 1, 0]), np.array([0.1, 0.3, 0.2, 0.8, 0.9])
    found = net_benefit(labels, p, 0.25)
    worth = np.array([0, -1 / 3, 0, 1, -1 / 3])
    assert found.value == pytest.approx(worth.mean())
    assert found.extra["se"] == pytest.approx(worth.std(ddof=1) / 5**0.5)
    assert found.extra["treat_all"] == pytest.approx(2 / 5 - 3 / 5 / 3)


def test_the_decision_curve_starts_at_treating_everybody() -> None:
    labels, p = simulated(500, 2)
    curve = decision_curve(labels, p)
    assert len(curve) == 99
    assert curve.net_benefit[0] == pytest.approx(curve.treat_all[0], abs=1e-3)
    assert (curve.treat_none == 0).all()
    assert (curve.low <= curve.net_benefit).all()
    at_half = net_benefit(labels, p, 0.5)
    assert curve.net_benefit[49] == pytest.approx(at_half.value)


def test_net_benefit_of_repeated_patients_has_the_error_of_the_patients() -> None:
    labels, p = simulated(100, 4)
    once = net_benefit(labels, p, 0.4)
    repeated = [np.repeat(column, 5) for column in (labels, p, np.arange(100))]
    clustered = net_benefit(repeated[0], repeated[1], 0.4, patient=repeated[2])
    assert clustered.extra["se"] == pytest.approx(once.extra["se"])
    assert (clustered.n, clustered.n_patients) == (100, 100)


def test_all_metrics_come_together_and_name_what_they_refuse() -> None:
    labels, p = simulated(200, 5)
    found = calibration_metrics(labels, p, n_resamples=50)
    assert [estimate.name for estimate in found.estimates] == [
        "calibration_in_the_large",
        "calibration_slope",
        "oe_ratio",
        "ece",
        "ici",
        "e50",
        "e90",
        "emax",
        "brier",
        "scaled_brier",
    ]
    assert found.refused == {}
    certain = calibration_metrics(labels, np.round(p), n_resamples=50)
    assert set(certain.refused) == {"calibration_in_the_large", "calibration_slope"}


@pytest.mark.parametrize(
    ("labels", "p", "says"),
    [
        ([0, 1, 0, 1], [0.4] * 4, "constant predictor"),
        ([0, 1, 0, 1], [0.4, 1.2, 0.3, 0.5], "between 0 and 1, found 1.2"),
        ([0, 1, 1, 0], [0.0, 1.0, 0.3, 0.5], "2 of exactly 0 or 1"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "separation"),
        ([1, 1, 1], [0.1, 0.2, 0.8], "both classes"),
    ],
)
def test_a_slope_is_refused_where_it_means_nothing(labels: list, p: list, says: str) -> None:
    with pytest.raises(DataError, match=says):
        calibration_slope(labels, p)


def test_a_curve_and_a_net_benefit_are_refused_where_they_mean_nothing() -> None:
    with refuses(DataError, "probabilities", code="degenerate"):
        calibration_curve([0, 1] * 5, [0.3] * 10)
    with refuses(DataError, "threshold", code="out_of_range"):
        net_benefit([0, 1] * 5, [0.3] * 10, 1.0)
    with refuses(DataError, "span", code="out_of_range"):
        calibration_curve([0, 1] * 5, np.linspace(0.1, 0.9, 10), span=0.0)
