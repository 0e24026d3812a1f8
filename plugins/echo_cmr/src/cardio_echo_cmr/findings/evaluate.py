"""Evaluate: the default, intervals that draw patients, measured numbers, and the paper's tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from cardio_core.api import (
    Cohort,
    Context,
    DataError,
    EvaluationReport,
    Explanation,
    Metric,
    Note,
    Scope,
    Scored,
    Target,
    Targets,
    canvas,
    default_evaluate,
)
from cardio_echo_cmr.drawing.results import (
    intervals_figure,
    roc_by_view,
    segments_figure,
)
from cardio_echo_cmr.findings.config import EvaluateBlock
from cardio_echo_cmr.findings.tasks import OUTCOME
from cardio_echo_cmr.published.paper_tables import (
    TITLES,
    further_characteristics,
    published_aucs,
    published_findings,
    table_2,
)
from cardio_echo_cmr.results import (
    PERCENTILE,
    agreement,
    auc_intervals,
    interval_rows,
    number_errors,
    training_means,
    video_rows,
    width_sentences,
)
from cardio_echo_cmr.segments import segment_tables
from cardio_echo_cmr.studies import finding_flags, first_studies
from cardio_echo_cmr.views.names import VIEWS
from cardio_echo_cmr.views.presence import (
    by_view,
    confusion,
    missing_sentence,
    named_views,
    view_accuracy,
    views_of_studies,
    views_table,
)
from cardio_stats import Estimate

OWN_SEGMENTS = ", its segments"
BY_DEFAULT = ("mae", "r2", "pearson_r2")
"""Errors that the default evaluation reports already."""

PUBLISHED = {"published", "published-areas", "table-1-beside-the-paper"}
"""Tables of what the paper printed."""

By = dict[tuple[str, str], dict[str, Any]]
"""What is known of a model, by target and model."""


@dataclass
class Parts:
    """What the evaluation adds to the default, and what it is made of."""

    predictions: Scored
    targets: Targets
    cohort: Cohort
    config: EvaluateBlock
    ctx: Context
    metrics: list[Metric] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    percentile: list[pd.DataFrame] = field(default_factory=list)
    """Rows of table ``intervals``: the percentile intervals."""

    @property
    def people(self) -> dict[str, str]:
        """The person behind each tested patient id; a person may have several."""
        frames = self.predictions.frames.values()
        pairs = (frame[["patient_id", "subject_id"]].dropna().astype(str) for frame in frames)
        return {patient: person for table in pairs for patient, person in table.to_numpy()}

    def scope(self, target: str, model: str) -> Scope:
        """Return the place of a model's estimates."""
        return Scope(task=self.ctx.task.name, target=target, model=model)

    def add(self, estimates: Iterable[Estimate], scope: Scope) -> None:
        """Add estimates in their place."""
        self.metrics += [Metric(estimate, scope) for estimate in estimates]

    def say(self, target: str, model: str, sentences: Iterable[str]) -> None:
        """Add sentences on one model."""
        self.notes += [f"{target} of {model}: {text}" for text in sentences]

    def append(self, name: str, made: pd.DataFrame) -> None:
        """Add rows to a table."""
        given = self.tables.get(name)
        self.tables[name] = made if given is None else pd.concat([given, made], ignore_index=True)


def report_findings(parts: Parts) -> None:
    """Add what the paper reports of a finding: intervals, errors, agreement, tables, figures.

    Parameters
    ----------
    parts : Parts
        Of a task at unit study; changed in place.
    """
    binary: By = {}
    numbers: By = {}
    for target in parts.ctx.task.targets:
        if target.name not in parts.predictions.frames:
            continue
        studies = parts.predictions.tested(target)
        if target.kind == "binary":
            binary |= _binary(parts, target, studies)
        else:
            numbers |= _numbers(parts, target, studies)
    finding = parts.ctx.task.name
    if binary or numbers:
        parts.tables["table-2"] = table_2(binary, numbers, finding)
    parts.tables["published"] = published_findings()
    parts.tables["published-areas"] = published_aucs().reset_index()
    if binary:
        percentile = pd.concat(parts.percentile)
        parts.notes += width_sentences(percentile)
        _compared_intervals(parts, finding, percentile)
        _roc(parts, binary, finding)
    report_views_present(parts)
    _below_table_1(parts)


