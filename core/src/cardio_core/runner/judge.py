"""Explain, evaluate, and write down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.conformal import Conformal
from cardio_core.io.atomic import read_json, replacing, write_json
from cardio_core.registry import Plugin
from cardio_core.runner.calls import call
from cardio_core.runner.cases import file_in, stem_of, write_case
from cardio_core.runner.folds import FoldJob, open_artifact, read_predictions
from cardio_core.types.info import Target
from cardio_core.types.predictions import Predictions, Scored
from cardio_core.types.report import EvaluationReport, Explanation
from cardio_core.types.samples import Cohort

if TYPE_CHECKING:
    from cardio_core.evaluation.coverage import Calibrated


@dataclass(frozen=True)
class Judged:
    """One protocol, judged."""

    report: EvaluationReport
    explanation: Explanation
    calibrated: Calibrated


def judge(
    plugin: Plugin,
    config: RunConfig,
    ctx: Context,
    jobs: Sequence[FoldJob],
    scored: Scored,
    cohort: Cohort,
) -> Judged:
    """Explain every fold's model on its own test samples, then evaluate the protocol.

    Prediction sets and intervals are calibrated under the honest protocol only, whose models
    `models/final` are.
    """
    from cardio_core.evaluation.coverage import Calibrated, calibrate

    explanation = Explanation()
    if plugin.implements("explain", ctx.task):
        fitted = [job for job in jobs if not job.members]
        parts = [_explain(plugin, config, job) for job in fitted]
        cases = [
            replace(case, model=str(job.ctx.model), fold=str(job.ctx.fold))
            for job, part in zip(fitted, parts, strict=True)
            for case in part.cases
        ]
        explanation = Explanation(cases, next((p.rule for p in parts if p.rule), ""))
    report = call(
        plugin,
        "evaluate",
        ctx,
        config,
        predictions=scored,
        targets=cohort.targets,
        cohort=cohort,
        explanation=explanation,
    )
    calibrated = Calibrated({})
    if ctx.protocol == "honest":
        calibrated = calibrate(
            scored,
            ctx.task,
            overlap=jobs[0].overlap if jobs else None,
            level=config.evaluate.level,
            n_resamples=config.evaluate.n_resamples,
            seed=ctx.seed,
        )
    return Judged(report, explanation, calibrated)


def write_judged(out: Path, protocol: str, judged: Judged) -> None:
    """Write metrics, tables, figures and explanations of one protocol."""
    from cardio_core.report.figures import save_svg

    metrics = [*judged.report.metrics, *judged.calibrated.metrics]
    rows = [metric.to_dict() | {"protocol": protocol} for metric in metrics]
    notes = [*judged.report.notes, *judged.calibrated.notes]
    if judged.explanation.rule:
        notes.append(f"Explained cases: {judged.explanation.rule}")
    write_json(out / "judged" / f"{protocol}.json", {"metrics": rows, "notes": notes})
    for (model, target), rule in judged.calibrated.rules.items():
        write_json(rule_path(out, model, target), rule.to_dict())
    for name, table in judged.report.tables.items():
        with replacing(file_in(out / "tables", f"{protocol}-{name}", "csv")) as temporary:
            table.to_csv(temporary, index=not _plain_index(table), float_format="%.6g")
    for name, draw in judged.report.figures.items():
        save_svg(draw, file_in(out / "figures", f"{protocol}-{name}", "svg"))
    for case in judged.explanation.cases:
        write_case(out, f"{protocol}-{case.fold}-{case.model}-{case.sample_id}", case, protocol)


def rule_path(run: Path, model: str, target: str) -> Path:
    """Return where the conformal rule of one row and target lies in a run directory."""
    return run / "conformal" / f"{stem_of(f'{model}-{target}')}.json"


def open_rule(run: Path, model: str, target: str) -> Conformal | None:
    """Return the conformal rule of one row and target, None where a run has none."""
    path = rule_path(run, model, target)
    return Conformal.from_dict(read_json(path)) if path.is_file() else None


def _explain(plugin: Plugin, config: RunConfig, job: FoldJob) -> Explanation:
    """Hand the fold's model its own test samples and what it predicted for them."""
    view = job.features.view(_tested(job))
    predictions = said_of(
        [(target, read_predictions(job.out, target)) for target in job.ctx.targets]
    )
    if not predictions.ids:
        return Explanation()
    explanation: Explanation = call(
        plugin,
        "explain",
        job.ctx,
        config,
        model=open_artifact(job.out),
        features=view,
        predictions=predictions,
    )
    return explanation


def said_of(frames: Sequence[tuple[Target, pd.DataFrame]]) -> Predictions:
    """Return a row's prediction frames as `explain` is given them: one table for all targets.

    Parameters
    ----------
    frames : sequence of (Target, DataFrame)
        Each with the units that the row could score; a partial row may score some of a unit's
        targets.

    Returns
    -------
    Predictions
        Of every unit that has a score, at the frames' level; NaN where a target has none.
    """
    ids = tuple(dict.fromkeys(unit for _, frame in frames for unit in frame["unit_id"]))
    levels = [str(level) for _, frame in frames for level in frame["level"]]
    scores = {}
    for target, frame in frames:
        found = frame.set_index("unit_id")[score_columns(target)].reindex(list(ids))
        values = found.to_numpy(float)
        place = {"binary": 1, "continuous": 0}.get(target.kind)
        scores[target.name] = values if place is None else values[:, place]
    return Predictions(ids, scores, levels[0] if levels else "sample")  # type: ignore[arg-type]


def _tested(job: FoldJob) -> np.ndarray[tuple[int], np.dtype[np.int_]]:
    table = job.features.table
    if "variant" not in table.columns:
        return job.test
    return np.asarray(job.test[table["variant"].iloc[job.test].to_numpy() == 0])


def _plain_index(table: object) -> bool:
    return isinstance(table, pd.DataFrame) and isinstance(table.index, pd.RangeIndex)
