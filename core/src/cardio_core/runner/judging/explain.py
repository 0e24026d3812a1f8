"""Every fold's model explains some of its own test samples, in whichever process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.parts import noting
from cardio_core.runner.calls import call
from cardio_core.runner.fitting.choose import original
from cardio_core.runner.fitting.jobs import FoldJob
from cardio_core.runner.fitting.stored import open_artifact, read_predictions
from cardio_core.runner.judging.cases import write_case
from cardio_core.runner.session import Session
from cardio_core.runner.setup import open_with_defaults
from cardio_core.types.info import Target
from cardio_core.types.notes import Note
from cardio_core.types.predictions import Predictions
from cardio_core.types.report import Case, Explanation


@dataclass(frozen=True)
class Explained:
    """What the model of one fold gave: its cases without their pictures, which are written."""

    cases: tuple[Case, ...]
    rule: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ExplainJob:
    """A finished fit, and the run directory that its cases are written into."""

    fit: FoldJob
    out: Path


def explain_all(session: Session, jobs: Sequence[FoldJob], notes: list[Note]) -> Explanation:
    """Explain every fold and write its cases; why a fold or a case is missing goes to `notes`."""
    explained = session.executor.map(
        explain_fold,
        # What the core owns nothing of a plugin explains.
        [ExplainJob(job, session.out) for job in jobs if not job.core_owned],
        devices=session.setup.devices,
    )
    for one in explained:
        notes += one.notes
    cases = [case for one in explained for case in one.cases]
    return Explanation(cases, next((one.rule for one in explained if one.rule), ""))


def explain_fold(job: ExplainJob, device: Any = None) -> Explained:
    """Let one fold's model explain its test samples, and write every case that it gives."""
    fit, notes = job.fit, list[Note]()
    model, fold, protocol = str(fit.ctx.model), str(fit.ctx.fold), str(fit.protocol)
    part = Explanation()
    with noting(notes, f"No explanation of {model}, {fold}:", strict=fit.ctx.strict):
        part = _explain(fit, device)
    cases = [replace(case, model=model, fold=fold) for case in part.cases]
    for case in cases:
        with noting(notes, f"An explained case of {model} is left out:"):
            write_case(job.out, f"{protocol}-{fold}-{model}-{case.sample_id}", case, protocol)
    # What draws and films may hold anything; what is drawn need not travel.
    written = tuple(replace(case, draw=None, video=None) for case in cases)
    return Explained(written, part.rule, (*notes, *part.notes))


def _explain(job: FoldJob, device: Any) -> Explanation:
    """Hand the fold's model its own test samples and what it predicted for them."""
    view = job.features.view(original(job.features.table, job.test))
    predictions = said_of([(one, read_predictions(job.out, one)) for one in job.ctx.targets])
    if not predictions.ids:
        return Explanation()
    explanation: Explanation = call(
        open_with_defaults(job.plugin),
        "explain",
        job.ctx.replace(device=device),
        job.config,
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
