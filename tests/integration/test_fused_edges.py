"""Fused and partial rows where something is missing: a unit, a fold, a member, half of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError

SKIP = "needs.mean_class.skip=true"
THREE = "models=[height, spread, both]"


def read(run: Path, name: str):
    return json.loads((run / name).read_text())


@pytest.fixture(scope="module")
def joined_alone(run_toy, clinic, tmp_path_factory) -> Path:
    """`joined` under the honest protocol, without the task before it."""
    out = tmp_path_factory.mktemp("runs") / "alone"
    return run_toy(out, task="joined", data=(clinic,), protocol="honest", sets=(SKIP,))


@pytest.fixture
def without_spread(clinic, tmp_path) -> Path:
    """A cohort of C02 alone, whom the toy's rows of spread cannot score."""
    folder = tmp_path / "new"
    folder.mkdir()
    lines = (clinic / "cohort.csv").read_text().splitlines()
    own = next(line for line in lines if line.startswith("C02,")).replace(";words.csv", "")
    (folder / "cohort.csv").write_text(f"{lines[0]}\n{own}\n")
    for file in clinic.glob("C02r*.csv"):
        shutil.copy(file, folder)
    return folder


def test_fused_rows_and_rows_without_anything_to_score_by_explain_nothing(
    cardio, joined_alone, without_spread, tmp_path
):
    answer = cardio(
        "predict",
        joined_alone,
        without_spread,
        "--device",
        "cpu",
        "--explain",
        tmp_path / "why",
        "--json",
    ).json
    assert {case["model"] for case in answer["explanations"]} == {"height", "height_value"}


def test_a_new_patient_without_the_view_of_a_row_gets_the_others_and_the_fused_row(
    cardio, joined_alone, without_spread
):
    answer = cardio("predict", joined_alone, without_spread, "--device", "cpu", "--json").json
    rows = {(row["model"], row["target"]) for row in answer["predictions"]}
    assert rows == {
        ("height", "ill"), ("both", "ill"), ("height_value", "severity"), ("both_value", "severity")
    }  # fmt: skip
    assert "Spread: no recording has what this model works on." in answer["notes"]
    number = {row["model"]: row.get("value") for row in answer["predictions"]}
    rule = read(joined_alone, "models/final/both_value/artifact/fusion-severity.json")
    height, spread, _, missing = rule["weights"]  # of the two rows, and of their absence
    expected = rule["intercept"] + height * number["height_value"] + missing
    expected += spread * rule["filled"][1]  # the mean of those who have it
    assert number["both_value"] == pytest.approx(expected, abs=1e-4)


def test_a_fold_in_which_no_study_has_what_a_row_works_on_is_judged_all_the_same(
    run_toy, clinic, tmp_path, monkeypatch
):
    from cardio_toy.clinic import one_feature

    genuine = one_feature._lacks

    def lacks(features, ctx):
        gone = ctx.hook == "predict" and ctx.fold == "r0-f1" and "spread" in str(ctx.model)
        return np.ones(len(features), bool) if gone else genuine(features, ctx)

    monkeypatch.setattr(one_feature, "_lacks", lacks)
    run = run_toy(tmp_path / "run", task="joined", data=(clinic,), protocol="honest", sets=(SKIP,))
    table = pd.read_csv(run / "predictions.csv")
    folds = table.groupby("model")["fold"].agg(set)
    everywhere = {"r0-f0", "r0-f1", "r0-f2"}
    assert folds["spread"] == folds["spread_value"] == everywhere - {"r0-f1"}
    assert folds["both"] == folds["both_value"] == everywhere


def test_a_fused_row_that_was_cut_off_is_resumed_to_the_same_numbers(
    joined_alone, run_toy, clinic, tmp_path
):
    run = tmp_path / "run"
    shutil.copytree(joined_alone, run)
    for lost in ("models/honest-r0-f1/both", "models/final/both_value", "metrics.json"):
        path = run / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    run_toy(run, task="joined", data=(clinic,), protocol="honest", sets=(SKIP,), resume=True)
    assert read(run, "metrics.json") == read(joined_alone, "metrics.json")


def test_weights_of_inner_folds_are_used_where_the_plan_declares_an_overlap(
    run_toy, clinic, tmp_path
):
    run = run_toy(
        tmp_path / "run", task="joined", data=(clinic,), protocol="paper",
        sets=(
            THREE, "protocols.paper.fusion=inner",
            "needs.mean_class.settings.protocols.paper.plan=apparent",
        ),
    )  # fmt: skip
    kinds = {note["kind"] for note in read(run, "manifest.json")["notes"]}
    assert "declared_overlap" in kinds and "fusion" not in kinds
    tested = pd.read_csv(run / "predictions.csv")
    assert len(tested[(tested["model"] == "both") & (tested["event"] == "ill")]) == 24


def test_a_fused_row_whose_members_the_cohort_cannot_support_says_why_it_is_not_there(
    run_toy, clinic, tmp_path
):
    said: list[str] = []
    run = run_toy(
        tmp_path / "run", task="joined", data=(clinic,), protocol="honest", said=said,
        sets=(THREE, SKIP, "load.without=[spread]"),
    )  # fmt: skip
    manifest = read(run, "manifest.json")
    assert manifest["models"] == ["height"]
    reason = (
        "Model Height and spread, fused is left out: of the models that it fuses (height, spread) "
        "fewer than two are run."
    )
    assert reason in said
    assert reason in [one["text"] for one in manifest["notes"]]


def test_a_need_is_not_both_named_and_skipped_and_nothing_is_started(run_toy, clinic, tmp_path):
    with refuses(
        ConfigError, "--from-run mean_class", "needs.mean_class.skip", code="contradiction"
    ):
        run_toy(
            tmp_path / "run", task="joined", data=(clinic,), protocol="honest", sets=(SKIP,),
            needs_from={"mean_class": tmp_path},
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_of_a_holdout_the_earlier_task_tells_of_the_tested_patients_alone(
    run_toy, clinic, tmp_path
):
    """Of its first row that was run, where the default one was left out."""
    run = run_toy(
        tmp_path / "run", task="joined", data=(clinic,), protocol="honest",
        sets=(
            THREE, "needs.mean_class.settings.protocols.honest.plan=holdout",
            "needs.mean_class.settings.models=[constant]",
        ),
    )  # fmt: skip
    (fold,) = read(run, "splits.json")["protocols"]["honest"]["folds"]
    told = read(run, "models/honest-r0-f0/height/artifact/joined.json")["earlier"]
    assert 0 < len(told) < 24
    assert set(told) == set(fold["test"])
    assert len(set(told.values())) == 1  # the prevalence, whoever it is
