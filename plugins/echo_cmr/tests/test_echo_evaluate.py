"""Evaluating: views counted, unknown ones too; numbers beside a constant; tables and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from sklearn.metrics import mean_absolute_error, r2_score, roc_auc_score

from cardio_core.api import Case, Explanation, Scored, Targets
from cardio_core.testing import drawn_svg, training_context
from cardio_echo_cmr.findings.config import EvaluateBlock
from cardio_echo_cmr.findings.evaluate import evaluate
from cardio_echo_cmr.results import agreement, number_errors, training_means
from cardio_echo_cmr.segments import segment_tables
from cardio_echo_cmr.views.presence import by_view, confusion, named_views, view_accuracy

from .echo_scored import T1, VIEW, WMA, cohort, studies, t1_run, wma_run

CONFIG = EvaluateBlock(n_resamples=200)


def _report(task, run, explanation=None):
    predictions, targets, whole, _ = run
    ctx = training_context(task, task.models[0].name)
    return evaluate(predictions, targets, whole, explanation or Explanation(), CONFIG, ctx)


@pytest.fixture(scope="module")
def wma():
    run = wma_run()
    table = run[3]
    segments = [
        {"sample_id": f"{study}-a4c0#0", "study_id": study, "patient_id": patient,
         "method": "occlusion", "segment": n,
         "value": 2.0 * table.loc[study, f"wma_seg_{n:02d}"] + 0.1 * (n % 7)}
        for study, patient in zip(table["study_id"][:24], table["patient_id"], strict=False)
        for n in range(1, 18)
    ]  # fmt: skip
    drawn = [Case(f"{study}-a4c0#0", "t", model="a4c", scores={"drop:03": 1.0, "gini": 0.25})
             for study in table["study_id"][:24]]  # fmt: skip
    drawn[0] = replace(drawn[0], tested=tuple(segments))
    return _report(WMA, run, Explanation(drawn)), run


@pytest.fixture(scope="module")
def t1():
    run = t1_run()
    return _report(T1, run), run


def _values(report, name, **where):
    return [
        metric.estimate for metric in report.metrics
        if metric.estimate.name == name and metric.scope.fold is None
        and all(getattr(metric.scope, key) == value for key, value in where.items())
    ]  # fmt: skip


def test_table_2_gives_every_view_at_its_own_label_beside_what_was_published(wma):
    report, (predictions, _, _, _) = wma
    table = report.tables["table-2"]
    row = table[(table["row"] == "A4C") & (table["target"] == "wma_a4c")].iloc[0]
    frame = predictions.frames["wma_a4c"]
    assert row["auc"] == pytest.approx(
        roc_auc_score(frame["y_true"] == "yes", frame["score:yes"]), abs=1e-12
    )
    assert row["auc_low"] < row["auc"] < row["auc_high"]
    assert (row["paper_auc"], row["paper_low"], row["paper_high"]) == (0.817, 0.791, 0.843)
    fused = table[(table["row"] == "global (views fused)") & (table["target"] == "wma")].iloc[0]
    assert fused["paper_auc"] == 0.873
    other = table[(table["row"] == "A4C") & (table["target"] == "wma")].iloc[0]
    assert np.isnan(other["paper_auc"]), "no area of a view at any segment was published"


def test_the_area_over_videos_is_that_of_their_scores_with_the_label_of_their_study(wma):
    report, (predictions, targets, whole, _) = wma
    videos = predictions.columns.dropna(subset=["video:wma_plax"])
    of = whole.samples.table["study_id"]
    study = of.loc[videos["unit_id"].str.removesuffix("#0")]
    truth = targets.table["wma_plax"].loc[study]
    [found] = _values(
        report, "auc_patient_bootstrap", target="wma_plax", model="plax", subgroup="each video"
    )
    assert found.value == pytest.approx(roc_auc_score(truth, videos["video:wma_plax"]), abs=1e-12)


def test_who_lacks_a_view_is_counted_and_the_fused_model_judged_among_them(wma):
    report, (_, _, _, table) = wma
    made = report.tables["views-present"].set_index("views")
    assert made.loc["A4C + PLAX", "n_studies"] == (~table["has_a2c"]).sum()
    assert made["n_studies"].sum() == len(table)
    assert any(
        f"A2C {(~table['has_a2c']).sum()}, PLAX 0 of {len(table)}" in n
        for n in map(str, report.notes)
    )


def test_a_study_that_no_view_scored_is_not_lost_from_the_count(wma):
    _, (predictions, targets, whole, table) = wma
    first = table["study_id"].iloc[0]
    frames = {
        name: frame[(frame["study_id"] != first) | ~frame["model"].isin(("a4c", "a2c", "plax"))]
        for name, frame in predictions.frames.items()
    }
    report = _report(WMA, (Scored(frames, {}, None), targets, whole, table))
    assert report.tables["views-present"].set_index("views").loc["none", "n_studies"] == 1
    assert any("1 have none of them" in note for note in map(str, report.notes))


def test_studies_that_a_protocol_does_not_test_do_not_count_as_without_a_view(wma):
    _, (predictions, targets, whole, table) = wma
    tested = set(table["study_id"].iloc[:30])
    frames = {
        name: frame[frame["study_id"].isin(tested)] for name, frame in predictions.frames.items()
    }
    columns = predictions.columns
    study = whole.samples.table["study_id"].loc[columns["unit_id"].str.removesuffix("#0")]
    columns = columns[study.isin(tested).to_numpy()]
    report = _report(WMA, (Scored(frames, {}, columns), targets, whole, table))
    assert report.tables["views-present"]["n_studies"].sum() == 30
    lacking = (~table["has_a2c"].iloc[:30]).sum()
    assert any(
        f"A4C 0, A2C {lacking}, PLAX 0 of 30; 0 have none" in n for n in map(str, report.notes)
    )


def test_occlusion_is_scored_against_the_labelled_segments_of_each_video(wma):
    report, (_, _, _, table) = wma
    row = report.tables["segments"].iloc[0]
    # Abnormal segments fall by at least 2, others by at most .6: the order is perfect.
    assert row["auc"] == row["within_videos"] == 1.0
    assert row["n_segments"] == 24 * 17
    positive = table.iloc[:24].filter(like="wma_seg").sum(axis=1)
    assert row["n_abnormal"] == positive.sum()
    assert row["n_videos_of_both"] == ((positive > 0) & (positive < 17)).sum()


def test_a_network_that_is_surer_of_the_sick_scores_over_all_segments_and_not_within_videos(wma):
    _, (_, _, whole, table) = wma
    rng = np.random.default_rng(0)
    segments = tuple(
        {"sample_id": f"{study}-a4c0#0", "study_id": study, "patient_id": patient,
         "method": "occlusion", "segment": n,
         "value": table.loc[study].filter(like="wma_seg").sum() + rng.normal(0, 0.5)}
        for study, patient in zip(table["study_id"], table["patient_id"], strict=True)
        for n in range(1, 18)
    )  # fmt: skip
    case = Case(f"{table['study_id'].iloc[0]}-a4c0#0", "t", model="a4c", tested=segments)
    row = segment_tables([case], whole, "wma", CONFIG, 0)[0]["segments"].iloc[0]
    assert row["low"] > 0.6
    assert row["within_videos"] == pytest.approx(0.5, abs=0.06)
    assert row["within_low"] < 0.5 < row["within_high"]


def test_two_ids_of_one_person_are_one_cluster_of_segments(wma):
    """As the clustered area of statistics gives it for the person's number of clusters."""
    _, (_, _, whole, table) = wma
    rng = np.random.default_rng(1)
    person = {patient: rng.normal() for patient in table["patient_id"]}
    segments = tuple(
        {"sample_id": f"{study}-a4c0#0", "study_id": study, "patient_id": patient,
         "method": "occlusion", "segment": n, "value": person[patient] + rng.normal(0, 0.5)}
        for study, patient in zip(table["study_id"], table["patient_id"], strict=True)
        for n in range(1, 18)
    )  # fmt: skip
    case = Case(f"{table['study_id'].iloc[0]}-a4c0#0", "t", model="a4c", tested=segments)
    patients = sorted(set(table["patient_id"]))
    people = dict(zip(patients, (f"x{i // 2}" for i in range(len(patients))), strict=True))
    alone = segment_tables([case], whole, "wma", CONFIG, 0)[0]["segments"].iloc[0]
    linked = segment_tables([case], whole, "wma", CONFIG, 0, people=people)[0]["segments"].iloc[0]
    assert alone["n_patients"] == len(patients)
    assert linked["n_patients"] == len(set(people.values()))
    assert linked["auc"] == alone["auc"]
    assert linked["low"] != alone["low"]


