"""The paper's own arithmetic: every number that the method page recomputes from printed ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import cardio_stats as stats
from cardio_echo_cmr.published.paper_tables import (
    TESTED_PATIENTS,
    TESTED_STUDIES,
    further_characteristics,
    published_aucs,
    published_errors,
    published_findings,
    table_2,
)


@pytest.fixture(scope="module")
def findings():
    return published_findings().set_index("name")


def test_the_number_of_studies_is_printed_in_two_ways(findings):
    row = findings.loc["number of studies"]
    assert row["verdict"] == "impossible"
    assert "2,556 (abstract)" in row["finding"]
    assert "2,566 (Table 1)" in row["finding"]


@pytest.mark.parametrize(
    ("name", "k", "n", "share", "wrong"),
    [
        ("t1_high", 290, 1116, "25.99 %", "25.6 in Table 1"),
        ("ecv_high", 205, 941, "21.79 %", "21.4 in Table 1"),
    ],
)
def test_the_text_is_right_and_the_table_wrong_about_t1_and_ecv(findings, name, k, n, share, wrong):
    row = findings.loc[name]
    assert row["verdict"] == "impossible"
    assert f"{k}/{n} is {share}" in row["finding"]
    assert f"printed {wrong}." in row["finding"]


@pytest.mark.parametrize(
    ("name", "share"),
    [("t2_high", "8.23 %"), ("wma", "48.26 %"), ("lge", "49.04 %"), ("female", "41.78 %"),
     ("htn", "37.72 %"), ("dyslipidaemia", "28.49 %"), ("dm", "16.52 %")],
)  # fmt: skip
def test_the_other_shares_of_table_1_reproduce(findings, name, share):
    assert findings.loc[name, "verdict"] == "agrees"
    assert share in findings.loc[name, "finding"]


def test_thresholds_differ_between_the_text_and_the_table(findings):
    row = findings.loc["thresholds of T1, T2 and ECV"]
    assert row["verdict"] == "note"
    assert "> (text), >= (Table 1)" in row["finding"]


@pytest.mark.parametrize(
    ("finding", "row", "effective_n"),
    [("wma", "a4c", 1046), ("wma", "a2c", 400), ("wma", "plax", 592), ("wma", "fused", 181),
     ("lge", "a4c", 852), ("lge", "fused", 151)],
)  # fmt: skip
def test_printed_intervals_need_this_many_independent_rows(finding, row, effective_n):
    found = published_aucs().loc[(finding, row)]
    assert round(found["effective_n"]) == effective_n
    assert found["n_patients"] == 138
    assert found["n_studies"] == 233


def test_the_printed_half_width_of_a4c_is_a_third_of_that_of_its_patients():
    found = published_aucs().loc[("wma", "a4c")]
    assert found["half_width"] == pytest.approx(0.026, abs=1e-9)
    assert found["half_width_of_patients"] == pytest.approx(0.072, abs=5e-4)
    assert (TESTED_PATIENTS, TESTED_STUDIES) == (138, 233)


def test_views_were_tested_as_if_videos_were_independent_and_the_fused_model_was_not(findings):
    for name in ("wma a4c", "wma a2c", "wma plax", "lge a4c"):
        assert findings.loc[name, "verdict"] == "not reproduced"
    for name in ("wma fused", "lge fused"):
        assert findings.loc[name, "verdict"] == "agrees"


def test_the_bootstrap_of_the_released_code_gives_a_90_percent_interval(findings):
    row = findings.loc["bootstrap function"]
    # the code is another project's, and the paper does not say that it was used
    assert row["verdict"] == "note"
    assert "90 % interval" in row["finding"]


@pytest.mark.parametrize(
    ("name", "sd", "constant", "mae", "verdict"),
    [("t1", 72.1, 57.527, 49.8, "agrees"), ("t2", 6.1, 4.867, 5.39, "note"),
     ("ecv", 5.7, 4.548, 4.38, "agrees")],
)  # fmt: skip
def test_t2_is_predicted_worse_than_by_a_constant(findings, name, sd, constant, mae, verdict):
    found = published_errors().loc[name]
    assert (found["sd"], found["mae"]) == (sd, mae)
    assert found["mae_constant"] == pytest.approx(constant, abs=5e-4)
    assert found["mae_constant"] == pytest.approx(0.798 * sd, rel=1e-3)
    assert findings.loc[name, "verdict"] == verdict


def test_ours_stand_beside_theirs_where_they_printed_one():
    y = np.arange(40) % 2
    ours = stats.bootstrap_auc(y, y + np.random.default_rng(0).normal(size=40), n_resamples=100)
    binary = {("lge_a2c", "a2c"): {"auc_patient_bootstrap": ours},
              ("lge", "fused"): {"auc_patient_bootstrap": ours}}  # fmt: skip
    made = table_2(binary, {}, "lge").set_index("target")
    assert made.loc["lge", "paper_auc"] == 0.699
    assert np.isnan(made.loc["lge_a2c", "paper_auc"])
    assert made.loc["lge_a2c", "auc"] == ours.value


def test_shares_are_of_the_known_and_the_missing_are_counted():
    flags = pd.DataFrame({"htn": [1.0, 0.0, np.nan, 1.0], "dm": [np.nan] * 4})
    made = further_characteristics(flags).set_index("characteristic")
    assert list(made.index) == ["htn"]
    assert tuple(made.loc["htn", ["k", "n", "n_missing"]]) == (2, 3, 1)
    low, high = proportion_confint(2, 3, method="wilson")
    assert (made.loc["htn", "low"], made.loc["htn", "high"]) == pytest.approx((low, high))
