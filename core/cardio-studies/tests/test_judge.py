"""Predictions of any tool on the page that a run gets, beside pROC and glm."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio
from cardio_stats.errors import ConfigError, DataError
from cardio_studies.ingest import read_given
from cardio_studies.ingest_columns import Question, guessed_scores, is_probability


def half_up(value: float) -> float:
    """Round to three decimals; no value of the formulas lies half way."""
    return math.floor(value * 1000 + 0.5) / 1000


def of_formula() -> pd.DataFrame:
    """The 80 rows that R judged: what `R` below prints is of them."""
    i = np.arange(80)
    y = ((i * 7) % 10 < 4).astype(int)
    a = [
        half_up(0.5 + 0.35 * math.sin(k * 1.3) + 0.12 * (t - 0.5))
        for k, t in zip(i, y, strict=True)
    ]
    b = [half_up(((k * 37) % 80) / 80 * 0.6 + 0.25 * t + 0.05) for k, t in zip(i, y, strict=True)]
    return pd.DataFrame({"y": y, "a": a, "b": b})


# R 4.2.2, pROC 1.18.0, on the same formulas: auc, ci.auc (DeLong), roc.test (paired), glm(y ~
# qlogis(a)), glm(y ~ offset(qlogis(a))), mean((a - y)^2)
R = {
    ("a", "", "auc"): 0.7200521,
    ("b", "", "auc"): 0.7851562,
    # the middle of the printed interval, which has one digit more than the areas
    ("a", "b", "auc_difference"): (-0.21137917 + 0.08117084) / 2,
    ("a", "", "calibration_slope"): 0.6816522,
    ("a", "", "calibration_in_the_large"): -0.5236664,
    ("a", "", "brier"): 0.2267209,
}
R_STATISTIC = -0.8723419
"""Of roc.test; our limits are those of t at 80 rows, wider than its normal ones."""


def judged(folder: Path, table: str, *options: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    path = folder / "predictions.csv"
    path.write_text(table, encoding="utf-8")
    out = folder / "out"
    said = call_cardio("judge", str(path), "--out", str(out), *options)
    assert said.exit_code == 0, said.stderr
    rows = json.loads((out / "metrics.json").read_text())
    return {
        (row["model"], row["versus"] or "", row["name"]): row
        for row in rows
        if row["fold"] is None and row["subgroup"] is None
    }


@pytest.fixture(scope="module")
def from_r(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A table as R's write.csv leaves it: numbered rows without a name, TRUE and FALSE."""
    folder = tmp_path_factory.mktemp("r")
    rows = of_formula()
    lines = [
        f'"{n + 1}",{"TRUE" if row.y else "FALSE"},{row.a:g},{row.b:g}'
        for n, row in enumerate(rows.itertuples())
    ]
    return folder, judged(folder, '"","y","a","b"\n' + "\n".join(lines) + "\n",
                          "--score", "a", "--score", "b", "--event", "TRUE")  # fmt: skip


def test_every_number_is_that_of_r(from_r: tuple[Path, Any]) -> None:
    _, found = from_r
    for place, value in R.items():
        assert found[place]["value"] == pytest.approx(value, abs=6e-8), place
    row = found["a", "b", "auc_difference"]
    assert row["extra"]["t"] == pytest.approx(R_STATISTIC, abs=6e-8)
    assert row["low"] < -0.21137917 < 0.08117084 < row["high"]


def test_the_page_reads_as_stored_without_what_it_cannot_know(
    from_r: tuple[Path, Any], same_text: Any
) -> None:
    folder, _ = from_r
    page = (folder / "out" / "report.html").read_text()
    same_text("judged_page", page, numbers=False)
    # what it cannot know: folds, training, a model that was declared
    for section in ("folds", "splits", "model-card"):
        assert f'id="{section}"' not in page, section


def test_an_index_of_pandas_gives_the_same_numbers(
    from_r: tuple[Path, Any], tmp_path: Path
) -> None:
    found = judged(tmp_path, of_formula().to_csv(), "--score", "a", "--score", "b")
    _, expected = from_r
    assert {key: row["value"] for key, row in found.items()} == {
        key: row["value"] for key, row in expected.items()
    }


