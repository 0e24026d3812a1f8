"""A column of the cohort table is learnt from the same loops: two classes, several, a number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import (
    Cohort,
    DataError,
    EvaluateBlock,
    Explanation,
    SampleSet,
    Scored,
    ScoringBlock,
    Target,
    Targets,
)
from cardio_core.testing import drawn_svg, refuses, training_context
from cardio_mmode_septal_flash.flash.config import ExplainBlock, TrainBlock
from cardio_mmode_septal_flash.flash.evaluate import evaluate
from cardio_mmode_septal_flash.flash.explain import explain
from cardio_mmode_septal_flash.flash.models import SEPTAL_FLASH
from cardio_mmode_septal_flash.flash.predict import predict
from cardio_mmode_septal_flash.flash.train import train

NETWORK = "densenet_scratch"
GRADES = ("absent", "mild", "strong")
TARGETS = {
    "binary": Target("x_responder", "binary", ("CRT-D", "CRT-P")),
    "multiclass": Target("x_grade", "multiclass", GRADES),
    "continuous": Target("x_change", "continuous"),
}
BLOCK = TrainBlock(
    width_mult=0.0625, stem="one", fit={"epochs": 4, "batch_size": 8, "learning_rate": 3e-3}
)


@pytest.fixture(scope="module")
def studies(flash_features):
    """Studies whose number is their measured excursion, and whose grade is its third."""
    features, _ = flash_features(18)
    excursion = features["motion"].in_units()[:, 0]
    by_study = pd.Series(excursion, features.table["study_id"]).groupby(level=0).first()
    grade = pd.qcut(by_study, 3, labels=list(GRADES)).astype(str)
    table = pd.DataFrame(
        {
            "x_responder": (grade == "strong").astype("Int64"),
            "x_grade": grade.astype(object),
            "x_change": 10.0 * by_study - 50.0,
        }
    )
    table.loc[table.index[0]] = [pd.NA, None, np.nan]
    return features, Targets("study", table), table


def of_new_patients(features):
    return features.view((features.table["patient_id"] >= "p12") & (features.table["variant"] == 0))


def fitted(studies, kind, model, tmp_path, training=None):
    features, targets, _ = studies
    target = TARGETS[kind]
    task = SEPTAL_FLASH.predicting(target)
    ctx = training_context(task, model, tmp_path, outcome=target.name)
    own = features.view(features.table["patient_id"] < "p12") if training is None else training
    return train(own, None, targets, BLOCK, ctx), ctx


@pytest.mark.parametrize("model", [NETWORK, "excursion", "motion"])
@pytest.mark.parametrize("kind", TARGETS)
def test_every_model_that_needs_loops_alone_scores_every_kind(studies, kind, model, tmp_path):
    artifact, ctx = fitted(studies, kind, model, tmp_path)
    tested = of_new_patients(studies[0])
    scores = predict(artifact, tested, ScoringBlock(), ctx).scores[TARGETS[kind].name]
    shape = (len(tested), 3) if kind == "multiclass" else (len(tested),)
    assert scores.shape == shape and np.isfinite(scores).all()
    if kind == "multiclass":
        np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-6)
    if kind == "binary":
        assert ((scores > 0) & (scores < 1)).all()


@pytest.mark.parametrize("model", ["excursion", "motion"])
def test_what_is_made_of_the_excursion_is_found_from_it(studies, model, tmp_path):
    features, _, table = studies
    tested = of_new_patients(features)
    truth = table.reindex(tested.table["study_id"])
    found = {}
    for kind, target in TARGETS.items():
        (tmp_path / kind).mkdir()
        artifact, ctx = fitted(studies, kind, model, tmp_path / kind)
        found[kind] = predict(artifact, tested, ScoringBlock(), ctx).scores[target.name]
    # A line through the excursion is exact but for the small penalty, which shrinks it by 1 in 20.
    residual = np.abs(found["continuous"] - truth["x_change"].to_numpy(float))
    assert np.corrcoef(found["continuous"], truth["x_change"])[0, 1] > 0.95
    assert residual.mean() < 0.3 * np.std(truth["x_change"])
    grades = truth["x_grade"].to_numpy()
    strong, absent = grades == "strong", grades == "absent"
    of_strong = found["multiclass"][:, GRADES.index("strong")]
    assert of_strong[strong].min() > of_strong[absent].max()
    ranked = found["binary"]
    assert ranked[strong].min() > ranked[absent].max()


def test_a_number_is_learnt_standardised_by_the_training_studies(studies, tmp_path):
    artifact, _ = fitted(studies, "continuous", NETWORK, tmp_path)
    features, _, table = studies
    trained = features.table[features.table["patient_id"] < "p12"]
    values = table["x_change"].reindex(trained["study_id"]).dropna()
    scale = artifact.read_json("model.json")["scale"]
    assert scale == pytest.approx([values.mean(), values.std(ddof=0)])


def test_a_class_that_training_lacks_is_never_predicted_and_one_class_is_refused(studies, tmp_path):
    features, _, table = studies
    known = features.view(features.table["patient_id"] < "p12")
    grades = known.table["study_id"].map(table["x_grade"])
    two, one = known.view(grades.isin(GRADES[:2])), known.view(grades == "mild")
    artifact, ctx = fitted(studies, "multiclass", "motion", tmp_path, training=two)
    scores = predict(artifact, of_new_patients(features), ScoringBlock(), ctx).scores["x_grade"]
    assert (scores[:, 2] == 0).all()
    with refuses(DataError, "motion", "absent 0", "mild 4"):
        fitted(studies, "multiclass", "motion", tmp_path, training=one)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("binary", "Surest for: CRT-P, probability"),
        pytest.param("multiclass", "Surest for: grade", marks=pytest.mark.slow),
        ("continuous", "Highest: change "),
    ],
)
def test_maps_are_drawn_under_the_outcomes_own_name_and_never_scored(
    studies, kind, title, tmp_path
):
    artifact, ctx = fitted(studies, kind, NETWORK, tmp_path)
    tested = of_new_patients(studies[0])
    found = predict(artifact, tested, ScoringBlock(), ctx)
    made = explain(artifact, tested, found, ExplainBlock(n_cases=1), ctx)
    assert len(made.cases) == 2 and made.cases[0].title.startswith(title)
    assert made.tested().empty
    assert "flash" not in made.rule and all("flash" not in case.title for case in made.cases)
    assert "Grad-CAM++" in drawn_svg(made.cases[0].draw)


def test_a_report_on_another_outcome_says_nothing_of_flashes_or_of_the_paper():
    n = 12
    studies = [f"s{i}" for i in range(n)]
    y = np.arange(n) % 2 == 1
    target = TARGETS["binary"]
    score = np.linspace(0.1, 0.9, n)
    frame = pd.DataFrame(
        {
            "unit_id": studies, "sample_id": None, "recording_id": None, "study_id": studies,
            "patient_id": studies, "subject_id": studies, "level": "study", "time_s": None,
            "repeat": 0, "fold": "r0-f0", "model": NETWORK,
            "y_true": np.array(target.classes)[y.astype(int)],
            "predicted": np.array(target.classes)[(score > 0.5).astype(int)],
            "score:CRT-D": 1 - score, "score:CRT-P": score,
        }
    )  # fmt: skip
    timepoints = ["baseline", "follow-up"] * (n // 2)
    table = pd.DataFrame(
        {
            "recording_id": studies,
            "study_id": studies,
            "patient_id": studies,
            "timepoint": timepoints,
        }
    )
    clinical = pd.DataFrame({"age_y": np.linspace(40, 80, n), "sf_label": y}, index=studies)
    cohort = Cohort(SampleSet(table, np.zeros(n)), {}, None, clinical)
    task = SEPTAL_FLASH.predicting(target)
    ctx = training_context(task, NETWORK, outcome=target.name)
    truth = Targets("study", pd.DataFrame({target.name: y.astype(int)}, index=studies))
    scored = Scored({target.name: frame}, {f"{NETWORK}/{target.name}": "fixed"})
    made = evaluate(scored, truth, cohort, Explanation(), EvaluateBlock(n_resamples=100), ctx)
    assert {"published", "accuracy-beside-the-paper", "within-timepoint"}.isdisjoint(made.tables)
    assert {m.estimate.name for m in made.metrics} >= {"auc"}
    assert not any("Saiz-Vivo" in note for note in map(str, made.notes))
    assert ctx.warnings == ()


def test_the_task_says_that_any_outcome_can_be_learnt_by_all_of_its_models():
    assert SEPTAL_FLASH.any_outcome and SEPTAL_FLASH.primary == "densenet_crop"
    assert all(set(model.kinds) == set(TARGETS) for model in SEPTAL_FLASH.models)