def test_segments_of_a_finding_that_nobody_labelled_give_no_table(wma):
    _, (_, _, whole, table) = wma
    about = {"study_id": table["study_id"].iloc[0], "patient_id": "p000", "segment": 3}
    case = Case("v", "t", tested=({"sample_id": "v", "method": "m", "value": 1.0, **about},))
    assert segment_tables([case], whole, "t1", CONFIG, 0) == ({}, [], [])


def test_errors_are_those_of_sklearn_and_r2_may_be_negative(t1):
    report, (predictions, _, _, _) = t1
    frame = predictions.frames["t1_ms"]
    [mae] = _values(report, "mae", model="fused_value")
    [r2] = _values(report, "r2", model="fused_value")
    [squared] = _values(report, "pearson_r2", model="fused_value")
    assert mae.value == pytest.approx(mean_absolute_error(frame["y_true"], frame["score"]))
    assert r2.value == pytest.approx(r2_score(frame["y_true"], frame["score"]))
    assert r2.value < 0 <= squared.value
    assert squared.value == pytest.approx(
        scipy_stats.pearsonr(frame["y_true"], frame["score"]).statistic ** 2
    )
    row = report.tables["table-2"].query("target == 't1_ms'").iloc[0]
    assert (row["mae"], row["r2"]) == (mae.value, r2.value)


