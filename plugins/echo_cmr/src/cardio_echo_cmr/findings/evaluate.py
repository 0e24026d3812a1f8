"""Evaluate: the default, intervals that draw patients, measured numbers, and the paper's tables."""

from __future__ import annotations

from cardio_core.api import (
    Cohort,
    Context,
    DataError,
    EvaluationReport,
    Explanation,
    Note,
    Scored,
    Targets,
    canvas,
    default_evaluate,
)
from cardio_echo_cmr.drawing.results import segments_figure, view_confusion
from cardio_echo_cmr.findings.config import EvaluateBlock
from cardio_echo_cmr.findings.report import Parts, report_findings, report_views_present
from cardio_echo_cmr.findings.tasks import OUTCOME
from cardio_echo_cmr.segments.scores import segment_tables
from cardio_echo_cmr.views.named import by_view, confusion, named_views, view_accuracy
from cardio_echo_cmr.views.names import VIEW_TITLES


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
                    "Whether abnormal segments are told from normal ones within a video",
                    "Mean AUC over videos: what the network went by, beside controls (open marks) "
                    "that know nothing. The dashed line is chance.",
                )
        parts.metrics += metrics
        parts.notes += notes
    return EvaluationReport(
        [*report.metrics, *parts.metrics],
        {**report.tables, **parts.tables},
        {**report.figures, **parts.figures},
        list(dict.fromkeys([*report.notes, *Note.each("evaluation", parts.notes)])),
    )


def _report_views(parts: Parts) -> None:
    """Add which loops were given their right view, the unknown counted."""
    target = parts.ctx.task.targets[0]
    if target.name not in parts.predictions.frames:
        return
    rows = named_views(parts.predictions, target, least=parts.config.min_view_probability)
    for model, own in rows.groupby("model", sort=False):
        table = confusion(own, target.classes)
        parts.tables[f"views-named-{model}"] = table
        parts.tables[f"views-by-name-{model}"] = by_view(own, target.classes)
        in_words = table.rename(index=VIEW_TITLES, columns=VIEW_TITLES)
        parts.figures[f"views-named-{model}"] = canvas.described(
            view_confusion(in_words),
            "Loops by their true and their given view",
            "Those whose view has too small a probability stand apart, as unknown; shares are of "
            "the row.",
        )
        scope = parts.scope(target.name, str(model))
        try:
            parts.add(view_accuracy(own, parts.config, parts.ctx.seed), scope)
        except DataError as error:
            parts.say(target.name, str(model), [f"accuracy with the unknown: {error}"])
        n_unknown = int(table["unknown"].sum())
        parts.notes.append(
            f"{n_unknown} of {len(own)} loops have no view of enough probability: they count as "
            "wrong in accuracy_with_unknown, and the findings do without them."
        )
