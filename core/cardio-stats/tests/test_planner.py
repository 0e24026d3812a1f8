"""Sample sizes against formulas written out a second time, and against simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cardio_stats.auc_covariance import delong_paired
from cardio_stats.errors import DataError
from cardio_stats.sample_size import n_for_auc, n_for_paired_auc, n_for_proportion, power_paired_auc


def hanley_mcneil_se(auc: float, n_1: int, n_0: int) -> float:
    """Radiology 1982;143:29, written out."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    parts = auc * (1 - auc) + (n_1 - 1) * (q1 - auc**2) + (n_0 - 1) * (q2 - auc**2)
    return math.sqrt(parts / (n_1 * n_0))


@pytest.mark.parametrize("auc", [0.6, 0.8, 0.95])
@pytest.mark.parametrize("prevalence", [0.1, 0.4, 0.5])
def test_the_planned_study_is_the_smallest_that_reaches_the_width(
    auc: float, prevalence: float
) -> None:
    found = n_for_auc(auc, prevalence=prevalence, half_width=0.05)

    def width(n: int) -> float:
        n_1 = round(n * prevalence)
        return 1.959963985 * hanley_mcneil_se(auc, n_1, n - n_1)

    n = int(found.value)
    assert width(n) <= 0.05
    assert width(n - 1) > 0.05
    assert found.extra["n_positive"] + found.extra["n_negative"] == n


def test_the_plan_for_a_sensitivity_is_that_of_r() -> None:
    # R 4.2.2: smallest n with half the Wilson interval of p = .9 at most .05
    assert n_for_proportion(0.9, half_width=0.05).value == 141


def test_the_power_of_two_paired_aucs_is_that_of_the_written_formula() -> None:
    # R 4.2.2: d = .08 / sqrt(s1^2 + s2^2 - s1 s2); pnorm(d - 1.96) + pnorm(-d - 1.96)
    found = power_paired_auc(0.8, 0.72, correlation=0.5, n=200, prevalence=0.4)
    assert found.value == pytest.approx(0.6076378, abs=1e-6)
    n = n_for_paired_auc(0.8, 0.72, correlation=0.5, prevalence=0.4, power=0.6076378)
    assert n.value == pytest.approx(200, abs=2)


def test_simulated_studies_of_the_planned_size_find_the_difference_about_as_often() -> None:
    """Two normal scores of AUC .80 and .68 on the same patients."""
    plan = n_for_paired_auc(0.80, 0.68, correlation=0.5, prevalence=0.5, power=0.8)
    n = int(plan.value)
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], [n - n // 2, n // 2])
    shift = math.sqrt(2) * np.array([0.8416, 0.4677])  # normal quantiles of .80 and .68
    found = []
    for _ in range(300):
        noise = rng.multivariate_normal([0, 0], [[1, 0.55], [0.55, 1]], size=n)
        scores = noise + y[:, None] * shift
        found.append(delong_paired(y, scores[:, 0], scores[:, 1]).p_value)
    power = np.mean([p < 0.05 for p in found if p is not None])
    assert power == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize(
    "compute",
    [
        lambda: n_for_auc(1.0, prevalence=0.4, half_width=0.05),
        lambda: n_for_auc(0.8, prevalence=0.0, half_width=0.05),
        lambda: n_for_auc(0.8, prevalence=0.4, half_width=0.0),
        lambda: n_for_auc(0.8, prevalence=0.4, half_width=1e-5),
        lambda: n_for_proportion(1.2, half_width=0.05),
        lambda: power_paired_auc(0.8, 0.8, correlation=0.5, n=100, prevalence=0.4),
        lambda: power_paired_auc(0.8, 0.7, correlation=1.0, n=100, prevalence=0.4),
        lambda: power_paired_auc(0.8, 0.7, correlation=0.5, n=2, prevalence=0.4),
        lambda: n_for_paired_auc(0.8, 0.7, correlation=0.5, prevalence=0.4, power=1.0),
    ],
)
def test_impossible_plans_are_refused_in_one_line(compute: Any) -> None:
    with pytest.raises(DataError) as refusal:
        compute()
    assert "\n" not in str(refusal.value)
