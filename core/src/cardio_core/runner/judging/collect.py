"""Out-of-fold predictions brought together, beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.evaluation.aggregate import score_columns
from cardio_core.io.atomic import replacing
from cardio_core.io.kept.models import CHOSEN
from cardio_core.io.store import load_table
from cardio_core.io.tables.formula import write_table
from cardio_core.runner.fitting.fuse import weights_of
from cardio_core.runner.fitting.jobs import FoldJob
from cardio_core.runner.fitting.stored import open_decisions, read_predictions
from cardio_core.runner.preparing.truth import Truth, labels_of, named_classes
from cardio_core.splits import SplitPlan
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored

CSV_COLUMNS = (
    "protocol", "sample_id", "recording_id", "study_id", "patient_id", "level", "time_s", "repeat",
    "fold", "model", "target", "event", "y_true", "predicted", "score",
)  # fmt: skip


def collect(jobs: Sequence[FoldJob], plan: SplitPlan, truth: Truth, task: Task) -> Scored:
    """Gather the test predictions of one protocol's jobs.

    Events that no sample matched are added once for every model that was tested on their patient,
    with `predicted` NA, so that they count as missed. Where samples rather than patients were
    split, missed events belong to no fold and are named in a note instead.
    """
    frames = {}
    notes: list[Note] = []
    if plan.overlap:
        notes.append(Note(NoteKind.DECLARED_OVERLAP, f"Declared overlap: {plan.overlap}"))
    for target in task.targets:
        parts = []
        for job in jobs:
            if target not in job.ctx.targets:
                continue
            parts.append(_one(job, target, truth))
            if len(truth.missed) and plan.unit == "patient":
                parts.append(_missed(job, target, truth))
        if any(map(len, parts)):
            frames[target.name] = pd.concat(
                [part for part in parts if len(part)], ignore_index=True
            )
    if len(truth.missed) and plan.unit == "sample":
        text = (
            f"{len(truth.missed)} events were not found; under a split of samples they belong to "
            "no fold and are not counted"
        )
        notes.append(Note(NoteKind.SPLIT, text))
    sources = {
        f"{job.ctx.model}/{name}": decision.source
        for job in jobs
        for name, decision in open_decisions(job.out, task.targets).items()
    }
    notes += _notes_of_fits(jobs)
    fusions = [weights_of(job) for job in jobs if job.members]
    return Scored(
        frames,
        sources,
        _columns(jobs),
        tuple(notes),
        pd.concat(fusions, ignore_index=True) if fusions else None,
    )


def _notes_of_fits(jobs: Sequence[FoldJob]) -> list[Note]:
    """Return what the fits noted; what all folds of a model say alike is said once."""
    folds: dict[Note, list[str]] = {}
    for job in jobs:
        for kept in CHOSEN.read(job.out / "chosen.json")["notes"]:
            note = replace(Note.from_dict(kept), model=str(job.ctx.model))
            folds.setdefault(note, []).append(str(job.ctx.fold))
    n_folds = len({job.ctx.fold for job in jobs})
    return [
        replace(note, where="every fold" if len(own) == n_folds > 1 else ", ".join(own))
        for note, own in folds.items()
    ]


def write_csv(path: Path, scored: dict[str, Scored], task: Task) -> None:
    """Write predictions.csv: all protocols, in the order of the folds.

    One row a unit, of several classes one a unit and class.
    """
    parts = []
    for protocol, one in scored.items():
        for target in task.targets:
            if target.name not in one.frames:
                continue
            frame = one.frames[target.name]
            columns = score_columns(target)
            # Of two classes the first has what the second leaves of 1.
            for column in columns[1:] if target.kind == "binary" else columns:
                part = frame.assign(
                    protocol=protocol, target=target.name, event=column.partition(":")[2],
                    score=frame[column],
                )  # fmt: skip
                parts.append(part.reindex(columns=list(CSV_COLUMNS)))
    with replacing(path) as temporary:
        write_table(pd.concat(parts), temporary, digits="%.7g")


def _one(job: FoldJob, target: Target, truth: Truth) -> pd.DataFrame:
    frame = read_predictions(job.out, target).reset_index(drop=True)
    decision = open_decisions(job.out, (target,)).get(target.name)
    predicted = decision.apply(frame, target) if decision else frame["score"].to_numpy()
    return frame.assign(
        y_true=labels_of(frame, target, truth.targets),
        predicted=predicted,
        repeat=_repeat(job),
        fold=job.ctx.fold,
        model=job.ctx.model,
    )


def _missed(job: FoldJob, target: Target, truth: Truth) -> pd.DataFrame:
    tested = job.features.table.iloc[job.test].drop_duplicates("recording_id")
    here = truth.missed.merge(
        tested[["recording_id", "study_id", "patient_id", "subject_id"]], on="recording_id"
    )
    return pd.DataFrame(
        {
            "recording_id": here["recording_id"],
            "study_id": here["study_id"],
            "patient_id": here["patient_id"],
            "subject_id": here["subject_id"],
            "level": "event",
            "time_s": here["time_s"],
            "y_true": named_classes(here[target.name].to_numpy(), target),
            "predicted": None,
            "unit_id": None,
            "sample_id": None,
            "repeat": _repeat(job),
            "fold": job.ctx.fold,
            "model": job.ctx.model,
        }
        | dict.fromkeys(score_columns(target), np.nan)
    )


def _columns(jobs: Sequence[FoldJob]) -> pd.DataFrame | None:
    parts = [
        load_table(job.out / "columns.npz").assign(model=job.ctx.model, fold=job.ctx.fold)
        for job in jobs
        if (job.out / "columns.npz").exists()
    ]
    return pd.concat(parts).reset_index(names="unit_id") if parts else None


def _repeat(job: FoldJob) -> int:
    return int(str(job.ctx.fold).partition("-")[0].removeprefix("r"))
