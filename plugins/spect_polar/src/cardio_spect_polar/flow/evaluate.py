"""Evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_core.api import default_evaluate

if TYPE_CHECKING:
    from cardio_core.api import Cohort, Context, EvaluationReport, Explanation, Scored
    from cardio_spect_polar.flow.config import EvaluateBlock


def evaluate(
    predictions: Scored,
    cohort: Cohort,
    explanation: Explanation,
    config: EvaluateBlock,
    ctx: Context,
    targets: object = None,
) -> EvaluationReport:
    """Evaluate."""
    return default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