def test_what_is_not_said_is_taken_by_its_name_and_told(tmp_path: Path) -> None:
    rows = of_formula().rename(columns={"y": "y_true"}).assign(
        prob_0=lambda t: 1 - t["a"], prob_1=lambda t: t["a"], y_pred=lambda t: (t["a"] > 0.5) * 1,
        case_id=[f"c{n // 2}" for n in range(80)],
    )  # fmt: skip
    path = tmp_path / "sklearn.csv"
    rows.drop(columns=["a", "b"]).to_csv(path, index=False)
    given = read_given(path, Question())
    assert [model.name for model in given.task.models] == ["prob_1"]
    told = " ".join(given.assumed)
    for words in ("y_true as the outcome", "case_id as the patient", "prob_1 as the score",
                  "Some patients have several rows"):  # fmt: skip
        assert words in told
    assert given.scored.frames["y_true"]["subject_id"].nunique() == 40


def test_a_score_that_is_no_probability_has_no_calibration(tmp_path: Path) -> None:
    rows = of_formula().assign(points=lambda t: (t["a"] * 40).round())
    found = judged(tmp_path, rows.to_csv(index=False), "--score", "points", "--score", "a")
    names = {(model, name) for model, _, name in found}
    assert ("points", "auc") in names
    assert {("a", "brier"), ("a", "calibration_slope")} <= names
    assert not {("points", "brier"), ("points", "calibration_slope")} & names
    assert found["points", "", "sensitivity"]["threshold_source"].startswith("chosen on these")


def test_thresholds_sites_missing_values_and_table_1_reach_the_page(tmp_path: Path) -> None:
    rows = of_formula().assign(
        patient_id=range(100, 180), centre=["A", "B"] * 40, age=np.arange(80) % 31 + 50.0
    )
    cohort = rows[["patient_id", "age"]]
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    rows.loc[3, "a"] = np.nan
    found = judged(
        tmp_path, rows.drop(columns="age").to_csv(index=False), "--score", "a",
        "--threshold", "0.3", "--cohort", str(tmp_path / "cohort.csv"), "--primary", "a",
    )  # fmt: skip
    kept = of_formula().drop(index=3)
    events = kept[kept["y"] == 1]
    assert found["a", "", "sensitivity"]["value"] == (events["a"] >= 0.3).mean()
    assert found["a", "", "sensitivity"]["threshold_source"] == "fixed: given"
    out = tmp_path / "out"
    manifest = json.loads((out / "manifest.json").read_text())
    assert any("a in 1" in note for note in [one["text"] for one in manifest["notes"]])
    metrics = json.loads((out / "metrics.json").read_text())
    assert {row["subgroup"] for row in metrics} - {None} == {"Centre: A", "Centre: B"}
    assert "Age" in (out / "tables" / "table1.csv").read_text()
    again = call_cardio("report", str(out))
    assert again.exit_code == 0


@pytest.mark.parametrize("empty", [0, 2, 3])
def test_a_run_of_ours_is_read_by_its_own_predictions(empty: int, tmp_path: Path) -> None:
    """A run leaves the ids empty that are finer than what it predicts: all but the patient's."""
    rows = of_formula()
    finer = {
        name: None if place < empty else rows.index
        for place, name in enumerate(("sample_id", "recording_id", "study_id"))
    }
    parts = [
        pd.DataFrame({"protocol": protocol, **finer, "patient_id": rows.index, "level": "patient",
                      "time_s": "", "repeat": 0, "fold": rows.index % 2, "model": model,
                      "target": "died", "event": "yes", "y_true": np.where(rows["y"], "yes", "no"),
                      "predicted": "no", "score": p})
        for protocol in ("honest", "paper")
        for model, p in (("a", rows["a"]), ("b", rows["b"]))
    ]  # fmt: skip
    found = judged(tmp_path, pd.concat(parts).to_csv(index=False))
    assert found["a", "", "auc"]["value"] == pytest.approx(R["a", "", "auc"], abs=6e-8)
    assert found["b", "", "auc"]["value"] == pytest.approx(R["b", "", "auc"], abs=6e-8)


