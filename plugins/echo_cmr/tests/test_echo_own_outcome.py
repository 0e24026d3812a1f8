"""The task `outcome`: any column of the cohort table, told from the loops of a study."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import (
    Cohort,
    ConfigError,
    EvaluateBlock,
    Explanation,
    SampleSet,
    Scored,
    Target,
    Targets,
)
from cardio_core.testing import refuses, run_plugin, training_context
from cardio_echo_cmr.findings.config import ExplainBlock, PredictBlock, TrainBlock
from cardio_echo_cmr.findings.evaluate import evaluate
from cardio_echo_cmr.findings.explain import explain
from cardio_echo_cmr.findings.predict import predict
from cardio_echo_cmr.findings.tasks import OUTCOME
from cardio_echo_cmr.findings.train import train
from cardio_echo_cmr.synthetic import patients, synthesize

from .echo_cohorts import loaded, write_clip, write_table
from .echo_small_videos import small_cohort

pytestmark = pytest.mark.usefixtures("blank_figures", "sparse_speckle")

GRADES = ("absent", "mild", "strong")
TARGETS = {
    "binary": Target("arm", "binary", ("CRT-D", "CRT-P")),
    "multiclass": Target("grade", "multiclass", GRADES),
    "continuous": Target("change", "continuous"),
}
SMALL = TrainBlock(
    width_mult=0.0625, n_frames=8, period=2, pad=2,
    fit={"epochs": 1, "batch_size": 4, "learning_rate": 4e-3},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Six studies with a clip of A4C, an outcome of each kind, and a CMR of long ago."""
    rows = [
        {
            "patient_id": f"P{n}", "study_id": f"s{n}", "days_echo_to_cmr": 400,
            "path_echo_a4c": write_clip(tmp_path / f"{n}.npy", 12 + n).name, "lvef_bl_pct": 30 + n,
            "age_y": 60 + n, "sex": "MF"[n % 2], "arm": ("CRT-P", "CRT-D", "none")[n % 3],
            "grade": GRADES[n // 2], "change": -10.5 * n,
        }
        for n in range(6)
    ]  # fmt: skip
    write_table(tmp_path, rows)
    return tmp_path


@pytest.mark.parametrize("kind", TARGETS)
def test_loops_and_a_column_are_enough_and_no_cmr_is_asked_for(folder, kind):
    made = loaded(folder, "outcome", asked=TARGETS[kind], frame_rate_hz=50)
    assert made.targets is None and TARGETS[kind].name in made.table.columns
    assert len(made.samples) == 6 and made.excluded == {}
    assert made.unsupported.keys() == {"a2c", "plax", "fused"}


def test_without_a_column_the_task_says_what_it_expects(folder):
    with refuses(ConfigError, "task outcome", "--outcome", "COLUMN"):
        loaded(folder, "outcome", frame_rate_hz=50)


@pytest.mark.parametrize(
    ("column", "kind", "model", "hidden"),
    [("lvef_bl_pct", "continuous", "lvef", "lvef_pct"), ("sex", "binary", "age_sex", "sex_male")],
)
def test_no_baseline_sees_what_it_is_to_predict(folder, column, kind, model, hidden):
    asked = Target(column, kind, ("M", "F") if kind == "binary" else ())
    made = loaded(folder, "outcome", asked=asked, frame_rate_hz=50)
    assert made.samples.table[hidden].isna().all()
    assert made.unsupported[model].endswith("what is predicted")
    other = {"lvef": "age_sex", "age_sex": "lvef"}[model]
    assert other not in made.unsupported


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("binary", "arm is known of 4 and 2 studies without and with it"),
        ("multiclass", "grade is known of 2 and 2 studies of its two largest classes"),
        ("continuous", "change is known of 6 studies with a value"),
    ],
)
def test_too_few_studies_are_counted_by_class(folder, kind, said):
    made = loaded(folder, "outcome", asked=TARGETS[kind], frame_rate_hz=50, min_studies=7)
    assert made.unsupported["a4c"].startswith(said)


