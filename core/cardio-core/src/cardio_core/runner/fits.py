"""What there is to fit: one model on one fold of one protocol, or on everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import Protocol, RunConfig
from cardio_core.context import Context
from cardio_core.evaluation.aggregate import prediction_frame, score_columns
from cardio_core.evaluation.decision import Decision
from cardio_core.io.hashing import digest
from cardio_core.io.run_schema import MADE_FOR as SPLIT_MARK
from cardio_core.io.run_schema import SEEN, Count, FileSchema
from cardio_core.io.run_schema import UNFITTED as WHY_UNFITTED
from cardio_core.io.store import load_table, save_table
from cardio_core.runner.needs import artifacts_of, tested_of
from cardio_core.runner.progress import FOLDER, Pulse
from cardio_core.runner.protocols import ProtocolData, Session
from cardio_core.runner.provenance import NotTheSameError
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Target, Task
from cardio_core.types.limits import require_fitting
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Predictions
from cardio_core.types.targets import Targets
from cardio_stats.errors import DataError
from cardio_stats.files import SafeName, write_json

Array = np.ndarray[Any, Any]

FINAL = "final"
"""The fold of the models that are fitted on everybody, for new patients."""


@dataclass(frozen=True)
class FoldJob:
    """Everything a worker needs to fit and score one model on one fold.

    Attributes
    ----------
    train, test : ndarray of int
        Positions in the feature table; `test` is empty for ``models/final``.
    unit : {"patient", "sample"}
        What the plan split, and so what the inner folds split.
    split : str
        Digest of who is trained on and who is tested: a kept fit of another is not this one.
    overlap : str or None
        The plan's declared overlap; without it a model never predicts a subject it has seen.
    out : Path
        The model's folder; it exists only when the job is done.
    members : tuple of str
        Models that this one fuses, finished before it; empty for one that the plugin fits.
    pulse : Pulse or None
        Where the fit tells how far it is.
    embeds : bool
        Whether the fit also says how far patients lie apart in its network, for applicability.
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
    split: str
    overlap: str | None
    out: Path
    members: tuple[str, ...] = ()
    pulse: Pulse | None = None
    embeds: bool = False

    @property
    def core_owned(self) -> bool:
        """Whether the core fits the model by itself, and so nothing of a plugin explains it."""
        return self.ctx.task.model(str(self.ctx.model)).core_owned

    @property
    def title(self) -> str:
        """``"honest r0-f3 pretrained"``."""
        return f"{self.protocol} {self.ctx.fold} {self.ctx.model}"


def jobs_of(session: Session, data: ProtocolData) -> list[FoldJob]:
    """Return one job a fold and model of a protocol; the final ones behind the first's."""
    folds = [(fold.name, fold.train, fold.test) for fold in data.plan.folds]
    if data.protocol == session.setup.protocols[0]:
        folds.append((FINAL, _everyone(session, data), np.empty(0, int)))
    jobs = []
    for name, of_fold, test in folds:
        train = of_fold[~data.truth.ignored[of_fold]]
        split = _digest_of(data, train, test)
        for model in session.setup.models:
            jobs.append(_job(session, data, name, model, train, test, split))
    return jobs


def _everyone(session: Session, data: ProtocolData) -> Array:
    """Return whom the final models are fitted on: all who are not ignored and teach something."""
    task = session.setup.task
    y = data.truth.targets.stratum(
        data.prepared.features.table, [target.name for target in task.targets]
    )
    return np.flatnonzero(~data.truth.ignored & (task.uses_unlabelled | ~pd.isna(y)))


