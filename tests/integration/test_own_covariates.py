"""`cardio run --covariates A,B`: a clinical model, Table 1 and subgroups that no plugin knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.runner.predict import predict_new
from cardio_stats.errors import ConfigError

Run = Callable[..., Path]
NAMED = ("age_y", "crp", "Ward")


@pytest.fixture(scope="module")
def cohort(write_cohort: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy's cohort, whose C-reactive protein tells nearly who is ill."""
    folder = write_cohort(tmp_path_factory.mktemp("own") / "clinic", "mean_class")
    path = folder / "cohort.csv"
    table = pd.read_csv(path)
    rng = np.random.default_rng(0)
    n = len(table)
    table["age_y"] = rng.normal(60, 8, n).round()
    table["crp"] = (table["x_ill"] * 6 + rng.normal(5, 1, n)).round(2)
    table["Ward"] = np.where(np.arange(n) % 4 < 2, "north", "south")
    table["told"] = table["x_ill"].map({1: "positive", 0: "negative"})
    table["visit"] = [f"2024-01-{1 + k % 28:02d}" for k in range(n)]
    table.loc[[2, 5], "crp"] = None
    table.loc[7, list(NAMED)] = None
    table.to_csv(path, index=False)
    return folder


@pytest.fixture(scope="module")
def finished(run_toy: Run, cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("own_run") / "run"
    return run_toy(out, data=(cohort,), covariates=NAMED, protocol="honest")


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_clinical_model_runs_on_the_folds_of_every_other_model(finished: Path) -> None:
    manifest = read(finished / "manifest.json")
    title = "Clinical variables: age, crp, ward"
    assert manifest["model_titles"]["covariates"] == title
    assert "covariates" in manifest["baselines"]
    scored = pd.read_csv(finished / "predictions.csv")
    honest = scored[(scored["protocol"] == "honest") & (scored["event"] == "ill")]
    folds = honest.groupby("model")[["patient_id", "fold"]].agg(dict)
    del folds
    own, other = (
        honest[honest["model"] == name].drop_duplicates("patient_id").set_index("patient_id")
        for name in ("covariates", "ridge")
    )
    # One patient has none of the variables, and only of that one nothing is said.
    assert len(set(other.index) - set(own.index)) == 1
    assert (other.loc[own.index, "fold"] == own["fold"]).all()


def test_what_tells_the_outcome_is_found_out_of_fold(finished: Path) -> None:
    metrics = read(finished / "metrics.json")
    auc = next(
        row for row in metrics
        if (row["name"], row["model"], row["protocol"]) == ("auc", "covariates", "honest")
        and row["fold"] is None and not row["subgroup"] and not row["versus"]
    )  # fmt: skip
    assert auc["value"] > 0.9


def test_classes_of_a_covariate_are_subgroups_and_numbers_are_not(finished: Path) -> None:
    metrics = read(finished / "metrics.json")
    groups = {row["subgroup"] for row in metrics if row["subgroup"]}
    assert groups == {"Ward: north", "Ward: south"}
    models = {row["model"] for row in metrics if row["subgroup"] == "Ward: north"}
    assert {"covariates", "ridge"} <= models


def test_covariates_stand_in_table_1_and_their_absence_is_counted(finished: Path) -> None:
    table = pd.read_csv(finished / "tables" / "table1.csv").set_index("Variable")
    assert list(table.index) == [
        "Age (years), mean ± SD", "Crp, mean ± SD", "Ward: south, n (%)"
    ]  # fmt: skip
    assert table["Missing"].tolist() == [1, 3, 1]


def test_a_model_is_stored_without_a_pickle(finished: Path) -> None:
    artifact = finished / "models" / "final" / "covariates" / "artifact"
    assert {path.suffix for path in artifact.iterdir()} == {".json"}


def test_new_patients_are_scored_where_a_table_knows_them(finished: Path, cohort: Path) -> None:
    answer = predict_new(finished, (cohort / "cohort.csv",), device="cpu")
    scored = {row["id"] for row in answer["predictions"] if row["model"] == "covariates"}
    assert scored == {f"C{n:02d}" for n in range(24) if n != 7}
    recording = next(cohort.glob("C0*.csv"))
    answer = predict_new(finished, (recording,), device="cpu")
    assert "covariates" not in {row["model"] for row in answer["predictions"]}
    said = "Clinical variables: age, crp, ward: not known here; a cohort table can give them."
    assert said in answer["notes"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"covariates": ("crpp",)},
            "--covariates crpp: cohort.csv has no such column; did you",
        ),
        ({"covariates": ("x_ill",)}, "--covariates x_ill: it says ill, the outcome, of every"),
        ({"covariates": ("told",)}, "--covariates told: it says ill, the outcome, of"),
        ({"covariates": ("told",), "outcome": "told"}, "it is the outcome"),
        ({"covariates": ("visit",)}, "--covariates visit: it holds dates"),
        ({"covariates": ("path_ecg",)}, "--covariates path_ecg: it names files"),
        ({"covariates": ("study_id",)}, "no such column"),
        ({"covariates": ("crp", "crp")}, "--covariates crp: named twice"),
        ({"covariates": ("crp",), "task": "beats"}, "predicts every event"),
    ],
)
def test_what_is_no_covariate_is_told(
    run_toy: Run, cohort: Path, tmp_path: Path, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        run_toy(tmp_path / "run", data=(cohort,), **asked)


def test_other_outcomes_than_the_tasks_own_have_a_clinical_model_too(
    run_toy: Run, cohort: Path, tmp_path: Path
) -> None:
    out = run_toy(
        tmp_path / "run", data=(cohort,), outcome="Ward", event="south",
        covariates=("age_y", "crp"), protocol="honest", sets=("models=[constant]",),
    )  # fmt: skip
    assert read(out / "manifest.json")["models"] == ["constant", "covariates"]
