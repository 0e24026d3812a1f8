"""`cardio stats survival`: curves, Cox models and scores from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import names

RUN = ["survival", "FILE", "--time", "days", "--status", "died"]


def patients(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    ef, arm = rng.normal(30, 8, n), np.where(np.arange(n) % 2 == 0, "ICD", "medical")
    had = rng.exponential(900 * np.exp(0.05 * (ef - 30)))
    lost = rng.uniform(100, 1500, n)
    return pd.DataFrame(
        {
            "patient": [f"p{i}" for i in range(n)],
            "days": np.minimum(had, lost).round(0),
            "died": (had <= lost).astype(int),
            "arm": arm,
            "lvef_pct": ef.round(1),
            "risk": (1 / (1 + np.exp(0.1 * (ef - 30)))).round(3),
        }
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "patients.csv"
    patients().to_csv(path, index=False)
    return path


def test_curves_by_group_and_their_figure(cardio: Any, table: Path, tmp_path: Path) -> None:
    figure = tmp_path / "curves.svg"
    ran = cardio([*RUN, "--groups", "arm", "--at", "365,730"], table, "--svg", figure)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "Time to died = 1 by arm"
    assert lines[3].startswith("ICD ")
    assert lines[4].startswith("medical ")
    assert "Log-rank test: chi2" in ran.out
    assert "Median follow-up" in ran.out
    drawn = figure.read_text()
    assert "at risk" in drawn
    in_arm = patients().query("arm == 'ICD'")["days"]
    assert f">{(in_arm >= 0).sum()}</text>" in drawn
    assert f">{(in_arm >= 400).sum()}</text>" in drawn


def test_a_cox_model_has_ratios_and_their_test(cardio: Any, table: Path) -> None:
    command = [*RUN, "--columns", "lvef_pct,arm", "--at", "365", "--patient", "patient"]
    ran = cardio(command, table)
    assert ran.code == 0
    assert "arm=medical" in ran.out
    assert "Apparent, scored on the rows that were fitted: Harrell's C" in ran.out
    found = {one["name"]: one for one in json.loads(cardio([*command, "--json"], table).out)}
    assert found["hazard_ratio[lvef_pct]"]["value"] < 1
    assert found["hazard_ratio[lvef_pct]"]["unit"] == "patient"
    assert {"proportional_hazards_chi2[all]", "apparent_brier_at[365]"} <= set(found)
    assert all(name.startswith("apparent_") for name in found if "harrell" in name)


def test_a_risk_is_judged_at_its_time(cardio: Any, table: Path) -> None:
    ran = cardio([*RUN, "--risk", "risk", "--at", "365"], table)
    assert ran.code == 0
    for words in (
        "Harrell's C",
        "Uno's C",
        "AUC at 365",
        "Brier score at 365",
        "Calibration slope (Cox) at 365",
        "followed beyond",
    ):
        assert words in ran.out
    figure = table.with_suffix(".svg")
    assert cardio([*RUN, "--risk", "risk", "--at", "365"], table, "--svg", figure).code == 0
    assert "observed risk by 365 (days)" in figure.read_text()
    turned = cardio([*RUN, "--score", "lvef_pct"], table)
    assert "below one half: higher lvef_pct goes with later events" in turned.out


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--groups", "arm", "--score", "risk"], 2, "--groups and --score: expected one of"),
        (["--risk", "risk"], 2, "--risk: expected one time"),
        (["--score", "risk", "--svg", "x.svg"], 2, "--svg: a score has no figure"),
        (["--at", "soon"], 2, "--at: expected numbers above 0, as 365,1825, found 'soon'"),
        (["--at", "-3"], 2, "--at: expected numbers above 0, as 365,1825, found '-3'"),
        (["--at", "9e5"], 3, "the longest follow-up; choose an earlier one"),
        (["--risk", "lvef_pct", "--at", "365"], 3, "expected probabilities from 0 to 1"),
        (["--groups", "lvef_pct"], 3, "expected at most 12 groups"),
        (["--columns", "lvef_pct,days"], 3, "'days': is both outcome and predictor"),
        (["--score", "lvef"], 3, "not in the table; nearest: lvef_pct"),
        (["--score", "died"], 3, "is both outcome and score"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    cardio: Any, table: Path, more: list[str], code: int, words: str
) -> None:
    ran = cardio([*RUN, *more], table)
    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert words in ran.err


def test_several_rows_a_patient_are_refused(cardio: Any, tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    patients().assign(patient=lambda t: t.index // 2).to_csv(path, index=False)
    ran = cardio([*RUN, "--patient", "patient"], path)
    assert (ran.code, ran.err.count("\n")) == (3, 1)
    assert ran.fault == "duplicate" and names(ran.err, 120, 60, 0, 2)
