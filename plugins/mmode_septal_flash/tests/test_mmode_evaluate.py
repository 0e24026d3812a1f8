"""Explaining and evaluating: maps of all tested studies, their scores, and what the report says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import cardio_stats as stats
from cardio_core.api import (
    Cohort,
    EvaluateBlock,
    Predictions,
    SampleSet,
    Scope,
    Scored,
    ScoringBlock,
)
from cardio_core.testing import drawn_svg, training_context
from cardio_mmode_septal_flash.drawing.study import StudyCase
from cardio_mmode_septal_flash.flash.config import ExplainBlock, TrainBlock
from cardio_mmode_septal_flash.flash.evaluate import (
    ALONE,
    EVERYBODY,
    WITHIN,
    evaluate,
    judged_studies,
    within_timepoints,
)
from cardio_mmode_septal_flash.flash.explain import explain
from cardio_mmode_septal_flash.flash.models import SEPTAL_FLASH
from cardio_mmode_septal_flash.flash.predict import predict
from cardio_mmode_septal_flash.flash.train import train
from cardio_mmode_septal_flash.published.tables import accuracy_rows, published_table

CONFIG = EvaluateBlock(n_resamples=100)
TARGET = SEPTAL_FLASH.targets[0]
ROW = "densenet_scratch"


@pytest.fixture(scope="module")
def studies(flash_features):
    return flash_features(18)


@pytest.fixture(scope="module")
def explained(studies, tmp_path_factory):
    features, targets = studies
    ctx = training_context(SEPTAL_FLASH, ROW, tmp_path_factory.mktemp("row"))
    block = TrainBlock(width_mult=0.0625, stem="one", fit={"epochs": 6, "batch_size": 4,
                                                           "learning_rate": 3e-3})  # fmt: skip
    model = train(features.view(features.table["patient_id"] < "p10"), None, targets, block, ctx)
    tested = features.view(
        (features.table["patient_id"] >= "p10") & (features.table["variant"] == 0)
    )
    found = predict(model, tested, ScoringBlock(), ctx)
    by_study = Predictions(tuple(tested.table["study_id"]), found.scores, "study")
    made = explain(model, tested, by_study, ExplainBlock(n_cases=2), ctx)
    cases = [replace(case, model=ROW, fold="r0-f0") for case in made.cases]
    return tested, found, replace(made, cases=cases), ctx, targets


def _scored(table, score, y, *, model=ROW, columns=None):
    """Out-of-fold predictions as the core hands them over."""
    classes = np.array(TARGET.classes)
    frame = pd.DataFrame(
        {
            "unit_id": table["study_id"], "sample_id": None, "recording_id": None,
            "study_id": table["study_id"], "patient_id": table["patient_id"],
            "subject_id": table["patient_id"], "level": "study", "time_s": None, "repeat": 0,
            "fold": "r0-f0", "model": model, "y_true": classes[y.astype(int)],
            "predicted": classes[(score >= 0.5).astype(int)], "score:no": 1 - score,
            "score:yes": score,
        }
    ).reset_index(drop=True)  # fmt: skip
    return Scored({TARGET.name: frame}, {f"{model}/{TARGET.name}": "fixed"}, columns)


def _cohort(table):
    samples = table.drop_duplicates("study_id").set_index("recording_id", drop=False)
    samples = samples.assign(
        timepoint=np.where(samples["study_id"].str.endswith("bl"), "baseline", "follow-up")
    )
    rng = np.random.default_rng(0)
    clinical = pd.DataFrame(
        {"age_y": rng.normal(66, 9, len(samples)), "sex": rng.choice(["M", "F"], len(samples))},
        index=samples["study_id"].to_numpy(),
    )
    return Cohort(SampleSet(samples, np.zeros(len(samples))), {}, None, clinical)


@pytest.fixture(scope="module")
def report(explained):
    tested, found, explanation, ctx, targets = explained
    y = targets.of(tested.table, TARGET.name)
    columns = pd.DataFrame({name: c.values for name, c in found.columns.items()})
    columns = columns.assign(unit_id=tested.table["study_id"].to_numpy(), model=ROW, fold="r0-f0")
    scored = _scored(tested.table, found.scores[TARGET.name], y, columns=columns)
    made = evaluate(scored, targets, _cohort(tested.table), explanation, CONFIG, ctx)
    return made, tested, scored


def test_every_tested_study_is_scored_by_every_method_and_few_are_drawn(explained):
    tested, _, explanation, _, _ = explained
    first = explanation.cases[0]
    assert isinstance(first, StudyCase)
    rows = pd.DataFrame(first.tested)
    assert set(rows["method"]) == {"grad_cam_pp", "layer_cam", "random_weights", "centre_prior"}
    for _, own in rows.groupby("method"):
        assert sorted(own["sample_id"]) == sorted(tested.table.index)
    assert len(explanation.cases) == 4
    assert all(case.draw is not None for case in explanation.cases)


def test_a_case_keeps_its_map_at_the_networks_resolution_and_draws_it(explained):
    _, _, explanation, _, _ = explained
    for case in explanation.cases:
        # Pictures of 64 pixels end in maps of 2 x 2.
        assert case.arrays["heat"].shape == (2, 2)
        assert 0 <= case.arrays["heat"].min() <= case.arrays["heat"].max() <= 1
    drawn = drawn_svg(explanation.cases[0].draw)
    for word in ("MVC", "AVO", "Grad-CAM++", "LayerCAM"):
        assert f">{word}" in drawn


def test_a_cycle_found_in_the_motion_is_never_scored_against_the_valves(explained):
    tested, found, _, ctx, _ = explained
    timing = tested["timing"]
    values = np.asarray(timing.values[:]).copy()
    values[:, timing.names.index("cycle_from_motion")] = 1.0
    blind = replace(tested, blocks={**tested.blocks, "timing": replace(timing, values=values)})
    by_study = Predictions(tuple(tested.table["study_id"]), found.scores, "study")
    from cardio_core.api import ModelArtifact

    made = explain(ModelArtifact(ctx.out), blind, by_study, ExplainBlock(n_cases=1), ctx)
    rows = pd.DataFrame(made.cases[0].tested)
    assert rows[["energy", "enrichment", "pointing_hit", "temporal_iou"]].isna().all().all()
    assert rows["gini"].notna().any()
    assert "MVC and AVO unknown" in drawn_svg(made.cases[0].draw)


def test_no_verdict_is_drawn_or_counted_of_studies_that_cannot_be_judged(explained, report):
    tested, found, _, ctx, targets = explained
    from cardio_core.api import ModelArtifact

    slow = set(tested.table["study_id"].iloc[::2])
    flags = np.where(tested.table["study_id"].isin(slow), "too slow", "")
    flagged = replace(tested, table=tested.table.assign(no_verdict=flags))
    by_study = Predictions(tuple(tested.table["study_id"]), found.scores, "study")
    made = explain(ModelArtifact(ctx.out), flagged, by_study, ExplainBlock(n_cases=3), ctx)
    cases = [replace(case, model=ROW, fold="r0-f0") for case in made.cases]
    study_of = flagged.table["study_id"]
    assert cases and not {study_of[case.sample_id] for case in cases} & slow
    judged = evaluate(
        report[2], targets, _cohort(tested.table), replace(made, cases=cases), CONFIG, ctx
    )
    n = len(study_of)
    [warned] = [note.text for note in ctx.warnings if note.kind == "no_verdict"]
    assert f"{len(slow)} of {n} studies" in warned
    studies = judged.tables["localisation-studies"]
    assert set(studies.loc[studies["outcome"] == "not judged", "study_id"]) == slow
    beside = judged.tables["accuracy-beside-the-paper"].set_index("who")
    assert beside.loc[ROW, "n"] == n - len(slow)


def test_regressions_explain_themselves(explained):
    tested, found, _, ctx, _ = explained
    other = ctx.replace(model="excursion")
    assert not explain(None, tested, found, ExplainBlock(), other).cases


def test_the_report_has_every_table_and_figure(report):
    made, _, _ = report
    assert {"localisation-studies", "localisation", "localisation-flash-or-not",
            "within-timepoint", "accuracy-beside-the-paper", "published"} <= set(
        made.tables
    )  # fmt: skip
    assert {
        f"enrichment-{ROW}",
        f"heat-maps-{ROW}-true-positive",
        "accuracy-beside-the-paper",
    } <= set(made.figures)
    for name in (
        f"enrichment-{ROW}",
        f"heat-maps-{ROW}-true-positive",
        "accuracy-beside-the-paper",
    ):
        assert drawn_svg(made.figures[name]).startswith("<?xml")


def test_the_summary_of_true_positives_is_what_the_single_studies_say(report):
    made, _, _ = report
    studies = made.tables["localisation-studies"]
    own = studies[(studies["method"] == "grad_cam_pp") & (studies["outcome"] == "true positive")]
    summary = made.tables["localisation"].set_index("method").loc["grad_cam_pp"]
    assert summary["n"] == len(own)
    assert summary["enrichment"] == pytest.approx(own["enrichment"].mean())
    assert summary["enriched_twofold"] == pytest.approx((own["enrichment"] >= 2).mean())


def test_the_papers_accuracies_stand_first_with_their_exact_intervals(report):
    made, _, _ = report
    rows = made.tables["accuracy-beside-the-paper"]
    # R 4.2.2: binom.test(24, 29)$conf.int and binom.test(29, 29)$conf.int
    np.testing.assert_allclose(rows.loc[:1, "low"], [0.6423, 0.8806], atol=5e-5)
    np.testing.assert_allclose(rows.loc[:1, "high"], [0.9415, 1.0], atol=5e-5)


def test_the_papers_arithmetic_is_checked_and_its_claims_of_superiority_are_noted():
    table = published_table().set_index("name")
    assert "5005" in table.loc["training pictures", "finding"]
    assert "253" in table.loc["validation pictures", "finding"]
    assert table.loc["the crop against the full M-mode", "verdict"] == "note"
    assert "0.0625" in table.loc["the crop against the full M-mode", "finding"]
    assert "0.166" in table.loc["accuracy on the crop beside LDA's", "finding"]
    assert set(table["verdict"]) <= {"agrees", "note"}


def test_paired_studies_are_named_where_their_accuracy_is_taken_as_independent(report):
    _, _, scored = report
    tested = judged_studies(scored, TARGET)
    _, metrics = accuracy_rows(tested, Scope(task="septal_flash"), CONFIG)
    (found,) = (metric.estimate for metric in metrics)
    exact = stats.proportion(int(found.extra["k"]), found.n, method="clopper-pearson")
    assert (found.low, found.high) == (exact.low, exact.high)
    assert "independent" in found.note
    assert found.n_patients < found.n


def _confounded(n=120, *, seed=0):
    """Studies at two timepoints whose label goes with the time, and a score that sees only it."""
    rng = np.random.default_rng(seed)
    late = np.arange(n) % 2
    y = (rng.uniform(size=n) < np.where(late, 0.12, 0.85)).astype(int)
    table = pd.DataFrame(
        {
            "model": ROW, "study_id": [f"s{i}" for i in range(n)],
            "subject_id": [f"p{i // 2}" for i in range(n)], "y": y,
            "score": np.where(late, 0.2, 0.8) + rng.normal(0, 0.05, n),
        }
    )  # fmt: skip
    times = pd.Series(np.where(late, "follow-up", "baseline"), index=table["study_id"])
    return table, times


def test_a_network_that_reads_the_time_off_a_lead_is_exposed_within_timepoints():
    table, times = _confounded()
    rows, metrics, notes = within_timepoints(table, times, Scope(model=ROW), CONFIG, 0)
    auc = rows.set_index("among")["auc"]
    assert auc[EVERYBODY] > 0.8
    assert abs(auc[WITHIN] - 0.5) < 0.15
    assert auc[ALONE] > 0.8
    assert not notes
    baseline = table[times.to_numpy() == "baseline"]
    assert auc["baseline"] == pytest.approx(roc_auc_score(baseline["y"], baseline["score"]))
    named = {metric.scope.subgroup for metric in metrics}
    assert named == {"timepoint: baseline", "timepoint: follow-up", None}


def test_the_report_says_in_words_that_time_confounds(explained):
    _, _, explanation, ctx, targets = explained
    table, times = _confounded()
    studies = table.assign(patient_id=table["subject_id"], recording_id=table["study_id"])
    scored = _scored(studies, table["score"].to_numpy(), table["y"].to_numpy())
    samples = studies.set_index("recording_id", drop=False).assign(timepoint=times.to_numpy())
    cohort = Cohort(SampleSet(samples, np.zeros(len(samples))), {}, None, None)
    nothing = replace(explanation, cases=())
    made = evaluate(scored, targets, cohort, nothing, CONFIG, ctx)
    assert ("confounded_by_time", ROW) in {(note.kind, note.model) for note in ctx.warnings}
    assert "localisation" not in made.tables
