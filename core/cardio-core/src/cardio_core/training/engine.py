"""The training engine: fit a network by a plan, keep the best weights."""

from __future__ import annotations

import importlib.util
import math
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.training.examples import Examples
from cardio_core.training.loader import BatchSize, release_memory
from cardio_core.training.loggers import Tracker, Tracking
from cardio_core.training.plan import FitPlan
from cardio_core.types.artifact import load_weights
from cardio_core.types.notes import Note, NoteKind
from cardio_stats.errors import CardioError, DataError

if TYPE_CHECKING:
    from cardio_core.training.attempt import Job
    from cardio_core.training.module import Loss, ParameterGroups, Progress, Score, Trained

# Whether torch.compile can be used here.

COMPILERS = ("g++", "clang++", "c++", "cl")


def why_not_compiled(device: Device) -> str | None:
    """Return what torch.compile lacks on a device, as a clause; None where it can be used.

    On a CPU torch writes C++ and needs a compiler (that of ``CXX``, or one on the path), on a GPU
    it writes Triton and needs that package.
    """
    if sys.platform == "win32":
        return "torch.compile is not tried on Windows"
    if device.kind == "cuda":
        return None if importlib.util.find_spec("triton") else "the package triton is not installed"
    wanted = [os.environ["CXX"]] if os.environ.get("CXX") else COMPILERS
    if any(shutil.which(name) for name in wanted):
        return None
    return f"there is no C++ compiler ({', '.join(wanted)})"


Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Fitted(Generic[Network]):
    """A trained network and how it came about.

    Attributes
    ----------
    network : torch.nn.Module
        The network that was given, with the kept weights, in evaluation mode, on the CPU.
    weights : Path
        The same weights as a safetensors file.
    best_epoch : int
        The epoch whose weights were kept, from 1; the last one where none was chosen.
    best_score : float or None
        Its validation score, higher is better; None where no epoch was chosen.
    history : tuple of dict
        One an epoch: epoch, seconds, train_loss, val_loss, val_score, lr (of the first parameter
        group when the epoch began). Also in ``history.csv`` beside the weights.
    notes : tuple of Note
        What a reader of the results should know: a halved batch, say.
    """

    network: Network
    weights: Path
    best_epoch: int
    best_score: float | None
    history: tuple[dict[str, Any], ...]
    notes: tuple[Note, ...] = ()


