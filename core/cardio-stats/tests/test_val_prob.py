"""Smooth calibration errors, U, Q and net benefit against rms::val.prob; observed to expected."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio, names, refuses
from cardio_stats import (
    decision_curve,
    net_benefit,
    observed_to_expected,
    smooth_calibration_errors,
    unreliability,
)
from cardio_stats.errors import DataError
from cardio_stats.words import METRICS, estimate_words

from .from_r import integers, oracle

# Made by oracles/val_prob.R with R 4.2.2 and rms 6.5.0
R = oracle("val_prob")


def rows_of(case):
    """Make the rows that val_prob.R made, from integers alone."""
    u = integers(case["seed"], case["n"], 3)
    p = (u[:, 0] % 997 + 1) / 999
    return (u[:, 1] % 1000 < 1000 * (0.15 + 0.6 * p)).astype(int), p, u[:, 2]


CASES = [(case, *rows_of(case)) for case in R["sets"]]


def errors(y, p, **more):
    return {e.name: e for e in smooth_calibration_errors(y, p, n_draws=200, **more)}


@pytest.mark.parametrize(("case", "y", "p", "_"), CASES)
def test_eavg_e90_and_emax_agree_with_val_prob(case, y, p, _):
    found, printed = errors(y, p, smoother="lowess"), case["values"]
    for name, own in (("Eavg", "ici"), ("E90", "e90"), ("Emax", "emax")):
        assert found[own].value == pytest.approx(printed[name], abs=1e-9)
    everywhere = case["lowess_everywhere"]
    for name, own in (("eavg", "ici"), ("e50", "e50"), ("e90", "e90"), ("emax", "emax")):
        assert round(found[own].value, 3) == round(everywhere[name], 3)


@pytest.mark.parametrize(("case", "y", "p", "_"), CASES)
@pytest.mark.parametrize("how", ["loess", "loess_of_tied", "loess_of_rare"])
def test_ici_e50_e90_and_emax_agree_with_loess_of_r(case, y, p, _, how):
    if how == "loess_of_tied":
        p = np.round(p, 1) * 0.9 + 0.05
    elif how == "loess_of_rare":
        y, p = y * (np.arange(1, len(y) + 1) % 4 == 0), p**4 * 0.5
    for name, found in errors(y, p).items():
        assert found.value == pytest.approx(case[how][name], abs=1e-9)


@pytest.mark.parametrize(("case", "y", "p", "_"), CASES)
def test_u_q_and_their_test_agree_with_val_prob(case, y, p, _):
    printed = case["values"]
    u, q = unreliability(y, p)
    assert u.value == pytest.approx(printed["U"], abs=1e-9)
    assert u.extra["chi2"] == pytest.approx(printed["U:Chi-sq"], abs=1e-7)
    assert u.p_value == pytest.approx(printed["U:p"], abs=1e-12)
    assert q.value == pytest.approx(printed["Q"], abs=1e-9)
    assert q.extra["discrimination_d"] == pytest.approx(printed["D"], abs=1e-9)


@pytest.mark.parametrize(("case", "y", "p", "_"), CASES)
def test_net_benefit_is_what_r_counts(case, y, p, _):
    for threshold, expected in zip((0.1, 0.25, 0.5), case["net_benefit"], strict=True):
        found = net_benefit(y, p, threshold)
        assert found.value == pytest.approx(expected, abs=1e-12)
        extra = found.extra
        assert extra["over_all"] == pytest.approx(found.value - extra["treat_all"], abs=1e-12)
        assert extra["over_all_low"] < extra["over_all"] < extra["over_all_high"]


def test_the_gain_over_treating_all_has_the_error_of_the_paired_difference():
    y, p = np.array([0, 0, 1, 1, 0, 1, 0, 0]), np.array([0.1, 0.3, 0.2, 0.8, 0.6, 0.7, 0.05, 0.4])
    # at 1/4 who is not treated saves 1/3 of a true positive if well, and loses one if ill
    each = np.array([1 / 3, 0, -1, 0, 0, 0, 1 / 3, 0])
    found = net_benefit(y, p, 0.25).extra
    assert found["over_all"] == pytest.approx(each.mean())
    half = 1.959964 * each.std(ddof=1) / math.sqrt(8)
    assert found["over_all_high"] - found["over_all"] == pytest.approx(half, rel=1e-6)


def test_rows_of_one_patient_widen_what_chance_shows():
    _, y, p, _ = CASES[0]
    y, p, who = np.repeat(y, 4), np.repeat(p, 4), np.repeat(np.arange(120), 4)
    rows, patients = (errors(y, p, **m)["ici"] for m in ({}, {"patient": who}))
    assert patients.value == rows.value
    assert patients.extra["if_calibrated_high"] > 1.6 * rows.extra["if_calibrated_high"]
    assert (patients.n, patients.unit) == (120, "patient")
    u, _ = unreliability(y, p, patient=who)
    assert u.p_value is None
    assert "independent" in u.note


def test_observed_to_expected_has_the_error_of_riley_and_that_of_patients():
    # Riley, Stat Med 2021;40:4230: SE of ln(O/E) is sqrt((1 - prevalence) / events)
    y, p = np.r_[np.ones(50), np.zeros(450)], np.full(500, 0.08)
    found = observed_to_expected(y, p)
    assert (found.value, found.extra["expected"]) == (pytest.approx(1.25), pytest.approx(40))
    assert found.extra["se_log"] == pytest.approx(math.sqrt(0.9 / 50))
    assert math.log(found.high / found.value) == pytest.approx(1.959964 * math.sqrt(0.018))
    alone = observed_to_expected(y, p, patient=np.arange(500))
    assert alone.extra["se_log"] == pytest.approx(found.extra["se_log"], rel=0.01)
    four = observed_to_expected(np.repeat(y, 4), np.repeat(p, 4), patient=np.repeat(range(500), 4))
    assert four.extra["se_log"] == pytest.approx(alone.extra["se_log"])


def test_a_constant_prediction_has_no_smooth_curve():
    with refuses(DataError, "probabilities", code="degenerate"):
        smooth_calibration_errors([0, 1, 0, 1], [0.5] * 4)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    _, y, p, who = CASES[0]
    place = tmp_path_factory.mktemp("calibration") / "risks.csv"
    pd.DataFrame({"y": y, "risk": p, "who": who % 60}).to_csv(place, index=False)
    return place


def test_the_command_prints_the_errors_of_val_prob_and_net_benefit(table, tmp_path):
    places = {"--svg": tmp_path / "c.svg", "--decision-svg": tmp_path / "d.svg",
              "--html": tmp_path / "c.html"}  # fmt: skip
    out = call_cardio("stats", "calibration", table, "--outcome", "y", "--score", "risk",
                      "--threshold", "0.1,0.25", "--smoother", "lowess",
                      *(x for pair in places.items() for x in pair)
                      ).stdout  # fmt: skip
    for name, printed in {
        "ici": r"0\.140", "e50": r"0\.153", "e90": r"0\.207", "emax": r"0\.215 +–",
        "unreliability_u": r"0\.185", "quality_q": r"-0\.315", "net_benefit[0.25]": r"0\.314",
        "net_benefit_of_treating_everybody[0.1]": "", "oe_ratio": "",
    }.items():  # fmt: skip
        assert re.search(f"{re.escape(estimate_words(name))} +{printed}", out), name
    assert re.search(rf"{re.escape(METRICS['ici'])}: A calibrated model shows 0\.\d+", out)
    assert "smooth curves (loess)" in places["--svg"].read_text()
    assert "treat everybody" in places["--decision-svg"].read_text()
    assert places["--html"].read_text().count("<figure>") == 2


def test_a_threshold_that_is_no_probability_is_refused_in_one_line(table):
    found = call_cardio("stats", "calibration", table, "--outcome", "y", "--score", "risk",
                        "--threshold", "20")  # fmt: skip
    assert names(found.stderr, "20", "--threshold", "1", "0.1", "0.2")


def test_the_decision_curve_of_the_figure_is_that_of_the_thresholds():
    _, y, p, _ = CASES[1]
    curve = decision_curve(y, p, thresholds=[0.2, 0.4])
    assert curve["net_benefit"].tolist() == [net_benefit(y, p, t).value for t in (0.2, 0.4)]
