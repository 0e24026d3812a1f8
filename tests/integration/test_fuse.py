"""New patients through a fusion of two runs of the toy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import Result, names
from cardio_studies.fusion import Against, fuse_runs

from .latent_toys import people_of, record, two_runs


@pytest.fixture(scope="module")
def no_pictures() -> Iterator[None]:
    """Nothing here looks at a figure or a page, which take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cardio_core.runner.evaluate.draw_figure", lambda figure: [])
        patch.setattr("cardio_core.report.page.build_report", lambda run: run / "report.html")
        yield


@pytest.fixture(scope="module")
def site(run_toy: Any, tmp_path_factory: pytest.TempPathFactory, no_pictures: None) -> Path:
    """Runs z1 and z2 of 60 people, their fusion, and recordings of eight new people."""
    folder = tmp_path_factory.mktemp("site")
    people = people_of(60, seed=1, a=1.5, b=1.0)
    runs = two_runs(run_toy, folder, people, seed=1)
    rng = np.random.default_rng(0)
    clinic = pd.DataFrame({"patient_id": people.index, "age_y": rng.normal(60, 9, 60).round(1)})
    clinic.to_csv(folder / "clinic.csv", index=False)
    against = Against(folder / "clinic.csv", ["age_y"])
    fuse_runs(runs, folder / "fused", against=against, n_resamples=100)
    new = people_of(8, seed=2, a=1.5, b=1.0, prefix="N")
    record(folder / "new1", new[:6], "z1", seed=2)
    record(folder / "new2", new[2:], "z2", seed=2)
    return folder


@pytest.fixture
def predict(cardio: Callable[..., Result], site: Path) -> Callable[..., Result]:
    """`cardio predict` of the fusion, where it lies."""
    return lambda *words, run="fused": cardio("predict", run, *words, folder=site)


def scores_of(answer: dict[str, Any], model: str) -> dict[str, float]:
    rows = [row for row in answer["predictions"] if row["model"] == model]
    return {row["id"]: row["scores"]["ill"] for row in rows}


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_members_answer_and_their_answers_are_fused_by_patient(
    predict: Callable[..., Result], site: Path
) -> None:
    said = predict("z1=new1", "z2=new2", "--json")
    assert said.exit_code == 0, said.stderr
    answer = said.json
    fused, one, two = (scores_of(answer, name) for name in ("fusion", "z1", "z2"))
    assert set(fused) == {f"N{i:03d}" for i in range(8)}
    assert set(one) == {f"N{i:03d}" for i in range(6)}
    alone = json.loads(predict("new1", "--json", run="z1").stdout)
    assert one == scores_of(alone, "ridge")
    rule = json.loads((site / "fused/models/final/fusion/artifact/fusion-ill.json").read_text())
    w1, w2, no1, no2 = rule["weights"]
    for who, p in fused.items():
        odds = rule["intercept"] + (w1 * logit(one[who]) if who in one else no1)
        odds += w2 * logit(two[who]) if who in two else no2
        assert logit(p) == pytest.approx(odds, abs=2e-5)
    rows = [row for row in answer["predictions"] if row["model"] == "fusion"]
    assert {row["threshold_source"] for row in rows} == {"chosen on out-of-fold scores"}
    assert all(set(row["set"]) <= {"healthy", "ill"} for row in rows)
    notes = " ".join(answer["notes"])
    assert "2 of 8 patients lack z1, which everybody of the fusion had" in notes


def test_one_recording_a_modality_is_one_patient(
    predict: Callable[..., Result], site: Path
) -> None:
    said = predict("z1=new1/N002r0.csv", "z2=new2/N002r0.csv", "--json")
    assert said.exit_code == 0, said.stderr
    table = predict("z1=new1", "z2=new2", "--json").json
    [(who, score)] = scores_of(said.json, "fusion").items()
    assert who == "1"
    assert score == pytest.approx(scores_of(table, "fusion")["N002"], abs=0.2)
    told = predict("z1=new1/N002r0.csv", "--all-models")
    assert told.exit_code == 0
    assert "1 of 1 patient lacks z2" in told.stdout


