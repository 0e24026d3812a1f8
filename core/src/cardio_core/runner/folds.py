"""One row on one fold: inner folds choose, the whole training set is fitted, the test is scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import Protocol, RunConfig
from cardio_core.context import Context
from cardio_core.errors import LeakageError
from cardio_core.evaluation.aggregate import prediction_frame, score_columns
from cardio_core.evaluation.decision import Decision, choose, macro_f1, plain
from cardio_core.io.atomic import read_json, whole_directory, write_json
from cardio_core.io.store import load_table, save_table
from cardio_core.registry import Plugin
from cardio_core.runner.calls import call
from cardio_core.runner.opening import open_with_defaults
from cardio_core.runner.truth import labels_of
from cardio_core.splits import inner_folds
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Target
from cardio_core.types.predictions import Predictions
from cardio_core.types.targets import Targets

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class FoldJob:
    """Everything a worker needs to fit and score one row on one fold.

    Attributes
    ----------
    train, test : ndarray of int
        Positions in the feature table; `test` is empty for ``models/final``.
    unit : {"patient", "sample"}
        What the plan split, and so what the inner folds split.
    overlap : str or None
        The plan's declared overlap; without it a model never predicts a subject it has seen.
    out : Path
        The row's folder; it exists only when the job is done.
    members : tuple of str
        Rows that this row fuses, finished before it; empty for a row that the plugin fits.
    """

    plugin: str
    protocol: Protocol
    config: RunConfig
    ctx: Context
    features: FeatureSet
    targets: Targets
    train: Array
    test: Array
    unit: str
    overlap: str | None
    out: Path
    members: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """``"honest r0-f3 pretrained"``."""
        return f"{self.protocol} {self.ctx.fold} {self.ctx.model}"


@dataclass(frozen=True)
class Chosen:
    """What the inner folds decided."""

    candidate: dict[str, Any]
    epochs: int | None
    decisions: dict[str, Decision]


def run_fold(job: FoldJob, device: Any = None) -> Path:
    """Do one job in a folder that appears when it is complete; return the folder."""
    if job.out.exists():
        return job.out
    if job.members:
        from cardio_core.runner.fusing import fuse_fold  # scipy.stats comes with it

        whole_directory(job.out, lambda folder: fuse_fold(job, folder))
        return job.out
    plugin = open_with_defaults(job.plugin)
    ctx = job.ctx.replace(device=device)

    def fill(folder: Path) -> None:
        train = _usable(job, job.train)
        chosen = _choose(job, plugin, ctx, train, folder / "inner")
        config = job.config.with_train(chosen.candidate)
        out = folder / "artifact"
        artifact = _fit(job, plugin, config, ctx.replace(epochs=chosen.epochs), out, train, None)
        decided = [decision.to_dict() for decision in chosen.decisions.values()]
        write_json(
            folder / "chosen.json",
            {
                "candidate": chosen.candidate,
                "epochs": chosen.epochs,
                "decisions": decided,
                "notes": list(artifact.notes),
            },
        )
        test = _original(job.features.table, job.test)
        if test.size:
            _guard_seen(job, artifact, test)
            view = job.features.view(test)
            predictions = call(plugin, "predict", ctx, config, model=artifact, features=view)
            save_predictions(folder, predictions, view.table, ctx.targets, ctx.task.unit)

    whole_directory(job.out, fill)
    return job.out


def open_artifact(row: Path) -> ModelArtifact:
    """Return the fitted model in a row's folder."""
    artifact = ModelArtifact(row / "artifact")
    return ModelArtifact(artifact.path, seen=tuple(artifact.read_json("seen.json")["subjects"]))


def open_decisions(row: Path, targets: tuple[Target, ...]) -> dict[str, Decision]:
    """Return the decision rules in a row's folder, by target."""
    stored = read_json(row / "chosen.json")["decisions"]
    found = {d["target"]: Decision(d["target"], tuple(d["offsets"]), d["source"]) for d in stored}
    return {target.name: found[target.name] for target in targets if target.name in found}


def save_predictions(
    folder: Path,
    predictions: Predictions,
    samples: pd.DataFrame,
    targets: tuple[Target, ...],
    unit: Any,
) -> None:
    """Write one prediction frame a target, at the level at which it is tested."""
    for target in targets:
        frame = prediction_frame(predictions, samples, target, unit)
        save_table(folder / f"predictions-{target.name}.npz", frame)
    if predictions.columns:
        named = {name: column.values for name, column in predictions.columns.items()}
        table = pd.DataFrame(named, index=pd.Index(predictions.ids, name="sample_id"))
        save_table(folder / "columns.npz", table)
        units = {name: column.unit for name, column in predictions.columns.items()}
        write_json(folder / "columns.json", units)