def _binary(parts: Parts, target: Target, studies: pd.DataFrame) -> By:
    found: By = {}
    for model, rows in studies.groupby("model", sort=False):
        intervals: dict[str, Any] = {}
        videos = video_rows(parts.predictions, target, parts.cohort, rows)
        for unit, table in (("study", rows), ("video", videos)):
            if table.empty:
                continue
            estimates, notes = auc_intervals(table, unit, parts.config, parts.ctx.seed)
            scope = parts.scope(target.name, str(model))
            where = scope if unit == "study" else replace(scope, subgroup="each video")
            parts.add([item for item in estimates if item.name != "auc_delong"], where)
            parts.say(target.name, f"{model}, {unit} rows", notes)
            made = interval_rows(estimates, table, target.name, str(model), unit)
            parts.append("intervals", made)
            drawn = [item for item in estimates if item.name in PERCENTILE]
            made = interval_rows(drawn, table, target.name, str(model), unit)
            parts.percentile.append(made)
            prefix = "" if unit == "study" else "video:"
            intervals |= {prefix + estimate.name: estimate for estimate in estimates}
        if intervals:
            found[(target.name, str(model))] = intervals | {"rows": rows}
    return found


def _numbers(parts: Parts, target: Target, studies: pd.DataFrame) -> By:
    found: By = {}
    constant = training_means(parts.predictions, target, parts.targets, parts.cohort)
    for model, rows in studies.groupby("model", sort=False):
        errors, notes = number_errors(rows, constant, parts.config, parts.ctx.seed)
        scope = parts.scope(target.name, str(model))
        parts.add([error for error in errors if error.name not in BY_DEFAULT], scope)
        parts.say(target.name, str(model), notes)
        found[(target.name, str(model))] = {error.name: error for error in errors}
        try:
            parts.add(agreement(rows, parts.config.level).estimates, scope)
        except DataError as error:
            parts.say(target.name, str(model), [f"no limits of agreement. {error}"])
            continue
        if Scored.clusters_of(rows) is not None:
            parts.say(target.name, str(model), ["limits of agreement for repeated measures: "
                                                "patients have several studies."])  # fmt: skip
    return found


def _compared_intervals(parts: Parts, finding: str, kept: pd.DataFrame) -> None:
    if parts.tables["intervals"].empty:
        return
    overall = parts.ctx.task.targets[0].name
    label = [
        TITLES.get(model, model) + ("" if target == overall else OWN_SEGMENTS)
        for target, model in zip(kept["target"], kept["model"], strict=True)
    ]
    paper = {}
    for row in published_aucs().reset_index().to_dict("records"):
        model = str(row["row"])
        if row["finding"] == finding:
            row_title = TITLES[model] + ("" if model == "fused" else OWN_SEGMENTS)
            paper[row_title] = (float(row["auc"]), float(row["low"]), float(row["high"]))
    parts.figures["intervals"] = canvas.described(
        intervals_figure(kept.assign(label=label), paper),
        "Intervals by what is drawn: studies, videos or patients",
        "The same AUCs with bootstraps of studies or videos, which take those of one patient as "
        "strangers, and of patients. Open marks are published.",
    )


def _roc(parts: Parts, binary: By, finding: str) -> None:
    """Draw every model at its own label: a view at its segments, the others at any segment."""
    curves = []
    overall = parts.ctx.task.targets[0].name
    for (target, model), found in binary.items():
        views_own = f"{overall}_{model}"
        first = views_own if (views_own, model) in binary else overall
        rows = found["rows"]
        if target != first or rows["y"].nunique() < 2:
            continue
        label = TITLES.get(model, model)
        curves.append((model, label, rows, found.get("auc_patient_bootstrap")))
    curves.sort(key=lambda curve: list(TITLES).index(curve[0]) if curve[0] in TITLES else 99)
    if curves:
        parts.figures["roc-by-view"] = canvas.described(
            roc_by_view(curves),
            f"ROC curves by view: {finding.upper()} at CMR",
            "Each view at the segments that it shows, the others at any segment; intervals draw "
            "patients. The dashed diagonal is chance.",
        )


