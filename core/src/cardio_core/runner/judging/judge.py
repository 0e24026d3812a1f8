"""Explain, evaluate, and write down what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardio_core.compute.executors import Executor
from cardio_core.evaluation.conformal.sets import Conformal
from cardio_core.evaluation.parts import noting
from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.io.atomic import file_in, replacing, write_json
from cardio_core.io.kept.models import CONFORMAL
from cardio_core.io.tables.formula import write_table
from cardio_core.runner.calls import call
from cardio_core.runner.fitting.jobs import FoldJob
from cardio_core.runner.judging.explain import explain_all
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.preparing.patients import clinical_table
from cardio_core.runner.session import Session
from cardio_core.types.file_names import SafeName, inside
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Explanation

if TYPE_CHECKING:
    from cardio_core.evaluation.conformal.coverage import Calibrated


@dataclass(frozen=True)
class Judged:
    """One protocol, judged."""

    report: EvaluationReport
    explanation: Explanation
    calibrated: Calibrated


def judge(session: Session, arm: Arm, jobs: Sequence[FoldJob], scored: Scored) -> Judged:
    """Explain every fold's model on its own test samples, then evaluate the protocol.

    Prediction sets and intervals are calibrated under the honest protocol only, whose models
    `models/final` are. What the data do not allow is a note and not the end: of an explanation, the
    cases of that fold are missing; of the plugin's own evaluation, the default one stands instead.
    """
    from cardio_core.evaluation.conformal.coverage import Calibrated, calibrate
    from cardio_core.evaluation.default import default_evaluate
    from cardio_core.evaluation.patients.subgroups import subgroup_metrics

    plugin, config = session.setup.plugin, arm.config
    # The primary model may be the user's, declared for this run.
    task = replace(session.ctx.task, primary=session.setup.primary)
    ctx = session.ctx.replace(protocol=arm.protocol, task=task)
    notes: list[Note] = []
    explanation = Explanation()
    if plugin.implements("explain", ctx.task):
        explanation = explain_all(session, jobs, notes)
    report = None
    missing = f"Only what the core reports by itself is here, not what {plugin.info.name} adds:"
    with noting(notes, missing, strict=ctx.strict):
        if scored.frames:
            report = call(
                plugin,
                "evaluate",
                ctx,
                config,
                predictions=scored,
                targets=arm.prepared.cohort.targets,
                cohort=arm.prepared.cohort,
                explanation=explanation,
            )
    if report is None:
        report = default_evaluate(scored, ctx.task, config.evaluate, seed=ctx.seed)
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
    if config.covariates:
        patients = by_patient(clinical_table(arm.prepared.cohort), config.covariates)
        within, small = subgroup_metrics(scored, ctx.task, patients, config.evaluate, seed=ctx.seed)
        report = replace(report, metrics=[*report.metrics, *within])
        notes += small
    report = replace(report, notes=[*report.notes, *notes])
    return Judged(report, explanation, calibrated)


@dataclass(frozen=True)
class Figure:
    """One figure of a report, what draws it, and its file."""

    name: str
    draw: Callable[[Any], None]
    path: Path


def draw_figure(figure: Figure) -> list[Note]:
    """Draw one figure into its file; return a note where it is left out."""
    from cardio_core.report.figures import save_svg

    notes: list[Note] = []
    with noting(notes, f"Figure {figure.name} is left out:"):
        save_svg(figure.draw, figure.path)
    return notes


def write_judged(out: Path, protocol: str, judged: Judged, executor: Executor) -> None:
    """Write metrics, tables and figures of one protocol; its cases are written already."""
    metrics = [*judged.report.metrics, *judged.calibrated.metrics]
    rows = [metric.to_dict() | {"protocol": protocol} for metric in metrics]
    notes: list[Note] = [*judged.report.notes, *judged.calibrated.notes]
    if judged.explanation.rule:
        notes.append(Note(NoteKind.EXPLAINED_CASES, f"Explained cases: {judged.explanation.rule}"))
    notes += judged.explanation.notes
    for (model, target), rule in judged.calibrated.rules.items():
        write_json(inside(out, rule_path(out, model, target)), rule.to_dict())
    for name, table in judged.report.tables.items():
        with replacing(file_in(out, "tables", SafeName(f"{protocol}-{name}", ".csv"))) as temporary:
            index = not isinstance(table.index, pd.RangeIndex)
            write_table(table, temporary, index=index, digits="%.6g")
    figures = [
        Figure(name, draw, file_in(out, "figures", SafeName(f"{protocol}-{name}", ".svg")))
        for name, draw in judged.report.figures.items()
    ]
    notes += [note for left_out in executor.map(draw_figure, figures) for note in left_out]
    write_json(
        out / "judged" / f"{protocol}.json",
        {"metrics": rows, "notes": [note.to_dict() for note in notes]},
    )


def rule_path(run: Path, model: str, target: str) -> Path:
    """Return where the conformal rule of one model and target lies in a run directory."""
    return run / "conformal" / SafeName(f"{model}-{target}", ".json")


def open_rule(run: Path, model: str, target: str) -> Conformal | None:
    """Return the conformal rule of one model and target, None where a run has none."""
    path = rule_path(run, model, target)
    return Conformal.from_dict(CONFORMAL.read(path)) if path.is_file() else None
