"""Logistic regression against R's glm, brglm2 and logistf, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.logistic import LogisticModel, fit_logistic

from .from_r import oracle

ORACLES = Path(__file__).parent / "oracles"
# Made by oracles/logistic.R with R 4.2.2, brglm2 0.9 and MASS 7.3-58.2
R: dict[str, Any] = oracle("logistic")

# logistf 1.24, summary(logistf(case ~ age+oc+vic+vicl+vis+dia, data=sex2)), as quoted by the
# package's documentation and by the tests of firthlogist 0.3 (github.com/jzluo/firthlogist)
LOGISTF_SEX2 = {
    "age": (-1.10598131, -1.9737884, -0.30742514),
    "oc": (-0.06881673, -0.9414363, 0.78920202),
    "vic": (2.26887464, 1.2730216, 3.43543273),
    "vicl": (-2.11140817, -3.2608611, -1.11773495),
    "vis": (-0.78831694, -1.6080879, 0.01518468),
    "dia": (3.09601166, 0.7745682, 8.03029352),
}
# easystats/parameters, snapshot of model_parameters(logistf): chi-square of the penalised test
LOGISTF_SEX2_P = {"age": "0.006", "oc": "0.875", "vis": "0.054", "dia": "0.005"}


def sex2() -> pd.DataFrame:
    counts = pd.read_csv(ORACLES / "sex2.csv")
    return counts.loc[counts.index.repeat(counts["count"])].reset_index(drop=True)


@pytest.fixture(scope="module")
def sex2_model() -> LogisticModel:
    return fit_logistic(sex2(), "case", list(LOGISTF_SEX2), method="firth")


def logs(model: LogisticModel, key: str) -> np.ndarray:
    return np.log([estimate.extra[key] for estimate in model.odds_ratios])


def separated(n: int = 12) -> pd.DataFrame:
    x = np.arange(n, dtype=float)
    return pd.DataFrame({"y": (x >= n / 2).astype(int), "x": x, "z": np.tile([0, 1, 1], n // 3)})


@pytest.mark.parametrize("case", R["ml"])
def test_maximum_likelihood_agrees_with_glm(case: str) -> None:
    expected = R["ml"][case]
    features = np.atleast_1d(expected["features"]).tolist()
    model = fit_logistic(pd.DataFrame(expected["data"]), "y", features, method="ml")
    found = np.append(model.intercept, model.coefficients)
    assert found == pytest.approx(np.array(expected["coef"]), rel=1e-6, abs=1e-12)
    assert model.se == pytest.approx(np.array(expected["se"])[1:], rel=1e-6)
    assert [e.extra["p_wald"] for e in model.odds_ratios] == pytest.approx(
        expected["p_wald"][1:], rel=1e-6
    )
    assert model.log_likelihood == pytest.approx(expected["loglik"], abs=1e-8)
    assert model.null_log_likelihood == pytest.approx(expected["null_loglik"], abs=1e-8)
    assert model.aic == pytest.approx(expected["aic"], abs=1e-8)


@pytest.mark.parametrize("case", R["ml"])
def test_profile_limits_agree_with_the_roots_of_glms_deviance(case: str) -> None:
    expected = R["ml"][case]
    features = np.atleast_1d(expected["features"]).tolist()
    model = fit_logistic(pd.DataFrame(expected["data"]), "y", features)
    low, high = np.atleast_1d(expected["profile_low"]), np.atleast_1d(expected["profile_high"])
    assert logs(model, "profile_low") == pytest.approx(low, rel=1e-6, abs=1e-9)
    assert logs(model, "profile_high") == pytest.approx(high, rel=1e-6, abs=1e-9)
    # MASS interpolates; it confirms the roots to a thousandth of a standard error
    mass = np.array(expected["mass"]).reshape(-1, 2)
    assert np.abs(np.log([[e.low, e.high] for e in model.odds_ratios]) - mass).max(
        axis=1
    ) == pytest.approx(0, abs=2e-3 * model.se.max())


@pytest.mark.parametrize("case", ["endometrial", "separated", "small"])
def test_firths_method_agrees_with_brglm2_and_the_penalised_profile(case: str) -> None:
    expected = R["firth"][case]
    features = np.atleast_1d(expected["features"]).tolist()
    model = fit_logistic(pd.DataFrame(expected["data"]), "y", features, method="firth")
    check_firth(model, expected)


def test_firths_method_agrees_with_brglm2_on_sex2(sex2_model: LogisticModel) -> None:
    assert list(sex2_model.terms) == R["firth"]["sex2"]["features"]
    check_firth(sex2_model, R["firth"]["sex2"])


def check_firth(model: LogisticModel, expected: dict[str, Any]) -> None:
    found = np.append(model.intercept, model.coefficients)
    assert found == pytest.approx(np.array(expected["coef"]), rel=1e-6)
    assert model.se == pytest.approx(np.array(expected["se"])[1:], rel=1e-6)
    assert logs(model, "profile_low") == pytest.approx(np.atleast_1d(expected["low"]), rel=1e-6)
    assert logs(model, "profile_high") == pytest.approx(np.atleast_1d(expected["high"]), rel=1e-6)
    p = [e.extra["p_likelihood_ratio"] for e in model.odds_ratios]
    assert p == pytest.approx(np.atleast_1d(expected["p"]), rel=1e-5)


def test_the_profile_penalised_limits_of_sex2_are_those_that_logistf_prints(
    sex2_model: LogisticModel,
) -> None:
    model = sex2_model
    assert (model.n, model.n_events) == (239, 130)
    low, high = logs(model, "profile_low"), logs(model, "profile_high")
    for index, (term, (coefficient, lower, upper)) in enumerate(LOGISTF_SEX2.items()):
        assert round(low[index], 7) == pytest.approx(lower, abs=1.1e-7), term
        assert round(high[index], 8) == pytest.approx(upper, abs=1.1e-8), term
        # logistf stops its coefficients at a change of 1e-5
        assert model.coefficients[index] == pytest.approx(coefficient, abs=1e-6), term
    p = {e.name[11:-1]: e.extra["p_likelihood_ratio"] for e in model.odds_ratios}
    assert {term: f"{p[term]:.3f}" for term in LOGISTF_SEX2_P} == LOGISTF_SEX2_P


def test_under_separation_firths_method_takes_over_and_the_model_says_so() -> None:
    model = fit_logistic(separated(), "y", ["x"])
    assert model.method == "firth"
    assert "x separates the outcome" in model.note
    assert all(np.isfinite([e.value, e.low, e.high]).all() for e in model.odds_ratios)
    with refuses(DataError, "logistic regression", "method='firth'", code="degenerate"):
        fit_logistic(separated(), "y", ["x"], method="ml")
    with refuses(DataError, "logistic regression", code="degenerate"):
        fit_logistic(separated(), "y", ["x"], interval="wald")


def test_separation_is_found_whatever_the_unit_of_the_column() -> None:
    for scale in (1e-6, 1.0, 1e6):
        table = separated().assign(x=lambda t, scale=scale: t["x"] * scale)
        assert fit_logistic(table, "y", ["x"], per="sd").method == "firth"


def test_the_odds_ratio_per_sd_is_the_one_per_unit_to_the_power_of_the_sd() -> None:
    table = pd.DataFrame(R["ml"]["wide_units"]["data"])
    per_unit = fit_logistic(table, "y", ["x1", "x3"]).odds_ratios
    per_sd = fit_logistic(table, "y", ["x1", "x3"], per="sd").odds_ratios
    for one, other, column in zip(per_unit, per_sd, ["x1", "x3"], strict=True):
        sd = table[column].std()
        assert other.value == pytest.approx(one.value**sd)
        assert (other.low, other.high) == pytest.approx((one.low**sd, one.high**sd))
        assert other.p_value == pytest.approx(one.p_value)


def test_a_two_valued_column_is_not_divided_by_its_sd() -> None:
    table = pd.DataFrame(R["ml"]["binary"]["data"])
    per_unit, per_sd = (fit_logistic(table, "y", ["x1"], per=per) for per in ("unit", "sd"))
    assert per_sd.odds_ratios[0].value == pytest.approx(per_unit.odds_ratios[0].value)


def test_units_and_row_order_do_not_change_fit_or_p_values() -> None:
    table = pd.DataFrame(R["ml"]["small"]["data"])
    first = fit_logistic(table, "y", ["x1", "x2"])
    moved = table.sample(frac=1, random_state=1).assign(x1=lambda t: 1000 * t["x1"] + 7)
    second = fit_logistic(moved, "y", ["x2", "x1"])
    assert second.log_likelihood == pytest.approx(first.log_likelihood)
    assert second.odds_ratios[1].p_value == pytest.approx(first.odds_ratios[0].p_value)
    assert second.coefficients[1] == pytest.approx(first.coefficients[0] / 1000)


def test_rows_with_a_missing_value_are_dropped_and_counted() -> None:
    table = pd.DataFrame(R["ml"]["small"]["data"])
    holes = table.astype({"y": float})
    holes.loc[[3, 7], "x1"] = np.nan
    holes.loc[7, "y"] = np.nan
    found = fit_logistic(holes, "y", ["x1", "x2"])
    expected = fit_logistic(table.drop(index=[3, 7]), "y", ["x1", "x2"])
    assert (found.n, found.n_dropped) == (38, 2)
    assert found.coefficients == pytest.approx(expected.coefficients)
    assert found.odds_ratios[0].n_dropped == 2


def test_a_category_gives_one_coefficient_for_every_level_but_the_first() -> None:
    table = pd.DataFrame(R["ml"]["small"]["data"])
    table["arm"] = np.resize(["ON", "OFF", "Registry"], len(table))
    model = fit_logistic(table, "y", ["x1", "arm"])
    assert model.terms == ("x1", "arm=ON", "arm=Registry")
    assert model.features == ("x1", "arm", "arm")


def test_few_events_a_coefficient_are_pointed_out() -> None:
    table = pd.DataFrame(R["ml"]["small"]["data"])
    assert "fewer than 10" in fit_logistic(table, "y", ["x1", "x2"]).note


@pytest.mark.parametrize(
    ("change", "features", "words"),
    [
        (lambda t: t, ["nope"], "'nope': not in the table"),
        (lambda t: t.assign(x1=["a", *["1.5"] * 39]), ["x1"], "text 'a' in data row 1"),
        (lambda t: t.assign(y=1), ["x1"], "expected an outcome of two values"),
        (lambda t: t.assign(x1=3.0), ["x1"], "expected values that vary"),
        (lambda t: t.assign(x1=np.nan), ["x1"], "all 40 missing"),
        (lambda t: t.head(2), ["x1"], "expected"),
        (lambda t: t.assign(x3=t["x1"] + t["x2"]), ["x1", "x2", "x3"], "collinear"),
        (lambda t: t.assign(x1=np.inf), ["x1"], "infinite"),
        (lambda t: t, ["x1", "x1"], "named twice"),
        (lambda t: t, ["y"], "named twice"),
        (lambda t: t, [], "at least one column"),
    ],
)
def test_data_a_regression_cannot_use_are_refused_in_one_line(
    change: Any, features: list[str], words: str
) -> None:
    table = change(pd.DataFrame(R["ml"]["small"]["data"]))
    with pytest.raises(DataError, match=words) as refusal:
        fit_logistic(table, "y", features)
    assert "\n" not in str(refusal.value)


def test_a_text_outcome_is_used_with_the_event_that_is_named() -> None:
    table = pd.DataFrame(R["ml"]["small"]["data"])
    named = table.assign(y=table["y"].map({0: "no", 1: "yes"}))
    found = fit_logistic(named, "y", ["x1"], event="yes")
    reverse = fit_logistic(named, "y", ["x1"], event="no")
    expected = fit_logistic(table, "y", ["x1"])
    assert found.coefficients == pytest.approx(expected.coefficients)
    assert reverse.coefficients == pytest.approx(-expected.coefficients)
    assert fit_logistic(named, "y", ["x1"]).coefficients == pytest.approx(expected.coefficients)
    with refuses(ConfigError, "--outcome y", code="unknown"):
        fit_logistic(named, "y", ["x1"], event="maybe")
    with refuses(ConfigError, "--outcome y", "--event", code="ambiguous"):
        fit_logistic(table.assign(y=table["y"].map({0: "mild", 1: "severe"})), "y", ["x1"])


def test_firths_method_fits_many_rows_as_maximum_likelihood_does():
    """The penalty is of the order of 1/n; the profile's search once ended in rounding error."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(20_000, 3)), columns=["a", "b", "c"])
    table["y"] = (rng.random(20_000) < 1 / (1 + np.exp(1 - table["a"]))).astype(int)
    firth, plain = (
        fit_logistic(table, "y", ["a", "b", "c"], method=method).odds_ratios
        for method in ("firth", "ml")
    )
    for one, other in zip(firth, plain, strict=True):
        assert (one.low, one.value, one.high) == pytest.approx(
            (other.low, other.value, other.high), rel=1e-3
        )


