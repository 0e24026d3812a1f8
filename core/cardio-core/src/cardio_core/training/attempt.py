"""One attempt at a fit with one batch size, by Lightning."""

from __future__ import annotations

import os
import random
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Trainer
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import Sampler

from cardio_core.compute.devices import Device
from cardio_core.compute.resource_errors import is_out_of_memory
from cardio_core.training.examples import Examples
from cardio_core.training.loader import BatchSize, InOrder, Request, TrainingOrder, make_loader
from cardio_core.training.loggers import Tracker, silenced
from cardio_core.training.module import (
    EpochKeeper,
    Loss,
    ParameterGroups,
    Progress,
    Score,
    Trained,
    TrainingModule,
)
from cardio_core.training.plan import FitPlan

# Training with seeded global states that are afterwards as they were before.

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def reproducible(seed: int, device: Device) -> Iterator[None]:
    """Seed Python, numpy and torch, and ask torch for deterministic kernels, within a block.

    Parameters
    ----------
    seed : int
        Between 0 and 2**32 - 1.
    device : Device
        Its generator is seeded and restored too.

    Notes
    -----
    Operations without a deterministic kernel still run (``warn_only``): on a GPU two runs may then
    differ in the last digits. On a CPU they do not, because everything runs in one thread.
    """
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  a global one is meant
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    was_warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    was_benchmark = torch.backends.cudnn.benchmark
    workspace = os.environ.get(_CUBLAS)
    gpus = [device.index or 0] if device.kind == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002  for layers and augmentations that use it
            torch.manual_seed(seed)
            # cuBLAS is deterministic with this workspace only; it is read when a handle is made.
            os.environ.setdefault(_CUBLAS, ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=True)
            torch.backends.cudnn.benchmark = False
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
            torch.use_deterministic_algorithms(was_deterministic, warn_only=was_warn_only)
            torch.backends.cudnn.benchmark = was_benchmark
            if workspace is None:
                os.environ.pop(_CUBLAS, None)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Lightning's banners, tips and warnings within a block."""
    with silenced("lightning.pytorch", "lightning.fabric"):
        warnings.filterwarnings("ignore", module=r"lightning(_utilities)?\.")
        warnings.filterwarnings("ignore", message=r".*does not have a deterministic implementation")
        yield


# Weights stay in float32; "mixed" computes in the shorter type.
LIGHTNING_PRECISION = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


@dataclass(frozen=True)
class Job:
    """Everything about a fit but its batch size; see `cardio_core.training.engine.fit`."""

    network: nn.Module
    training: Examples
    validation: Examples | None
    loss: Loss
    score: Score | None
    plan: FitPlan
    device: Device
    seed: int
    out: Path
    n_epochs: int
    choose: bool
    weights: NDArray[np.float64] | None
    parameter_groups: ParameterGroups | None
    n_workers: int
    progress: Progress | None
    tracker: Tracker | None = None


class Alone:
    """How a process trains that shares the fit with no other."""

    def module(self, *arguments: Any) -> TrainingModule:
        """Return what Lightning trains."""
        return TrainingModule(*arguments)

    def keeper(self, *arguments: Any) -> EpochKeeper:
        """Return what keeps history and weights."""
        return EpochKeeper(*arguments)

    def seed(self, seed: int) -> int:
        """Return the seed of what a network itself draws, dropout say."""
        return seed

    def device(self, job: Job) -> Device:
        """Return the device of this process."""
        return job.device

    def of_training(self, order: TrainingOrder) -> Sampler[Request]:
        """Return which batches this process trains on."""
        return order

    def of_validation(self, order: InOrder) -> Sampler[Request]:
        """Return which batches this process validates."""
        return order

    def place(self, job: Job) -> dict[str, Any]:
        """Return what Lightning's trainer is told of where it runs."""
        on_gpu = job.device.kind == "cuda"
        return {
            "accelerator": "cuda" if on_gpu else "cpu",
            "devices": [job.device.index or 0] if on_gpu else 1,
        }


def attempt(job: Job, batch: BatchSize, way: Alone | None = None) -> Trained | None:
    """Train from the network's present weights; return None where memory ran out.

    Parameters
    ----------
    job : Job
    batch : BatchSize
        Examples of all processes together.
    way : Alone, optional
        How this process trains, where it shares the fit with others.

    Raises
    ------
    CardioError
        If the loss stops being finite.
    KeyboardInterrupt
        If the user stops it.
    """
    way = way or Alone()
    job.out.mkdir(parents=True, exist_ok=True)
    job.network.train()
    order = TrainingOrder(len(job.training), batch, job.seed, job.plan.draw, job.weights)
    patience = job.plan.patience if job.choose else None
    keeper = way.keeper(job.out, job.n_epochs, patience, job.choose, job.progress, job.tracker)
    done = False
    try:
        with reproducible(way.seed(job.seed), way.device(job)), quiet():
            module = way.module(
                job.network, job.loss, job.score, job.plan, order.n_steps, job.parameter_groups
            )
            trainer = make_trainer(job, batch, keeper, way)
            loaders = _loaders(job, order, way)
            _fit_interruptibly(trainer, module, loaders)
            done = True
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    finally:
        if job.tracker is not None:
            job.tracker.close(done=done)
    return keeper.best()


def make_trainer(job: Job, batch: BatchSize, keeper: EpochKeeper, way: Alone) -> Trainer:
    """Return a trainer that prints nothing and writes nothing by itself."""
    return Trainer(
        **way.place(job),
        precision=LIGHTNING_PRECISION[job.device.precision],  # type: ignore[arg-type]
        max_epochs=job.n_epochs,
        accumulate_grad_batches=batch.accumulate,
        gradient_clip_val=job.plan.gradient_clip,
        callbacks=[keeper],
        # Processes of our own, also inside a SLURM job, which Lightning would otherwise take over.
        plugins=[LightningEnvironment()],
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=job.out,
    )


def _loaders(job: Job, order: TrainingOrder, way: Alone) -> dict[str, Any]:
    how: dict[str, Any] = {"n_workers": job.n_workers, "pin": job.device.kind == "cuda"}
    loaders = {"train_dataloaders": make_loader(job.training, way.of_training(order), **how)}
    if job.validation is not None:
        in_order = InOrder(len(job.validation), order.batch.size)
        loaders["val_dataloaders"] = make_loader(job.validation, way.of_validation(in_order), **how)
    return loaders


def _fit_interruptibly(trainer: Trainer, module: TrainingModule, loaders: dict[str, Any]) -> None:
    """Fit; let Ctrl-C be what it is everywhere else.

    Lightning turns it into an exit of the interpreter and leaves Ctrl-C ignored.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, **loaders)
    except SystemExit as stop:
        if not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from stop
