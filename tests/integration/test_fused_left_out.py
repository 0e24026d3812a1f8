"""A fused row whose weights a small cohort cannot settle costs itself and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cardio_core.testing import names

SKIP = "needs.mean_class.skip=true"
FEW_VALIDATE = ("inner.k=1", "inner.validation_share=0.2")
MEMBERS = {"height", "spread", "height_value", "spread_value"}


def read(run: Path, name: str):
    return json.loads((run / name).read_text())


def rows_of(run: Path, protocol: str) -> set[str]:
    table = pd.read_csv(run / "predictions.csv")
    return set(table.loc[table["protocol"] == protocol, "model"])


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def small_run(run_toy, clinic, tmp_path_factory, said) -> Path:
    """Sixteen patients train in a fold and three or four of them validate.

    Weights are as many: of the intercept, of two rows, and of one that a patient lacks. The eight
    tested ones of a fold are enough for those of the paper's arm.
    """
    out = tmp_path_factory.mktemp("runs") / "small"
    return run_toy(out, task="joined", data=(clinic,), sets=(SKIP, *FEW_VALIDATE), said=said)


def test_everything_else_is_evaluated_and_reported(small_run):
    assert read(small_run, "manifest.json")["status"] == "done"
    assert rows_of(small_run, "honest") == MEMBERS
    judged = {m["model"] for m in read(small_run, "metrics.json") if m["protocol"] == "honest"}
    assert judged >= MEMBERS and not judged & {"both", "both_value"}
    assert not list((small_run / "tables").glob("honest-fusion-weights-*"))


def test_the_other_protocol_keeps_the_row_where_it_could_weigh_it(small_run):
    assert rows_of(small_run, "paper") == MEMBERS | {"both", "both_value"}
    assert (small_run / "tables" / "paper-fusion-weights-both.csv").is_file()


def test_the_report_the_log_and_the_lines_say_which_row_is_missing_and_why(small_run, said):
    (note,) = [line for line in said if line.startswith("Model Height and spread, fused is left")]
    assert note.startswith(
        "Model Height and spread, fused is left out of protocol honest: its weights cannot be "
        "fitted in "
    )
    assert names(note, "ill: fusion, inner folds")
    assert "test set" not in note
    assert note in [one["text"] for one in read(small_run, "manifest.json")["notes"]]
    assert "Height and spread, fused is left out of protocol honest" in (
        small_run / "report.html"
    ).read_text(encoding="utf-8")
    assert names((small_run / "log.jsonl").read_text(encoding="utf-8"), "Height and spread, fused")


def test_new_patients_get_no_score_of_a_row_that_nobody_has_tested(cardio, small_run, clinic):
    assert set(read(small_run, "manifest.json")["models"]) == MEMBERS
    answer = cardio("predict", small_run, clinic / "C02r0.csv", "--device", "cpu", "--json").json
    assert {row["model"] for row in answer["predictions"]} == MEMBERS


def test_a_resumed_run_leaves_the_same_rows_out(small_run, run_toy, clinic, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(small_run, run)
    (run / "metrics.json").unlink()
    sets = (SKIP, *FEW_VALIDATE)
    run_toy(run, task="joined", data=(clinic,), sets=sets, resume=True)
    assert read(run, "metrics.json") == read(small_run, "metrics.json")
    assert read(run, "manifest.json")["notes"] == read(small_run, "manifest.json")["notes"]
    assert set(read(run, "manifest.json")["models"]) == MEMBERS


def test_weights_on_too_few_tested_patients_say_so_and_the_honest_row_stays(
    run_toy, clinic, tmp_path
):
    """Of 24 patients 3 are tested, as few as the weights that they would settle."""
    said: list[str] = []
    paper = ("protocols.paper.plan=holdout", "protocols.paper.test_share=0.1")
    run = run_toy(tmp_path / "run", task="joined", data=(clinic,), said=said, sets=(SKIP, *paper))
    (note,) = [line for line in said if line.startswith("Model Height and spread, fused is left")]
    assert names(note, "protocol paper", "1 of 1 fits", "ill: fusion, tested patients")
    assert rows_of(run, "paper") == MEMBERS
    assert rows_of(run, "honest") == MEMBERS | {"both", "both_value"}
    assert "both" in read(run, "manifest.json")["models"]