def test_limits_are_those_of_the_highest_top_where_several_columns_tell_the_classes_apart() -> None:
    """The profile has several tops there; from a lower one, the limit was 16.7 instead of 29.0."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(10)
    n, k = int(rng.integers(12, 150)), int(rng.integers(1, 5))
    x = rng.normal(size=(n, k))
    eta = x @ rng.normal(0, 0.5, k)
    table = pd.DataFrame((x - x.mean(axis=0)) / x.std(axis=0, ddof=1), columns=list("abcd")[:k])
    table["y"] = (eta > np.median(eta)).astype(int)
    model = fit_logistic(table, "y", list("abcd")[:k], method="firth")
    full = np.column_stack([table[list("abcd")[:k]], np.ones(n)])

    def deviance(beta: np.ndarray) -> float:
        """Return minus twice the penalised log-likelihood, as Firth wrote it."""
        log_odds = full @ beta
        p = 1 / (1 + np.exp(-log_odds))
        information = full.T @ (full * (p * (1 - p))[:, None])
        likelihood = table["y"] @ log_odds - np.logaddexp(0, log_odds).sum()
        return float(-2 * likelihood - np.linalg.slogdet(information)[1])

    top = np.append(model.coefficients, model.intercept)
    upper = np.log(model.odds_ratios[1].high)
    found = []
    for _ in range(8):
        start = np.delete(top, 1) * rng.uniform(0.5, 3) + rng.normal(0, 1, k)
        found.append(minimize(lambda rest: deviance(np.insert(rest, 1, upper)), start).fun)
    assert min(found) - deviance(top) == pytest.approx(3.8415, abs=0.001)