def test_the_constant_predictor_says_the_mean_of_those_whom_the_fold_did_not_test(t1):
    _, (predictions, targets, whole, table) = t1
    said = training_means(predictions, T1.targets[1], targets, whole)
    for fold, own in table.groupby("fold"):
        others = table.loc[table["fold"] != fold, "t1_ms"].mean()
        assert said.loc[own["study_id"]].to_numpy() == pytest.approx(others)


def test_the_constant_of_a_fold_that_tests_everybody_does_not_exist(t1):
    _, (predictions, targets, whole, _) = t1
    frame = predictions.frames["t1_ms"].assign(fold="r0-f0")
    said = training_means(Scored({"t1_ms": frame}), T1.targets[1], targets, whole)
    rows = Scored({"t1_ms": frame}).tested(T1.targets[1])
    found, notes = number_errors(rows, said, CONFIG, 0)
    assert said.isna().all()
    assert "mae_difference" not in {one.name for one in found}
    assert any("the fold tests everybody" in note for note in notes)


def test_a_model_that_says_the_constant_itself_differs_from_it_by_nothing(t1):
    _, (predictions, targets, whole, _) = t1
    rows = predictions.tested(T1.targets[1])
    said = training_means(predictions, T1.targets[1], targets, whole)
    own = rows.assign(score=rows["unit_id"].map(said))
    found = {one.name: one for one in number_errors(own, said, CONFIG, 0)[0]}
    none = found["mae_difference"]
    assert (none.value, none.low, none.high) == (0, 0, 0)
    assert none.unit == "patient"
    better = rows.assign(score=0.5 * (rows["y"] + rows["unit_id"].map(said)))
    gained = {one.name: one for one in number_errors(better, said, CONFIG, 0)[0]}
    # Half the error of the constant is left, whatever the values.
    assert gained["mae_difference"].value == pytest.approx(-found["mae_training_mean"].value / 2)
    assert gained["mae_difference"].high < 0