def read_predictions(row: Path, target: Target) -> pd.DataFrame:
    """Return the prediction frame of one target of a finished row."""
    return load_table(row / f"predictions-{target.name}.npz")


def _fit(
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


def _choose(job: FoldJob, plugin: Plugin, ctx: Context, train: Array, folder: Path) -> Chosen:
    targets = ctx.targets
    plain_rules = {t.name: plain(t) for t in targets if t.kind != "continuous"}
    settings = job.config.inner
    fixed = job.config.protocols[job.protocol].decision == "fixed"
    candidates: list[dict[str, Any]] = [dict(tree) for tree in job.config.search] or [{}]
    if settings.k == 0 or ctx.task.model(str(ctx.model)).rule:
        return Chosen(candidates[0], None, plain_rules)
    table = job.features.table.iloc[train]
    splits = inner_folds(
        table,
        job.targets.stratum(table, [target.name for target in ctx.task.targets]),
        k=settings.k,
        share=settings.validation_share,
        unit=job.unit,
        # All rows have the same inner folds, so that a fusion finds its members' predictions.
        seed=ctx.replace(model=None).seed_of("inner folds"),
    )
    tried = []
    for number, candidate in enumerate(candidates):
        config = job.config.with_train(candidate)
        frames: dict[str, list[pd.DataFrame]] = {t.name: [] for t in targets}
        epochs = []
        for inner, (fit, validate) in enumerate(splits):
            place = ctx.replace(fold=f"{ctx.fold}-i{inner}")
            out = folder / f"c{number}-i{inner}"
            held_out = _original(job.features.table, train[validate])
            artifact = _fit(job, plugin, config, place, out, train[fit], held_out)
            view = job.features.view(held_out)
            scored = call(plugin, "predict", place, config, model=artifact, features=view)
            epochs.append(artifact.best_epoch)
            for target in targets:
                frames[target.name].append(
                    prediction_frame(scored, view.table, target, ctx.task.unit)
                )
        tried.append((candidate, epochs, {name: pd.concat(all_) for name, all_ in frames.items()}))
    scores = [_inner_score(targets[0], frames[targets[0].name], job) for _, _, frames in tried]
    candidate, epochs, frames_of = tried[int(np.argmax(scores))]
    known = [epoch for epoch in epochs if epoch is not None]
    decisions = {
        t.name: choose(t, frames_of[t.name], labels_of(frames_of[t.name], t, job.targets))
        for t in targets
        if t.kind != "continuous"
    }
    for name, frame in frames_of.items():
        folder.mkdir(exist_ok=True)
        save_table(folder / f"predictions-{name}.npz", frame.set_index("unit_id", drop=False))
    return Chosen(
        candidate, int(np.median(known)) if known else None, plain_rules if fixed else decisions
    )


def _inner_score(target: Target, frame: pd.DataFrame, job: FoldJob) -> float:
    """Score a candidate on inner out-of-fold predictions; higher is better."""
    y = labels_of(frame, target, job.targets)
    known = ~pd.isna(y)
    scores = frame[score_columns(target)].to_numpy(float)[known]
    if not len(scores):
        return -np.inf  # a partial row that had nothing to score by: any candidate is as good
    if target.kind == "continuous":
        return -float(np.mean(np.abs(scores[:, 0] - y[known].astype(float))))
    codes = pd.Categorical(y[known], categories=list(target.classes)).codes
    if target.kind == "binary":
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(codes, scores[:, 1])) if len(set(codes)) == 2 else 0.5
    scored = [i for i, name in enumerate(target.classes) if name not in target.unscored]
    return macro_f1(codes, scores.argmax(axis=1), scored)


def _usable(job: FoldJob, positions: Array) -> Array:
    """Drop unlabelled samples unless the task says that it uses them."""
    if job.ctx.task.uses_unlabelled:
        return positions
    table = job.features.table.iloc[positions]
    known = np.zeros(len(table), bool)
    for target in job.ctx.task.targets:
        known |= ~pd.isna(job.targets.of(table, target.name))
    return positions[known]


def _original(table: pd.DataFrame, positions: Array) -> Array:
    """Keep variant 0: fixed augmentations never validate and never test."""
    if "variant" not in table.columns:
        return positions
    return np.asarray(positions[table["variant"].iloc[positions].to_numpy() == 0])


def _guard_seen(job: FoldJob, artifact: ModelArtifact, test: Array) -> None:
    if job.overlap is not None:
        return
    shared = set(artifact.seen) & set(job.features.table["subject_id"].iloc[test])
    if shared:
        raise LeakageError(
            f"{job.title}: the model has seen {len(shared)} subject(s) that it is to be tested on "
            f"({', '.join(sorted(shared)[:3])})"
        )
