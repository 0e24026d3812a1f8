"""Restricted cubic splines beside rms, and a table in which one stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import refuses
from cardio_stats import (
    cox_table,
    fit_cox,
    fit_logistic,
    incremental,
    multivariable,
    multivariable_imputed,
    univariable,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

from .from_r import integers, oracle

# Made by oracles/splines.R with R 4.2.2 and rms 6.5.0
R: dict[str, Any] = oracle("splines")
ABOUT = Estimate("", 0.0, level=0.95)


def rows_of(case: dict[str, Any]) -> pd.DataFrame:
    u = integers(case["seed"], case["n"], 5)
    age = 40 + (u[:, 0] % 400) / 10
    risk = 20 + np.abs(age - 58) ** 2 / 8 + 20 * (u[:, 1] % 3)
    had, lost = 1 + u[:, 2] % 3000 / risk, 1 + u[:, 3] % 60
    arm = np.array(["a", "b", "c"])[u[:, 1] % 3]
    made = {"age": age, "arm": arm, "y": (u[:, 4] % 200 < risk) * 1,
            "time": np.minimum(had, lost), "event": (had <= lost) * 1}  # fmt: skip
    return pd.DataFrame(made)


CASES = [pytest.param(case, rows_of(case), id=f"{case['k']} knots") for case in R["cases"]]
EACH = pytest.mark.parametrize(("case", "rows"), CASES)


@EACH
def test_the_rows_are_those_of_the_oracle(case: dict[str, Any], rows: pd.DataFrame) -> None:
    found = (rows["age"].sum(), rows["y"].sum(), rows["event"].sum())
    assert found == pytest.approx((case["sum_age"], case["events"], case["deaths"]))


@EACH
@pytest.mark.parametrize("kind", ["lrm", "cph"])
def test_a_spline_agrees_with_rms(case: dict[str, Any], rows: pd.DataFrame, kind: str) -> None:
    feature, expected = f"rcs(age, {case['k']})", case[kind]
    model: Any = (
        fit_logistic(rows, "y", [feature, "arm"], method="ml")
        if kind == "lrm"
        else fit_cox(rows, "time", "event", [feature, "arm"])
    )
    assert model.predictors[0].knots == pytest.approx(case["knots"])
    assert model.coef.to_numpy() == pytest.approx(expected["coef"], rel=2e-5, abs=1e-5)
    assert model.se == pytest.approx(expected["se"][-len(model.se) :], rel=1e-4)
    for test, name in zip(
        model.spline_tests("age", ABOUT), ("association", "nonlinearity"), strict=True
    ):
        statistic, df, p = expected[name]
        assert test.value == pytest.approx(statistic, rel=2e-4)
        assert (test.extra["df"], test.p_value) == (df, pytest.approx(p, rel=1e-3))
    ratio = model.quartile_ratio("age", ABOUT)
    assert [*ratio] == pytest.approx(expected["ratio"], rel=1e-4)
    curve = model.effect("age", expected["at"], reference=case["reference"])
    assert curve.ratio == pytest.approx(expected["ratios"], rel=1e-4)
    assert curve.low == pytest.approx(expected["low"], rel=1e-3)
    assert curve.high == pytest.approx(expected["high"], rel=1e-3)


@EACH
def test_new_rows_are_predicted_as_by_rms(case: dict[str, Any], rows: pd.DataFrame) -> None:
    new, features = pd.DataFrame(case["new"]), [f"rcs(age, {case['k']})", "arm"]
    logistic = fit_logistic(rows, "y", features, method="ml")
    cox = fit_cox(rows, "time", "event", features)
    assert logistic.predict(new) == pytest.approx(case["predicted"], rel=1e-4)
    assert 1 - cox.predict(new, 20) == pytest.approx(case["survival_20"], rel=1e-4)
    assert logistic.predict(rows) == pytest.approx(logistic.fitted)
    assert cox.predict(rows, 20) == pytest.approx(cox.risk(20))
    gap = pd.DataFrame({"age": [50.0, None], "arm": ["a", "b"]})
    assert np.isnan(logistic.predict(gap)).tolist() == [False, True]


def test_a_spline_is_one_row_of_a_table_with_its_tests() -> None:
    rows = CASES[0].values[1]
    for made in (
        univariable(rows, "y", ["rcs(age, 4)"]),
        multivariable(rows, "y", ["arm", "rcs(age, 4)"]),
        incremental(rows, "y", ["arm"], ["rcs(age, 4)"]),
        cox_table(rows, "time", "event", ["arm", "rcs(age, 4)"]),
    ):
        by_name = {one.name: one for one in made.estimates}
        assert by_name["nonlinearity_chi2[rcs(age, 4)]"].extra["df"] == 2
        assert [row[0] for row in made.rows if "age" in row[0]] in (["rcs(age, 4)"],
                                                                    ["+ rcs(age, 4)"])  # fmt: skip
        assert not any("age'" in name for name in by_name if name.startswith(("odds", "hazard")))


def test_a_column_of_that_name_is_a_column() -> None:
    rows = CASES[2].values[1].rename(columns={"age": "rcs(age, 4)"})
    assert fit_logistic(rows, "y", ["rcs(age, 4)"]).terms == ("rcs(age, 4)",)


@pytest.mark.parametrize(
    ("feature", "says"),
    [("rcs(age, 2)", "3 to 7 knots"), ("rcs(class, 5)", "fewer knots"), ("rcs(ag, 4)", "nearest"),
     ("rcs(arm, 4)", "column of numbers")],
)  # fmt: skip
def test_splines_that_cannot_be_are_refused(feature: str, says: str) -> None:
    rows = CASES[0].values[1]
    rows = rows.assign(**{"class": rows.index % 2})
    with pytest.raises(DataError, match=says):
        fit_logistic(rows, "y", [feature])


def test_a_spline_is_not_imputed() -> None:
    with refuses(DataError, "imputation", code="unsupported"):
        multivariable_imputed(CASES[0].values[1], "y", ["rcs(age, 4)", "arm"], m=2)


def test_a_spline_of_the_time_is_no_predictor_of_it() -> None:
    with refuses(DataError, "column 'time'", code="contradiction"):
        fit_cox(CASES[0].values[1], "time", "event", ["rcs(time, 4)"])


def test_levels_that_were_not_fitted_are_refused() -> None:
    rows = CASES[2].values[1]
    model = fit_logistic(rows, "y", ["arm"])
    with refuses(DataError, "column 'arm'", code="unknown"):
        model.predict(rows.assign(arm="d"))
