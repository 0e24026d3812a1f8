"""Judge predictions of any tool: evaluated as a run's are, and published as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.api import (
    EvaluateBlock,
    EvaluationReport,
    Metric,
    Note,
    Scope,
    Scored,
    Target,
    Task,
    default_evaluate,
)
from cardio_core.evaluation import TableOne, describe_columns, figures_of, pooled, subgroup_metrics
from cardio_core.runs import Echo, NoteKind, RunKind, file_digest, guard_place, write_run
from cardio_stats import Estimate, calibration_metrics, net_benefit, number_calibration, pr_auc
from cardio_stats.errors import DataError
from cardio_stats.tables import read_typed
from cardio_studies.ingest import Given, read_given
from cardio_studies.ingest_columns import Question, guessed_patient, label_of, truth_and_score

# Predictions evaluated as a run's are; what needs probabilities only where there are some.

NO_METRIC = "no metric can be computed: {}; give other predictions"
_OF_PROBABILITIES = ("calibration-", "decision-curve-")


def evaluated(predictions: Given, config: EvaluateBlock, seed: int) -> EvaluationReport:
    """Evaluate as a run is; what needs probabilities only for scores that are some."""
    task, scored = predictions.task, predictions.scored
    report = default_evaluate(scored, task, config, seed=seed)
    if task.targets[0].kind != "binary":
        return report
    figures, metrics = dict(report.figures), list(report.metrics)
    if len(predictions.probabilities) < len(task.models):
        metrics = [
            metric for metric in metrics
            if metric.estimate.name != "brier" or metric.scope.model in predictions.probabilities
        ]  # fmt: skip
        figures = {
            name: draw for name, draw in figures.items() if not name.startswith(_OF_PROBABILITIES)
        }
        if predictions.probabilities:
            [frame] = scored.frames.values()
            fit = frame[frame["model"].isin(predictions.probabilities)].reset_index(drop=True)
            among = replace(
                task, models=tuple(m for m in task.models if m.name in predictions.probabilities),
                primary=task.primary if task.primary in predictions.probabilities else "",
            )  # fmt: skip
            own = figures_of(fit, task.targets[0], among, config, report.metrics)
            figures |= {n: draw for n, draw in own.items() if n.startswith(_OF_PROBABILITIES)}
    calibrated, refused = calibration_of(
        next(iter(scored.frames.values())),
        task.targets[0],
        task,
        config,
        seed,
        predictions.probabilities,
    )
    calibrated += _of_scores(predictions, config, seed)
    notes = [*report.notes, *Note.each(NoteKind.NOT_COMPUTED, refused)]
    return replace(report, metrics=[*metrics, *calibrated], figures=figures, notes=notes)


def _of_scores(predictions: Given, config: EvaluateBlock, seed: int) -> list[Metric]:
    """Return the area under precision over recall, and net benefit where a threshold was given."""
    [(_, frame)] = predictions.scored.frames.items()
    [target] = predictions.task.targets
    metrics = []
    for model in (each.name for each in predictions.task.models):
        rows = pooled(frame, target, model)
        about = about_resampling(rows, config, seed)
        truth, score = truth_and_score(rows, target)
        found = [pr_auc(truth, score, **about)]
        at = predictions.thresholds.get(model)
        if at is not None and 0 < at < 1 and model in predictions.probabilities:
            found += _net_benefit(truth, score, at, about)
        place = Scope(task=predictions.task.name, target=target.name, model=model)
        metrics += [Metric(column, place) for column in found]
    return metrics


def _net_benefit(truth: Any, score: Any, at: float, about: Mapping[str, Any]) -> list[Estimate]:
    plain = {name: about[name] for name in ("patient", "level", "unit")}
    made = net_benefit(truth, score, at, threshold_source=f"given: {at:g}", **plain)
    gain = {
        "value": made.extra["over_all"], "low": made.extra["over_all_low"],
        "high": made.extra["over_all_high"], "name": "net_benefit_over_everybody",
    }  # fmt: skip
    return [made, made.replace(**gain)]


def about_resampling(rows: pd.DataFrame, config: EvaluateBlock, seed: int) -> dict[str, Any]:
    """Return what every interval of some rows takes: clusters, unit, level, resamples, seed."""
    clusters = Scored.clusters_of(rows)
    return {
        "patient": clusters, "n_resamples": config.n_resamples, "seed": seed,
        "level": config.level, "unit": "patient" if clusters is None else None,
    }  # fmt: skip


def calibration_of(
    frame: pd.DataFrame,
    target: Target,
    task: Task,
    config: EvaluateBlock,
    seed: int,
    models: Sequence[str] | None = None,
) -> tuple[list[Metric], list[str]]:
    """Return calibration in the large, slope and error of every score that is a probability.

    Parameters
    ----------
    frame : DataFrame
        Predictions of the target by all models, see `Scored.frames`.
    target : Target
        Binary, or a number, whose mean error and slope are given; of several classes nothing is.
    task : Task
    config : EvaluateBlock
    seed : int
    models : sequence of str, optional
        Those whose scores are probabilities; all of them.

    Returns
    -------
    list of Metric
    list of str
        What could not be computed, and why.
    """
    metrics: list[Metric] = []
    notes: list[str] = []
    named = frame["model"].unique() if models is None else models
    for model in map(str, named) if target.kind != "multiclass" else ():
        rows = pooled(frame, target, model)
        about = about_resampling(rows, config, seed)
        place = Scope(task=task.name, target=target.name, model=model)
        truth_score = truth_and_score(rows, target)
        if target.kind == "continuous":
            try:
                found = number_calibration(*truth_score, **about)
            except DataError as error:
                notes.append(f"{model}: calibration: {error}.")
                continue
            metrics += [Metric(column, place) for column in found]
            continue
        made = calibration_metrics(*truth_score, **about)
        metrics += [
            Metric(estimate, place) for estimate in made.estimates if estimate.name != "brier"
        ]
        notes += [f"{model}: {metric}: {why}." for metric, why in made.refused.items()]
    return metrics, notes


MOST_RESAMPLED = 20_000_000
"""Rows times resamples: beyond it fewer resamples are drawn, and the page says how many."""
RESAMPLES, FEWEST_RESAMPLES = 2000, 200


def settings(predictions: Given, level: float) -> EvaluateBlock:
    """Return the settings of an evaluation that ends in seconds, however long the table."""
    n_rows = sum(map(len, predictions.scored.frames.values()))
    resamples = max(FEWEST_RESAMPLES, min(RESAMPLES, MOST_RESAMPLED // max(1, n_rows)))
    return EvaluateBlock(level=level, n_resamples=resamples)


def write_page(
    predictions: Given,
    out: Path,
    about: Mapping[str, Any],
    *,
    config: EvaluateBlock,
    seed: int,
    table_one: TableOne | None = None,
    more: EvaluationReport | None = None,
    notes: Sequence[Note] = (),
    adjusted: Mapping[tuple[str, str], Estimate] | None = None,
    command: Sequence[str] = (),
    echo: Echo | None = None,
) -> Path:
    """Evaluate predictions and write everything that the page is made of, and the page.

    Parameters
    ----------
    predictions : Given
    out : Path
    about : mapping
        Entries of the manifest.
    config : EvaluateBlock
    seed : int
    table_one : TableOne, optional
    more : EvaluationReport, optional
        Metrics, tables and notes beyond those of every judged table.
    notes : sequence of Note
        What the reader has to know.
    adjusted : mapping of (model, other model) to Estimate, optional
        What takes the place of the paired difference of two areas.
    command : sequence of str
        As typed, for the page.
    echo : callable, optional
        Takes the line on what a killed command left.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    DataError
        If no metric can be computed, with the reason; nothing is written.
    """
    report = evaluated(predictions, config, seed)
    within, small = subgroup_metrics(
        predictions.scored,
        predictions.task,
        predictions.groups,
        config,
        seed=seed,
        most=predictions.may_divide,
    )
    every_note = [*Note.each(NoteKind.TABLE, predictions.assumed), *notes, *report.notes, *small]
    tables = dict(report.tables)
    metrics = [_exchanged(metric_row, adjusted or {}) for metric_row in report.metrics]
    if more is not None:
        metrics, tables = [*metrics, *more.metrics], tables | dict(more.tables)
        every_note += more.notes
    if config.n_resamples < RESAMPLES:
        text = f"Bootstrap intervals are of {config.n_resamples} resamples: many rows."
        every_note.append(Note(NoteKind.TABLE, text))
    rows = [metric.to_dict() for metric in (*metrics, *within)]  # under no protocol of ours
    if not rows:  # a page without a number would look like an answer
        why = next((note.text for note in every_note if note.kind is NoteKind.NOT_COMPUTED), "")
        raise DataError(NO_METRIC.format(why or "nothing to compute"))
    with write_run(
        out, RunKind.JUDGED, about["data"]["digest"], command=command, echo=echo, **about
    ) as writer:
        return writer.publish(rows, every_note, tables, report.figures, table_one=table_one)


def _exchanged(metric: Metric, adjusted: Mapping[tuple[str, str], Estimate]) -> Metric:
    place = str(metric.scope.model), str(metric.scope.versus)
    if metric.estimate.name != "auc_difference" or place not in adjusted:
        return metric
    return replace(metric, estimate=adjusted[place])


def entries_of(
    predictions: Given, *, shown: str, digest: str, primary: str | None, seed: int
) -> dict[str, Any]:
    """Return what the manifest of a judged directory says of the predictions."""
    [frame] = predictions.scored.frames.values()
    n = int(pd.Series(frame["patient_id"]).nunique())
    names = [model.name for model in predictions.task.models]
    return judged_entries(
        predictions.task.name, predictions.task.title, predictions.task.targets[0], names, primary,
        predictions.outcome, {"path_shown": shown, "digest": digest, "n_patients": n}, seed,
    )  # fmt: skip


def judged_entries(
    task: str, title: str, target: Target, models: Sequence[str], primary: str | None,
    outcome: str, data: Mapping[str, Any], seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Return the entries that every judged directory has."""
    return {
        "task": task, "task_title": title, "papers": [], "protocols": [], "models": list(models),
        "model_titles": {name: name for name in models}, "baselines": [], "primary": primary,
        "targets": [vars(target)], "outcome_column": target.name, "outcome": outcome, "words": {},
        "seed": seed, "data": {"source": "given", **data},
    }  # fmt: skip


