"""Cumulative incidence, Fine and Gray's regression and the restricted mean, beside R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio
from cardio_stats import (
    competing_table,
    cumulative_incidence,
    fine_gray_table,
    fit_cox,
    fit_fine_gray,
    independent_difference,
    kaplan_meier,
)
from cardio_stats.errors import DataError

from .from_r import integers, oracle

# Made by oracles/competing.R with R 4.2.2, cmprsk 2.2-11 and survival 3.5-3
R: dict[str, Any] = oracle("competing")


def rows_of(case: dict[str, Any]) -> pd.DataFrame:
    """Make the rows that competing.R made, from integers alone."""
    u = integers(case["seed"], case["n"], 5)
    x = u[:, 0] % 1000
    a, b = 1 + (u[:, 1] % (1600 - x)) // 20, 1 + (u[:, 2] % (900 + x)) // 12
    lost = 1 + u[:, 3] % 90
    first = np.minimum(np.minimum(a, b), lost)
    status = np.where(first == lost, 0, np.where(a <= b, 1, 2))
    return pd.DataFrame({"time": first, "status": status, "x": x / 100,
                         "flag": (u[:, 4] % 10 < 4) * 1})  # fmt: skip


CASES = [(case, rows_of(case)) for case in R["cases"]]
EACH = pytest.mark.parametrize(("case", "rows"), CASES, ids=["n=120", "n=400"])
BOTH = ["x", "flag"]


@EACH
def test_the_incidence_agrees_with_cuminc(case: dict[str, Any], rows: pd.DataFrame) -> None:
    assert rows["status"].value_counts().sort_index().to_list() == case["counts"]
    assert rows["time"].sum() == case["sum_time"]
    curve = cumulative_incidence(rows["time"], rows["status"])
    other = cumulative_incidence(rows["time"], rows["status"], event=2, competing=[1])
    arms = np.where(rows["flag"] == 1, "b", "a")
    by_arm = cumulative_incidence(rows["time"], rows["status"], by=arms)
    assert [one.label for one in by_arm] == ["a", "b"]
    for i, moment in enumerate(case["at"]):
        found = curve.at(moment)
        assert found.value == pytest.approx(case["risk"][i], abs=1e-10)
        assert found.extra["se"] == pytest.approx(case["se"][i], abs=1e-9)
        assert other.at(moment).value == pytest.approx(case["risk_2"][i], abs=1e-10)
        for one in by_arm:
            assert one.at(moment).value == pytest.approx(case["by_arm"][one.label][i], abs=1e-10)


@EACH
def test_fine_and_gray_agree_with_crr(case: dict[str, Any], rows: pd.DataFrame) -> None:
    model = fit_fine_gray(rows, "time", "status=1", BOTH)
    assert model.coef.to_numpy() == pytest.approx(case["crr"], abs=1e-6)
    assert np.sqrt(np.diag(model.covariance)) == pytest.approx(case["crr_se"], rel=1e-5)
    new = pd.DataFrame({"x": [2, 8], "flag": [0, 1]})
    assert model.predict(new, 30) == pytest.approx(case["predicted"], abs=1e-6)


@EACH
def test_cause_specific_hazards_agree_with_coxph(case: dict[str, Any], rows: pd.DataFrame) -> None:
    model = fit_cox(rows, "time", "status=1", BOTH)
    assert model.coefficients == pytest.approx(case["cause"], abs=1e-8)
    made = fine_gray_table(rows, "time", "status=1", BOTH, ["2"])
    by_name = {one.name: one.value for one in made.estimates}
    assert by_name["cause_specific_hazard_ratio[x]"] == pytest.approx(np.exp(case["cause"][0]))
    assert by_name["subhazard_ratio[x]"] == pytest.approx(np.exp(case["crr"][0]), rel=1e-6)


@EACH
def test_the_restricted_mean_agrees_with_survfit(case: dict[str, Any], rows: pd.DataFrame) -> None:
    event = rows["status"] > 0
    found = kaplan_meier(rows["time"], event * 1).restricted_mean(30)
    assert [found.value, found.extra["se"]] == pytest.approx(case["rmst"], abs=1e-9)
    arms = [
        curve.restricted_mean(30)
        for curve in kaplan_meier(rows["time"], event * 1, by=rows["flag"])
    ]
    assert [one.value for one in arms] == pytest.approx(case["rmst_arm"], abs=1e-9)
    assert [one.extra["se"] for one in arms] == pytest.approx(case["rmst_arm_se"], abs=1e-9)
    gain = independent_difference(arms[1], arms[0])
    reach = 1.959964 * np.hypot(*case["rmst_arm_se"])
    low_and_high = [gain.value - reach, gain.value + reach]
    assert list(gain.ci) == pytest.approx(low_and_high, abs=1e-5)


def test_the_command_compares_mean_times(tmp_path: Path) -> None:
    case, rows = CASES[1]
    rows.assign(event=(rows["status"] > 0) * 1).to_csv(tmp_path / "t.csv", index=False)
    command = ("stats", "survival", tmp_path / "t.csv", "--time", "time", "--status", "event",
               "--json")  # fmt: skip
    said = json.loads(call_cardio(*command, "--groups", "flag", "--mean-until", "30").stdout)
    found = {one["name"]: one["value"] for one in said}
    means = [found["restricted_mean[0, 30]"], found["restricted_mean[1, 30]"]]
    assert means == pytest.approx(case["rmst_arm"], abs=1e-9)
    assert found["mean_gain[1 - 0, 30]"] == pytest.approx(means[1] - means[0])
    assert call_cardio(*command, "--columns", "x", "--mean-until", "30").exit_code == 2


def test_without_competing_events_the_incidence_is_one_less_survival() -> None:
    rows = CASES[0][1]
    status = rows["status"].where(rows["status"] != 2, 0).to_list()
    alone = cumulative_incidence([*rows["time"], 1000], [*status, 2])
    curve = kaplan_meier([*rows["time"], 1000], [*status, 0])
    assert alone.incidence[:-1] == pytest.approx(1 - curve.survival)
    assert alone.se[:-1] == pytest.approx(curve.se)


def test_without_censoring_the_incidence_is_a_share() -> None:
    rows = CASES[1][1].query("status > 0")
    found = cumulative_incidence(rows["time"], rows["status"]).at(20)
    share = ((rows["time"] <= 20) & (rows["status"] == 1)).mean()
    assert found.value == pytest.approx(share)
    assert found.extra["se"] == pytest.approx(np.sqrt(share * (1 - share) / len(rows)))


def test_a_spline_and_a_category_stand_in_a_fine_gray_model() -> None:
    rows = CASES[1][1].assign(arm=lambda t: np.where(t["flag"] == 1, "b", "a"))
    model = fit_fine_gray(rows, "time", "status=1", ["rcs(x, 3)", "arm"])
    assert model.terms == ("x", "x'", "arm=b")
    assert model.effect("x", [5.0], reference=5.0).ratio[0] == 1
    assert "arm=b" in [row[0] for row in model.summary().rows]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: cumulative_incidence(t["time"], t["status"], competing=[3]), "does not occur"),
        (lambda t: cumulative_incidence(t["time"], t["status"], competing=[1]), "event itself"),
        (lambda t: fit_fine_gray(t, "time", "status=1", ["time"]), "both outcome and predictor"),
        (lambda t: kaplan_meier(t["time"], t["flag"]).restricted_mean(900), "longest follow-up"),
        (lambda t: cumulative_incidence(t["time"], t["status"]).at(900), "longest follow-up"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        call(CASES[0][1])


def test_the_command_knows_competing_events(tmp_path: Path) -> None:
    rows = CASES[1][1]
    rows.to_csv(tmp_path / "t.csv", index=False)
    command = ("stats", "survival", tmp_path / "t.csv", "--time", "time", "--status", "status=1",
               "--competing", "2", "--json")  # fmt: skip
    curves = json.loads(
        call_cardio(*command, "--groups", "flag", "--at", "30", "--svg", tmp_path / "c.svg").stdout
    )
    made, _ = competing_table(rows, "time", "status=1", ["2"], groups="flag", at=[30])
    assert [one["value"] for one in curves] == [one.value for one in made.estimates]
    assert (tmp_path / "c.svg").exists()
    ratios = json.loads(call_cardio(*command, "--columns", "x,flag").stdout)
    assert [one["name"] for one in ratios][:2] == ["subhazard_ratio[x]", "subhazard_ratio[flag]"]
    assert call_cardio(*command, "--score", "x").exit_code == 2