def fit(
    network: Network,
    training: Examples,
    validation: Examples | None = None,
    *,
    loss: Loss,
    score: Score | None = None,
    plan: FitPlan,
    device: Device,
    seed: int,
    out: Path,
    epochs: int | None = None,
    choose: bool = True,
    weights: ArrayLike | None = None,
    parameter_groups: ParameterGroups | None = None,
    progress: Progress | None = None,
    log: Callable[[str], object] | None = None,
    tracking: Tracking | None = None,
) -> Fitted[Network]:
    """Train a network and keep its best weights, or with no validation set its last.

    Parameters
    ----------
    network : torch.nn.Module
        Trained in place. It is set to training mode; layers that must stay in evaluation mode
        (frozen batch normalisation) see to that in their `train` method.
    training : Examples
        At least one example.
    validation : Examples or None
        Other patients, whose score chooses the epoch and stops the training (see `choose`). None
        trains for `epochs` and keeps the last weights: the refit on everybody.
    loss : callable
        ``loss(outputs, batch)`` returns the mean loss of a batch, a scalar tensor; outputs are in
        float32. Accumulated batches are weighted by their numbers of examples.
    score : callable or None
        ``score(outputs, targets)`` over the whole validation set, as arrays of shape
        (n_validation, ...) or dicts of them; higher is better. A score of NaN never is the best.
        None takes minus the mean validation loss.
    plan : FitPlan
        How to train.
    device : Device
        Where, and in which precision. Where it has `others`, they share every batch, and the
        weights are those of one device up to rounding; see `cardio_core.training.distributed`.
    seed : int
        0 to 2**32 - 1. The same seed gives the same weights, on a CPU bit for bit (within a run:
        in one thread), whatever `plan.n_workers` is. The network's initial weights are the
        caller's: draw them with a seed too.
    out : Path
        Folder for ``weights.safetensors`` and ``history.csv``; nothing else is written.
    epochs : int or None
        Number of epochs instead of `plan.epochs`; schedules are still laid out over the latter.
    choose : bool
        Whether the validation set chooses the epoch. Where it is too small for that, False only
        watches it: every epoch is trained whatever `plan.patience` says, and the last is kept.
    weights : array_like, shape (n_training,), or None
        Sampling weights, 0 or more, of any sum; used where `plan.draw` is set.
    parameter_groups : callable or None
        ``parameter_groups(network)`` returns parameter groups as torch's optimizers take them, for
        rates of their own (``"lr"``). None takes every parameter that requires a gradient.
    progress : callable or None
        Called after each epoch; see `cardio_core.training.module.Progress`.
    log : callable or None
        Told in one line what did not go as planned.
    tracking : Tracking or None
        Where the curves are shown while it trains; see `cardio_core.training.loggers`.

    Returns
    -------
    Fitted

    Raises
    ------
    DataError
        If a set is empty or the sampling weights do not fit it.
    CardioError
        If the loss stops being finite, no validation score was a number, or a batch of one
        example does not fit into memory.

    Notes
    -----
    Where memory runs out, the batch is halved for the same effective batch, and training starts
    again from the first epoch with the same seed. Without batch normalisation the result is that
    of the larger batch, up to rounding.

    Random states of Python, numpy and torch are seeded within, and afterwards as they were.
    """
    from cardio_core.training.attempt import Job

    n_epochs = plan.epochs if epochs is None else epochs
    probabilities = _checked(training, validation, n_epochs, weights)
    notes: list[Note] = []

    def note(text: str) -> None:
        notes.append(Note(NoteKind.FIT, text))
        if log is not None:
            log(text)

    n_workers = plan.n_workers
    if n_workers and multiprocessing.current_process().daemon:
        note("batches are made in the training process: this kind of worker cannot start others")
        n_workers = 0
    if plan.compile and (missing := why_not_compiled(device)) is not None:
        note(f"trained without torch.compile: {missing}")
        plan = plan.model_copy(update={"compile": False})
    if device.others:
        from cardio_core.training.distributed import form

        device, plan, answer = form(network, plan, device)
        for text in answer:
            note(text)
    job = Job(
        network=network,
        training=training,
        validation=validation,
        loss=loss,
        score=score,
        plan=plan,
        device=device,
        seed=seed,
        out=Path(out),
        n_epochs=n_epochs,
        choose=choose and validation is not None,
        weights=probabilities,
        parameter_groups=parameter_groups,
        n_workers=n_workers,
        progress=progress,
        tracker=None if tracking is None else Tracker(tracking, note),
    )
    initial = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
    batch = BatchSize(plan.batch_size, plan.effective_batch)
    while (keeper := _attempt(job, batch)) is None:
        release_memory()
        if batch.size <= 1 + len(device.others):
            raise CardioError(
                f"out of memory with one example on {device.torch_name}; "
                "use smaller inputs, a smaller network or a device with more memory",
                code="memory",
            )
        batch = batch.halved()
        note(f"batch halved to {batch.size}, accumulating {batch.accumulate} (out of memory)")
        network.load_state_dict(initial)
    scores = [row["val_score"] for row in keeper.history if row["val_score"] is not None]
    n_undefined = sum(math.isnan(score) for score in scores) if job.choose else 0
    if keeper.best_epoch == 0:
        raise CardioError(
            f"training: expected a validation score, found not-a-number in all {len(scores)} "
            "epochs; check that the validation set has every class",
            code="not_a_number",
        )
    if n_undefined:
        note(f"the validation score was not a number in {n_undefined} of {len(scores)} epochs")
    load_weights(network, keeper.weights)
    network.zero_grad(set_to_none=True)
    return Fitted(
        network=network.cpu().eval(),
        weights=keeper.weights,
        best_epoch=keeper.best_epoch,
        best_score=keeper.best_score,
        history=tuple(keeper.history),
        notes=tuple(notes),
    )


def _attempt(job: Job, batch: BatchSize) -> Trained | None:
    """Train in this process, or in one of its own on each of several devices."""
    if job.device.others:
        from cardio_core.training.distributed import attempt_together

        return attempt_together(job, batch)
    from cardio_core.training.attempt import attempt

    return attempt(job, batch)


def _checked(
    training: Examples, validation: Examples | None, n_epochs: int, weights: ArrayLike | None
) -> NDArray[np.float64] | None:
    """Return the sampling weights as an array, after refusing what cannot be trained on."""
    for name, examples in (("training", training), ("validation", validation)):
        if examples is not None and len(examples) == 0:
            raise DataError(f"fit: expected at least one {name} example, found none")
    if n_epochs < 1:
        raise DataError(f"fit: expected 1 epoch or more, found {n_epochs}")
    if weights is None:
        return None
    values = np.asarray(weights, dtype=np.float64)
    good = values.shape == (len(training),) and np.isfinite(values).all() and (values >= 0).all()
    if not good or values.sum() == 0:
        raise DataError(
            f"fit: expected {len(training)} finite sampling weights of 0 or more, not all 0, "
            f"found shape {values.shape}"
        )
    return values
