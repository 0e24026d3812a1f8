"""Net benefit and calibration slope by a time, against R's survival."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_stats import (
    follow_up_of,
    net_benefit,
    timed_decision_curve,
    timed_net_benefit,
    timed_slope,
)
from cardio_stats.errors import DataError

# Made by oracles/survival_decisions.R with R 4.2.2 and survival 3.5.3
R = json.loads((Path(__file__).parent / "oracles/survival_decisions.json").read_text())


def rows_of(case):
    """Make the rows that survival_decisions.R made, from integers alone."""
    u, x = np.empty((case["n"], 5), dtype=np.int64), case["seed"]
    for i in range(u.size):
        x = 16807 * x % 2147483647
        u.flat[i] = x
    z = u[:, 0] % 1000
    had, lost = 1 + (u[:, 3] % (1600 - z)) // 20, 1 + u[:, 4] % 90
    table = pd.DataFrame({"time": np.minimum(had, lost), "event": (had <= lost).astype(int)})
    return follow_up_of(table, "time", "event"), (50 + z // 10 * 8) / 1000


CASES = [(case, *rows_of(case)) for case in R["sets"]]


@pytest.mark.parametrize(("case", "followed", "risk"), CASES)
def test_net_benefit_by_a_time_is_that_of_survfit(case, followed, risk):
    for place, threshold in enumerate(case["thresholds"]):
        found = timed_net_benefit(followed, risk, case["at"], threshold)
        assert found.value == pytest.approx(case["net_benefit"][place], abs=1e-12)
        assert found.extra["treat_all"] == pytest.approx(case["treat_all"][place], abs=1e-12)
        # of 2,000 resamples, whose own error is 1.6 %, and which a few empty tails make wider
        assert found.extra["se"] == pytest.approx(case["se"][place], rel=0.08)


@pytest.mark.parametrize(("case", "followed", "risk"), CASES)
def test_the_slope_is_that_of_coxph(case, followed, risk):
    found = timed_slope(followed, risk)
    assert found.value == pytest.approx(case["slope"], abs=1e-7)
    assert found.extra["se"] == pytest.approx(case["slope_se"], abs=1e-7)


def test_without_censoring_it_is_net_benefit():
    rng = np.random.default_rng(0)
    risk, event = rng.uniform(0.05, 0.9, 300), rng.random(300) < 0.4
    table = pd.DataFrame({"time": np.where(event, 1.0, 9.0), "event": event.astype(int)})
    found = timed_net_benefit(follow_up_of(table, "time", "event"), risk, 5, 0.3)
    plain = net_benefit(event.astype(int), risk, 0.3)
    assert found.value == pytest.approx(plain.value, abs=1e-12)
    assert found.extra["se"] == pytest.approx(plain.extra["se"], rel=1e-9)


def test_the_curve_starts_at_treating_everybody():
    _, followed, risk = CASES[1]
    curve = timed_decision_curve(followed, risk, 30, thresholds=[0.01, 0.4, 0.99])
    assert curve["net_benefit"][0] == pytest.approx(curve["treat_all"][0])
    assert (curve["low"] <= curve["net_benefit"]).all()
    assert curve["net_benefit"].iloc[-1] == 0  # nobody is treated


def test_certain_risks_and_impossible_thresholds_are_refused():
    _, followed, risk = CASES[0]
    with pytest.raises(DataError, match="1 of exactly"):
        timed_slope(followed, np.r_[0.0, risk[1:]])
    with pytest.raises(DataError, match="strictly between"):
        timed_net_benefit(followed, risk, 30, 1.0)
