"""Sample sizes after Riley: printed examples of pmsampsize, and large simulated samples."""

import math

import numpy as np
import pytest

from cardio_core.testing import call_cardio, refuses
from cardio_stats import (
    auc,
    calibration_slope,
    n_for_model,
    n_for_validation,
    observed_to_expected,
    r2_of_c,
)
from cardio_stats.errors import DataError


def needed(found):
    return [found.extra[name] for name in ("n_shrinkage", "n_optimism", "n_overall")]


def test_the_binary_example_of_pmsampsize():
    # pmsampsize(type = "b", csrsquared = 0.288, parameters = 24, prevalence = 0.174) prints
    # criteria 623, 662 and 221; help page of the R package and of the Stata module
    found = n_for_model("binary", parameters=24, r2=0.288, prevalence=0.174)
    assert needed(found) == [623, 662, 221]
    assert (found.value, round(found.extra["events_per_parameter"], 1)) == (662, 4.8)
    assert round(found.extra["max_r2"], 3) == 0.603


def test_the_continuous_example_of_pmsampsize():
    # pmsampsize(type = "c", rsquared = 0.2, parameters = 25, intercept = 1.9, sd = 0.6): 918
    found = n_for_model("continuous", parameters=25, r2=0.2)
    assert needed(found) == [918, 401, 259]


def test_the_survival_example_of_pmsampsize():
    # pmsampsize(type = "s", csrsquared = 0.051, parameters = 30, rate = 0.065, timepoint = 2,
    # meanfup = 2.07): 5143 and 1039
    found = n_for_model("survival", parameters=30, r2=0.051, rate=0.065, timepoint=2,
                        mean_follow_up=2.07)  # fmt: skip
    assert needed(found)[:2] == [5143, 1039]
    assert round(found.extra["max_r2"], 3) == 0.555
    # exponential times: half the interval of the risk by two years at this n is the margin
    half = 1.959964 * math.sqrt(0.065 / (found.extra["n_overall"] * 2.07))
    width = math.exp(-(0.065 - half) * 2) - math.exp(-0.065 * 2)
    assert width == pytest.approx(0.05, rel=0.005)


def calibrated(n, prevalence, c_statistic, seed):
    """Draw the outcome from log odds that are normal among the well, by rejection of nothing."""
    from scipy.stats import norm

    rng = np.random.default_rng(seed)
    y = rng.random(n) < prevalence
    s = math.sqrt(2) * norm.ppf(c_statistic)
    log_odds = math.log(prevalence / (1 - prevalence)) - s**2 / 2 + s**2 * y + rng.normal(0, s, n)
    return y.astype(int), 1 / (1 + np.exp(-log_odds))


@pytest.mark.parametrize(("prevalence", "c"), [(0.3, 0.75), (0.1, 0.85)])
def test_the_r2_of_a_c_statistic_is_that_of_such_a_score(prevalence, c):
    y, p = calibrated(400_000, prevalence, c, 0)
    fitted = np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    null = y.mean() * math.log(y.mean()) + (1 - y.mean()) * math.log(1 - y.mean())
    assert r2_of_c(c, prevalence) == pytest.approx(1 - math.exp(-2 * (fitted - null)), abs=0.004)


@pytest.mark.parametrize(("prevalence", "c"), [(0.3, 0.75), (0.1, 0.85)])
def test_intervals_at_the_planned_size_are_as_wide_as_was_asked(prevalence, c):
    n = 60_000
    y, p = calibrated(n, prevalence, c, 1)
    extra = n_for_validation(prevalence=prevalence, c_statistic=c, threshold=prevalence).extra
    # standard errors of a large sample, scaled to the planned size
    slope = calibration_slope(y, p)
    planned = slope.extra["se"] * math.sqrt(n / extra["n_slope"])
    assert 2 * 1.959964 * planned == pytest.approx(0.2, rel=0.03)
    ratio = observed_to_expected(y, p).extra["se_log"] * math.sqrt(n / extra["n_oe"])
    assert math.exp(1.959964 * ratio) - math.exp(-1.959964 * ratio) == pytest.approx(0.2, rel=0.03)
    area = auc(y, p, interval="normal")
    planned = (area.high - area.low) * math.sqrt(n / extra["n_c"])
    assert planned == pytest.approx(0.1, rel=0.05)
    # net benefit by prevalence as a ratio of two means
    treated = p >= prevalence
    price = prevalence / (1 - prevalence)
    each = treated * (y - price * (1 - y))
    by_max = each.mean() / y.mean()
    se = np.std(each - by_max * y) / y.mean() / math.sqrt(extra["n_net_benefit"])
    assert 2 * 1.959964 * se == pytest.approx(0.2, rel=0.03)


def test_what_is_missing_or_impossible_is_said_in_one_line():
    with refuses(DataError, "planner", code="missing"):
        n_for_model("binary", parameters=5, r2=0.1)
    with refuses(DataError, "planner", code="missing"):
        n_for_model("binary", parameters=5, prevalence=0.1)
    with refuses(DataError, "R²", "0.328", "0.4", code="out_of_range"):
        n_for_model("binary", parameters=5, prevalence=0.05, r2=0.4)
    with refuses(DataError, "planner", "0.5", "1", "0.2", "0.4", code="out_of_range"):
        n_for_validation(prevalence=0.2, c_statistic=0.4)


def test_the_commands_say_what_each_criterion_asks_for():
    said = call_cardio("stats", "planner", "model", "--parameters", "24", "--r2", "0.288",
                       "--prevalence", "0.174").stdout  # fmt: skip
    assert "662 patients for optimism of at most .05 in R²." in said
    assert "115.2 events, 4.8 a parameter; R² 0.288 of at most 0.603." in said
    said = call_cardio("stats", "planner", "validation", "--prevalence", "0.2", "--c-statistic",
                       "0.8", "--threshold", "0.1").stdout  # fmt: skip
    assert "1542 patients for observed over expected, interval 0.2 wide." in said
    assert "net benefit at 0.1 by its maximum" in said
