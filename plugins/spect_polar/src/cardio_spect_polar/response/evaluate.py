"""Evaluate `crt_response`: the default, the paper's tables and figures, the worth of codes."""

from __future__ import annotations

from dataclasses import replace

from cardio_core.api import (
    Cohort,
    Context,
    EvaluationReport,
    Explanation,
    Note,
    Scored,
    Targets,
    default_evaluate,
)
from cardio_spect_polar.published.he_2022 import published_parts
from cardio_spect_polar.response.config import EvaluateBlock
from cardio_spect_polar.response.honest_tables import honest_parts
from cardio_spect_polar.response.paper_tables import paper_parts
from cardio_spect_polar.response.tables import (
    base_parts,
    calibration_parts,
    code_tables,
    patient_table,
)


def evaluate(
    predictions: Scored,
    targets: Targets | None,
    cohort: Cohort,
    explanation: Explanation,
    config: EvaluateBlock,
    ctx: Context,
) -> EvaluationReport:
    """Add Table 2, Figures 2 and 3, and how stable and how strong the codes are.

    Under ``paper`` codes are those of the one fit on everybody, tested as published. Under
    ``honest`` codes of different folds never meet in one column: what they are worth is read off
    out-of-fold scores. Published numbers stand beside the published outcome alone; several classes
    and numbers have the default evaluation and the stability of the codes.
    """
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    target = ctx.task.targets[0]
    if target.kind != "binary":
        codes = code_tables(explanation.cases)
        return replace(
            report,
            tables={**report.tables, **codes.tables},
            notes=[*report.notes, *Note.each("codes", codes.notes)],
        )
    tables, figures, notes = dict(report.tables), dict(report.figures), list(report.notes)
    table = patient_table(predictions, target)
    if ctx.protocol == "paper" and ctx.outcome is not None:
        parts = []
    elif ctx.protocol == "paper":
        parts = [paper_parts(predictions, table, config, ctx), published_parts()]
    else:
        parts = [
            honest_parts(predictions, table, config, ctx),
            calibration_parts(predictions, table, config, ctx),
        ]
    metrics = list(report.metrics)
    for found in (*parts, code_tables(explanation.cases), base_parts(table)):
        tables |= found.tables
        figures |= found.figures
        notes += Note.each("evaluation", found.notes)
        metrics += found.metrics
    published = {"published-table-1", "published-table-2"} & tables.keys()
    return EvaluationReport(metrics, tables, figures, notes, published)