def judge_predictions(
    path: Path,
    question: Question,
    out: Path,
    *,
    cohort: Path | None = None,
    level: float = 0.95,
    seed: int = 0,
    command: Sequence[str] = (),
    echo: Echo | None = None,
) -> tuple[Path, Sequence[str]]:
    """Write a directory with metrics, tables, figures and the page of a table of predictions.

    Parameters
    ----------
    path : Path
        CSV or Parquet.
    question : Question
    out : Path
        A new or empty folder, or one that this wrote from the same table.
    cohort : Path, optional
        Table with the patients' column, of which Table 1 is made.
    level : float
        Of the intervals.
    seed : int
        Of every resampling.
    command : sequence of str
        As typed, for the page.
    echo : callable, optional
        Takes the line on what a killed command left.

    Returns
    -------
    Path
        Of ``report.html``.
    sequence of str
        What was taken for granted.

    Raises
    ------
    ConfigError
        The folder holds something else.
    DataError
        The table cannot be judged.
    """
    predictions = read_given(path, question)
    digest = file_digest(path)
    guard_place(out, RunKind.JUDGED, digest)
    about = entries_of(
        predictions, shown=path.name, digest=digest, primary=question.primary, seed=seed
    )
    about["left_out"] = " ".join(_left_out(predictions))
    page = write_page(
        predictions, out, about, config=settings(predictions, level), seed=seed, command=command,
        echo=echo, table_one=_table_one(predictions, cohort, question),
        notes=Note.each(
            NoteKind.TABLE,
            [*_left_out(predictions), *_undivided(predictions), *_changing(predictions)],
        ),
    )  # fmt: skip
    return page, predictions.assumed


