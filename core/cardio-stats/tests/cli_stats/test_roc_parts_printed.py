"""`cardio stats roc` on parts and points of the curve and on several classes, and the planner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_stats import multiclass_auc, partial_auc, rate_at
from cardio_stats.words import METRICS

from .words import ROC


@pytest.fixture
def grades(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    grade = rng.integers(1, 4, 60)
    scores = rng.normal(size=(60, 3))
    scores[np.arange(60), grade - 1] += 1
    table = pd.DataFrame(scores, columns=["p1", "p2", "p3"]).assign(
        grade=grade, patient=np.arange(60) // 2
    )
    table.to_csv(tmp_path / "grades.csv", index=False)
    return tmp_path / "grades.csv"


def test_parts_and_points_are_those_of_the_service(cohort: Any, cardio: Any, file: Path) -> None:
    asked = ["--partial", "specificity:.8-1", "--at-specificity", ".9", "--at-sensitivity", ".8"]
    ran = cardio(ROC, file, *asked, "--threshold", "closest-topleft", "--json")
    found = {row["name"]: row for row in json.loads(ran.out)}
    table = cohort()
    y, score = table["response"], table["risk"]
    part = partial_auc(y, score, between=(0.8, 1))
    printed = found["partial_auc[specificity 0.8 to 1]"]
    assert [printed[key] for key in ("value", "low", "high")] == [part.value, part.low, part.high]
    assert found["partial_auc_corrected[specificity 0.8 to 1]"]["value"] > part.value
    sensitivity = rate_at(y, score, specificity=0.9)
    assert found["sensitivity_at[specificity 0.9]"]["low"] == sensitivity.low
    assert found["specificity_at[sensitivity 0.8]"]["threshold_source"].startswith("sensitivity")
    ratio = found["likelihood_ratio_positive"]
    rates = found["sensitivity"]["value"], found["specificity"]["value"]
    assert ratio["value"] == pytest.approx(rates[0] / (1 - rates[1]))
    assert "top left corner" in ratio["threshold_source"]


def test_several_classes_take_a_score_each(cardio: Any, grades: Path, tmp_path: Path) -> None:
    command = ["roc", "FILE", "--outcome", "grade", "--scores", "1=p1,2=p2,3=p3"]
    rows = json.loads(cardio(command, grades, "--patient", "patient", "--json").out)
    table = pd.read_csv(grades)
    expected = multiclass_auc(
        table["grade"], table[["p1", "p2", "p3"]], [1, 2, 3], patient=table["patient"]
    )
    assert (rows[0]["value"], rows[0]["low"]) == (expected["all"].value, expected["all"].low)
    assert rows[0]["n_patients"] == 30
    assert {row["name"] for row in rows} >= {"auc[1/2]", "auc[3 against the rest]"}
    printed = cardio(command, grades, "--svg", str(tmp_path / "roc.svg")).out
    assert METRICS["multiclass_auc"] in printed
    assert "3: AUC" in (tmp_path / "roc.svg").read_text()


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--score", "p1", "--scores", "1=p1"], 2, "expected --score COLUMN, or --scores"),
        ([], 2, "expected --score COLUMN, or --scores"),
        (["--scores", "1=p1,2=p2"], 3, "found none for 3"),
        (["--scores", "p1,p2,p3"], 2, "expected CLASS=COLUMN"),
        (["--scores", "1=p1,2=p2,3=p3", "--threshold", "0"], 2, "--threshold"),
        (["--scores", "1=p1,2=p2,3=q"], 3, "column 'q': not in the table"),
    ],
)
def test_classes_without_their_scores_are_refused(
    cardio: Any, grades: Path, more: list[str], code: int, says: str
) -> None:
    ran = cardio(["roc", "FILE", "--outcome", "grade", *more], grades)
    assert ran.code == code
    assert says in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--partial", ".8-1"], "expected specificity:.9-1"),
        (["--threshold", "best"], "youden or closest-topleft"),
    ],
)
def test_what_a_part_is_must_be_said(cardio: Any, file: Path, more: list[str], says: str) -> None:
    ran = cardio(ROC, file, *more)
    assert ran.code == 2
    assert says in ran.err


def test_the_planner_takes_correlated_scores_and_a_pilot(cardio: Any, file: Path) -> None:
    asked = ["planner", "compare", "--auc-a", ".8", "--auc-b", ".72", "--prevalence", ".4"]
    by_areas = json.loads(cardio([*asked, "--json"]).out)[0]
    by_scores = json.loads(cardio([*asked, "--score-correlation", ".5", "--json"]).out)[0]
    assert "Obuchowski-McClish" in by_scores["method"]
    assert by_scores["value"] > by_areas["value"]  # on the safe side
    pilot = ["planner", "pilot", "FILE", "--outcome", "response", "--scores", "risk,lvef_pct"]
    planned = json.loads(cardio([*pilot, "--json"], file).out)[0]
    swapped = [*pilot[:-1], "lvef_pct,risk", "--json"]
    assert json.loads(cardio(swapped, file).out)[0]["value"] == planned["value"]
    of_first = json.loads(cardio([*pilot, "--null-variance", "first", "--json"], file).out)[0]
    assert of_first["value"] != planned["value"]
    power = json.loads(cardio([*pilot, "--n", str(planned["n"]), "--json"], file).out)[0]
    assert power["value"] == pytest.approx(0.8, abs=0.01)
