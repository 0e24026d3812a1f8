"""The editorial's simulations, against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from cardio_core.api import Scored
from cardio_spect_polar.audit import (
    area,
    audit,
    disagreeing_readers,
    groups_of,
    prevalence_shift,
    referral_bias,
    scanner_shift,
)
from cardio_spect_polar.flow.models import RISK_FACTOR, RISK_FACTORS
from cardio_spect_polar.flow.results import network_versus_logistic
from cardio_spect_polar.published.yeung_2022 import published_table

N, PREVALENCE, D = 4000, 0.3, 1.2


@pytest.fixture(scope="module")
def cohort():
    """A factor that moves one measurement by 1.2 SD, and the true probabilities."""
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=N) < PREVALENCE).astype(int)
    x = rng.normal(D * y, 1)
    log_odds = np.log(PREVALENCE / (1 - PREVALENCE)) + D * (x - D / 2)
    return y, 1 / (1 + np.exp(-log_odds)), x


def test_the_area_is_that_of_sklearn_ties_included():
    rng = np.random.default_rng(1)
    y, score = rng.integers(0, 2, 300), rng.integers(0, 8, 300)
    assert area(y, score) == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert np.isnan(area([1, 1], [0.1, 0.2]))


def test_a_shift_of_prevalence_leaves_the_auc_and_breaks_calibration_until_it_is_corrected(cohort):
    y, p, _ = cohort
    table = prevalence_shift(y, p, np.random.default_rng(2), n_draws=40)
    assert table["auc"].to_numpy() == pytest.approx(norm.cdf(D / np.sqrt(2)), abs=0.02)
    rare = table[table["setting"].str.startswith("prevalence 0.1")]
    as_it_is, corrected = rare["observed_minus_predicted"]
    assert as_it_is < -0.08
    assert corrected == pytest.approx(0.0, abs=0.02)
    assert rare["base_rate"].tolist() == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_readers_lower_auc_and_kappa_as_their_errors_say(cohort, rate):
    y, p, _ = cohort
    table = disagreeing_readers(y, p, np.random.default_rng(3), n_draws=30, error_rates=(rate,))
    base, true = y.mean(), area(y, p)
    read = base * (1 - rate) + (1 - base) * rate
    ppv, npv = base * (1 - rate) / read, (1 - base) * (1 - rate) / (1 - read)
    one, majority = table["auc"]
    assert one == pytest.approx(0.5 + (true - 0.5) * (ppv + npv - 1), abs=0.006)
    agreed = (1 - rate) ** 2 + rate**2
    by_chance = read**2 + (1 - read) ** 2
    assert table["kappa"].iloc[0] == pytest.approx((agreed - by_chance) / (1 - by_chance), abs=0.01)
    assert one < majority < true


def test_referral_changes_nothing_at_strength_0_and_the_base_rate_where_the_factor_refers(cohort):
    y, p, _ = cohort
    unrelated = np.random.default_rng(4).normal(size=N)
    table = referral_bias(y, p, unrelated, np.random.default_rng(5), n_draws=40)
    found = table.set_index("setting")
    assert found.loc["by the map, strength 0", "auc"] == pytest.approx(area(y, p), abs=0.005)
    # A map that has nothing to do with the factor refers nobody unfairly.
    assert found.loc["by the map, strength 2", "base_rate"] == pytest.approx(y.mean(), abs=0.03)
    assert found.loc["by the map and the factor, strength 1", "base_rate"] > y.mean() + 0.1


def test_referral_by_the_measurement_gives_the_base_rate_that_integration_gives(cohort):
    y, p, x = cohort
    found = referral_bias(y, p, -x, np.random.default_rng(6), n_draws=40).set_index("setting")
    mean, sd = PREVALENCE * D, np.sqrt(1 + PREVALENCE * (1 - PREVALENCE) * D**2)
    kept = [
        quad(lambda v, at=at: norm.pdf(v, at) * expit(2 * (v - mean) / sd), -8, 10)[0]
        for at in (0.0, D)
    ]
    expected = PREVALENCE * kept[1] / (PREVALENCE * kept[1] + (1 - PREVALENCE) * kept[0])
    assert found.loc["by the map, strength 2", "base_rate"] == pytest.approx(expected, abs=0.02)
    # What refers is what the model sees: its range narrows, and with it the AUC.
    assert found.loc["by the map, strength 2", "auc"] < area(y, p) - 0.03


def test_a_scanner_shift_keeps_the_reference_and_reports_every_gain(cohort):
    y, p, _ = cohort
    table = scanner_shift(
        y, p, {1.15: np.clip(p + 0.1, 0, 1)}, np.random.default_rng(7), n_draws=30
    )
    assert table["setting"].tolist() == ["scanner reads 1 for 1", "scanner reads 1.15 for 1"]
    assert table["auc"][0] == pytest.approx(area(y, p), abs=0.01)
    assert table["observed_minus_predicted"][1] < table["observed_minus_predicted"][0] - 0.05


def test_a_drawn_roc_curve_has_the_area_that_is_written_beside_it(cohort):
    from cardio_spect_polar.drawing.charts import roc_by_map

    y, p, _ = cohort
    for score in (p, np.round(p, 1)):  # without ties and with many
        figure = Figure()
        roc_by_map({"rest": {"resnet": (y, score, "")}})(figure)
        fpr, tpr = figure.axes[0].lines[1].get_data()
        assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc_score(y, score), abs=1e-12)


def test_the_same_generator_gives_the_same_simulation(cohort):
    y, p, x = cohort
    one, other = (referral_bias(y, p, x, np.random.default_rng(8), n_draws=5) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


def test_age_is_cut_in_tertiles_and_bmi_where_the_world_health_organization_cuts():
    people = pd.DataFrame(
        {"age_y": np.arange(40.0, 70.0), "bmi": np.linspace(20, 35, 30), "site_id": "north"},
        index=[f"p{i}" for i in range(30)],
    )
    groups = groups_of(people)
    assert groups["age tertile"].value_counts().tolist() == [10, 10, 10]
    assert (groups["BMI band"] == "30 and more").sum() == (people["bmi"] >= 30).sum()
    assert set(groups) == {"site_id", "BMI band", "age tertile"}


def test_an_audit_names_columns_that_offer_nothing_to_compare(cohort):
    y, p, _ = cohort
    names = [f"p{i}" for i in range(N)]
    tested = pd.DataFrame({"y": y, "score": p}, names)
    made = audit(tested, {"site_id": pd.Series("north", names, dtype="string")}, n_resamples=100)
    assert not len(made.gaps)
    assert "site_id" in made.notes[0]


def test_published_numbers_stand_with_the_interval_that_ninety_three_patients_imply():
    table = published_table().set_index("factor")
    # Section 2.3 of the methods: Hanley and McNeil at n = 93 for .81.
    assert table.loc["sex", "limits implied by n = 93"] == "0.721 to 0.899"
    assert table.loc["sex", "what to know"] == "the regression is better than the network"
    assert table.loc["diabetes", "logistic"] == "0.61"
    assert "circular" in table.loc["impaired", "what to know"]
    assert "prevalence" in table.loc["smoking", "what to know"]


def test_a_holdout_with_one_patient_of_a_class_leaves_cells_empty_and_raises_nothing():
    frames = {}
    for name in RISK_FACTORS:
        no, yes = RISK_FACTOR.target(name).classes
        ids = [f"p{i}" for i in range(12)]
        frames[name] = pd.DataFrame({
            "patient_id": ids, "subject_id": ids, "model": "logistic_rest",
            "y_true": [no] + [yes] * 11, f"score:{yes}": np.linspace(0.1, 0.9, 12),
            "predicted": yes,
        })  # fmt: skip
    line = network_versus_logistic(Scored(frames), RISK_FACTOR, 0.95).iloc[0]
    assert line["AUC logistic"] == ""
    assert line["majority accuracy"] == line["accuracy logistic"] == "0.917"


def test_network_and_regression_are_paired_on_the_same_patients():
    rng = np.random.default_rng(9)
    frames = {}
    for name in RISK_FACTORS:
        no, yes = RISK_FACTOR.target(name).classes
        truth = rng.integers(0, 2, 80)
        parts = []
        for model, d in (("resnet_rest", 2.0), ("logistic_rest", 0.5)):
            p = 1 / (1 + np.exp(-rng.normal(d * (truth - 0.5), 1)))
            ids = [f"p{i:02d}" for i in range(80)]
            parts.append(pd.DataFrame({
                "patient_id": ids, "subject_id": ids, "model": model,
                "y_true": np.where(truth == 1, yes, no), f"score:{yes}": p,
                "predicted": np.where(p >= 0.5, yes, no),
            }))  # fmt: skip
        frames[name] = pd.concat(parts)
    table = network_versus_logistic(Scored(frames), RISK_FACTOR, 0.95)
    assert table["map"].tolist() == ["rest"] * 5
    line = table.iloc[0]
    assert float(line["AUC resnet"][:5]) > float(line["AUC logistic"][:5])
    assert 0 <= float(line["p (DeLong)"]) < 0.05
    assert float(line["majority accuracy"]) == pytest.approx(
        max(float(line["base rate"]), 1 - float(line["base rate"])), abs=0.002
    )