def _left_out(predictions: Given) -> list[str]:
    if not predictions.lacking:
        return ["No value is missing among outcome, scores and patients."]
    counts = ", ".join(f"{name} in {count}" for name, count in predictions.lacking.items())
    return [f"Of {predictions.n_rows} rows these lack a value and were left out there: {counts}."]


def _changing(predictions: Given) -> list[str]:
    """Say how many patients have rows of different outcomes."""
    [frame] = predictions.scored.frames.values()
    n = int((frame.groupby("patient_id")["y_true"].nunique().gt(1)).sum())
    if not n or predictions.task.targets[0].kind == "continuous":
        return []
    return [
        f"{n} patients have rows of different outcomes: every row is judged by its own, and "
        "Table 1 leaves them out."
    ]


def _undivided(predictions: Given) -> list[str]:
    sentences = []
    for name, most in predictions.may_divide.items():
        n = int(predictions.groups[name].nunique())
        if n > most:
            sentences.append(
                f"{name}: {n} values, more than {most}, so no groups were formed; make a column of "
                "fewer (age in thirds, centres by region) and name it with --subgroup."
            )
        elif n < 2:
            sentences.append(f"{name}: one value in all rows, so there is nothing to compare.")
    return sentences


def _table_one(predictions: Given, cohort: Path | None, question: Question) -> TableOne | None:
    """Return Table 1 of the judged patients, None where nothing describes them."""
    [(_, frame)] = predictions.scored.frames.items()
    [target] = predictions.task.targets
    patients = list(dict.fromkeys(frame["patient_id"]))
    # Who has rows of both outcomes belongs to neither group.
    rows = frame.groupby("patient_id")["y_true"]
    labels = rows.first()[rows.nunique().eq(1)]
    patients = [patient for patient in patients if patient in labels.index]
    table = predictions.groups
    if cohort is not None:
        read = read_typed(cohort).table
        named = question.patient if question.patient in read.columns else guessed_patient(read)
        if named is None:
            raise DataError(
                f"--cohort {cohort.name}: no column names the patients; expected "
                f"{question.patient or 'patient_id'}"
            )
        keys = read[named].map(label_of)
        known = read.drop(columns=[named]).groupby(keys.to_numpy(), sort=False).first()
        missing = [patient for patient in patients if patient not in known.index]
        if len(missing) == len(patients):
            raise DataError(
                f"--cohort {cohort.name}: none of the {len(patients)} judged patients is in it; "
                f"do {named} and the patients of the predictions speak of the same people?"
            )
        table = known.join(
            predictions.groups[[c for c in predictions.groups if c not in known.columns]]
        )
    described = table.reindex(patients)
    if described.empty or not len(described.columns):
        return None
    try:
        made = describe_columns(described, labels, target)
    except DataError:
        return None
    if frame[frame["model"] == frame["model"].iloc[0]]["patient_id"].duplicated().any():
        first = "A patient with several rows is described by the first."
        return replace(made, notes=(*made.notes, first))
    return made