@pytest.fixture(scope="module")
def cohort():
    """Videos of 24 patients; the grade is by age, the change ten times the age."""
    features, _ = small_cohort(24)
    number = np.arange(24)
    studies = [f"p{n:02d}-s" for n in number]
    table = pd.DataFrame(
        {"arm": pd.array(number // 12, "Int64"), "grade": np.array(GRADES, object)[number % 3],
         "change": 10.0 * (50 + number)},
        index=studies,
    )  # fmt: skip
    table.loc["p03-s"] = [pd.NA, None, np.nan]
    return features, Targets("study", table)


def fitted(cohort, kind, model, out):
    target = TARGETS[kind]
    ctx = training_context(OUTCOME.predicting(target), model, out, outcome=target.name)
    features, targets = cohort
    return train(features, None, targets, SMALL, ctx), ctx


@pytest.mark.parametrize("kind", TARGETS)
def test_a_views_network_scores_and_explains_every_kind(cohort, kind, tmp_path):
    artifact, ctx = fitted(cohort, kind, "a4c", tmp_path)
    features, target = cohort[0], TARGETS[kind]
    found = predict(artifact, features, PredictBlock(), ctx)
    scores = found.scores[target.name]
    assert scores.shape == ((72, 3) if kind == "multiclass" else (72,))
    own = features.table["view_given"].to_numpy() == "a4c"
    assert np.isfinite(scores[own]).all() and np.isnan(scores[~own]).all()
    if kind == "multiclass":
        np.testing.assert_allclose(scores[own].sum(axis=1), 1.0, atol=1e-6)
        assert found.columns == {}
    made = explain(artifact, features, found, ExplainBlock(n_cases=1, video=False), ctx)
    assert len(made.cases) == 2 and made.tested().empty
    begins = {"binary": "Surest for", "multiclass": "Surest of", "continuous": "Highest predicted"}
    assert made.cases[0].title.startswith(begins[kind])


def test_a_network_of_three_classes_has_three_outputs_and_starts_from_other_weights(
    cohort, tmp_path
):
    (tmp_path / "first").mkdir()
    artifact, _ = fitted(cohort, "multiclass", "a4c", tmp_path / "first")
    weights = artifact.path / "weights.safetensors"
    assert artifact.read_json("model.json")["network"]["n_outputs"] == 3
    (tmp_path / "second").mkdir()
    ctx = training_context(
        OUTCOME.predicting(TARGETS["multiclass"]), "a4c", tmp_path / "second", outcome="grade"
    )
    block = SMALL.model_copy(update={"weights": str(weights)})
    again = train(*(cohort[0], None, cohort[1]), block, ctx)
    assert any("its last layer too" in note for note in map(str, again.notes))


def test_a_baseline_finds_what_follows_from_age(cohort, tmp_path):
    features, targets = cohort
    once = features.view(np.flatnonzero(features.table["view_given"] == "a4c"))
    for kind in ("binary", "continuous"):
        (tmp_path / kind).mkdir()
        artifact, ctx = fitted(cohort, kind, "age_sex", tmp_path / kind)
        found = predict(artifact, once, PredictBlock(), ctx).scores[TARGETS[kind].name]
        truth = pd.to_numeric(targets.of(once.table, TARGETS[kind].name), errors="coerce")
        known = ~np.isnan(np.asarray(truth, float))
        assert np.corrcoef(found[known], np.asarray(truth, float)[known])[0, 1] > 0.8
    (tmp_path / "grade").mkdir()
    artifact, ctx = fitted(cohort, "multiclass", "age_sex", tmp_path / "grade")
    scores = predict(artifact, once, PredictBlock(), ctx).scores["grade"]
    np.testing.assert_allclose(scores.sum(axis=1), 1.0)


@pytest.mark.parametrize("kind", TARGETS)
def test_the_report_is_the_cores_with_the_views_that_studies_have(kind):
    n, target = 12, TARGETS[kind]
    studies = [f"s{i}" for i in range(n)]
    frame = pd.DataFrame(
        dict.fromkeys(("unit_id", "study_id", "patient_id", "subject_id"), studies)
    )
    frame = frame.assign(sample_id=None, recording_id=None, level="study", time_s=None, repeat=0,
                         fold="r0-f0", model="a4c")  # fmt: skip
    if kind == "continuous":
        frame = frame.assign(y_true=np.arange(n) * 1.0, score=np.arange(n) * 1.1)
        frame["predicted"] = frame["score"]
    else:
        truth = np.array(target.classes)[np.arange(n) % len(target.classes)]
        frame = frame.assign(y_true=truth, predicted=truth)
        for name in target.classes:
            frame[f"score:{name}"] = 1.0 / len(target.classes)
    table = pd.DataFrame({"recording_id": studies, "study_id": studies, "patient_id": studies})
    cohort = Cohort(SampleSet(table, np.zeros(n)), {}, None, None)
    truth = Targets("study", frame.set_index("study_id")[["y_true"]].rename(
        columns={"y_true": target.name}))  # fmt: skip
    ctx = training_context(OUTCOME.predicting(target), "a4c", outcome=target.name)
    scored = Scored({target.name: frame}, {f"a4c/{target.name}": "fixed"})
    made = evaluate(scored, truth, cohort, Explanation(), EvaluateBlock(n_resamples=100), ctx)
    assert "views-present" in made.tables
    assert not any(name.startswith(("published", "table-2")) for name in made.tables)
    assert not any("paper" in name for name in made.tables)


def test_on_the_synthetic_cohort_who_moves_well_responds_more_often(tmp_path, monkeypatch):
    monkeypatch.setattr(patients, "VIEWS", ("a4c",))
    monkeypatch.setattr(patients, "SECOND_STUDY_SHARE", 0.0)
    monkeypatch.setattr(patients, "_FEWEST_FRAMES", 2)
    monkeypatch.setattr(patients, "_LENGTH_S", 0.0)
    from cardio_echo_cmr.synthetic import cohort as writing

    monkeypatch.setattr(writing, "PATIENTS_A_PROCESS", 1000)
    synthesize(tmp_path, task="outcome", n_patients=40, seed=0)
    table = pd.read_csv(tmp_path / "cohort.csv")
    sick = table[[f"wma_seg_{n:02d}" for n in range(1, 18)]].sum(axis=1) > 0
    assert set(table["responder"]) == {0, 1}
    assert table.loc[~sick, "responder"].mean() > table.loc[sick, "responder"].mean() + 0.3
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert 0.75 < truth["bayes_auc"]["responder"] < 0.95


@pytest.fixture(scope="module")
def loops(tmp_path_factory):
    """Twelve patients with two short loops each, and an outcome of each kind."""
    folder = tmp_path_factory.mktemp("own") / "cohort"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        from cardio_echo_cmr.synthetic import cohort as writing

        patch.setattr(writing, "PATIENTS_A_PROCESS", 1000)
        patch.setattr(patients, "SECOND_STUDY_SHARE", 0.0)
        patch.setattr(patients, "LACKS_A_VIEW_SHARE", 0.0)
        patch.setattr(patients, "VIEWS", ("a4c", "plax"))
        patch.setattr(patients, "_FEWEST_FRAMES", 10)
        patch.setattr(patients, "_LENGTH_S", 0.0)
        synthesize(folder, task="outcome", n_patients=12, seed=0)
    table = pd.read_csv(folder / "cohort.csv")
    table["grade"] = [GRADES[n % 3] for n in range(len(table))]
    table["change"] = np.linspace(-20.0, 20.0, len(table))
    table.drop(columns=[name for name in table if "_seg_" in name]).to_csv(
        folder / "cohort.csv", index=False
    )
    return folder


@pytest.mark.parametrize(
    "column",
    # What a column of classes or numbers changes in a run is the core's, and tested on the toy.
    ["responder", *(pytest.param(one, marks=pytest.mark.slow) for one in ("grade", "change"))],
)
def test_a_run_on_every_kind_is_told_as_what_it_is(loops, column, tmp_path, monkeypatch):
    monkeypatch.setenv("CARDIO_CACHE", str(loops.parent / "cache"))
    run = run_plugin(
        "echo_cmr", "outcome", loops, tmp_path / "run",
        sets=(f"outcome.column={column}", "needs.view.skip=true", "load.min_studies=2",
              "inner.k=0", "protocols.honest.k=2", "explain.n_cases=0", "evaluate.n_resamples=100",
              "models=[a4c, plax, age_sex]", "preprocess.side=16"),
    )  # fmt: skip
    manifest = json.loads((run / "manifest.json").read_text())
    kinds = {"responder": "binary", "grade": "multiclass", "change": "continuous"}
    assert manifest["status"] == "done" and manifest["targets"][0]["kind"] == kinds[column]
    assert manifest["outcome"].startswith(f"{column}, a column of the cohort table")
    told = pd.read_csv(run / "predictions.csv")
    assert set(told["target"]) == {column} and set(told["model"]) == {"a4c", "plax", "age_sex"}
