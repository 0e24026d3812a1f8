"""The subgroup audit on cohorts whose faults are planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardio_stats.auc_bootstrap import bootstrap_auc
from cardio_stats.decisions import Threshold
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.subgroups import subgroup_audit

HALF = Threshold(0.5, "fixed")


def cohort(n_patients: int = 400, per_patient: int = 2, fault: str = "none") -> dict[str, Any]:
    """Probabilities that are right for everybody, but for the fault in site B."""
    rng = np.random.default_rng(7)
    patient = np.repeat(np.arange(n_patients), per_patient)
    site = np.where(np.arange(n_patients) % 3 == 0, "B", "A")[patient]
    risk = rng.beta(1.2, 1.2, n_patients)[patient]
    label = (rng.random(n_patients)[patient] < risk).astype(int)
    score = np.clip(risk, 0.01, 0.99)
    if fault == "labels":
        noisy = (site == "B") & (rng.random(n_patients)[patient] < 0.35)
        label = np.where(noisy, 1 - label, label)
    if fault == "scanner":
        score = np.where(site == "B", np.clip(score + 0.25, 0.01, 0.99), score)
    return {"outcome": label, "scores": score, "groups": site, "patient": patient}


def audited(data: dict[str, Any], **options: Any) -> dict[str, Estimate]:
    made = subgroup_audit(**data, threshold=HALF, n_resamples=500, seed=3, **options)
    return {estimate.name: estimate for estimate in made.estimates}


def excludes_zero(estimate: Estimate) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low > 0 or estimate.high < 0


def test_a_cohort_without_faults_shows_no_gap() -> None:
    found = audited(cohort())
    gaps = [estimate for name, estimate in found.items() if "_gap[" in name]
    assert len(gaps) == 4
    assert not any(excludes_zero(gap) for gap in gaps)


def test_label_noise_in_one_site_shows_as_a_gap_of_its_auc() -> None:
    found = audited(cohort(fault="labels"))
    gap = found["auc_gap[B - A]"]
    assert gap.value < -0.1
    assert excludes_zero(gap)


def test_a_scanner_shift_shows_in_calibration_and_in_the_rates_but_not_in_the_auc() -> None:
    found = audited(cohort(fault="scanner"))
    assert found["observed_minus_predicted_gap[B - A]"].value == pytest.approx(-0.2, abs=0.08)
    assert excludes_zero(found["observed_minus_predicted_gap[B - A]"])
    assert excludes_zero(found["fpr_gap[B - A]"])
    assert not excludes_zero(found["auc_gap[B - A]"])


def test_the_figures_of_a_group_are_those_of_its_rows_alone() -> None:
    data = cohort()
    found = audited(data)
    inside = data["groups"] == "B"
    label, score = data["outcome"][inside], data["scores"][inside]
    alone = bootstrap_auc(label, score, patient=data["patient"][inside], n_resamples=500)
    assert found["auc[B]"].value == pytest.approx(alone.value)
    assert (found["auc[B]"].low, found["auc[B]"].high) == pytest.approx(
        (alone.low, alone.high), abs=0.02
    )
    assert found["tpr[B]"].value == pytest.approx((score[label == 1] >= 0.5).mean())
    assert found["fpr[B]"].value == pytest.approx((score[label == 0] >= 0.5).mean())
    assert found["observed_minus_predicted[B]"].value == pytest.approx((label - score).mean())
    assert found["auc[B]"].n == np.unique(data["patient"][inside]).size
    assert found["tpr[B]"].threshold_source == "fixed"


def test_correlated_rows_widen_the_intervals_of_the_patients_they_belong_to() -> None:
    data = cohort(per_patient=6)
    by_patient = audited(data)["auc[B]"]
    by_row = audited({**data, "patient": None})["auc[B]"]
    assert (by_patient.high - by_patient.low) > 1.5 * (by_row.high - by_row.low)  # type: ignore[operator]


def test_a_group_that_is_too_small_is_named_and_not_scored() -> None:
    data = cohort()
    data["groups"] = data["groups"].astype(object)
    data["groups"][:6] = "C"
    made = subgroup_audit(**data, threshold=HALF, n_resamples=100)
    row = next(row for row in made.rows if row[0] == "C")
    assert row[1:4] == ("6", "3", str(int(data["outcome"][:6].sum())))
    assert set(row[4:]) == {"–"}
    assert any(note.startswith("C: too small to score (6 rows of 3") for note in made.notes)
    assert not any("[C" in estimate.name for estimate in made.estimates)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    data = cohort()
    data["scores"] = np.log(data["scores"] / (1 - data["scores"]))
    made = subgroup_audit(**data, threshold=Threshold(0.0, "fixed"), n_resamples=100)
    assert all(row[7] == "–" for row in made.rows)
    assert not any("predicted" in estimate.name for estimate in made.estimates)


def test_the_reference_can_be_chosen_and_rows_without_a_group_are_counted() -> None:
    data = cohort()
    data["groups"] = data["groups"].astype(object)
    data["groups"][:4] = None
    found = audited(data, reference="B")
    assert "auc_gap[A - B]" in found
    assert {estimate.n_dropped for estimate in found.values()} == {4}


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"groups": np.repeat("A", 800)}, {}, "expected two groups"),
        ({}, {"reference": "Z"}, "'Z' is not among"),
        ({"outcome": np.ones(800)}, {}, "both classes"),
        ({"groups": np.repeat("A", 3)}, {}, "expected 800 values"),
    ],
)
def test_audits_that_compare_nothing_are_refused(
    change: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        audited({**cohort(), **change}, **options)
    assert "\n" not in str(refusal.value)


def test_the_equalised_odds_gap_is_the_largest_of_rates_between_two_groups() -> None:
    data = cohort(fault="scanner")
    third = np.where(data["patient"] % 7 == 0, "C", data["groups"])
    found = audited({**data, "groups": third})
    rates = [[found[f"{rate}[{group}]"].value for group in "ABC"] for rate in ("tpr", "fpr")]
    gap = found["equalised_odds_gap"]
    assert gap.value == pytest.approx(max(max(one) - min(one) for one in rates))
    assert gap.low is not None
    assert 0 < gap.low < gap.value
    assert gap.n == 400
    alike = audited({**cohort(), "groups": third})["equalised_odds_gap"]
    assert alike.low == 0


@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_the_interval_of_the_largest_gap_holds(shift: float) -> None:
    rng, hits, n = np.random.default_rng(4), 0, 120
    group = np.arange(300) % 3
    for _ in range(n):
        label = rng.integers(0, 2, 300)
        called = rng.random(300) < 0.3 + 0.4 * label + shift * (group == 2)
        made = subgroup_audit(label, called * 1.0, group, threshold=HALF, n_resamples=200)
        gap = next(one for one in made.estimates if one.name == "equalised_odds_gap")
        hits += gap.low <= shift <= gap.high  # type: ignore[operator]
    assert hits / n >= 0.92
