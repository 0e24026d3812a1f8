"""The core's own hooks, which stand behind every plugin's."""

from __future__ import annotations

from typing import Any

from cardio_core.context import Context
from cardio_core.hookspecs import hookimpl
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Explanation
from cardio_core.types.samples import SampleSet


@hookimpl(trylast=True)
def preprocess(samples: SampleSet, ctx: Context) -> SampleSet:
    """Open one patient's recordings: each is a sample."""
    opened = dict(samples.opened(ctx.quarantine))
    return SampleSet(samples.table.loc[list(opened)], list(opened.values()))


@hookimpl(trylast=True)
def explain() -> Explanation:
    """Explain nothing."""
    return Explanation()


@hookimpl(trylast=True)
def evaluate(predictions: Scored, config: Any, ctx: Context) -> EvaluationReport:
    """Report every target with the metrics of its kind."""
    from cardio_core.evaluation.default import default_evaluate

    return default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