def report_views_present(parts: Parts) -> None:
    """Add which views the tested studies have, and how many studies have none."""
    target = parts.ctx.task.targets[0]
    if target.name not in parts.predictions.frames:
        return
    views = views_of_studies(parts.predictions, target, parts.cohort)
    if not set(views.columns) & set(VIEWS):
        return
    parts.tables["views-present"] = views_table(views, parts.predictions, target, parts.config)
    parts.notes.append(missing_sentence(views))


def _below_table_1(parts: Parts) -> None:
    first = first_studies(parts.cohort, parts.people)
    flags = finding_flags(parts.cohort, parts.targets, parts.ctx.task)
    further = further_characteristics(flags.reindex(first))
    if len(further):
        parts.tables["table-1-beside-the-paper"] = further
    if len(first) < len(flags):
        parts.notes.append(
            f"The shares compared with the paper's describe {len(first)} persons by the first "
            f"study of each, of {len(flags)} studies: tests and limits for independent persons."
        )


def evaluate(
    predictions: Scored,
    targets: Targets,
    cohort: Cohort,
    explanation: Explanation,
    config: EvaluateBlock,
    ctx: Context,
) -> EvaluationReport:
    """Add to the default what the paper reports, with intervals that draw patients.

    Parameters
    ----------
    predictions : Scored
        Out-of-fold predictions. Columns ``video:TARGET`` hold the scores of videos.
    targets : Targets
        Of all studies, or of all recordings (task ``view``).
    cohort : Cohort
        Its table describes the studies.
    explanation : Explanation
        Whose cases may carry scores.
    config : EvaluateBlock
        Level of the intervals and number of resamples.
    ctx : Context
        Which task.
    """
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    parts = Parts(predictions, targets, cohort, config, ctx)
    if ctx.task.name == "view":
        _report_views(parts)
    else:
        if ctx.task.name == OUTCOME.name:  # the paper has nothing to say of it
            report_views_present(parts)
        else:
            report_findings(parts)
        made, metrics, notes = segment_tables(
            explanation.cases, cohort, ctx.task.name, config, ctx.seed, people=parts.people
        )
        parts.tables |= made
        if "within_videos" in made.get("segments", ()):
            known = made["segments"].dropna(subset=["within_videos", "within_low"])
            if len(known):
                parts.figures["segments"] = canvas.described(
                    segments_figure(known),
                    "Whether abnormal segments are distinguished from normal ones within a video",
                    "Mean AUC over videos: what the network went by, with controls (open marks) "
                    "that know nothing. The dashed line is chance.",
                )
        parts.metrics += metrics
        parts.notes += notes
    return EvaluationReport(
        [*report.metrics, *parts.metrics],
        {**report.tables, **parts.tables},
        {**report.figures, **parts.figures},
        list(dict.fromkeys([*report.notes, *Note.each("evaluation", parts.notes)])),
        published=PUBLISHED & parts.tables.keys(),
    )


def _report_views(parts: Parts) -> None:
    """Add which loops were given their right view, the unknown counted."""
    target = parts.ctx.task.targets[0]
    if target.name not in parts.predictions.frames:
        return
    rows = named_views(parts.predictions, target, least=parts.config.min_view_probability)
    for model, loops in rows.groupby("model", sort=False):
        table = confusion(loops, target.classes)
        parts.tables[f"views-named-{model}"] = table
        parts.tables[f"views-by-name-{model}"] = by_view(loops, target.classes)
        scope = parts.scope(target.name, str(model))
        try:
            parts.add(view_accuracy(loops, parts.config, parts.ctx.seed), scope)
        except DataError as error:
            parts.say(target.name, str(model), [f"accuracy with the unknown: {error}"])
        n_unknown = int(table["unknown"].sum())
        parts.notes.append(
            f"{n_unknown} of {len(loops)} loops have no view of enough probability: they count as "
            "wrong in accuracy_with_unknown, and the findings do without them."
        )
