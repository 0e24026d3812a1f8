"""A trial of the hooks behind the features on a few patients, so that a fault shows before fits."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.config import RunConfig, layers, resolve_config
from cardio_core.evaluation.aggregate import prediction_frame
from cardio_core.evaluation.decision import plain
from cardio_core.evaluation.parts import ABOUT_DATA
from cardio_core.registry import Plugin, resolve
from cardio_core.runner.contract import contract_of, is_shipped
from cardio_core.runner.evaluate import predictions_of, scored_rows
from cardio_core.runner.fits import Array, FoldJob, jobs_of
from cardio_core.runner.hook_calls import call
from cardio_core.runner.patients import Truth
from cardio_core.runner.protocols import ProtocolData, Session
from cardio_core.runner.train import fit_model, original, usable
from cardio_core.types.info import Task
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Explanation
from cardio_core.types.samples import Cohort
from cardio_stats.errors import CardioError, ResourceError

N_PATIENTS, N_SAMPLES = 6, 8
"""Patients of each class that a trial trains on, and tests, and samples of each of them."""

_PASSED_OVER = (*ABOUT_DATA, MemoryError, ResourceError)
"""No fault of the code: of the few patients, or of the machine, which a fit names better."""


def try_first_fold(session: Session, data: ProtocolData) -> None:
    """Try every hook on a few patients of the first fold, where nobody has checked the plugin.

    The four plugins of this project, and code that passed `cardio plugins check`, are not tried.
    """
    plugin, task = session.setup.plugin, session.setup.task
    if is_shipped(plugin) or contract_of(plugin, task.name)["state"] == "passed":
        return
    first = replace(data, plan=replace(data.plan, folds=data.plan.folds[:1]))
    jobs = [job for job in jobs_of(session, first) if job.test.size]
    if not any(job.out.exists() for job in jobs):  # a resumed run was tried when it began
        try_hooks(plugin, jobs, data.truth, data.prepared.cohort)


def try_hooks(
    plugin: Plugin,
    jobs: Sequence[FoldJob],
    truth: Truth,
    cohort: Cohort,
    *,
    too_few: tuple[type[Exception], ...] = (CardioError, MemoryError),
) -> int:
    """Call `train`, `predict` and `explain` of each job, and `evaluate`, on a few patients.

    With the plugin's smallest settings and one epoch; nothing is kept. A model whose fit raises one
    of `too_few` is passed over: a fault of `train` shows in the first fit of a run anyway.
    `evaluate` is called where every model was fitted.

    Returns
    -------
    int
        How many models were fitted.

    Raises
    ------
    HookError, ContractError
        As the hooks would in the run.
    """
    frames: dict[str, list[pd.DataFrame]] = {}
    n_fitted, n_models = 0, len(jobs)
    jobs = [job for job in jobs if not (job.core_owned or job.members)]
    for job in jobs:
        task, config = job.ctx.task, _smallest(plugin, job.ctx.task, job.config)
        ctx = job.ctx.replace(epochs=1, progress=None, _tracking=None)
        table = job.features.table
        train, test = _few(job, usable(job, job.train)), _few(job, original(table, job.test))
        with tempfile.TemporaryDirectory(prefix="cardio-trial-") as folder:
            try:
                artifact = fit_model(job, plugin, config, ctx, Path(folder), train, None)
            except too_few:
                continue
            n_fitted += 1
            with suppress(*_PASSED_OVER):
                view = job.features.view(test)
                predictions = call(plugin, "predict", ctx, config, model=artifact, features=view)
                found = [
                    (target, prediction_frame(predictions, view.table, target, task.unit))
                    for target in ctx.targets
                ]
                for target, frame in found:
                    about = {"repeat": 0, "fold": ctx.fold, "model": ctx.model}
                    rule = None if target.kind == "continuous" else plain(target)
                    rows = scored_rows(frame, rule, target, truth, **about)
                    frames.setdefault(target.name, []).append(rows)
                if (known := predictions_of(found)).ids and plugin.implements("explain", task):
                    call(
                        plugin, "explain", ctx, config,
                        model=artifact, features=view, predictions=known,
                    )  # fmt: skip
    # An `evaluate` that compares models may ask for one that is not among these.
    if frames and n_fitted == n_models and plugin.implements("evaluate", jobs[0].ctx.task):
        ctx = jobs[0].ctx.replace(model=None, fold=None)
        scored = Scored({name: pd.concat(parts) for name, parts in frames.items()})
        with suppress(*_PASSED_OVER):
            call(
                plugin, "evaluate", ctx, _smallest(plugin, ctx.task, jobs[0].config),
                predictions=scored, targets=cohort.targets, cohort=cohort,
                explanation=Explanation(),
            )  # fmt: skip
    return n_fitted


def _smallest(plugin: Plugin, task: Task, config: RunConfig) -> RunConfig:
    """Return a configuration with the blocks behind the features as smoke.yaml has them."""
    info = plugin.info
    stack = layers(info.configs, ["default", "smoke"])
    small = resolve_config(resolve(info.config_of(task)), stack, task=task.name, sets={})
    blocks = {name: getattr(small, name) for name in ("train", "predict", "explain", "evaluate")}
    return config.model_copy(update=blocks)


def _few(job: FoldJob, positions: Array) -> Array:
    """Return the first samples of the first patients of each class."""
    table = job.features.table.iloc[positions][["patient_id"]]
    names = [target.name for target in job.ctx.task.targets]
    y = job.targets.stratum(job.features.table.iloc[positions], names)
    continuous = job.ctx.task.targets[0].kind == "continuous"
    table = table.assign(position=positions, y="" if continuous else pd.Series(y).astype(str).array)
    people = table.drop_duplicates(["patient_id", "y"]).groupby("y").head(N_PATIENTS)["patient_id"]
    few = table[table["patient_id"].isin(people)].groupby(["patient_id", "y"]).head(N_SAMPLES)
    return np.asarray(few["position"], int)
