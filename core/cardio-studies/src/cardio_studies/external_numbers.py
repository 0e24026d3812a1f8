"""The numbers of an external validation beside the run's own, and the tables of its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import EvaluateBlock, Metric, Note, Scope, Scored, Target, Task
from cardio_core.evaluation import noting, pooled, primary_in, unit_of
from cardio_core.report import bare_name, spelled
from cardio_core.runs import NoteKind, Run
from cardio_stats import (
    Estimate,
    Recalibrated,
    calibration_metrics,
    independent_difference,
    number_calibration,
    recalibrated_numbers,
    recalibrated_probabilities,
    regression_errors,
)
from cardio_stats.errors import DataError
from cardio_stats.figures import described
from cardio_stats.figures.curves import ModelScores, calibration_of_models
from cardio_stats.words import METRICS, metric_words, number, p_text
from cardio_studies.ingest_columns import truth_and_score
from cardio_studies.judgement import about_resampling, calibration_of


def shown(estimate: Estimate, *, signed: bool = False) -> str:
    """Return an estimate with its interval, as it is printed."""
    value = number(estimate.value, signed=signed)
    if estimate.low is None or estimate.high is None:
        return value
    low, high = number(estimate.low, signed=signed), number(estimate.high, signed=signed)
    return f"{value} ({low} to {high})"


# What the run itself said of its own patients, out of fold: beside which the new ones stand.

INTERNAL, EXTERNAL = "internal", "external"
HONEST = "honest"

COMPARED = (
    "auc", "macro_f1", "brier", "calibration_in_the_large", "calibration_slope", "sensitivity",
    "specificity", "mae", "r2", "pearson_r2", "mean_error", "conformal_coverage",
)  # fmt: skip
"""Measures whose change from the run's folds to the new patients is reported."""

_FIELDS = tuple(field.name for field in fields(Estimate))


def internal_metrics(run: Path, task: Task, config: EvaluateBlock, seed: int) -> list[Metric]:
    """Return the run's own pooled results under the honest protocol, with their calibration.

    Empty where it has none: an exported folder, or a run of the published protocol alone.
    """
    own = Run(run)
    found = [
        Metric(_estimate(row), _scope(row))
        for row in own.artifact.metrics
        if row.protocol == HONEST and row.pooled and not row.versus and not row.subgroup
    ]  # fmt: skip
    known = {(column.estimate.name, column.scope.model, column.scope.target) for column in found}
    for target in task.targets:
        frame = own.out_of_fold(target)
        if frame is None:
            continue
        metrics, _ = calibration_of(frame, target, task, config, seed)
        found += [
            metric for metric in metrics
            if (metric.estimate.name, metric.scope.model, metric.scope.target) not in known
        ]  # fmt: skip
    return found


def changes(external: list[Metric], internal: list[Metric]) -> list[Metric]:
    """Return every compared measure, external less internal, with an interval.

    The patients are others, so the two are independent. Areas of single classes, and rates of
    them, are compared by class.
    """
    before = {place_of(known): known.estimate for known in internal}
    found = []
    for metric in external:
        place, scope = place_of(metric), metric.scope
        outside = scope.fold or scope.versus or scope.subgroup
        if place[0] not in COMPARED or outside or place not in before:
            continue
        try:
            made = independent_difference(metric.estimate, before[place], name=f"{place[0]}_change")
        except DataError:  # one of them has no interval, so nothing can be told of the difference
            continue
        note = f"{metric.estimate.n} here, {before[place].n} in the run's folds."
        found.append(Metric(made.replace(note=note), scope))
    return found


def words_of_changes() -> dict[str, str]:
    """Return what a reader is shown in place of the names of changes."""
    return {f"{name}_change": f"{METRICS[name]}, external − internal" for name in COMPARED}


def place_of(metric: Metric, name: str = "") -> tuple[Any, ...]:
    """Return what a metric is of: its name without its class, target, model and class."""
    scope = metric.scope
    bare = bare_name(name or metric.estimate.name, scope.class_name)
    return bare, scope.target, scope.model, scope.class_name


def _estimate(row: Any) -> Estimate:
    return Estimate(
        **{name: value for name in _FIELDS if (value := getattr(row, name)) not in (None, "")}
    )


def _scope(row: Any) -> Scope:
    return Scope(
        task=row.task or None, target=row.target or None, model=row.model or None,
        class_name=row.class_name or None,
    )  # fmt: skip


# What recalibration on these very patients would change: beside the validation, never in it.

NONE = "none"
VERSIONS = {NONE: "As it is", "in the large": "Recalibrated in the large",
            "slope": "Intercept and slope"}  # fmt: skip
