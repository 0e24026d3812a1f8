"""Explain, evaluate, and write down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cardio_core.config import RunConfig
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.conformal.sets import Conformal
from cardio_core.evaluation.parts import noting
from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.io.atomic import read_json, replacing, write_json
from cardio_core.registry import Plugin
from cardio_core.runner.calls import call
from cardio_core.runner.fitting.choose import original
from cardio_core.runner.fitting.jobs import FoldJob
from cardio_core.runner.fitting.stored import open_artifact, read_predictions
from cardio_core.runner.judging.cases import file_in, stem_of, write_case
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.preparing.patients import clinical_table
from cardio_core.runner.session import Session
from cardio_core.types.info import Target
from cardio_core.types.predictions import Predictions, Scored
from cardio_core.types.report import Case, EvaluationReport, Explanation

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
    notes: list[str] = []
    explanation = Explanation()
    if plugin.implements("explain", ctx.task):
        explanation = _explain_all(plugin, config, jobs, notes, strict=ctx.strict)
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


def _explain_all(
    plugin: Plugin, config: RunConfig, jobs: Sequence[FoldJob], notes: list[str], *, strict: bool
) -> Explanation:
    """Return the cases of every fold; why a fold has none goes to `notes`."""
    cases: list[Case] = []
    rules = []
    for job in jobs:
        if job.core_owned:  # nothing of a plugin explains it
            continue
        model, fold = str(job.ctx.model), str(job.ctx.fold)
        with noting(notes, f"No explanation of {model}, {fold}:", strict=strict):
            part = _explain(plugin, config, job)
            rules.append(part.rule)
            cases += [replace(case, model=model, fold=fold) for case in part.cases]
    return Explanation(cases, next(filter(None, rules), ""))


def write_judged(out: Path, protocol: str, judged: Judged) -> None:
    """Write metrics, tables, figures and explanations of one protocol."""
    from cardio_core.report.figures import save_svg

    metrics = [*judged.report.metrics, *judged.calibrated.metrics]
    rows = [metric.to_dict() | {"protocol": protocol} for metric in metrics]
    notes = [*judged.report.notes, *judged.calibrated.notes]
    if judged.explanation.rule:
        notes.append(f"Explained cases: {judged.explanation.rule}")
    for (model, target), rule in judged.calibrated.rules.items():
        write_json(rule_path(out, model, target), rule.to_dict())
    for name, table in judged.report.tables.items():
        with replacing(file_in(out / "tables", f"{protocol}-{name}", "csv")) as temporary:
            index = not isinstance(table.index, pd.RangeIndex)
            table.to_csv(temporary, index=index, float_format="%.6g")
    for name, draw in judged.report.figures.items():
        with noting(notes, f"Figure {name} is left out:"):
            save_svg(draw, file_in(out / "figures", f"{protocol}-{name}", "svg"))
    for case in judged.explanation.cases:
        stem = f"{protocol}-{case.fold}-{case.model}-{case.sample_id}"
        with noting(notes, f"An explained case of {case.model} is left out:"):
            write_case(out, stem, case, protocol)
    write_json(out / "judged" / f"{protocol}.json", {"metrics": rows, "notes": notes})


def rule_path(run: Path, model: str, target: str) -> Path:
    """Return where the conformal rule of one model and target lies in a run directory."""
    return run / "conformal" / f"{stem_of(f'{model}-{target}')}.json"


def open_rule(run: Path, model: str, target: str) -> Conformal | None:
    """Return the conformal rule of one model and target, None where a run has none."""
    path = rule_path(run, model, target)
    return Conformal.from_dict(read_json(path)) if path.is_file() else None


def _explain(plugin: Plugin, config: RunConfig, job: FoldJob) -> Explanation:
    """Hand the fold's model its own test samples and what it predicted for them."""
    view = job.features.view(original(job.features.table, job.test))
    predictions = said_of([(one, read_predictions(job.out, one)) for one in job.ctx.targets])
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
    """Return a model's prediction frames as `explain` is given them: one table for all targets.

    Of every unit that has a score, at the frames' level; NaN where a target has none, because a
    partial model may score some of a unit's targets.
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
