"""The learning curve: runs that differ in their training patients only, compared in pairs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from cardio_core.api import DataError
from cardio_core.testing import drawn_svg, refuses
from cardio_echo_cmr.drawing.results import learning_figure
from cardio_echo_cmr.results import METRIC, curve_table, gains

N = 60
Y = np.arange(N) % 2
PATIENTS = [f"p{number:02d}" for number in range(N)]


def _run(folder, limit, sees, *, patients=PATIENTS):
    """Write what the curve reads of a finished run, whose scores see the label so well."""
    folder.mkdir()
    score = 1 / (1 + np.exp(-(sees * (Y - 0.5) + np.random.default_rng(0).normal(size=N))))
    train = f"train: {{max_patients: {'null' if limit is None else limit}}}\n"
    (folder / "config.yaml").write_text(train, encoding="utf-8")
    folds = [
        {"name": f"r0-f{k}", "test": list(patients[k::3]),
         "train": [patient for i, patient in enumerate(patients) if i % 3 != k]}
        for k in range(3)
    ]  # fmt: skip
    plans = {"protocols": {"honest": {"folds": folds}}}
    (folder / "splits.json").write_text(json.dumps(plans), encoding="utf-8")
    place = {"protocol": "honest", "target": "wma", "model": "a4c", "fold": None,
             "subgroup": None, "versus": None, "name": METRIC}  # fmt: skip
    area = float(roc_auc_score(Y, score))
    rows = [place | {"value": area, "low": area - 0.1, "high": min(area + 0.1, 1.0)},
            place | {"value": 0.1, "low": 0.0, "high": 0.2, "subgroup": "each video"},
            place | {"value": 0.2, "low": 0.0, "high": 0.3, "fold": "r0-f0"}]  # fmt: skip
    (folder / "metrics.json").write_text(json.dumps(rows), encoding="utf-8")
    table = pd.DataFrame({"protocol": "honest", "study_id": [f"s{p}" for p in patients],
                          "patient_id": patients, "model": "a4c", "target": "wma",
                          "y_true": np.where(Y == 1, "yes", "no")})  # fmt: skip
    table.assign(event="yes", score=score).to_csv(folder / "predictions.csv", index=False)
    return folder, score


@pytest.fixture
def runs(tmp_path):
    asked = (("few", 10, 0.2), ("more", 20, 1.0), ("all", None, 3.0))
    return [_run(tmp_path / name, limit, sees) for name, limit, sees in asked]


def test_each_point_is_the_pooled_area_of_a_run_by_its_training_patients(runs):
    table = curve_table([folder for folder, _ in runs], "wma")
    # Three folds of 60 patients train on 40 each.
    assert list(table["n_trained"]) == [10, 20, 40]
    assert list(table["value"]) == [pytest.approx(roc_auc_score(Y, score)) for _, score in runs]
    assert set(table["n_tested"]) == {60}
    assert "60 tested, always the same" in drawn_svg(learning_figure(table, y="AUC"))


def test_a_limit_beyond_the_training_patients_is_all_of_them(tmp_path):
    folder, _ = _run(tmp_path / "run", 500, 1.0)
    assert curve_table([folder], "wma")["n_trained"].tolist() == [40]


def test_the_gain_of_a_step_is_paired_on_the_same_tested_patients(runs):
    made = gains([folder for folder, _ in runs], "wma", n_resamples=500)
    areas = [roc_auc_score(Y, np.round(score, 12)) for _, score in runs]
    assert made["gain"].to_numpy() == pytest.approx(np.diff(areas), abs=1e-9)
    assert list(zip(made["fewer"], made["more"], strict=True)) == [("few", "more"), ("more", "all")]
    assert ((made["low"] < made["gain"]) & (made["gain"] < made["high"])).all()


def test_a_fused_model_has_no_point_where_the_limit_binds(runs):
    for folder, _ in runs:
        file = folder / "metrics.json"
        rows = json.loads(file.read_text())
        file.write_text(json.dumps([*rows, rows[0] | {"model": "fused"}]))
    table = curve_table([folder for folder, _ in runs], "wma")
    assert list(table.loc[table["model"] == "fused", "n_trained"]) == [40]
    assert list(table.loc[table["model"] == "a4c", "n_trained"]) == [10, 20, 40]


def test_no_runs_are_a_sentence():
    with refuses(DataError, "none"):
        curve_table([], "wma")


def test_runs_on_other_patients_are_refused(runs, tmp_path):
    other, _ = _run(tmp_path / "other", 10, 1.0, patients=[f"q{i:02d}" for i in range(N)])
    with refuses(DataError, "others"):
        curve_table([runs[0][0], other], "wma")


def test_a_run_without_the_target_is_named(runs):
    with refuses(DataError, "auc_patient_bootstrap", "lge"):
        curve_table([runs[0][0]], "lge")