def _job(
    session: Session,
    data: ProtocolData,
    fold: str,
    model: str,
    train: Array,
    test: Array,
    split: str,
) -> FoldJob:
    setup, protocol = session.setup, data.protocol
    declared = setup.task.model(model)
    features = data.prepared.features
    if declared.covariates and data.clinical is not None:
        features = data.clinical
    used = setup.task.needs_of([model])
    needs = [need for need in session.needs if need.need in used]
    same = [need for need in needs if need.need.patients == "same"]
    ctx = session.ctx.replace(
        protocol=protocol,
        fold=fold,
        model=model,
        _inputs=(),
        _needs={n.need.task: artifacts_of(n, protocol, fold) for n in needs},
        _tested={n.need.task: tested_of(n, protocol, fold) for n in same},
    )
    place = FINAL if fold == FINAL else f"{protocol}-{fold}"
    return FoldJob(
        plugin=setup.plugin.info.name,
        protocol=protocol,
        config=data.config,
        ctx=ctx,
        features=features,
        targets=data.truth.targets,
        train=train,
        test=test,
        unit=data.plan.unit,
        split=split,
        overlap=data.plan.overlap,
        out=session.out / "models" / place / model,
        members=tuple(name for name in declared.fuses if name in setup.models),
        pulse=Pulse(session.out / FOLDER / SafeName(f"{place}-{model}", ".json")),
        embeds=_embeds(session, data, model),
    )


def _digest_of(data: ProtocolData, train: Array, test: Array) -> str:
    """Return the digest of a split by the ids of its samples, which features made anew share."""
    ids = data.prepared.features.table.index.astype(str).to_numpy()
    return digest(
        [data.plan.unit, data.plan.overlap, *(ids[value].tolist() for value in (train, test))]
    )


def _embeds(session: Session, data: ProtocolData, model: str) -> bool:
    """Whether the answer rests on this model, and its folds leave patients out honestly."""
    setup = session.setup
    task = setup.task
    if data.protocol != setup.protocols[0] or data.plan.overlap or data.plan.unit != "patient":
        return False
    declared = task.model(model)
    primary = setup.primary
    if declared.core_owned or declared.rule or declared.fuses or not primary:
        return False
    return model in (primary, *task.model(primary).fuses)


# What a finished fit leaves in its folder, and how it is read again.

MADE_FOR = "made_for.json"


def note_split(folder: Path, split: str) -> None:
    """Write into the folder of a fit the digest of the split that it is made for."""
    write_json(folder / MADE_FOR, {"split": split})


def guard_split(folder: Path, split: str, title: str) -> None:
    """Raise where a kept fit was made for other patients.

    Raises
    ------
    NotTheSameError
        Naming the fit.
    """
    if folder.is_dir() and SPLIT_MARK.read(folder / MADE_FOR)["split"] != split:
        raise NotTheSameError(
            f"--resume: the kept fit {title} was made for other patients than fall into its fold "
            f"now; delete {'/'.join(folder.parts[-3:])} in the run directory, or start a new run"
        )


@dataclass(frozen=True)
class Chosen:
    """What was chosen for a fit in its inner folds, and what it noted."""

    candidate: dict[str, Any]
    epochs: Count | None
    decisions: tuple[Decision, ...]
    notes: tuple[Note, ...]


CHOSEN = FileSchema("what was chosen for a fit", Chosen, most_bytes=16 << 20)


def write_chosen(
    folder: Path,
    *,
    candidate: dict[str, Any],
    epochs: int | None,
    decisions: list[Decision],
    notes: Sequence[Note],
) -> None:
    """Write what was chosen for a fit, and what it noted."""
    CHOSEN.write(folder / "chosen.json", Chosen(candidate, epochs, tuple(decisions), tuple(notes)))


def open_artifact(folder: Path) -> ModelArtifact:
    """Return the fitted model in a model's folder, none of whose files is too large to read."""
    artifact = ModelArtifact(folder / "artifact")
    require_fitting(sorted(artifact.path.rglob("*")))
    seen = SEEN.read(artifact.path / "seen.json")["subjects"]
    return ModelArtifact(artifact.path, seen=tuple(seen))


