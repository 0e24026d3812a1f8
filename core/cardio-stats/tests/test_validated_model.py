"""Harrell's optimism bootstrap of a logistic model, against rms::validate."""

import json

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio, refuses
from cardio_stats import auc, fit_logistic, fit_penalised, validate_logistic
from cardio_stats.errors import DataError

from .from_r import oracle

# Made by oracles/validate.R with R 4.2.2 and rms 6.5.0: 4000 resamples, seed 1
R = oracle("validate")
DATA = pd.DataFrame(oracle("association")["data"])
COLUMNS = ["qrs_ms", "lvef_pct", "scar_pct", "age_y"]


# Made by oracles/instability.R with R 4.2.2: 4000 resamples, seed 1
UNSTABLE = oracle("instability")


@pytest.fixture(scope="module")
def made():
    return validate_logistic(DATA, "y", COLUMNS, n_resamples=400, seed=1)


@pytest.fixture(scope="module")
def found(made):
    return {e.name.removeprefix("optimism_corrected_"): e for e in made.estimates}


def test_instability_agrees_with_glm_in_r_within_the_error_of_resampling(made):
    shift, decided = made.instability(0.4)
    assert shift.n == UNSTABLE["n"]
    assert shift.value == pytest.approx(UNSTABLE["mape"], rel=0.04)
    assert shift.extra["percentile_95"] == pytest.approx(UNSTABLE["percentile_95"], rel=0.06)
    assert shift.extra["greatest"] == pytest.approx(UNSTABLE["greatest"], rel=0.10)
    assert decided.value == pytest.approx(UNSTABLE["classification"], rel=0.06)
    low, high = made.limits()
    assert np.mean(high - low) == pytest.approx(UNSTABLE["width"], rel=0.05)
    plain = fit_logistic(DATA, "y", COLUMNS, method="ml")
    assert made.probability == pytest.approx(plain.fitted, abs=1e-9)


@pytest.mark.parametrize("method", ["ridge", pytest.param("lasso", marks=pytest.mark.slow)])
def test_a_penalty_that_is_chosen_again_is_corrected_to_its_worth_in_new_patients(method):
    rng = np.random.default_rng(11)
    effects, columns = np.array([0.7, 0.4, 0.0, 0.0, 0.0, 0.0]), list("abcdef")

    def drawn(n):
        x = rng.normal(size=(n, 6))
        y = rng.random(n) < 1 / (1 + np.exp(0.8 - x @ effects))
        return pd.DataFrame(x, columns=columns).assign(y=y * 1)

    new = drawn(20_000)
    corrected, truth, shifts = [], [], {"ml": [], method: []}
    for _ in range(5):
        old = drawn(120)
        judged = validate_logistic(old, "y", columns, method=method, n_resamples=20)
        corrected.append([judged.estimates[0].value, judged.estimates[3].value])
        risk = fit_penalised(old, "y", columns, penalty=method).predict(new)
        brier = float(np.mean((risk - new["y"]) ** 2))
        truth.append([auc(new["y"], risk).value, brier])
        shifts[method].append(judged.instability()[0].value)
        plain = validate_logistic(old, "y", columns, method="ml", n_resamples=20)
        shifts["ml"].append(plain.instability()[0].value)
    # the standard error of the mean of five cohorts is .019 of the AUC, .008 of the Brier score
    assert np.mean(corrected, axis=0) == pytest.approx(np.mean(truth, axis=0), abs=0.035)
    assert np.mean(shifts[method]) < np.mean(shifts["ml"])


def test_what_is_apparent_agrees_with_rms_to_the_last_digit(found):
    assert found["auc"].extra["apparent"] == pytest.approx(0.5 + R["orig"]["Dxy"] / 2, abs=1e-12)
    assert found["brier"].extra["apparent"] == pytest.approx(R["orig"]["B"], abs=1e-9)
    assert (R["orig"]["Slope"], R["orig"]["Intercept"]) == (
        found["calibration_slope"].extra["apparent"],
        found["calibration_intercept"].extra["apparent"],
    )


@pytest.mark.parametrize(
    ("name", "row", "scale", "error"),
    # three standard errors of 400 resamples: the SD of a resample's optimism is .05, .20, .25, .02
    [("auc", "Dxy", 0.5, 0.008), ("calibration_slope", "Slope", 1, 0.03),
     ("calibration_intercept", "Intercept", 1, 0.04), ("brier", "B", 1, 0.004)],
)  # fmt: skip
def test_optimism_agrees_with_rms_within_the_error_of_resampling(found, name, row, scale, error):
    assert found[name].extra["optimism"] == pytest.approx(scale * R["optimism"][row], abs=error)


