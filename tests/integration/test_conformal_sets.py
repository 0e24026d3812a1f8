"""Prediction sets: calibrated by a run, listed in its report, given to new patients."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import names


@pytest.fixture(scope="module")
def newcomers(write_cohort, tmp_path_factory):
    """Patients whom no run has seen."""
    return write_cohort(tmp_path_factory.mktemp("new") / "new", "mean_class", n_patients=12, seed=9)


def rule(run, name):
    return json.loads((run / "conformal" / f"{name}.json").read_text())


def metrics(run, name):
    return [m for m in json.loads((run / "metrics.json").read_text()) if m["name"] == name]


def test_the_rule_is_the_quantile_of_the_out_of_fold_predictions(clinic_run):
    table = pd.read_csv(clinic_run / "predictions.csv", dtype=str)
    own = table[
        (table["protocol"] == "honest") & (table["model"] == "ridge") & (table["event"] == "ill")
    ]
    of_ill = own["score"].astype(float)
    own = own.assign(score=of_ill.where(own["y_true"] == "ill", 1 - of_ill))

    # C00 and C23 are one person: the larger of the two scores stands for both.
    def scores_of(rows):
        person = rows["patient_id"].replace("C23", "C00")
        return np.sort((1 - rows["score"].astype(float)).groupby(person).max())

    scores = scores_of(own)
    stored = rule(clinic_run, "ridge-ill")
    assert stored["n_patients"] == len(scores) == 23
    assert stored["quantile"] == pytest.approx(scores[math.ceil(24 * 0.9) - 1], abs=1e-6)
    assert (stored["alpha"], stored["classes"]) == (0.1, ["healthy", "ill"])
    for name, own_quantile in zip(stored["classes"], stored["class_quantiles"], strict=True):
        of_class = scores_of(own[own["y_true"] == name])
        rank = math.ceil((len(of_class) + 1) * 0.9)
        assert own_quantile == pytest.approx(of_class[rank - 1], abs=1e-6)


def test_only_the_honest_protocol_is_calibrated(clinic_run):
    sizes = [m for name in ("mean_set_size", "empty_sets") for m in metrics(clinic_run, name)]
    found = metrics(clinic_run, "conformal_coverage_pooled") + sizes
    assert {m["protocol"] for m in found} == {"honest"}
    assert {m["model"] for m in found} == {"ridge", "constant"}
    files = {path.stem for path in (clinic_run / "conformal").iterdir()}
    assert files == {"ridge-ill", "constant-ill"}


def test_coverage_and_set_size_stand_in_the_report(clinic_run):
    html = (clinic_run / "report.html").read_text()
    # outside a fold there are fewer than nine of a class, so that its sets cannot be judged
    assert "Coverage of ill of ridge is not given for “healthy” and “ill”" in html
    assert "Undecided prediction sets" in html
    assert "were sets calibrated on all classes together" in html
    assert "calibrated, by class, on out-of-fold patients" in html
    assert "Mean set size" in html


def test_new_patients_get_the_classes_that_the_rule_allows(cardio, clinic_run, newcomers):
    answer = cardio("predict", clinic_run, newcomers, "--device", "cpu", "--json").json
    for row in answer["predictions"]:
        allowed = rule(clinic_run, f"{row['model']}-ill")["class_quantiles"]
        for (name, p), q in zip(row["scores"].items(), allowed, strict=True):
            # the constant's score stands at its own limit, where a seventh digit decides
            if q is None or abs(1 - p - q) > 1e-6:
                assert (name in row["set"]) == (q is None or 1 - p <= q)
        assert (row["set_level"], row["set_by_class"]) == (0.9, True)
    ridge = [row for row in answer["predictions"] if row["model"] == "ridge"]
    assert len(ridge) == 12
    assert any(len(row["set"]) == 1 for row in ridge)


def test_a_number_gets_an_interval_in_its_unit(
    cardio, run_toy, clinic, clinic_run, newcomers, tmp_path
):
    out = tmp_path / "second"
    run_toy(out, task="second", data=(clinic,), needs_from={"mean_class": clinic_run})
    stored = rule(out, "ridge-severity")
    assert stored["kind"] == "continuous"
    (half,) = metrics(out, "interval_half_width")
    assert half["value"] == pytest.approx(stored["quantile"])
    answer = cardio("predict", out, newcomers, "--device", "cpu", "--json").json
    rows = [row for row in answer["predictions"] if row["target"] == "severity"]
    assert rows
    for row in rows:
        width = stored["quantile"]
        expected = [row["value"] - width, row["value"] + width]
        assert row["interval"] == pytest.approx(expected, abs=2e-6)
        assert row["interval_level"] == 0.9


def test_beats_that_match_nothing_get_no_sets_and_the_report_says_why(beats_run):
    assert not (beats_run / "conformal").exists()
    notes = json.loads((beats_run / "manifest.json").read_text())["notes"]
    (note,) = [one for one in notes if one["kind"] == "prediction_sets"]
    assert names(note["text"], "shape", "network")
    assert note["model"] == "network"


def test_a_run_without_a_rule_predicts_without_sets(cardio, beats_run, strip):
    answer = cardio("predict", beats_run, strip / "B01r0.csv", "--device", "cpu", "--json").json
    assert answer["predictions"]
    assert all("set" not in row for row in answer["predictions"])