def test_limits_of_agreement_are_of_repeated_measures_where_patients_have_several_studies(t1):
    report, (predictions, _, _, _) = t1
    rows = predictions.tested(T1.targets[1])
    several, once = agreement(rows, 0.95), agreement(rows.drop_duplicates("subject_id"), 0.95)
    assert "several pairs a subject" in several.bias.method
    assert several.bias.unit == "patient"
    assert "exact" in once.bias.method
    difference = rows["score"] - rows["y"]
    by_patient = difference.groupby(rows["subject_id"]).mean()
    assert several.bias.value == pytest.approx(by_patient.mean())
    assert any(
        "limits of agreement for repeated measures" in note for note in map(str, report.notes)
    )


def _views(n=40, seed=0):
    """Loops of four views; ten of them have no view of enough probability, two a wrong one."""
    classes = VIEW.targets[0].classes
    rng = np.random.default_rng(seed)
    truth = np.array(classes, dtype=object)[np.arange(n) % 4]
    given = truth.copy()
    given[[0, 1]] = "other"
    sure = np.where(np.arange(n) >= n - 10, rng.uniform(0.4, 0.79, n), rng.uniform(0.8, 0.99, n))
    scores = {f"score:{name}": np.where(given == name, sure, (1 - sure) / 3) for name in classes}
    ids = [f"r{number}" for number in range(n)]
    frame = pd.DataFrame(
        {"unit_id": ids, "recording_id": ids, "study_id": ids, "sample_id": ids,
         "patient_id": [f"p{number // 2}" for number in range(n)],
         "subject_id": [f"p{number // 2}" for number in range(n)], "level": "recording",
         "time_s": None, "repeat": 0, "fold": "r0-f0", "model": "resnet", "y_true": truth,
         "predicted": given, **scores}
    )  # fmt: skip
    return Scored({"view": frame}, {"resnet/view": "largest"})


def test_loops_without_a_view_count_as_wrong_and_are_counted():
    rows = named_views(_views(), VIEW.targets[0])
    found = {one.name: one for one in view_accuracy(rows, CONFIG, 0)}
    assert found["accuracy_with_unknown"].value == pytest.approx(28 / 40)
    assert found["unknown_share"].value == pytest.approx(10 / 40)
    assert found["accuracy_of_named"].value == pytest.approx(28 / 30)
    assert found["accuracy_with_unknown"].unit == "patient"
    table = confusion(rows, VIEW.targets[0].classes)
    assert table.to_numpy().sum() == 40
    assert table["unknown"].sum() == 10
    assert (table.loc["a4c", "other"], table.loc["a2c", "other"]) == (1, 1)
    made = by_view(rows, VIEW.targets[0].classes).set_index("view")
    assert (made["n_right"] + made["n_wrong"] + made["n_unknown"] == made["n"]).all()
    assert made.loc["other", "ppv"] == pytest.approx(
        table.loc["other", "other"] / (table.loc["other", "other"] + 2)
    )


def test_a_probability_of_exactly_the_least_names_the_view():
    frame = _views().frames["view"].head(1).copy()
    frame[[f"score:{name}" for name in VIEW.targets[0].classes]] = [0.8, 0.1, 0.05, 0.05]
    assert named_views(Scored({"view": frame}), VIEW.targets[0])["named"].tolist() == ["a4c"]
    frame["score:a4c"] = 0.7999
    assert named_views(Scored({"view": frame}), VIEW.targets[0])["named"].tolist() == ["unknown"]


