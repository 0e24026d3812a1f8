"""One protocol of a run: its features, its truth, and who is trained on and tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.executors import Executor
from cardio_core.config import Protocol, ProtocolBlock, RunConfig
from cardio_core.context import Context
from cardio_core.fold_assignment import (
    NO_LABEL,
    SplitPlan,
    find_plan,
    link_subjects,
    plan_folds,
    same_folds,
)
from cardio_core.io.run_artifact import SplitRecord
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.needs import Resolved, splits_to_share
from cardio_core.runner.patients import Truth, bring_to_samples, clinical_of
from cardio_core.runner.prepare import Prepared, guard_enough, load_cohort, prepare
from cardio_core.runner.progress import Display
from cardio_core.runner.setup import Setup
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Need
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.samples import Cohort
from cardio_core.types.targets import Targets
from cardio_stats.errors import ConfigError, DataError


@dataclass(frozen=True)
class Session:
    """One run between its beginning and its report.

    `ctx` is what hooks are given before protocol, fold and model are known, `needs` are the earlier
    tasks, each with its finished run, and `say` is the display: it takes each line that the user is
    to see, and shows how far each stage has come. `same_as` is a finished run that this repeats:
    its data must be these. With `all_figures` it draws what the page does not show open, too.
    """

    setup: Setup
    ctx: Context
    executor: Executor
    manifest: Manifest
    needs: tuple[Resolved, ...]
    out: Path
    say: Display
    same_as: Path | None = None
    all_figures: bool = False

    def note(self, notes: Iterable[Note]) -> None:
        """Say something that the report keeps, too."""
        texts = list(notes)
        for note in texts:
            self.say.note(str(note))
        retained = [note.to_dict() for note in texts]
        self.manifest.update(notes=[*self.manifest.content["notes"], *retained])


@dataclass(frozen=True)
class ProtocolData:
    """One protocol of a run: its configuration, features, truth and folds.

    `clinical` are the covariates that the user named, in the place of features.
    """

    protocol: Protocol
    config: RunConfig
    prepared: Prepared
    truth: Truth
    plan: SplitPlan
    clinical: FeatureSet | None = None


def load_first(session: Session, made: Iterable[Need]) -> dict[Protocol, Cohort]:
    """Load the cohort of each protocol before some earlier tasks are made, and refuse what is bad.

    An earlier task can take hours, and nothing that stands in a table has to wait for it. Files are
    read here for twins alone: their digests are taken again once the features are made, because
    hours may lie between.

    Raises
    ------
    ConfigError, DataError, LeakageError
        As the run itself would raise after the earlier tasks.
    """
    setup, cohorts = session.setup, dict[Protocol, Cohort]()
    lent = any(need.patients == "same" for need in made)
    for protocol in setup.protocols:
        config = setup.config.for_protocol(protocol)
        cohort, _ = load_cohort(setup.plugin, config, session.ctx)
        guard_enough(cohort.quarantined, cohort, config, session.ctx)
        supported_models(setup, cohort.unsupported)
        _check_folds(session, config.protocols[protocol], cohort, protocol, lent=lent)
        cohorts[protocol] = cohort
    return cohorts


def _check_folds(
    session: Session, block: ProtocolBlock, cohort: Cohort, protocol: Protocol, *, lent: bool
) -> None:
    """Refuse labels that cannot be split; `lent` folds, those of an earlier task, need one alone.

    Events are left to the run: their samples are not there yet.
    """
    targets, task = cohort.targets, session.setup.task
    if targets is None or targets.unit in ("event", "sample"):
        return
    table = cohort.samples.table
    table = table.assign(subject_id=link_subjects(table))
    y = targets.fold_stratum(table, [target.name for target in task.targets])
    if pd.isna(y).all():
        raise DataError(NO_LABEL)
    if not lent:
        name, chosen = find_plan(block, task.plans, set(table["patient_id"]))
        plan_folds(chosen, table, y, protocol=protocol, name=name, seed=session.ctx.seed)


def supported_models(
    setup: Setup, unsupported: Mapping[str, str]
) -> tuple[tuple[str, ...], list[Note]]:
    """Return the models that a cohort supports, and a sentence for each that it does not.

    Raises
    ------
    ConfigError
        If it supports none.
    """
    notes = [
        Note(
            NoteKind.UNSUPPORTED_MODEL,
            f"Model {setup.task.model(name).title} is left out: {reason}.",
            model=name,
        )
        for name, reason in unsupported.items()
        if name in setup.models
    ]
    supported = tuple(name for name in setup.models if name not in unsupported)
    if not supported:
        raise ConfigError(
            f"this cohort supports none of the models; name others. {' '.join(map(str, notes))}"
        )
    return supported, notes


def prepare_protocol(
    session: Session, protocol: Protocol, cohort: Cohort | None = None
) -> ProtocolData:
    """Make one protocol's features, bring the truth to its samples, and split its patients.

    `cohort` is what `load_first` found, where it did.
    """
    setup = session.setup
    config = setup.config.for_protocol(protocol)
    prepared = prepare(setup.plugin, config, session.ctx, session.executor, session.say, cohort)
    table = prepared.features.table
    targets: Targets = prepared.cohort.targets
    truth = bring_to_samples(targets, table, setup.task)
    plan = split(session, config.protocols[protocol], table, truth, protocol)
    clinical = clinical_of(
        config.covariates, prepared.cohort, prepared.features, session.ctx._inputs
    )
    return ProtocolData(protocol, config, prepared, truth, plan, clinical)


def split(
    session: Session, block: ProtocolBlock, table: pd.DataFrame, truth: Truth, protocol: Protocol
) -> SplitPlan:
    """Split the samples of `table` as a protocol says, with the session's seed and needs.

    Raises
    ------
    ConfigError, DataError, LeakageError
        As `plan_folds` and `same_folds`.
    """
    task = session.setup.task
    y = truth.targets.fold_stratum(table, [target.name for target in task.targets])
    if truth.ignored.any():
        y = pd.Series(y, dtype=object).mask(truth.ignored, None).to_numpy()
    shared = splits_to_share(session.needs, set(table["patient_id"]))
    if shared is None:
        plan = _own_folds(session, block, table, y, protocol)
    else:
        plan = _shared_folds(shared, table, y, protocol)
    if task.unit == "event" and plan.unit == "patient":
        plan = _with_false_detections(plan, table, truth)
    return plan


def _own_folds(session: Session, block: Any, table: Any, y: Any, protocol: Protocol) -> SplitPlan:
    name, chosen = find_plan(block, session.setup.task.plans, set(table["patient_id"]))
    if name != block.plan:
        session.say(
            f"{protocol}: plan {name}, because none of the patients of {block.plan} is here."
        )
    return plan_folds(chosen, table, y, protocol=protocol, name=name, seed=session.ctx.seed)


def _shared_folds(
    shared: dict[str, SplitRecord], table: Any, y: Any, protocol: Protocol
) -> SplitPlan:
    """Take the earlier task's folds: fold k then gets a model that saw nobody of its test."""
    if protocol not in shared:
        raise ConfigError(
            f"the earlier task was run under {', '.join(shared)} alone; run it with --protocol "
            f"both, or this task with --protocol {next(iter(shared))}",
            code="mismatch",
        )
    return same_folds(asdict(shared[protocol]), table, y)


def _with_false_detections(plan: SplitPlan, table: Any, truth: Truth) -> SplitPlan:
    """Test every sample of the tested patients: one that matches no event is a false detection."""
    subjects = table["subject_id"].to_numpy()
    folds = []
    for fold in plan.folds:
        tested = np.isin(subjects, np.unique(subjects[fold.test])) & ~truth.ignored
        folds.append(replace(fold, test=np.flatnonzero(tested)))
    return replace(plan, folds=tuple(folds))
