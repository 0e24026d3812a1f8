"""Judged outcomes that are a number or of several classes, beside R, and as programs write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.patients import subgroup_metrics
from cardio_core.testing import call_cardio, names, refuses
from cardio_core.types.report import EvaluationReport
from cardio_stats.errors import CardioError, ConfigError, DataError
from cardio_stats.estimate import Estimate
from cardio_studies.ingest import Given, read_given
from cardio_studies.ingest_columns import Question
from cardio_studies.judgement import _undivided, evaluated

ORACLE = json.loads((Path(__file__).parent / "oracles" / "judged_kinds.json").read_text())
"""What R printed: oracles/judged_kinds.R."""
ROW = np.arange(90)
CLASSES = ("mild", "moderate", "severe")


def numbers() -> pd.DataFrame:
    y = (50 + 10 * np.sin(ROW * 1.7) + 4 * np.cos(ROW * 0.9)).round(3)
    return pd.DataFrame({"obs": y, "pred": (4 + 0.9 * y + 5 * np.sin(ROW * 2.3)).round(3)})


def classes() -> pd.DataFrame:
    g = (ROW * 7) % 10 // 4
    raw = np.column_stack([
        0.2 + 0.5 * ((g == k - 1) & ((ROW * (k + 2)) % 5 > 1))
        + 0.25 * np.abs(np.sin(ROW * (k + 0.3)))
        for k in (1, 2, 3)
    ]).round(3)  # fmt: skip
    made = pd.DataFrame((raw / raw.sum(axis=1, keepdims=True)).round(6), columns=list(CLASSES))
    made.insert(0, "obs", np.asarray(CLASSES)[g])
    return made


def judged(folder: Path, table: pd.DataFrame, *options: str, index: bool = False) -> Any:
    path, out = folder / "table.csv", folder / "out"
    table.to_csv(path, index=index)
    said = call_cardio("judge", path, "--out", out, *options)
    assert said.exit_code == 0, said.stderr
    rows = json.loads((out / "metrics.json").read_text())
    page = (out / "report.html").read_text()
    return {(r["class_name"] or "", r["name"]): r for r in rows
            if r["fold"] is None and not r["versus"] and not r["subgroup"]}, page  # fmt: skip


def given(folder: Path, table: pd.DataFrame, **asked: Any) -> Given:
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    return read_given(path, Question(**asked))


@pytest.fixture(scope="module")
def of_numbers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return judged(tmp_path_factory.mktemp("n"), numbers(), index=True)


@pytest.fixture(scope="module")
def of_classes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return judged(tmp_path_factory.mktemp("c"), classes())


def test_every_number_of_a_predicted_number_is_that_of_r(of_numbers: Any) -> None:
    found, _ = of_numbers
    for name, value in ORACLE["number"].items():
        assert found["", name]["value"] == pytest.approx(value, rel=1e-8), name
    for name, (low, high) in ORACLE["limits"].items():
        row = found["", name]
        assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-8), name


def test_every_number_of_classes_is_that_of_r(of_classes: Any) -> None:
    found, _ = of_classes
    for name, value in ORACLE["classes"]["auc"].items():
        assert found[name, "auc"]["value"] == pytest.approx(value, rel=1e-8), name
    for name in ("macro_f1", "accuracy", "kappa", "multiclass_auc"):
        assert found["", name]["value"] == pytest.approx(ORACLE["classes"][name], rel=1e-8), name


def test_the_pages_say_what_was_judged(of_numbers: Any, of_classes: Any) -> None:
    for page, words in (
        (of_numbers[1], ("the prediction “pred” reached a mean absolute error of 3.342",
                         "always saying the median would have had 6.599",
                         "Mean absolute error of every prediction", "obs, a number")),
        (of_classes[1], ("mean F1 score of the classes", "mild 36, moderate 36, severe 18",
                         "obs, of the classes mild, moderate, severe",
                         "decided is the class whose column is the largest")),
    ):  # fmt: skip
        for one in words:
            assert one in page, one


FEW = EvaluateBlock(n_resamples=100)


def pooled_of(found: Given) -> tuple[dict[str, Estimate], EvaluationReport]:
    """Evaluate without a page: its drawing is what takes time."""
    report = evaluated(found, FEW, 0)
    return {m.estimate.name: m.estimate for m in report.metrics if m.scope.fold is None}, report


def test_each_of_several_predictions_has_a_figure_and_they_are_compared(tmp_path: Path) -> None:
    table = numbers().assign(pred_2=lambda t: t["pred"] + np.cos(ROW))
    found, report = pooled_of(given(tmp_path, table))
    assert set(report.figures) == {"agreement-obs", "agreement-obs-pred_2"}
    errors = [np.abs(table[n] - table["obs"]).mean() for n in ("pred", "pred_2")]
    assert found["mae_difference"].value == pytest.approx(errors[0] - errors[1])


@pytest.mark.parametrize(
    ("names", "decided", "title"),
    [
        ([f".pred_{one}" for one in CLASSES], ".pred_class", ".pred"),  # tidymodels
        (list(CLASSES), "pred", "probabilities"),  # caret
        (["0", "1", "2"], "y_pred", "probabilities"),  # predict_proba in a DataFrame
        (["proba_0", "proba_1", "proba_2"], None, "proba"),
        (["X0", "X1", "X2"], None, "probabilities"),  # R's names of columns 0, 1 and 2
    ],
)
def test_columns_of_class_probabilities_are_known_by_their_names(
    names: list[str], decided: str | None, title: str, tmp_path: Path
) -> None:
    table = classes()
    truth = table.pop("obs")
    codes = truth.map({one: place for place, one in enumerate(CLASSES)})
    numbered = "2" in names[2]
    made = table.set_axis(names, axis=1).assign(obs=codes if numbered else truth)
    first = table.to_numpy().argmax(axis=1)
    if decided:
        turned = (first + 1) % 3  # not the largest: what was decided stands in its own column
        made[decided] = turned if numbered else np.asarray(CLASSES)[turned]
    found = given(tmp_path, made)
    [frame] = found.scored.frames.values()
    assert [model.name for model in found.task.models] == [title]
    wanted = (first + 1) % 3 if decided else first
    order = list(found.task.targets[0].classes)
    assert [order.index(one) for one in frame["predicted"]] == wanted.tolist()
    assert frame[f"score:{order[2]}"].tolist() == table["severe"].tolist()


def test_several_models_of_classes_stand_side_by_side(tmp_path: Path) -> None:
    table = classes()
    made = pd.concat(
        [table["obs"], *(table.drop(columns="obs").add_prefix(p) for p in ("rf_", "glm_"))], axis=1
    )
    assert [m.name for m in given(tmp_path, made).task.models] == ["rf", "glm"]
    assert [m.name for m in given(tmp_path, made, scores=["glm"]).task.models] == ["glm"]


def test_decided_classes_alone_have_no_areas(tmp_path: Path) -> None:
    table = classes()
    said = table[list(CLASSES)].idxmax(axis=1)
    found, _ = pooled_of(given(tmp_path, pd.DataFrame({"label": table["obs"], "pred": said})))
    accuracy = float((said == table["obs"]).mean())
    assert found["accuracy"].value == pytest.approx(accuracy)
    assert not [name for name in found if "auc" in name]


def test_folds_of_caret_and_tidymodels_are_folds_and_repeats_are_averaged(tmp_path: Path) -> None:
    rows = numbers()
    fold = [f"Fold{i % 3 + 1}" for i in ROW]
    caret = pd.concat([
        rows.assign(pred=rows["pred"] + shift, rowIndex=ROW + 1,
                    Resample=[f"{one}.Rep{number}" for one in fold])
        for number, shift in ((1, 0.0), (2, 1.0))
    ])  # fmt: skip
    tidy = caret.rename(columns={"rowIndex": ".row", "pred": ".pred"}).drop(columns="Resample")
    tidy = tidy.assign(id=["Repeat1"] * 90 + ["Repeat2"] * 90, id2=fold * 2)
    for table in (caret, tidy):
        read = given(tmp_path, table)
        found, report = pooled_of(read)
        error = np.abs(rows["pred"] + 0.5 - rows["obs"]).mean()
        assert (found["mae"].value, found["mae"].n) == (pytest.approx(error), 90)
        assert len({m.scope.fold for m in report.metrics} - {None}) == 6
        words = " ".join(read.assumed)
        assert "3 folds, 2 repeats). Numbers are of all folds pooled" in words
        assert "predictions are averaged over them" in words


def test_rows_of_training_are_not_judged(tmp_path: Path) -> None:
    table = numbers().assign(split=np.where(ROW % 3 == 0, "test", "train"))
    found = given(tmp_path, table)
    assert len(found.scored.frames["obs"]) == 30
    assert "the 30 rows of test are judged, 60 others are not" in found.assumed[0]
    with refuses(DataError, "'split'"):
        given(tmp_path, table.assign(split="train"))


def test_many_sites_have_an_estimate_each_and_more_are_told_what_to_do(tmp_path: Path) -> None:
    table = numbers().assign(site=ROW % 6)
    read = given(tmp_path, table)
    metrics, _ = subgroup_metrics(read.scored, read.task, read.groups, FEW, most=read.may_divide)
    own = {m.scope.subgroup: m.estimate.value for m in metrics}
    here = table[table["site"] == 4]
    assert own["Site: 4"] == pytest.approx(np.abs(here["pred"] - here["obs"]).mean())
    assert len(own) == 6
    said = _undivided(given(tmp_path, table.assign(site=ROW % 45)))
    assert "45 values, more than 30, so no groups were formed; make a column of fewer" in said[0]


def refusal(folder: Path, table: pd.DataFrame, **asked: Any) -> CardioError:
    with pytest.raises((DataError, ConfigError)) as caught:
        given(folder, table, **asked)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        ({"pred": 0.5 + 0.4 * np.sin(ROW)}, {}, "found numbers between 0 and 1; name the"),
        ({}, {"thresholds": ["40"]}, "--threshold 40: obs is a number"),
        ({}, {"event": "50", "kind": "number"}, "--event 50: an outcome of --kind number has none"),
        ({"obs": ROW % 4}, {}, "found 4 whole numbers (0, 1, 2, 3); say --kind number, or"),
        ({"obs": ROW % 4}, {"kind": "classes"}, "called by it (prob_0), or one of decided classes"),
        ({"obs": np.where(ROW % 2, "a", "b")}, {"kind": "number"}, "--kind number expects numbers"),
        ({"obs": np.asarray(CLASSES)[ROW % 3], "p_mild": 0.3, "p_severe": 0.3}, {},
         "p lacks moderate"),
        ({"rowIndex": ROW // 2, "Resample": "Fold1"}, {}, "keep one (trainControl(save"),
        ({".config": np.where(ROW % 2, "Model1", "Model2")}, {}, "2 settings of one model"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_in_one_line(
    change: dict[str, Any], asked: dict[str, Any], words: str, tmp_path: Path
) -> None:
    assert words in str(refusal(tmp_path, numbers().assign(**change), **asked))


def test_runs_of_numbers_and_of_classes_are_read_by_their_own_predictions(tmp_path: Path) -> None:
    ids = dict.fromkeys(("sample_id", "recording_id", "study_id"), "")
    about = {
        "protocol": "honest",
        **ids,
        "patient_id": ROW,
        "repeat": 0,
        "fold": ROW % 3,
        "model": "net",
    }
    rows, wide = numbers(), classes()
    number = pd.DataFrame({**about, "target": "mfr", "event": "", "y_true": rows["obs"],
                           "score": rows["pred"]})  # fmt: skip
    several = pd.concat([
        pd.DataFrame({**about, "target": "grade", "event": one, "y_true": wide["obs"],
                      "score": wide[one]}) for one in CLASSES
    ])  # fmt: skip
    found = given(tmp_path, number)
    assert found.task.targets[0].kind == "continuous"
    assert found.scored.frames["mfr"]["score"].tolist() == rows["pred"].tolist()
    found = given(tmp_path, several)
    assert found.task.targets[0].classes == CLASSES
    frame = found.scored.frames["grade"].sort_values("patient_id", key=lambda s: s.astype(int))
    assert frame["score:severe"].tolist() == wide["severe"].tolist()


def test_compare_refuses_other_outcomes_than_of_two_values(tmp_path: Path) -> None:
    numbers().assign(patient_id=ROW).to_csv(tmp_path / "a.csv", index=False)
    said = call_cardio("compare", tmp_path / "a.csv", f"b={tmp_path / 'a.csv'}")
    assert said.exit_code == 3
    assert said.code == "unsupported" and names(said.stderr, "obs", "--event", "judge")


def test_overlaps_of_nn_u_net_and_other_json_are_refused_with_what_can_be_judged(
    tmp_path: Path,
) -> None:
    metrics = {"1": {"Dice": 0.9, "n_pred": 100, "n_ref": 110}}
    case = {"metrics": metrics, "prediction_file": "/x/Mary_Smith.nii.gz"}
    for name, content, words in (
        ("summary.json", {"metric_per_case": [case]}, "--outcome n_ref --score n_pred"),
        ("p.json", {"rows": [1, 2]}, "expected a CSV or Parquet table, found JSON; write it"),
    ):
        (tmp_path / name).write_text(json.dumps(content))
        with pytest.raises(DataError) as caught:
            read_given(tmp_path / name, Question())
        assert words in str(caught.value) and "Smith" not in str(caught.value)
        assert "\n" not in str(caught.value)