def test_the_clinical_model_answers_where_its_table_is_given(
    predict: Callable[..., Result], site: Path
) -> None:
    pd.DataFrame({"patient_id": ["N000", "N001"], "age_y": [50, 70]}).to_csv(
        site / "ages.csv", index=False
    )
    answer = predict("z1=new1", "clinical=ages.csv", "--json").json
    assert set(scores_of(answer, "clinical")) == {"N000", "N001"}
    assert {"N000", "N001"} <= set(scores_of(answer, "fusion_clinical"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["new1"], 2, "new1: expected NAME=INPUT, with a name of z1, z2, clinical"),
        (["ct=new1"], 2, "ct=new1: expected NAME=INPUT"),
        (["z1=new1", "--gain", "2"], 2, "--gain: a fusion does not take it"),
        (["z1=new1", "--keep-features"], 2, "--keep-features: a fusion does not take it"),
        (["z1=new1", "z2=new2/N002r0.csv"], 3, "nothing says which of them are the same"),
        (["z1=new1", "z2=strangers"], 3, "none of them is in two inputs"),
        (["z1=nowhere"], 2, "nowhere: no such file or folder"),
        (["clinical=new1/N002r0.csv"], 2, "expected a table with a column patient_id"),
    ],
)
def test_inputs_that_cannot_be_joined_are_refused_in_one_line(
    words: list[str], code: int, said: str, predict: Callable[..., Result], site: Path
) -> None:
    if not (site / "strangers").exists():
        record(site / "strangers", people_of(2, 3, 1.5, 1.0, prefix="X"), "z2", seed=3)
    answer = predict(*words)
    assert answer.exit_code == code, answer.stderr
    assert said in answer.stderr.splitlines()[-1]


def test_a_fusion_is_validated_on_other_patients(
    cardio: Callable[..., Result], predict: Callable[..., Result], site: Path
) -> None:
    others = people_of(40, seed=9, a=1.5, b=1.0, prefix="E")
    record(site / "other1", others[:36], "z1", seed=9)
    record(site / "other2", others[4:], "z2", seed=9)
    said = cardio("evaluate", "fused", "--data", "z1=other1", "--data", "z2=other2",
                  "--out", "validated", folder=site)  # fmt: skip
    assert said.exit_code == 0, said.stderr
    found = {
        (row["protocol"], row["model"], row["name"]): row
        for row in json.loads((site / "validated" / "metrics.json").read_text())
        if not (row["versus"] or row["fold"] or row["subgroup"] or row["class_name"])
    }
    scores = pd.Series(scores_of(predict("z1=other1", "z2=other2", "--json").json, "fusion"))
    y = others.loc[scores.index, "y"]
    cases, controls = scores[y == 1].to_numpy(), scores[y == 0].to_numpy()
    area = float((np.sign(cases[:, None] - controls[None, :]) + 1).mean() / 2)
    row = found["external", "fusion", "auc"]
    assert (row["n"], row["value"]) == (40, pytest.approx(area, abs=1e-9))
    change = found["external", "fusion", "auc_change"]["value"]
    before = found["internal", "fusion", "auc"]["value"]
    assert change == pytest.approx(area - before, abs=1e-9)
    for words, code, why in (
        (["z1=data-z1"], 1, "60 of 60 patients were in the training of z1"),
        (["other1"], 2, "other1: expected NAME=INPUT"),
        (["z1=other1", "--site", "ward"], 2, "--site: a fusion does not take it"),
    ):
        refused = cardio("evaluate", "fused", "--data", *words, "--out", "no", folder=site)
        assert refused.exit_code == code, refused.stderr
        assert why in refused.stderr.splitlines()[-1]
    assert not (site / "no").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "fused", "--out", "gone"], "found a folder that is fused; name the run itself"),
        (["run", "--plugin", "toy", "--data", "new1", "--resume", "--out", "fused"],
         "fused: holds no run, but a folder that is fused; name another"),
    ],
)  # fmt: skip
def test_what_only_a_run_can_do_is_refused_in_one_line(
    words: list[str], said: str, cardio: Callable[..., Result], site: Path
) -> None:
    before = (site / "fused" / "manifest.json").read_bytes()
    refused = cardio(*words, folder=site)
    assert refused.exit_code == 2, refused.stderr
    assert said in refused.stderr.splitlines()[-1]
    assert (site / "fused" / "manifest.json").read_bytes() == before


def test_a_member_that_moved_or_changed_is_refused(
    predict: Callable[..., Result], site: Path
) -> None:
    weights = next((site / "z2/models/final/ridge/artifact").glob("linear.json"))
    kept = weights.read_text()
    weights.write_text(kept.replace("intercept", "intercept ", 1) + " ")
    changed = predict("z1=new1")
    weights.write_text(kept)
    assert changed.exit_code == 2
    assert changed.code == "mismatch" and names(changed.stderr, "z2")
    shutil.move(site / "z2", site / "elsewhere")
    moved = predict("z1=new1")
    shutil.move(site / "elsewhere", site / "z2")
    assert moved.exit_code == 2
    assert moved.code == "missing" and names(moved.stderr, "z2")
    assert predict("z1=new1").exit_code == 0