def test_limits_are_given_where_they_mean_something(found):
    assert found["auc"].low < found["auc"].value < found["auc"].high
    assert found["calibration_slope"].low is None
    assert found["calibration_slope"].level is None


def test_units_of_the_columns_do_not_matter(found):
    other = DATA.assign(qrs_ms=DATA["qrs_ms"] / 1000, lvef_pct=DATA["lvef_pct"] / 100)
    again = validate_logistic(other, "y", COLUMNS, n_resamples=20, seed=1)
    once = validate_logistic(DATA, "y", COLUMNS, n_resamples=20, seed=1)
    assert [e.value for e in again.estimates] == pytest.approx(
        [e.value for e in once.estimates], abs=1e-8
    )


def test_a_model_of_noise_is_corrected_to_about_chance():
    rng = np.random.default_rng(3)
    slopes, areas = [], []
    for _ in range(12):
        table = pd.DataFrame(rng.normal(size=(80, 5)), columns=list("abcde"))
        table["y"] = rng.permutation(np.repeat([0, 1], 40))
        area, slope, _, _ = validate_logistic(table, "y", list("abcde"), n_resamples=40).estimates
        slopes.append(slope.value)
        areas.append(area.value)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)
    assert np.mean(slopes) < 0.45


def test_separated_data_are_fitted_by_firths_method_as_the_table_is():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"a": rng.random(60) < 0.3, "b": rng.normal(size=60)}).astype(float)
    table["y"] = ((table["a"] == 1) | (rng.random(60) < 0.4)).astype(int)  # all with a are ill
    assert fit_logistic(table, "y", ["a", "b"]).method == "firth"
    area, slope, _, _ = validate_logistic(table, "y", ["a", "b"], n_resamples=20).estimates
    assert 0.6 < area.value < area.extra["apparent"]
    # Firth's coefficients are shrunk already, so that even apparently the slope is above 1
    assert slope.value < slope.extra["apparent"]
    assert slope.extra["apparent"] > 1.05


def test_complete_separation_has_no_slope_and_is_refused():
    x = np.linspace(-1, 1, 40)
    table = pd.DataFrame({"a": x, "y": (x > 0).astype(int)})
    with refuses(DataError, "validation", code="degenerate"):
        validate_logistic(table, "y", ["a"], n_resamples=20)


def test_a_category_of_one_patient_leaves_resamples_without_a_model():
    table = DATA.assign(rare=[1.0] + [0.0] * (len(DATA) - 1))
    with refuses(DataError, "validation", code="degenerate"):
        validate_logistic(table, "y", ["qrs_ms", "rare"], n_resamples=40)


def test_the_command_says_what_is_corrected_and_what_is_apparent(tmp_path):
    DATA.to_csv(tmp_path / "d.csv", index=False)
    said = call_cardio("stats", "multivariable", tmp_path / "d.csv", "--outcome", "y", "--features",
                       ",".join(COLUMNS), "--validate", "50", "--seed", "1")  # fmt: skip
    assert "Corrected for optimism (50 resamples, seed 1): AUC 0." in said.stdout
    assert "apparently 0.728; calibration slope 0." in said.stdout
    assert "apparently 1.000" in said.stdout


@pytest.mark.parametrize("method", ["ridge", "lasso"])
def test_the_command_penalises_and_validates(tmp_path, method):
    DATA.to_csv(tmp_path / "d.csv", index=False)
    command = ("stats", "multivariable", tmp_path / "d.csv", "--outcome", "y", "--features",
               ",".join(COLUMNS), "--method", method)  # fmt: skip
    said = call_cardio(*command, "--validate", "20", "--json", "--svg", tmp_path / "f.svg")
    names = [one["name"] for one in json.loads(said.stdout)]
    assert names == ["optimism_corrected_auc", "optimism_corrected_calibration_slope",
                     "optimism_corrected_calibration_intercept", "optimism_corrected_brier",
                     "instability"]  # fmt: skip
    assert (tmp_path / "f.svg").exists()
    assert call_cardio(*command, "--impute", "5").exit_code == 2
