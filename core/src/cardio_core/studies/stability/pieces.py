"""The whole pipeline on one fold of one refit: what a worker does at a time, and what is kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.io.atomic import whole_directory, write_json
from cardio_core.io.kept.models import NAMES
from cardio_core.io.store import load_table, save_table
from cardio_core.runner.fitting.fit import run_fold
from cardio_core.runner.fitting.jobs import FoldJob
from cardio_core.runner.fitting.left_out import unfitted, without
from cardio_core.runner.judging.collect import collect
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.preparing.truth import Truth
from cardio_core.runner.progress import Progress
from cardio_core.runner.session import Session
from cardio_core.splits import SplitPlan
from cardio_core.studies.stability.opening import Again, refits
from cardio_core.types.file_names import SafeName
from cardio_core.types.info import Target, Task

_UNFITTED = "unfitted.json"
_KEPT = (
    "unit_id", "recording_id", "time_s", "patient_id", "subject_id", "repeat", "fold", "model",
    "y_true", "predicted",
)  # fmt: skip


@dataclass(frozen=True)
class Refit:
    """One way to fit the pipeline again: what it is called, its folds, its truth and its seed."""

    name: str
    plan: SplitPlan
    truth: Truth
    seed: int
    needs: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Piece:
    """All models on one fold of one refit.

    `work` is where models lie while it runs; `out` appears when it is done, with predictions alone.
    """

    jobs: tuple[FoldJob, ...]
    plan: SplitPlan
    truth: Truth
    task: Task
    work: Path
    out: Path


def fit_refits(again: Again, what: str, refits_: Sequence[Refit]) -> None:
    """Fit what is not fitted yet, a fold a piece, spread over the run's workers."""
    pieces = [piece for refit in refits_ for piece in _pieces(again, what, refit)]
    todo = [piece for piece in pieces if not piece.out.exists()]
    session = again.session
    if len(todo) < len(pieces):
        session.say(
            f"{what.capitalize()}: {len(pieces) - len(todo)} of {len(pieces)} folds were fitted "
            "before."
        )
    with Progress(what, len(todo), session.say, "folds") as progress:
        session.executor.map(
            fit_piece, todo, devices=session.setup.devices, on_done=lambda _: progress.advance()
        )
    shutil.rmtree(session.out / "work", ignore_errors=True)


def fit_piece(piece: Piece, device: Any = None) -> Path:
    """Fit every model on the piece's fold and keep what it says of the tested patients."""
    if piece.out.exists():
        return piece.out
    kept: list[FoldJob] = list(piece.jobs)
    for fuses in (False, True):
        for job in kept:
            if bool(job.members) == fuses:
                run_fold(job, device)
        kept = without(piece.jobs, set(unfitted([job for job in piece.jobs if job.out.exists()])))
    reasons = unfitted([job for job in piece.jobs if job.out.exists()])

    def fill(folder: Path) -> None:
        if kept:
            frames = collect(kept, piece.plan, piece.truth, piece.task).frames
            for name, frame in frames.items():
                own = [one for one in frame.columns if one in _KEPT or one.startswith("score")]
                save_table(folder / SafeName(name, ".npz"), frame[own])
        write_json(folder / _UNFITTED, {model: why for (_, model), why in reasons.items()})

    whole_directory(piece.out, fill)
    shutil.rmtree(piece.work, ignore_errors=True)
    return piece.out


def predicted(again: Again, what: str, refit: Refit, target: Target) -> pd.DataFrame:
    """Return what a refit predicted out of fold, all its folds together.

    A model that some fold could not fit is not in it.
    """
    folders = [piece_folder(again.session.out, what, refit, fold.name) for fold in refit.plan.folds]
    files = [folder / SafeName(target.name, ".npz") for folder in folders]
    frames = [load_table(file) for file in files if file.is_file()]
    if not frames:
        return pd.DataFrame(columns=[*_KEPT])
    table = pd.concat(frames, ignore_index=True)
    lost = {model for folder in folders for model in NAMES.read(folder / _UNFITTED)}
    return table[~table["model"].isin(lost)].reset_index(drop=True)


def unfitted_in(again: Again, what: str, refits_: Sequence[Refit]) -> dict[str, int]:
    """Return in how many refits a model could not be fitted, by model."""
    found: dict[str, int] = {}
    for refit in refits_:
        lost: set[str] = set()
        for fold in refit.plan.folds:
            lost |= set(
                NAMES.read(piece_folder(again.session.out, what, refit, fold.name) / _UNFITTED)
            )
        for model in lost:
            found[model] = found.get(model, 0) + 1
    return found


def piece_folder(out: Path, what: str, refit: Refit, fold: str) -> Path:
    """Return where a piece is kept: ``refits/WHAT/NAME/FOLD``."""
    return out / "refits" / what / SafeName(refit.name) / fold


def _pieces(again: Again, what: str, refit: Refit) -> list[Piece]:
    session, arm = again.session, again.arm
    work = session.out / "work" / what / SafeName(refit.name)
    own: Session = replace(
        session, out=work, ctx=session.ctx.replace(seed=refit.seed),
        needs=refit.needs or session.needs,
    )  # fmt: skip
    planned: Arm = replace(arm, plan=refit.plan, truth=refit.truth)
    by_fold: dict[str, list[FoldJob]] = {}
    for job in refits(own, planned):
        by_fold.setdefault(str(job.ctx.fold), []).append(job)
    return [
        Piece(
            tuple(jobs), refit.plan, refit.truth, session.setup.task,
            work / "models" / f"honest-{fold}", piece_folder(session.out, what, refit, fold),
        )
        for fold, jobs in by_fold.items()
    ]  # fmt: skip
