"""One model on one fold: inner folds choose, the whole training set is fitted, the test scored."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.sharing import shared_out
from cardio_core.errors import DataError, LeakageError
from cardio_core.evaluation.fusion.rule import MismatchError
from cardio_core.evaluation.parts import ABOUT_DATA
from cardio_core.io.atomic import whole_directory
from cardio_core.runner.calls import call
from cardio_core.runner.fitting.choose import choose_inside, fit_model, original
from cardio_core.runner.fitting.clinical import open_clinical
from cardio_core.runner.fitting.embedded import keep_distances
from cardio_core.runner.fitting.fuse import fuse_fold
from cardio_core.runner.fitting.jobs import Array, FoldJob
from cardio_core.runner.fitting.left_out import note_unfitted, notes_on, unfitted, without
from cardio_core.runner.fitting.stored import (
    guard_split,
    note_split,
    save_predictions,
    write_chosen,
)
from cardio_core.runner.fitting.watching import Timed, Watch, telling_first
from cardio_core.runner.progress import Progress
from cardio_core.runner.progress.pulse import FOLDER
from cardio_core.runner.progress.words import several
from cardio_core.runner.session import Session
from cardio_core.runner.setup import open_with_defaults
from cardio_core.types.artifact import ModelArtifact


def fit_all(session: Session, jobs: Sequence[FoldJob]) -> tuple[list[FoldJob], Timed]:
    """Do the jobs, and return those of the models that every fold of their protocol could fit.

    Returned beside them is what the fits took.

    Out of the first protocol, a model is out of the manifest too: new patients get no score of a
    model that nobody has tested.

    Raises
    ------
    NotTheSameError
        If a fit that is there was made for other patients.
    DataError
        If no model is left.
    """
    setup = session.setup
    todo = [job for job in jobs if not job.out.exists()]
    for job in jobs:
        guard_split(job.out, job.split, job.title)
    if len(todo) < len(jobs):
        session.say(f"Resumed: {len(jobs) - len(todo)} of {len(jobs)} fits were finished before.")
    n_fits = sum(not job.members for job in jobs)
    devices = shared_out(setup.devices, n_fits)
    if any(device.others for device in devices):
        session.say(
            f"Fewer fits ({n_fits}) than devices ({len(setup.devices)}): where a network can be "
            "trained on several devices at once, they share its fit."
        )
    kept = list(jobs)
    watch = Watch(todo, session.out / FOLDER)

    def count(done: Path) -> None:
        watch.finished(done)
        progress.advance()

    progress = Progress(
        "training", len(todo), session.say, "fits", under_way=watch.under_way, left=watch.left
    )
    with closing(watch), progress:
        try:
            for fuses in (False, True):
                session.executor.map(
                    run_fold,
                    telling_first(
                        [job for job in kept if bool(job.members) == fuses and not job.out.exists()]
                    ),
                    devices=devices,
                    on_done=count,
                )
                kept = without(jobs, set(unfitted(jobs)))
        except BaseException:
            # What was stopped says how much is kept: on disk, not how much was heard of.
            progress.correct(sum(job.out.exists() for job in todo))
            raise
    notes = notes_on(jobs, kept, setup.task)
    session.note(notes)
    fitted = {(job.protocol, job.ctx.model) for job in kept}
    models = [name for name in setup.models if (setup.protocols[0], name) in fitted]
    session.manifest.update(models=models)
    if not kept:
        raise DataError(f"no model can be fitted. {' '.join(map(str, notes))}")
    return kept, watch.timed()


def run_fold(job: FoldJob, device: Any = None) -> Path:
    """Do one job in a folder that appears when it is complete; return the folder.

    What the data do not allow (`DataError`) does not end the run: the folder holds the reason
    instead, for `unfitted`, and the model is left out of its protocol. With ``strict``, and where
    the members of a fused model disagree about who is who, it is raised.
    """
    if job.out.exists():
        return job.out
    with job.pulse or nullcontext():
        _do(job, device)
    return job.out


def _do(job: FoldJob, device: Any) -> None:
    fill = fuse_fold if job.members else partial(_fit_and_score, device=device)

    def made(folder: Path) -> None:
        note_split(folder, job.split)
        fill(job, folder)

    try:
        whole_directory(job.out, made)
    except ABOUT_DATA as error:
        if job.ctx.strict or isinstance(error, MismatchError):
            raise
        reason = str(error)

        def left_out(folder: Path) -> None:
            note_split(folder, job.split)
            note_unfitted(folder, reason)

        whole_directory(job.out, left_out)


def _fit_and_score(job: FoldJob, folder: Path, device: Any) -> None:
    plugin = open_clinical() if job.core_owned else open_with_defaults(job.plugin)
    ctx = job.ctx.replace(device=device, progress=job.pulse)
    train = _usable(job, job.train)
    chosen = choose_inside(job, plugin, ctx, train, folder / "inner")
    config = job.config.with_train(chosen.candidate)
    out = folder / "artifact"
    artifact = fit_model(job, plugin, config, ctx.replace(epochs=chosen.epochs), out, train, None)
    write_chosen(
        folder,
        candidate=chosen.candidate,
        epochs=chosen.epochs,
        decisions=list(chosen.decisions.values()),
        notes=[*chosen.notes, *artifact.notes],
    )
    table = job.features.table
    test = original(table, job.test)
    if test.size:
        _guard_seen(job, artifact, test)
        view = job.features.view(test)
        predictions = call(plugin, "predict", ctx, config, model=artifact, features=view)
        save_predictions(folder, predictions, view.table, ctx.targets, ctx.task.unit)
    if job.embeds:
        keep_distances(job, plugin, config, ctx, artifact, folder, original(table, train), test)


def _usable(job: FoldJob, positions: Array) -> Array:
    """Drop unlabelled samples unless the task says that it uses them."""
    if job.ctx.task.uses_unlabelled:
        return positions
    table = job.features.table.iloc[positions]
    known = np.zeros(len(table), bool)
    for target in job.ctx.task.targets:
        known |= ~pd.isna(job.targets.of(table, target.name))
    return positions[known]


def _guard_seen(job: FoldJob, artifact: ModelArtifact, test: Array) -> None:
    if job.overlap is not None:
        return
    shared = set(artifact.seen) & set(job.features.table["subject_id"].iloc[test])
    if shared:
        raise LeakageError(
            f"{job.title}: the model has seen {several(len(shared), 'subject')} that it is "
            f"to be tested on ({', '.join(sorted(shared)[:3])})"
        )