def test_where_every_loop_is_right_the_interval_is_exact_over_patients():
    scored = _views()
    frame = scored.frames["view"]
    columns = [f"score:{name}" for name in VIEW.targets[0].classes]
    right = np.array([[0.94 if name == y else 0.02 for name in VIEW.targets[0].classes]
                      for y in frame["y_true"]])  # fmt: skip
    rows = named_views(Scored({"view": frame.assign(**dict(zip(columns, right.T, strict=True)))}),
                       VIEW.targets[0])  # fmt: skip
    found = {one.name: one for one in view_accuracy(rows, CONFIG, 0)}["accuracy_with_unknown"]
    # Clopper and Pearson's lower limit of n of n is (alpha / 2) ** (1 / n).
    assert found.value == found.high == 1.0
    assert found.low == pytest.approx(0.025 ** (1 / 20))


def test_the_view_task_reports_its_confusion_with_the_unknown(tmp_path):
    ctx = training_context(VIEW, "resnet")
    table = studies(20)
    report = evaluate(
        _views(), Targets("recording", pd.DataFrame()), cohort(table), Explanation(), CONFIG, ctx
    )
    assert report.tables["views-named-resnet"].columns[-1] == "unknown"
    assert any("10 of 40 loops have no view" in note for note in map(str, report.notes))


def test_every_figure_draws_and_names_what_it_shows(wma, t1):
    figures = {**wma[0].figures, **t1[0].figures}
    for name in ("roc-by-view", "intervals", "agreement-t1_ms"):
        assert name in figures
    drawn = drawn_svg(wma[0].figures["roc-by-view"])
    assert "global (views fused): AUC" in drawn
    assert "A4C" in drawn
    assert "as published" in drawn_svg(wma[0].figures["intervals"])
    assert "A4C, occlusion" in drawn_svg(wma[0].figures["segments"])


def test_shares_beside_the_papers_describe_each_person_once(wma):
    report, (_, targets, _, table) = wma
    # Some patients have two studies of which the first describes them.
    table = table.drop_duplicates("patient_id")
    n = int(targets.table.loc[table["study_id"], "wma"].sum())
    assert f"describe {len(table)} persons" in " ".join(map(str, report.notes))
    beside = report.tables["table-1-beside-the-paper"].set_index("characteristic")
    assert beside.loc["wma", "k"] == n
    assert (beside.loc["wma", "paper_k"], beside.loc["wma", "paper_n"]) == (678, 1405)
    assert beside.loc["female", "k"] == (table["sex"] == "F").sum()
    assert beside.loc["htn", "n"] == table["htn"].notna().sum()


def test_a_target_that_no_model_predicts_is_left_out_without_an_error(wma):
    _, (predictions, targets, whole, table) = wma
    frames = {"wma_a4c": predictions.frames["wma_a4c"]}
    report = _report(WMA, (Scored(frames), targets, whole, table))
    assert set(report.tables["table-2"]["target"]) == {"wma_a4c"}
    assert "intervals" in report.tables


def test_tested_studies_of_one_class_are_a_sentence_and_no_error(wma):
    _, (predictions, targets, whole, table) = wma
    healthy = set(targets.table.index[targets.table["wma"] == 0])
    frames = {
        name: frame[frame["study_id"].isin(healthy)].reset_index(drop=True)
        for name, frame in predictions.frames.items()
    }
    report = _report(WMA, (Scored(frames, {}, predictions.columns), targets, whole, table))
    assert "table-2" not in report.tables
    assert any(
        note.startswith("wma of fused, study rows: auc_patient") for note in map(str, report.notes)
    )


def test_a_mean_over_repeats_counts_each_study_once(wma):
    _, (predictions, *_) = wma
    frame = predictions.frames["wma_plax"]
    again = frame.assign(repeat=1, fold="r1-f0")
    again["score:yes"] = frame["score:yes"] / 2
    rows = Scored({"wma_plax": pd.concat([frame, again])}).tested(WMA.targets[3])
    assert len(rows) == len(frame)
    assert rows["score"].to_numpy() == pytest.approx(0.75 * frame["score:yes"].to_numpy())
