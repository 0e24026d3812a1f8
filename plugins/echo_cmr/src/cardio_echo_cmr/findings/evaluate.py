"""Evaluate: the default, intervals that draw patients, measured numbers, and the paper's tables."""

from __future__ import annotations

from cardio_core.api import (
    Cohort,
    Context,
    EvaluationReport,
    Explanation,
    Scored,
    Targets,
    default_evaluate,
)
from cardio_echo_cmr.drawing.segments import segments_figure
from cardio_echo_cmr.findings.config import EvaluateBlock
from cardio_echo_cmr.findings.report.finding import report_findings
from cardio_echo_cmr.findings.report.parts import Parts
from cardio_echo_cmr.findings.report.view import report_views
from cardio_echo_cmr.segments.scores import segment_tables


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

    Returns
    -------
    EvaluationReport
    """
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    parts = Parts(predictions, targets, cohort, config, ctx)
    if ctx.task.name == "view":
        report_views(parts)
    else:
        report_findings(parts)
        made, metrics, notes = segment_tables(
            explanation.cases, cohort, ctx.task.name, config, ctx.seed, people=parts.people
        )
        parts.tables |= made
        if "within_videos" in made.get("segments", ()):
            known = made["segments"].dropna(subset=["within_videos", "within_low"])
            if len(known):
                parts.figures["segments"] = segments_figure(known)
        parts.metrics += metrics
        parts.notes += notes
    return EvaluationReport(
        [*report.metrics, *parts.metrics],
        {**report.tables, **parts.tables},
        {**report.figures, **parts.figures},
        list(dict.fromkeys([*report.notes, *parts.notes])),
    )
