"""One model on one fold: inner folds choose, the whole training set is fitted, the test scored."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pluggy

import cardio_core.hookspecs as hookspecs
from cardio_core.compute.devices import Device
from cardio_core.config import RunConfig
from cardio_core.context import EPOCHS_SET, Context
from cardio_core.errors import DataError, LeakageError
from cardio_core.evaluation import clinical_model
from cardio_core.evaluation.aggregate import prediction_frame, score_columns
from cardio_core.evaluation.decision import Decision, choose, macro_f1, plain
from cardio_core.evaluation.fusion import MismatchError
from cardio_core.evaluation.parts import ABOUT_DATA
from cardio_core.fold_assignment import inner_folds
from cardio_core.io.store import save_table
from cardio_core.registry import Plugin
from cardio_core.runner.embeddings import keep_distances
from cardio_core.runner.fits import (
    Array,
    FoldJob,
    guard_split,
    note_split,
    note_unfitted,
    notes_on,
    save_predictions,
    unfitted,
    without,
    write_chosen,
)
from cardio_core.runner.fused_models import fuse_fold
from cardio_core.runner.hook_calls import call
from cardio_core.runner.patients import labels_of, named_classes
from cardio_core.runner.progress import (
    FOLDER,
    Fit,
    FitTimes,
    Progress,
    fold_in_words,
    read_pulse,
    several,
)
from cardio_core.runner.protocols import Session
from cardio_core.runner.setup import opened
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.info import PluginInfo, Target
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.targets import Targets
from cardio_stats.files import SafeName, whole_directory

# How many epochs: whether those who validate are enough to choose, and what they chose.

OF_EITHER_CLASS = 10
"""Patients of each of two classes: with fewer, a score moves with two or three of them."""


def enough_to_choose(
    validating: pd.DataFrame, targets: Targets, target: Target, *, least: int
) -> bool:
    """Whether these samples' patients are enough to choose the number of epochs.

    Parameters
    ----------
    validating : DataFrame
        Table of the samples that would validate, with `subject_id`.
    targets : Targets
        Their outcomes; a patient without one does not count.
    target : Target
        What the inner folds score first. Where it has two classes, each needs
        `OF_EITHER_CLASS` patients: an AUC has no more to go by than its rarer class.
    least : int
        Number of patients asked for; 0 asks for none, nor for any of a class.
    """
    if least == 0:
        return True
    y = pd.Series(named_classes(targets.of(validating, target.name), target), dtype=object)
    people = validating["subject_id"].to_numpy()
    known = y.notna().to_numpy()
    if len(set(people[known])) < least:
        return False
    if target.kind != "binary":
        return True
    return all(
        len(set(people[(y == label).to_numpy()])) >= OF_EITHER_CLASS for label in target.classes
    )


def epochs_of(chosen: Sequence[int | None]) -> int | None:
    """Return the median of what the inner folds chose; None where there are no epochs.

    Examples
    --------
    >>> epochs_of([3, 8, None, 5]), epochs_of([None])
    (5, None)
    """
    known = [epoch for epoch in chosen if epoch is not None]
    return int(np.median(known)) if known else None


# Inside one training set: inner folds choose candidate, epochs and thresholds.


@dataclass(frozen=True)
class Chosen:
    """What the inner folds decided."""

    candidate: dict[str, Any]
    epochs: int | None
    decisions: dict[str, Decision]
    notes: tuple[Note, ...] = ()


def choose_inside(job: FoldJob, plugin: Plugin, ctx: Context, train: Array, folder: Path) -> Chosen:
    """Fit every candidate on the inner folds and choose by what they predict out of fold."""
    targets = ctx.targets
    plain_rules = {t.name: plain(t) for t in targets if t.kind != "continuous"}
    settings = job.config.inner
    fixed = job.config.protocols[job.protocol].decision == "fixed"
    candidates: list[dict[str, Any]] = [dict(tree) for tree in job.config.search] or [{}]
    model = ctx.task.model(str(ctx.model))
    if model.core_owned or model.estimator:
        candidates = [{}]  # settings of the plugin's training are none of it
    if settings.k == 0 or ctx.task.model(str(ctx.model)).rule:
        return Chosen(candidates[0], None, plain_rules)
    table = job.features.table.iloc[train]
    splits = inner_folds(
        table,
        job.targets.stratum(table, [target.name for target in ctx.task.targets]),
        k=settings.k,
        share=settings.validation_share,
        unit=job.unit,
        # All models have the same inner folds, so that a fusion finds its members' predictions.
        seed=ctx.replace(model=None).seed_of("inner folds"),
    )
    held_out = [original(job.features.table, train[validate]) for _, validate in splits]
    least = settings.patients_for_epochs
    enough = all(
        enough_to_choose(job.features.table.iloc[item], job.targets, targets[0], least=least)
        for item in held_out
    )
    tried = []
    all_epochs_used = False
    for number, candidate in enumerate(candidates):
        config = job.config.with_train(candidate)
        frames: dict[str, list[pd.DataFrame]] = {t.name: [] for t in targets}
        epochs = []
        for inner, ((fit, _), validate) in enumerate(zip(splits, held_out, strict=True)):
            part = (
                f"inner fit {number * len(splits) + inner + 1} of {len(candidates) * len(splits)}"
            )
            place = ctx.replace(
                fold=f"{ctx.fold}-i{inner}",
                choose_epochs=enough,
                progress=job.pulse and job.pulse.part(part),
            )
            out = folder / f"c{number}-i{inner}"
            artifact = fit_model(job, plugin, config, place, out, train[fit], validate)
            view = job.features.view(validate)
            scored = call(plugin, "predict", place, config, model=artifact, features=view)
            epochs.append(artifact.best_epoch)
            all_epochs_used |= any(note.kind == NoteKind.EPOCHS_SET for note in artifact.notes)
            for target in targets:
                frames[target.name].append(
                    prediction_frame(scored, view.table, target, ctx.task.unit)
                )
        tried.append((candidate, epochs, {name: pd.concat(all_) for name, all_ in frames.items()}))
    scores = [_inner_score(targets[0], frames[targets[0].name], job) for _, _, frames in tried]
    candidate, epochs, frames_of = tried[int(np.argmax(scores))]
    decisions = {
        t.name: choose(t, frames_of[t.name], labels_of(frames_of[t.name], t, job.targets))
        for t in targets
        if t.kind != "continuous"
    }
    for name, frame in frames_of.items():
        folder.mkdir(exist_ok=True)
        save_table(
            folder / SafeName(f"predictions-{name}", ".npz"), frame.set_index("unit_id", drop=False)
        )
    return Chosen(
        candidate,
        epochs_of(epochs),
        plain_rules if fixed else decisions,
        (EPOCHS_SET,) if all_epochs_used else (),
    )


def _inner_score(target: Target, frame: pd.DataFrame, job: FoldJob) -> float:
    """Score a candidate on inner out-of-fold predictions; higher is better."""
    y = labels_of(frame, target, job.targets)
    known = ~pd.isna(y)
    scores = frame[score_columns(target)].to_numpy(float)[known]
    if not len(scores):
        return -np.inf  # a partial model that had nothing to score by: any candidate is as good
    if target.kind == "continuous":
        return -float(np.mean(np.abs(scores[:, 0] - y[known].astype(float))))
    codes = pd.Categorical(y[known], categories=list(target.classes)).codes
    if target.kind == "binary":
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(codes, scores[:, 1])) if len(set(codes)) == 2 else 0.5
    scored = [i for i, name in enumerate(target.classes) if name not in target.unscored]
    return macro_f1(codes, scores.argmax(axis=1), scored)


def fit_model(
    job: FoldJob,
    plugin: Plugin,
    config: RunConfig,
    ctx: Context,
    out: Path,
    fit: Array,
    validate: Array | None,
) -> ModelArtifact:
    """Call `train` with the targets of exactly the samples it is given."""
    out.mkdir(parents=True, exist_ok=True)
    training = job.features.view(fit)
    validation = None if validate is None else job.features.view(validate)
    used = np.concatenate([fit, [] if validate is None else validate]).astype(int)
    table = job.features.table.iloc[used]
    artifact: ModelArtifact = call(
        plugin,
        "train",
        ctx.replace(_out=out),
        config,
        training=training,
        validation=validation,
        targets=job.targets.only(table),
    )
    seen = sorted(set(job.features.table["subject_id"].iloc[used].astype(str)))
    artifact.write_json("seen.json", {"subjects": seen})
    return ModelArtifact(artifact.path, artifact.best_epoch, artifact.notes, tuple(seen))


def original(table: pd.DataFrame, positions: Array) -> Array:
    """Keep variant 0: fixed augmentations never validate and never test."""
    if "variant" not in table.columns:
        return positions
    return np.asarray(positions[table["variant"].iloc[positions].to_numpy() == 0])


# Following fits from outside: what is under way, in words, and how long the rest will take.


def telling_first(jobs: Sequence[FoldJob]) -> list[FoldJob]:
    """Return the jobs with two fits of every model and protocol in front, model after model.

    Only when each has been timed can anything be said of the rest. Models of a fold may share what
    they fit, through the cache: side by side in two processes both would fit it, one after the
    other the second finds it. Of the rest the largest comes first, so that no process works on it
    alone at the end, and none begins on it for the next model meanwhile. No result depends on the
    order.
    """
    seen: Counter[tuple[str, str]] = Counter()
    places = []
    for job in jobs:
        key = (str(job.protocol), str(job.ctx.model))
        rest = seen[key] >= 2
        seen[key] += 1
        places.append((rest, list(seen).index(key), -job.train.size if rest else 0))
    in_order = sorted(range(len(jobs)), key=lambda number: places[number])
    return [jobs[number] for number in in_order]


@dataclass(frozen=True)
class Timed:
    """Median seconds of a fit, by ``"model protocol"``, with so many at a time."""

    fits: dict[str, float]
    n_workers: int


class Watch:
    """Follows the fits that are still to do, through the small files that they write.

    `folder` is where those files lie; it is emptied first, and taken away by `close`.
    """

    def __init__(self, jobs: Sequence[FoldJob], folder: Path) -> None:
        self._folder = folder
        self._jobs = {job.pulse.file.name: job for job in jobs if job.pulse is not None}
        self._times = FitTimes({name: _planned(job) for name, job in self._jobs.items()})
        self._folds: dict[str, list[str]] = {}
        for job in jobs:
            self._folds.setdefault(str(job.protocol), []).append(str(job.ctx.fold))
        self._workers: deque[str] = deque(maxlen=32)
        self._seconds: dict[str, list[float]] = {}
        shutil.rmtree(folder, ignore_errors=True)

    def under_way(self) -> tuple[str, ...]:
        """Return each fit that is under way, in words."""
        return tuple(
            ", ".join(filter(None, (self._words(self._jobs[name]), text.get("doing"))))
            for name, text in self._running().items()
        )

    def left(self) -> float | None:
        """Return the seconds left, None as long as it would be a guess."""
        running = self._running()
        workers = {*self._workers, *(text["worker"] for text in running.values())}
        elapsed = {name: max(0.0, time.time() - text["began"]) for name, text in running.items()}
        return self._times.left(elapsed, len(workers))

    def finished(self, out: Path) -> None:
        """Count the fit that left its folder there."""
        for name, job in self._jobs.items():
            if job.out == out and job.pulse is not None:
                pulse = read_pulse(job.pulse.file)
                job.pulse.file.unlink(missing_ok=True)
                if "seconds" in pulse:
                    self._workers.append(pulse["worker"])
                    self._times.finished(name, pulse["seconds"], pulse["worker"])
                    whose = f"{job.ctx.model} {job.protocol}"
                    self._seconds.setdefault(whose, []).append(pulse["seconds"])

    def timed(self) -> Timed:
        """Return what the finished fits took."""
        fits = {whose: round(median(found), 3) for whose, found in self._seconds.items()}
        return Timed(fits, max(1, len(set(self._workers))))

    def close(self) -> None:
        """Take the files away."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _running(self) -> dict[str, dict[str, Any]]:
        """Return what the fits under way said last, by file, the one that began first in front."""
        pulses = {path.name: read_pulse(path) for path in self._folder.glob("*.json")}
        known = {
            name: value for name, value in pulses.items() if name in self._jobs and "began" in value
        }
        return dict(sorted(known.items(), key=lambda item: float(item[1]["began"])))

    def _words(self, job: FoldJob) -> str:
        title = job.ctx.task.model(str(job.ctx.model)).title
        fold = str(job.ctx.fold)
        where = fold_in_words(fold, self._folds[str(job.protocol)])
        return f"{title}, {where}" if fold == "final" else f"{title}, {job.protocol}, {where}"


