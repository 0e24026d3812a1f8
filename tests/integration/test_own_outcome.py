"""`cardio run --outcome COLUMN`: any column of the table is predicted by a task that allows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cardio_core.runner.predict import predict_new
from cardio_stats.errors import ConfigError

Run = Callable[..., Path]


@pytest.fixture(scope="module")
def cohort(write_cohort: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy's cohort with an outcome in words, which two patients lack, and none of its own."""
    folder = write_cohort(tmp_path_factory.mktemp("own") / "clinic", "mean_class")
    path = folder / "cohort.csv"
    table = pd.read_csv(path)
    table["x_responder"] = table.pop("x_ill").map({1: "yes", 0: "no"})
    table["x_stage"] = [f"stage {n % 3}" for n in range(len(table))]
    table["x_change_ml"] = [10.5 * n for n in range(len(table))]
    table.loc[table.index[-2:], "x_responder"] = None
    table.to_csv(path, index=False)
    return folder


@pytest.fixture(scope="module")
def finished(run_toy: Run, cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("own_run") / "run"
    return run_toy(out, data=(cohort,), outcome="x_responder", protocol="honest")


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_column_is_predicted(finished: Path, cohort: Path) -> None:
    manifest = read(finished / "manifest.json")
    assert manifest["outcome_column"] == "x_responder"
    assert manifest["targets"][0]["classes"] == ["no", "yes"]
    assert manifest["primary"] == "ridge"
    assert manifest["baselines"] == ["constant"]
    truth = pd.read_csv(cohort / "cohort.csv").groupby("patient_id")["x_responder"].first()
    counts = truth.value_counts()
    assert f"{counts['yes']} yes, {counts['no']} no, 2 unknown" in manifest["outcome"]
    scored = pd.read_csv(finished / "predictions.csv")
    assert set(scored["target"]) == {"x_responder"}
    told = scored.drop_duplicates("patient_id").set_index("patient_id")["y_true"]
    assert told.to_dict() == truth.dropna().to_dict()


def test_new_patients_need_no_table(finished: Path, cohort: Path) -> None:
    recording = next(cohort.glob("C0*.csv"))
    answer = predict_new(finished, (recording,), device="cpu")
    assert {row["target"] for row in answer["predictions"]} == {"x_responder"}
    assert set(answer["predictions"][0]["scores"]) == {"no", "yes"} or answer["predictions"][0][
        "scores"
    ].keys() == {"yes"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"outcome": "responder"}, "cohort.csv has no such column; it has "),
        ({"outcome": "x_stage"}, "none of the models asked for can be trained on 3 classes"),
        ({"outcome": "x_change_ml"}, r"can be trained on a number \(x_change_ml\)"),
        ({"outcome": "x_responder", "task": "joined"}, "task 'joined' predicts ill, severity"),
        ({"event": "yes"}, "--event: expected --outcome COLUMN with it"),
        ({"outcome": "x_responder", "event": "maybe"}, "the event .maybe. does not occur"),
        ({"outcome": "x_responder", "primary": "forest"}, "--primary forest: expected one of"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_runs(
    run_toy: Run, cohort: Path, tmp_path: Path, asked: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        run_toy(tmp_path / "run", data=(cohort,), **asked)
    assert not (tmp_path / "run").exists()


def test_the_declared_primary_is_kept(run_toy: Run, cohort: Path, tmp_path: Path) -> None:
    out = run_toy(
        tmp_path / "run",
        data=(cohort,),
        outcome="x_stage",
        event="stage 1",
        negative=("stage 0", "stage 2"),
        primary="constant",
        protocol="honest",
    )
    manifest = read(out / "manifest.json")
    assert manifest["primary"] == "constant"
    assert manifest["targets"][0]["classes"] == ["not stage 1", "stage 1"]