"""Recalibrations in their order, as the heads of their columns."""

MEASURES = ("calibration_in_the_large", "calibration_slope", "ece", "brier", "scaled_brier",
            "mean_error", "mae")  # fmt: skip
OF_ALL = "Coefficients, of all patients"

FITTED = (
    "As it is: the validation. The other columns are recalibrated on these very patients, each "
    "patient with coefficients of nine other tenths of them (cross-fitted): they tell what a "
    "recalibration here would bring, and are no validation of the model."
)


@dataclass
class Recalibrations:
    """What recalibration would change.

    Attributes
    ----------
    rows : list of dict
        Every number with all digits, and the recalibration that it is under.
    table : DataFrame
        Model, measure, and a column a recalibration.
    figures : dict of str to callable
        Calibration of the primary model under each.
    notes : list of Note
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    figures: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def recalibrations(scored: Scored, task: Task, config: EvaluateBlock, seed: int) -> Recalibrations:
    """Return every model's calibration as it is, recalibrated in the large, and by slope too.

    Of targets with several classes nothing is recalibrated.
    """
    made, lines = Recalibrations(), list[dict[str, str]]()
    for target in task.targets:
        frame = scored.frames.get(target.name)
        if frame is None or target.kind == "multiclass":
            continue
        models = [str(name) for name in frame["model"].unique()]
        primary = primary_in(task, models)
        for model in models:
            rows = pooled(frame, target, model)
            versions = _versions(rows, target, model, task, made, seed)
            if len(versions) == 1:
                continue
            found = {how: _judged(rows, values, target, config, seed)
                     for how, values in versions.items()}  # fmt: skip
            lines += _lines(task.model(model).title, found, made, target, model)
            if model == primary and target.kind == "binary":
                made.figures[f"recalibration-{target.name}"] = _figure(
                    rows, versions, target, task, config
                )
    if lines:
        made.table = pd.DataFrame(lines).fillna("")
        made.notes.append(Note(NoteKind.RECALIBRATION, FITTED))
    return made


def _versions(
    rows: pd.DataFrame, target: Target, model: str, task: Task, made: Recalibrations, seed: int
) -> dict[str, Any]:
    """Return the predictions under each recalibration that the data allow."""
    truth, score = truth_and_score(rows, target)
    versions: dict[str, Any] = {NONE: score}
    refit: Callable[..., Recalibrated] = (
        recalibrated_numbers if target.kind == "continuous" else recalibrated_probabilities
    )
    for how in list(VERSIONS)[1:]:
        made_so: list[Recalibrated] = []
        what = f"{task.model(model).title}, recalibration by {how}:"
        with noting(made.notes, what, model=model):
            made_so.append(
                refit(truth, score, how=how, patient=Scored.clusters_of(rows), seed=seed)
            )
        if not made_so:
            continue
        [found] = made_so
        versions[how] = found.values
        made.rows.append(
            {
                "target": target.name, "model": model, "recalibration": how,
                "intercept": found.intercept, "slope": found.slope,
                "fitted_on": "all of these patients; the numbers of this recalibration are "
                f"cross-fitted in {found.parts} parts",
            }
        )  # fmt: skip
    return versions


def _judged(
    rows: pd.DataFrame, values: Any, target: Target, config: EvaluateBlock, seed: int
) -> dict[str, Estimate]:
    truth, _ = truth_and_score(rows, target)
    about = about_resampling(rows, config, seed)
    if target.kind == "continuous":
        errors = regression_errors(truth, values, **about)
        found = [errors["mae"]]
        if np.ptp(values) > 0:
            found += number_calibration(truth, values, **about)
    else:
        found = calibration_metrics(truth, values, **about).estimates
    by_name = {column.name: column for column in found}
    return {name: by_name[name] for name in MEASURES if name in by_name}


def _lines(
    title: str,
    found: dict[str, dict[str, Estimate]],
    made: Recalibrations,
    target: Target,
    model: str,
) -> list[dict[str, str]]:
    lines = []
    for measure in found[NONE]:
        line = {
            "Model": title,
            "Measure": metric_words(measure),
        }
        for how, estimates in found.items():
            if measure not in estimates:
                continue
            estimate = estimates[measure]
            line[VERSIONS[how]] = shown(estimate)
            place = {"target": target.name, "model": model, "recalibration": how}
            made.rows.append(place | estimate.to_dict())
        lines.append(line)
    own = {
        row["recalibration"]: row for row in made.rows
        if "intercept" in row and (row["target"], row["model"]) == (target.name, model)
    }  # fmt: skip
    line = {"Model": title, "Measure": OF_ALL}
    for how, row in own.items():
        slope = f", slope {number(row['slope'])}" if how == "slope" else ""
        line[VERSIONS[how]] = f"intercept {number(row['intercept'])}{slope}"
    return [*lines, line]


def _figure(
    rows: pd.DataFrame, versions: dict[str, Any], target: Target, task: Task, config: EvaluateBlock
) -> Callable[[Any], None]:
    truth, _ = truth_and_score(rows, target)
    words = spelled(target.outcome)
    lines = [
        ModelScores(VERSIONS[how], truth.astype(bool), np.asarray(values, float),
                    "primary" if how == NONE else "model")
        for how, values in versions.items()
    ]  # fmt: skip
    model = task.model(str(rows["model"].iloc[0])).title
    draw = calibration_of_models(lines, positive=words, level=config.level, unit=unit_of(task))
    return described(draw, f"Recalibration: {words}, {model}", FITTED)


# The tables that stand open on the page of an external validation.


def against_internal_table(
    external: Sequence[Metric], internal: Sequence[Metric], changed: Sequence[Metric], task: Task
) -> pd.DataFrame:
    """Return the new patients' results beside the run's own, with their difference.

    One row a measure of `COMPARED` that both have; empty where the run has none of its own.
    """
    ours, theirs = _by_place(external), _by_place(internal)
    lines = []
    for metric in changed:
        place = place_of(metric, metric.estimate.name.removesuffix("_change"))
        if place not in ours or place not in theirs:
            continue
        lines.append(
            {
                "Model": task.model(str(metric.scope.model)).title,
                **({"Outcome": metric.scope.target} if len(task.targets) > 1 else {}),
                "Measure": METRICS[place[0]]
                + (f", {metric.scope.class_name}" if metric.scope.class_name else ""),
                "External": shown(ours[place]),
                "Internal, out of fold": shown(theirs[place]),
                "External − internal": shown(metric.estimate, signed=True),
            }
        )
    return pd.DataFrame(lines)


def coverage_table(covered: Sequence[Metric], task: Task) -> pd.DataFrame:
    """Return the coverage of sets and intervals by class and by site."""
    lines = [
        {
            "Model": task.model(str(metric.scope.model)).title,
            **({"Outcome": metric.scope.target} if len(task.targets) > 1 else {}),
            "Patients": metric.scope.subgroup or "all",
            "True class": metric.scope.class_name or "any",
            "Covered": shown(metric.estimate),
            "n": metric.estimate.n,
            "p, lower than the run promised": p_text(metric.estimate.p_value),
        }
        for metric in covered
        if metric.estimate.name == "conformal_coverage"
    ]
    return pd.DataFrame(lines)


def overlap_table(counts: Mapping[str, int]) -> pd.DataFrame:
    """Return how many of the new patients were in training, by what they are known again by."""
    lines = [{"Known again by": what, "Patients left out": n} for what, n in counts.items() if n]
    return pd.DataFrame(lines)


def primary_first(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return a table model by model, the primary one first."""
    if not len(table):
        return table
    titles = list(dict.fromkeys(table["Model"]))
    named = {model.name: model.title for model in task.models}
    titles.sort(key=lambda title: title != named.get(task.primary))
    rank = table["Model"].map({title: place for place, title in enumerate(titles)})
    return table.iloc[rank.argsort(kind="stable")].reset_index(drop=True)