def _planned(job: FoldJob) -> Fit:
    """Return what a fit will cost beside others of its model.

    Between a time that grows with the samples and one that does not (epochs may draw a fixed number
    of samples) stands the square root; no two fits of a run differ so much that it would matter.
    """
    if job.members:
        return Fit(str(job.ctx.model), str(job.protocol), 0.0)
    inner = job.config.inner
    n_inner = float(inner.k - 1)
    if inner.k == 1 or (inner.k and job.unit == "sample"):
        n_inner = 1 - inner.validation_share
    if inner.k == 0 or job.ctx.task.model(str(job.ctx.model)).rule:
        n_inner = 0.0
    n_candidates = max(1, len(job.config.search))
    work = math.sqrt(max(1, job.train.size)) * (1 + n_candidates * n_inner)
    return Fit(str(job.ctx.model), str(job.protocol), work)


# The core's own model of clinical variables, opened as if it were a plugin's.


def open_clinical() -> Plugin:
    """Return the hooks `train` and `predict` of the clinical model, to be called like a plugin's.

    Examples
    --------
    >>> open_clinical().info.name
    'cardio-core'
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(clinical_model, "clinical variables")
    info = PluginInfo("cardio-core", "Clinical variables", ())
    return Plugin(info, clinical_model, manager, "cardio-core", metadata.version("cardio-core"))


# Which fits get more than one device.


def shared_out(devices: Sequence[Device], n_fits: int) -> tuple[Device, ...]:
    """Return what each fit runs on: one device, or several where fits are fewer than devices.

    Independent fits come first: they need nothing of each other. Only what would lie idle is
    joined to another, as its `others`, and neighbours are joined.

    Parameters
    ----------
    devices : sequence of Device
        One or more.
    n_fits : int
        Fits of the whole run, those that were finished before it was resumed among them: what is
        left is then fitted as it would have been.

    Examples
    --------
    >>> cpus = [Device("cpu", i, "CPU", "32", "asked for") for i in range(3)]
    >>> [1 + len(device.others) for device in shared_out(cpus, 2)]
    [2, 1]
    >>> [1 + len(device.others) for device in shared_out(cpus, 7)]
    [1, 1, 1]
    """
    if not 0 < n_fits < len(devices):
        return tuple(devices)
    bounds = [-(-len(devices) * fit // n_fits) for fit in range(n_fits + 1)]
    return tuple(
        replace(devices[first], others=tuple(devices[first + 1 : last]))
        for first, last in pairwise(bounds)
    )


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
    retained = list(jobs)
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
                        [
                            job
                            for job in retained
                            if bool(job.members) == fuses and not job.out.exists()
                        ]
                    ),
                    devices=devices,
                    on_done=count,
                )
                retained = without(jobs, set(unfitted(jobs)))
        except BaseException:
            # What was stopped says how much is kept: on disk, not how much was heard of.
            progress.correct(sum(job.out.exists() for job in todo))
            raise
    notes = notes_on(jobs, retained, setup.task)
    session.note(notes)
    fitted = {(job.protocol, job.ctx.model) for job in retained}
    models = [name for name in setup.models if (setup.protocols[0], name) in fitted]
    session.manifest.update(models=models)
    if not retained:
        raise DataError(f"no model can be fitted. {' '.join(map(str, notes))}")
    return retained, watch.timed()


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
    plugin = open_clinical() if job.core_owned else opened(job.plugin)
    ctx = job.ctx.replace(device=device, progress=job.pulse)
    train = usable(job, job.train)
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


def usable(job: FoldJob, positions: Array) -> Array:
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
            f"to be tested on ({', '.join(sorted(shared)[:3])}); fit it on the others"
        )
