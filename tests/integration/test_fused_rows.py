"""Rows that predict some targets of some units, and rows that the core fuses from others."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import statsmodels.api as sm

from cardio_core.errors import LeakageError
from cardio_core.testing import names, refuses
from cardio_stats.errors import ConfigError


def read(run: Path, name: str):
    return json.loads((run / name).read_text())


@pytest.fixture(scope="module")
def joined_run(run_toy, clinic, tmp_path_factory) -> Path:
    """`joined` under both protocols; it makes `mean_class` first."""
    return run_toy(tmp_path_factory.mktemp("runs") / "joined", task="joined", data=(clinic,))


@pytest.fixture(scope="module")
def table(joined_run) -> pd.DataFrame:
    return pd.read_csv(joined_run / "predictions.csv")


def test_a_row_predicts_its_own_targets_alone(table):
    rows = {name: set(part["target"]) for name, part in table.groupby("model")}
    assert rows == {
        "height": {"ill"}, "spread": {"ill"}, "both": {"ill"},
        "height_value": {"severity"}, "spread_value": {"severity"}, "both_value": {"severity"},
    }  # fmt: skip


def test_units_that_a_partial_row_cannot_score_are_left_out_of_it_and_of_nothing_else(table):
    honest = table[(table["protocol"] == "honest") & (table["event"] == "ill")]
    patients = {name: set(part["patient_id"]) for name, part in honest.groupby("model")}
    lacking = {f"C{n:02d}" for n in range(2, 24, 3)}
    assert patients["height"] - patients["spread"] == lacking
    assert patients["both"] == patients["height"]


def test_a_number_has_one_row_a_unit_and_names_no_event(table):
    numbers = table[table["target"] == "severity"]
    assert len(numbers) and numbers["event"].isna().all()
    assert not numbers.duplicated(["protocol", "model", "patient_id", "repeat", "fold"]).any()


def test_fused_rows_are_compared_on_the_units_that_both_rows_have(joined_run):
    pairs = [
        m for m in read(joined_run, "metrics.json")
        if m["protocol"] == "honest" and {m["model"], m.get("versus")} == {"both", "spread"}
    ]  # fmt: skip
    assert pairs
    # 24 patients, 8 of them without spread
    assert {m["n"] for m in pairs} == {16}


def test_the_weights_of_a_fold_are_those_of_glm_on_the_inner_folds_predictions(joined_run):
    """statsmodels' GLM, unpenalised, on what the members' inner folds predicted."""
    place = joined_run / "models" / "final"
    fitted = read(place, "both/artifact/fusion-ill.json")
    assert fitted["method"] == "ml"
    x, y = _inner_table(joined_run, place)
    found = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
    expected = [found.params["height"], found.params["spread"], 0.0, found.params["missing"]]
    assert fitted["weights"] == pytest.approx(expected, abs=1e-4)
    assert fitted["n_rows"] == len(y)


def _inner_table(run: Path, place: Path):
    import numpy as np

    from cardio_core.io.store import load_table

    frames = {
        name: load_table(place / name / "inner" / "predictions-ill.npz").set_index("unit_id")
        for name in ("height", "spread")
    }
    logit = {name: np.log(f["score:ill"] / f["score:healthy"]) for name, f in frames.items()}
    x = pd.DataFrame(logit).sort_index()
    x["missing"] = x["spread"].isna().astype(float)
    number = x.index.str.extract(r"C(\d+)", expand=False).astype(int)
    return x.fillna(0.0), (number % 2).to_numpy(float)  # odd patients of the cohort are ill


def test_the_weights_of_every_fold_stand_in_a_table(joined_run):
    table = pd.read_csv(joined_run / "tables" / "honest-fusion-weights-both.csv")
    assert table["fold"].tolist() == ["r0-f0", "r0-f1", "r0-f2"]
    for row in table.to_dict("records"):
        stored = read(joined_run, f"models/honest-{row['fold']}/both/artifact/fusion-ill.json")
        assert row["logit:height"] == pytest.approx(stored["weights"][0], rel=1e-4)
        assert row["n_rows"] == stored["n_rows"]


def test_no_tested_patient_is_among_those_whom_the_weights_are_fitted_on(joined_run):
    splits = read(joined_run, "splits.json")["protocols"]["honest"]
    for fold in splits["folds"]:
        name = f"models/honest-{fold['name']}/both/artifact/seen.json"
        tested = set(fold["test"])
        assert tested
        assert not tested & set(read(joined_run, name)["subjects"])


# With few who validate, the weights cannot be fitted at all: the leak raises all the same.
FEW_VALIDATE = ("inner.k=1", "inner.validation_share=0.2")


@pytest.mark.parametrize("sets", [(), FEW_VALIDATE], ids=["enough", "too few to fit"])
def test_a_planted_leak_into_the_fusion_raises(run_toy, clinic, tmp_path, monkeypatch, sets):
    """Inner predictions that hold a tested patient stop the run."""
    from cardio_core.runner import fused_models as fusing

    genuine = fusing._inner

    def leaking(members, target, job):
        frames = genuine(members, target, job)
        tested = fusing.read_frames(members, target)
        return {name: pd.concat([frames[name], tested[name].iloc[:1]]) for name in frames}

    monkeypatch.setattr(fusing, "_inner", leaking)
    with pytest.raises(LeakageError, match="tested patient"):
        run_toy(tmp_path / "run", task="joined", data=(clinic,), protocol="honest",
                sets=("needs.mean_class.skip=true", *sets))  # fmt: skip


def test_fusion_on_the_tested_is_stamped_under_paper_and_refused_under_honest(
    joined_run, run_toy, clinic, tmp_path
):
    assert any(
        note["kind"] == "fusion" and names(note["text"], "tested patients")
        for note in read(joined_run, "manifest.json")["notes"]
    )
    with pytest.raises(ConfigError, match=r"protocols\.honest\.fusion"):
        run_toy(
            tmp_path / "run", task="joined", data=(clinic,), protocol="honest",
            sets=("protocols.honest.fusion=tested",),
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_a_fusion_without_inner_folds_is_refused(run_toy, clinic, tmp_path):
    with pytest.raises(LeakageError, match=r"set inner\.k"):
        run_toy(
            tmp_path / "run", task="joined", data=(clinic,), protocol="honest",
            sets=("inner.k=0",),
        )  # fmt: skip


def test_a_published_evaluation_without_inner_folds_goes_on_without_the_fusion(
    run_toy, clinic, tmp_path
):
    run = run_toy(
        tmp_path / "run", task="joined", data=(clinic,), protocol="paper",
        sets=("inner.k=0", "needs.mean_class.skip=true", "models=[height,spread,both]"),
    )  # fmt: skip
    notes = " ".join([one["text"] for one in read(run, "manifest.json")["notes"]])
    assert "left out of protocol paper: its weights cannot be fitted" in notes
    assert "no inner folds to fit the weights on (inner.k is 0)" in notes
    assert set(pd.read_csv(run / "predictions.csv")["model"]) == {"height", "spread"}


def test_a_fusion_of_one_row_is_left_out_and_the_first_lines_say_so(run_toy, clinic, tmp_path):
    said: list[str] = []
    run = run_toy(
        tmp_path / "run", task="joined", data=(clinic,), protocol="honest", said=said,
        sets=("models=[height, both, both_value]", "needs.mean_class.skip=true"),
    )  # fmt: skip
    assert read(run, "manifest.json")["models"] == ["height"]
    assert read(run, "manifest.json")["needs"] == []
    left_out = [line for line in said if "fewer than two are run" in line]
    assert [line.partition(" is left out")[0] for line in left_out] == [
        "Model Height and spread, fused", "Model Severity from both",
    ]  # fmt: skip


def test_out_of_fold_predictions_of_the_earlier_task_reach_training(joined_run):
    earlier = read(joined_run, "models/honest-r0-f1/height/artifact/joined.json")["earlier"]
    theirs = pd.read_csv(joined_run / "needs" / "mean_class" / "predictions.csv")
    own = theirs[
        (theirs["protocol"] == "honest") & (theirs["model"] == "ridge") & (theirs["event"] == "ill")
    ]
    assert earlier == pytest.approx(own.set_index("patient_id")["score"].to_dict(), rel=1e-5)


def test_a_need_that_a_task_cannot_skip_is_not_skipped(run_toy, clinic, tmp_path):
    with refuses(ConfigError, "needs.mean_class.skip", code="contradiction"):
        run_toy(
            tmp_path / "run", task="second", data=(clinic,), protocol="honest",
            sets=("needs.mean_class.skip=true",),
        )  # fmt: skip


def test_new_patients_get_the_fused_score_of_the_stored_weights(cardio, joined_run, clinic):
    """The plain sum of logits, worked out from the answer's own rows."""
    from math import exp, log

    answer = cardio("predict", joined_run, clinic / "C02r0.csv", "--device", "cpu", "--json").json
    p = {row["model"]: row["scores"]["ill"] for row in answer["predictions"] if "scores" in row}
    rule = read(joined_run, "models/final/both/artifact/fusion-ill.json")
    total = rule["intercept"] + sum(
        weight * log(p[name] / (1 - p[name]))
        for name, weight in zip(rule["models"], rule["weights"][:2], strict=True)
    )
    assert p["both"] == pytest.approx(1 / (1 + exp(-total)), abs=1e-4)


def test_the_tasks_of_a_family_share_their_features(joined_run):
    stages = read(joined_run, "manifest.json")["data"]["n_samples"]
    earlier = read(joined_run / "needs" / "mean_class", "manifest.json")["data"]["n_samples"]
    assert stages == earlier