def _by_place(metrics: Sequence[Metric]) -> dict[tuple[Any, ...], Estimate]:
    return {
        place_of(metric): metric.estimate
        for metric in metrics
        if not (metric.scope.fold or metric.scope.versus or metric.scope.subgroup)
    }


# How many of the new patients are like those of training: inside, borderline, outside.

VERDICTS = {
    "inside": ("Inside", "Inside"),
    "borderline": ("Borderline", "At the edge of"),
    "outside": ("Outside", "Outside"),
}
"""By verdict: the head of its column, and what begins the words of its share."""


def words_of_shares() -> dict[str, str]:
    """Return what a reader is shown in place of the names of the shares."""
    return {
        f"{verdict}_share": f"{words} the patients of training, share"
        for verdict, (_, words) in VERDICTS.items()
    }


def applicability_table(metrics: list[Metric]) -> pd.DataFrame:
    """Return the shares as the page shows them: a row for all and for each site."""
    lines: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        who = metric.scope.subgroup or "all"
        line = lines.setdefault(who, {"Patients": who, "n": metric.estimate.n})
        verdict = metric.estimate.name.removesuffix("_share")
        line[VERDICTS[verdict][0]] = shown(metric.estimate)
        if verdict == "outside":
            line["p, more outside than chance"] = p_text(metric.estimate.p_value)
    return pd.DataFrame(list(lines.values()))
