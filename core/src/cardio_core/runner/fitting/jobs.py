"""What there is to fit: one model on one fold of one protocol, or on everybody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import Protocol, RunConfig
from cardio_core.context import Context
from cardio_core.io.hashing import digest
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.preparing.needs import artifacts_of, tested_of
from cardio_core.runner.progress.pulse import FOLDER, Pulse
from cardio_core.runner.session import Session
from cardio_core.types.features import FeatureSet
from cardio_core.types.file_names import SafeName
from cardio_core.types.targets import Targets

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


def jobs_of(session: Session, arm: Arm) -> list[FoldJob]:
    """Return one job a fold and model of a protocol; the final ones behind the first's."""
    folds = [(fold.name, fold.train, fold.test) for fold in arm.plan.folds]
    if arm.protocol == session.setup.protocols[0]:
        folds.append((FINAL, _everyone(session, arm), np.empty(0, int)))
    jobs = []
    for name, of_fold, test in folds:
        train = of_fold[~arm.truth.ignored[of_fold]]
        split = _digest_of(arm, train, test)
        for model in session.setup.models:
            jobs.append(_job(session, arm, name, model, train, test, split))
    return jobs


def _everyone(session: Session, arm: Arm) -> Array:
    """Return whom the final models are fitted on: all who are not ignored and teach something."""
    task = session.setup.task
    y = arm.truth.targets.stratum(
        arm.prepared.features.table, [target.name for target in task.targets]
    )
    return np.flatnonzero(~arm.truth.ignored & (task.uses_unlabelled | ~pd.isna(y)))


def _job(
    session: Session, arm: Arm, fold: str, model: str, train: Array, test: Array, split: str
) -> FoldJob:
    setup, protocol = session.setup, arm.protocol
    asked = setup.task.model(model)
    features = arm.prepared.features
    if asked.covariates and arm.clinical is not None:
        features = arm.clinical
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
        config=arm.config,
        ctx=ctx,
        features=features,
        targets=arm.truth.targets,
        train=train,
        test=test,
        unit=arm.plan.unit,
        split=split,
        overlap=arm.plan.overlap,
        out=session.out / "models" / place / model,
        members=tuple(name for name in asked.fuses if name in setup.models),
        pulse=Pulse(session.out / FOLDER / SafeName(f"{place}-{model}", ".json")),
        embeds=_embeds(session, arm, model),
    )


def _digest_of(arm: Arm, train: Array, test: Array) -> str:
    """Return the digest of a split by the ids of its samples, which features made anew share."""
    ids = arm.prepared.features.table.index.astype(str).to_numpy()
    return digest([arm.plan.unit, arm.plan.overlap, *(ids[one].tolist() for one in (train, test))])


def _embeds(session: Session, arm: Arm, model: str) -> bool:
    """Whether the answer rests on this model, and its folds leave patients out honestly."""
    setup = session.setup
    task = setup.task
    if arm.protocol != setup.protocols[0] or arm.plan.overlap or arm.plan.unit != "patient":
        return False
    asked = task.model(model)
    primary = setup.primary
    if asked.core_owned or asked.rule or asked.fuses or not primary:
        return False
    return model in (primary, *task.model(primary).fuses)