@pytest.mark.parametrize("event", [None, "1", "0"])
def test_either_class_of_a_run_of_ours_is_judged_also_where_classes_are_numbers(
    event: str | None, tmp_path: Path
) -> None:
    """One class is scored in the file; the other's probability is what is left of 1."""
    rows = of_formula()
    truth = rows["y"].astype(object).where(rows.index != 3)  # a missing one makes the others 1.0
    table = pd.DataFrame({"protocol": "honest", "patient_id": rows.index, "repeat": 0,
                          "fold": rows.index % 2, "model": "a", "target": "died", "event": 1,
                          "y_true": truth, "score": rows["a"]})  # fmt: skip
    table.to_csv(tmp_path / "predictions.csv", index=False)
    found = read_given(tmp_path / "predictions.csv", Question(event=event))
    frame, known = found.scored.frames["died"], rows[rows.index != 3]
    classes = found.task.targets[0].classes
    asked = (frame["y_true"] == classes[1]).astype(int)
    own = 1 - known["y"] if event == "0" else known["y"]
    score = 1 - known["a"] if event == "0" else known["a"]
    assert asked.tolist() == own.tolist()
    assert frame[f"score:{classes[1]}"].to_numpy() == pytest.approx(score.to_numpy())


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        ({}, Question(scores=["c"]), "--score c: no such column; the table has y, a, b"),
        ({}, Question(scores=["y"]), "--score y: is the outcome"),
        ({}, Question(scores=["a"], primary="b"), "--primary b: is none of the scores"),
        ({}, Question(scores=["a"], thresholds=["high"]), "--threshold high: expected a number"),
        ({}, Question(), "--score: no numeric column is called"),
        ({"y": "z"}, Question(scores=["a"]), "--outcome: no column is called"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    change: dict[str, str], asked: Question, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    of_formula().rename(columns=change).to_csv(path, index=False)
    with pytest.raises(ConfigError) as refusal:
        read_given(path, asked)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("y", [1] * 80, "with one class there is nothing to predict"),
        ("y", [0, 1, 2, 0] * 20, "expected an outcome of two values, found 3"),
        ("a", ["high"] * 80, "expected numbers, found text such as 'high'"),
        ("a", [0.3] * 80, "found one value in all rows"),
    ],
)
def test_tables_that_cannot_be_judged_are_refused_in_one_line(
    column: str, values: list[Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    of_formula().assign(**{column: values}).to_csv(path, index=False)
    with pytest.raises(DataError) as refusal:
        read_given(path, Question(scores=["a"]))
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_another_folder_is_never_overwritten(tmp_path: Path) -> None:
    path, out = tmp_path / "p.csv", tmp_path / "out"
    of_formula().to_csv(path, index=False)
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    said = call_cardio("judge", str(path), "--score", "a", "--out", str(out))
    assert (said.exit_code, said.code) == (2, "exists")
    assert [one.name for one in out.iterdir()] == ["mine.txt"]


def test_of_two_columns_that_add_to_one_the_last_is_the_score() -> None:
    table = pd.DataFrame({"softmax_0": [0.3, 0.8, 0.1], "softmax_1": [0.7, 0.2, 0.9]})
    assert guessed_scores(table, []) == ["softmax_1"]
    assert not is_probability(pd.Series([0.0, 1.0, 1.0]))


def test_every_score_is_drawn_each_in_a_panel_where_they_are_many(tmp_path: Path) -> None:
    rows = of_formula().assign(c=lambda t: (t["a"] + t["b"]) / 2, points=lambda t: t["a"] * 40)
    names = ("a", "b", "c", "points")
    judged(tmp_path, rows.to_csv(index=False), *(w for n in names for w in ("--score", n)),
           "--primary", "b")  # fmt: skip
    figures = tmp_path / "out" / "figures"
    for stem, drawn in (("roc-y", names), ("decision-curve-y", names[:3]),
                        ("calibration-y", names[:3])):  # fmt: skip
        texts = {one.split(":")[0] for one in _texts(figures / f"{stem}.svg")}
        assert set(drawn) <= texts, stem
        assert ("points" in texts) == ("points" in drawn), stem
    assert "Declared beforehand" in _texts(figures / "forest-y.svg")


def _texts(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
    return [
        "".join(one.itertext()).strip() for one in root.iter("{http://www.w3.org/2000/svg}text")
    ]
