"""Runs brought together by patient: who is shared, on which folds, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import refuses
from cardio_stats.errors import CardioError, DataError
from cardio_studies.fusion import fuse_runs
from cardio_studies.fusion_members import join, open_members, shared_folds

from .made_runs import folds_of, latent, made_run, seen


@pytest.fixture
def people() -> pd.DataFrame:
    return latent(60)


def two(folder: Path, people: pd.DataFrame, **second: Any) -> list[str]:
    """Runs ecg and echo: echo lacks the last ten patients, ecg the first five."""
    ecg = seen(people["z1"], 1.5)[5:]
    echo = second.pop("score", seen(people["z2"], 1.0)[:50])
    y = second.pop("y", people["y"])
    return [str(made_run(folder / "ecg", ecg, people["y"])),
            str(made_run(folder / "echo", echo, y, **second))]  # fmt: skip


def test_patients_are_joined_by_id_and_may_lack_a_modality(
    tmp_path: Path, people: pd.DataFrame
) -> None:
    joined = join(open_members(two(tmp_path, people)))
    assert list(joined.patients.index) == list(people.index)
    assert joined.patients["y"].tolist() == people["y"].tolist()
    assert joined.has["ecg"].tolist() == [False] * 5 + [True] * 55
    assert joined.has["echo"].tolist() == [True] * 50 + [False] * 10


def test_several_predictions_of_a_patient_are_the_mean_of_their_log_odds(
    tmp_path: Path, people: pd.DataFrame
) -> None:
    echo = seen(people["z2"], 1.0)
    twice = pd.concat([echo, 1 / (1 + np.exp(-people["z2"] - 2))])
    [_, member] = open_members(two(tmp_path, people, score=twice, fold=np.array(["r0-f0"] * 120)))
    found = member.rows.set_index("patient_id")["score"]
    # log odds z and z + 2 have the mean z + 1; csv keeps every digit here
    assert found.to_numpy() == pytest.approx(1 / (1 + np.exp(-people["z2"] - 1)), abs=1e-9)


@pytest.mark.parametrize(("plan", "kept"), [("sites", True), ("nested", False)])
def test_sites_of_the_members_are_kept_and_drawn_folds_are_cut_across(
    plan: str, kept: bool, tmp_path: Path, people: pd.DataFrame
) -> None:
    own = pd.Series(folds_of(people.index, k=5, seed=3), people.index)
    z = people["z1"]
    runs = [str(made_run(tmp_path / n, seen(one, 1.0), people["y"], own[one.index].to_numpy(),
                         plan=plan))
            for n, one in (("ecg", z[5:]), ("echo", z[:50]))]  # fmt: skip
    folds = shared_folds(join(open_members(runs)), seed=0)
    assert folds.same == kept
    together = pd.crosstab(folds.of[0], own)
    assert (together > 0).sum(axis=1).eq(1).all() == kept
    assert ((together > 0).sum(axis=1) > 2).all() != kept


def test_everybody_is_tested_once_and_balanced(tmp_path: Path, people: pd.DataFrame) -> None:
    folds = shared_folds(join(open_members(two(tmp_path, people))), seed=0)
    stored = folds.to_dict()["folds"]
    assert [fold["name"] for fold in stored] == [f"r0-f{i}" for i in range(10)]
    tested = [who for fold in stored for who in fold["test"]]
    assert sorted(tested) == list(people.index)
    assert not any(set(fold["test"]) & set(fold["train"]) for fold in stored)
    share = people["y"].mean()
    assert all(abs(people["y"][fold["test"]].mean() - share) < 0.2 for fold in stored)


def test_an_event_told_the_other_way_round_is_turned(tmp_path: Path, people: pd.DataFrame) -> None:
    echo = seen(people["z2"], 1.0)
    runs = two(tmp_path, people, score=1 - echo, y=1 - people["y"], classes=("yes", "no"))
    joined = join(open_members(runs))
    assert joined.members[1].rows["score"].to_numpy() == pytest.approx(echo.to_numpy())
    assert joined.patients["y"].tolist() == people["y"].tolist()


REFUSED = [
    ({"status": "failed"}, "echo: this run is not finished (failed); resume it first"),
    ({"core_version": "0.0.9"}, "echo: this run was made by cardio-core 0.0.9"),
    ({"protocols": ["paper"]}, "found the paper protocol alone"),
    ({"kind": "judged"}, "echo: expected a run, found a folder that is judged"),
    ({"kind": "fused"}, "echo: expected a run, found a folder that is fused"),
    ({"kind": "exported"}, "echo: expected a run, found a folder that is exported"),
    ({"targets": [{"name": "lvef", "kind": "continuous", "classes": [], "unit": "%",
                   "unscored": []}]}, "echo: expected an outcome of two classes, found lvef, a"),
    ({"models": ["other"], "primary": "net"}, "echo: has no model 'net'; it has other"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_what_is_no_member_is_refused_in_one_line(
    change: dict[str, Any], words: str, tmp_path: Path, people: pd.DataFrame
) -> None:
    runs, out = two(tmp_path, people, **change), tmp_path / "out"
    with pytest.raises(CardioError) as refusal:
        fuse_runs(runs, out)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not out.exists()


def test_patients_of_other_ids_or_other_outcomes_are_refused(
    tmp_path: Path, people: pd.DataFrame
) -> None:
    echo = seen(people["z2"], 1.0)
    strange = two(tmp_path / "a", people, score=echo.rename(lambda name: f"X{name}"),
                  y=people["y"].rename(lambda name: f"X{name}"))  # fmt: skip
    with refuses(DataError, "ecg", "0 patients"):
        fuse_runs(strange, tmp_path / "out")
    turned = people["y"].copy()
    turned.iloc[10:13] = 1 - turned.iloc[10:13]
    with refuses(DataError, "3 of 45"):
        fuse_runs(two(tmp_path / "b", people, y=turned), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_that_cannot_be_told_apart_are_refused(tmp_path: Path, people: pd.DataFrame) -> None:
    ecg, echo = two(tmp_path, people)
    for texts, words in (
        ([ecg], "expected two runs or more, found 1"),
        ([ecg, ecg], "ecg: two runs of this name"),
        ([ecg, f"fusion={echo}"], "fusion: a fusion has a model of this name"),
        ([ecg, f"a b={echo}"], "expected a name of letters"),
        ([ecg, str(tmp_path / "none")], "no such run"),
        ([ecg, f"{echo}:svm"], "has no model 'svm'; it has net"),
        ([ecg, str(tmp_path)], "no run directory (it has no manifest.json)"),
    ):
        with pytest.raises(CardioError) as refusal:
            fuse_runs(texts, tmp_path / "out")
        assert words in str(refusal.value)


def test_a_folder_that_holds_something_else_stays_as_it_is(
    tmp_path: Path, people: pd.DataFrame
) -> None:
    runs, out = two(tmp_path, people), tmp_path / "ecg"
    before = {path: path.read_bytes() for path in out.iterdir()}
    with refuses(CardioError, code="exists"):
        fuse_runs(runs, out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert json.loads((out / "manifest.json").read_text())["name"] == "ecg"