def open_decisions(folder: Path, targets: tuple[Target, ...]) -> dict[str, Decision]:
    """Return the decision rules in a model's folder, by target."""
    path = folder / "chosen.json"
    found = {decision.target: decision for decision in CHOSEN.read(path).decisions}
    for target in targets:
        n = len(found[target.name].offsets) if target.name in found else len(target.classes)
        if n != len(target.classes):
            raise DataError.unusable(
                path.name,
                f"an offset for each of {len(target.classes)} classes of {target.name}",
                f"{n}",
                CHOSEN.put_back,
            )
    return {target.name: found[target.name] for target in targets if target.name in found}


def predictions_file(target: Target) -> SafeName:
    """Return the name of the file of a model's predictions of one target."""
    return SafeName(f"predictions-{target.name}", ".npz")


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
        save_table(folder / predictions_file(target), frame)
    if predictions.columns:
        named = {name: column.values for name, column in predictions.columns.items()}
        table = pd.DataFrame(named, index=pd.Index(predictions.ids, name="sample_id"))
        save_table(folder / "columns.npz", table)
        units = {name: column.unit for name, column in predictions.columns.items()}
        write_json(folder / "columns.json", units)


def read_predictions(folder: Path, target: Target) -> pd.DataFrame:
    """Return the prediction frame of one target of a finished model.

    Raises
    ------
    DataError
        If it is not there, is damaged, or lacks a score.
    """
    path = folder / predictions_file(target)
    frame = load_table(path)
    if not set(score_columns(target)) <= set(frame.columns):
        raise DataError.unusable(
            path.name, "a score of every class", "fewer", "put back a whole copy of the folder"
        )
    return frame


# Models that the data of some fold do not allow: out of their protocol, with the reason.

UNFITTED = "unfitted.json"


def note_unfitted(folder: Path, reason: str) -> None:
    """Write why there is no fit where the fit would lie."""
    write_json(folder / UNFITTED, {"reason": reason})


def unfitted(jobs: Sequence[FoldJob]) -> dict[tuple[str, str], str]:
    """Return why models have no fit in some fold, by protocol and model."""
    reasons: dict[tuple[str, str], list[str]] = {}
    n_fits: Counter[tuple[str, str]] = Counter()
    fused = {_key(job) for job in jobs if job.members}
    for job in jobs:
        n_fits[_key(job)] += 1
        if (job.out / UNFITTED).is_file():
            reason = WHY_UNFITTED.read(job.out / UNFITTED)["reason"]
            reasons.setdefault(_key(job), []).append(f"{job.ctx.fold}, {reason}")
    return {
        key: f"{'its weights' if key in fused else 'it'} cannot be fitted in {len(found)} of "
        f"{n_fits[key]} fits; the first, {found[0]}"
        for key, found in reasons.items()
    }


def without(jobs: Sequence[FoldJob], left_out: set[tuple[str, str]]) -> list[FoldJob]:
    """Return the jobs of the other models; fused ones fuse what is left, if that is two or more."""
    retained = []
    for job in jobs:
        members = tuple(m for m in job.members if (str(job.protocol), m) not in left_out)
        if _key(job) not in left_out and (not job.members or len(members) > 1):
            retained.append(replace(job, members=members))
    return retained


def notes_on(jobs: Sequence[FoldJob], retained: Sequence[FoldJob], task: Task) -> list[Note]:
    """Say of each model that is not kept out of which protocol it is, and why."""
    here = {_key(job) for job in retained}
    reasons = unfitted(jobs)
    members = {_key(job): job.members for job in jobs}
    hollow = "of the models that it fuses ({}) fewer than two are left"
    kinds = {"honest": NoteKind.LEFT_OUT_OF_HONEST, "paper": NoteKind.LEFT_OUT_OF_PAPER}
    return [
        Note(
            kinds[key[0]],
            f"Model {task.model(key[1]).title} is left out of protocol {key[0]}: "
            f"{reasons.get(key) or hollow.format(', '.join(members[key]))}.",
            model=key[1],
        )
        for key in dict.fromkeys(map(_key, jobs))
        if key not in here
    ]


def _key(job: FoldJob) -> tuple[str, str]:
    return str(job.protocol), str(job.ctx.model)
