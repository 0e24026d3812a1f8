"""Inside one training set: inner folds choose candidate, epochs and thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import RunConfig
from cardio_core.context import EPOCHS_SET, Context
from cardio_core.evaluation.aggregate import prediction_frame, score_columns
from cardio_core.evaluation.decision import Decision, choose, macro_f1, plain
from cardio_core.io.store import save_table
from cardio_core.registry import Plugin
from cardio_core.runner.calls import call
from cardio_core.runner.fitting.epochs import enough_to_choose, epochs_of
from cardio_core.runner.fitting.jobs import Array, FoldJob
from cardio_core.runner.preparing.truth import labels_of
from cardio_core.splits import inner_folds
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.file_names import SafeName
from cardio_core.types.info import Target
from cardio_core.types.notes import Note, NoteKind


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
    if ctx.task.model(str(ctx.model)).core_owned:
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
        enough_to_choose(job.features.table.iloc[one], job.targets, targets[0], least=least)
        for one in held_out
    )
    tried = []
    kept_all_epochs = False
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
            kept_all_epochs |= any(note.kind == NoteKind.EPOCHS_SET for note in artifact.notes)
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
        (EPOCHS_SET,) if kept_all_epochs else (),
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
    given = np.concatenate([fit, [] if validate is None else validate]).astype(int)
    table = job.features.table.iloc[given]
    artifact: ModelArtifact = call(
        plugin,
        "train",
        ctx.replace(_out=out),
        config,
        training=training,
        validation=validation,
        targets=job.targets.only(table),
    )
    seen = sorted(set(job.features.table["subject_id"].iloc[given].astype(str)))
    artifact.write_json("seen.json", {"subjects": seen})
    return ModelArtifact(artifact.path, artifact.best_epoch, artifact.notes, tuple(seen))


def original(table: pd.DataFrame, positions: Array) -> Array:
    """Keep variant 0: fixed augmentations never validate and never test."""
    if "variant" not in table.columns:
        return positions
    return np.asarray(positions[table["variant"].iloc[positions].to_numpy() == 0])
