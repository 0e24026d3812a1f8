"""One training run as Lightning sees it."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

from cardio_core.training.examples import Batch
from cardio_core.training.loader import (
    as_float32,
    batch_length,
    channels_last,
    each,
    join,
    lay_out_channels_last,
)
from cardio_core.training.loggers import Tracker
from cardio_core.training.plan import FitPlan
from cardio_core.types.artifact import save_weights
from cardio_stats.errors import CardioError
from cardio_stats.files import replacing

# The course of the learning rate.

# Smith and Topin, "Super-convergence" (2018), with the shares that torch's OneCycleLR defaults to.
_RISE, _START, _END = 0.3, 1 / 25, 1 / 25e4


def learning_rate_factor(
    schedule: Literal["none", "cosine", "onecycle"], step: int, n_steps: int, n_warmup: int = 0
) -> float:
    """Return the share of the peak learning rate at one optimizer step.

    Constant; half a cosine from 1 to 0; or a cosine rise over the first 30 % and a fall, over
    `n_steps`. `step` is the number of steps already taken; beyond `n_steps` the last value is kept.
    `n_warmup` steps of linear warm-up are for ``"none"`` and ``"cosine"``.

    Examples
    --------
    >>> [round(learning_rate_factor("cosine", step, 4), 2) for step in range(5)]
    [1.0, 0.85, 0.5, 0.15, 0.0]
    """
    if schedule == "onecycle":
        last, top = max(n_steps - 1, 1), _RISE * n_steps - 1
        if step <= top and top > 0:
            return _cosine(_START, 1.0, step / top)
        return _cosine(1.0, _END, min((step - top) / (last - top), 1.0))
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    if schedule == "cosine":
        return _cosine(1.0, 0.0, min((step - n_warmup) / max(n_steps - n_warmup, 1), 1.0))
    return 1.0


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


Loss = Callable[[Any, Batch], Tensor]
Score = Callable[[Any, Any], float]
"""Of outputs and targets: arrays of shape (n, ...), or dicts of them. Higher is better."""
ParameterGroups = Callable[[Any], Sequence[Any]]


class TrainingModule(LightningModule):
    """Steps, optimizer and schedule around a plugin's network, loss and score.

    Attributes
    ----------
    train_loss : float
        Mean over the training examples of the last epoch, each before the step it caused.
    val_loss : float or None
        Mean over the validation examples in the last epoch; None without them.
    val_score : float or None
        The plugin's score on the validation set, or minus `val_loss`.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        score: Score | None,
        plan: FitPlan,
        steps_per_epoch: int,
        parameter_groups: ParameterGroups | None = None,
    ) -> None:
        super().__init__()
        if plan.channels_last:
            lay_out_channels_last(network)
        self.network = network
        self.average = _moving_average(network, plan.ema_decay)
        self._loss, self._score, self._plan = loss, score, plan
        self._steps_per_epoch, self._groups = steps_per_epoch, parameter_groups
        # Kept in a list so that the compiled wrapper is no second child with the same weights.
        self._called = [torch.compile(network) if plan.compile else network]
        self._train_losses: list[tuple[Tensor, int]] = []
        self._val_losses: list[tuple[Tensor, int]] = []
        self._outputs: list[Any] = []
        self._targets: list[Any] = []
        self.train_loss = float("nan")
        self.val_loss: float | None = None
        self.val_score: float | None = None

    @property
    def result(self) -> nn.Module:
        """The network whose weights count: the moving average where there is one."""
        return self.network if self.average is None else self.average.module

    def _compute(self, network: Any, batch: Batch) -> tuple[Any, Tensor]:
        inputs = channels_last(batch["inputs"]) if self._plan.channels_last else batch["inputs"]
        outputs = as_float32(network(inputs))
        # Losses are sums of many small numbers: never in half precision.
        with torch.autocast(self.device.type, enabled=False):
            return outputs, self._loss(outputs, batch)

    def training_step(self, item: tuple[Batch, float], index: int) -> Tensor:
        """Return the loss of one batch, weighted by its share of the effective batch."""
        batch, share = item
        _, loss = self._compute(self._called[0], batch)
        self._train_losses.append((loss.detach(), batch_length(batch["inputs"])))
        return loss * share

    def validation_step(self, item: tuple[Batch, float], index: int) -> None:
        """Keep outputs and loss of one batch."""
        batch, _ = item
        outputs, loss = self._compute(self.result, batch)
        self._val_losses.append((loss, batch_length(batch["inputs"])))
        if self._score is not None:
            self._outputs.append(_to_cpu(outputs))
            self._targets.append(_to_cpu(batch["targets"]))

    def on_train_epoch_start(self) -> None:
        """Forget the last epoch."""
        self._train_losses = []

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._val_losses = []
        self._outputs, self._targets = [], []

    def close_epoch(self) -> None:
        """Compute losses and the score of the whole validation set, once it was validated."""
        self.train_loss = _mean(self._train_losses)
        if not self._val_losses:
            return
        self.val_loss = _mean(self._val_losses)
        if self._score is None:
            self.val_score = -self.val_loss
        else:
            self.val_score = float(self._score(join(self._outputs), join(self._targets)))
        self._val_losses, self._outputs, self._targets = [], [], []

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Change the weights, then follow them with the moving average."""
        super().optimizer_step(*arguments, **named)
        if self.average is not None:
            self.average.update_parameters(self.network)

    def configure_optimizers(self) -> Any:
        """Return the optimizer with its schedule, stepped with each change of the weights."""
        plan = self._plan
        groups = (
            [parameter for parameter in self.network.parameters() if parameter.requires_grad]
            if self._groups is None
            else list(self._groups(self.network))
        )
        kind: Any = {
            "adam": torch.optim.Adam,
            "adamw": torch.optim.AdamW,
            "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
        }[plan.optimizer]
        optimizer = kind(groups, lr=plan.learning_rate, weight_decay=plan.weight_decay)
        n_steps = plan.epochs * self._steps_per_epoch
        n_warmup = round(plan.warmup_epochs * self._steps_per_epoch)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: learning_rate_factor(plan.schedule, step, n_steps, n_warmup)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _moving_average(network: nn.Module, decay: float | None) -> Any:
    if decay is None:
        return None
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    follow = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    # Buffers too: the statistics of batch normalisation must belong to the averaged weights.
    return AveragedModel(network, multi_avg_fn=follow, use_buffers=True)


def _mean(sums: list[tuple[Tensor, int]]) -> float:
    losses = torch.stack([loss.float() for loss, _ in sums]).double().cpu()
    n = torch.tensor([n for _, n in sums], dtype=torch.float64)
    return float((losses * n).sum() / n.sum())


def _to_cpu(value: Any) -> Any:
    return each(lambda tensor: tensor.detach().cpu(), value)


# What happens at the end of each epoch: history, best weights, stopping, progress.

COLUMNS = ("epoch", "seconds", "train_loss", "val_loss", "val_score", "lr")


class Progress(Protocol):
    """What is told about training after each epoch."""

    def __call__(
        self,
        epoch: int,
        n_epochs: int,
        train_loss: float,
        val_score: float | None,
        seconds_left: float,
    ) -> object:
        """Receive the epoch (from 1) and what is left if no early stop comes."""
        ...


@dataclass(frozen=True)
class Trained:
    """What is left of a training that ran to its end.

    `weights` is the file of the epoch that is kept, `best_epoch`; 0 where no epoch had a score.
    """

    weights: Path
    history: list[dict[str, Any]]
    best_epoch: int
    best_score: float | None


class EpochKeeper(Callback):
    """Keeps the history, and the weights of the best epoch, or of the last where none is chosen.

    Lightning's own checkpoints are pickles, so the weights are written here.

    `out` is the folder of ``weights.safetensors`` and ``history.csv``; training stops after
    `patience` epochs without a better score; `progress` and `tracker` are told after each epoch.
    """

    def __init__(
        self,
        out: Path,
        n_epochs: int,
        patience: int | None,
        chooses: bool,
        progress: Progress | None,
        tracker: Tracker | None = None,
    ) -> None:
        self.weights = out / "weights.safetensors"
        self._history_file = out / "history.csv"
        self._n_epochs, self._patience, self._chooses = n_epochs, patience, chooses
        self._progress, self._tracker = progress, tracker
        self.history: list[dict[str, Any]] = []
        self.best_epoch = 0
        self.best_score: float | None = None
        self._started = 0.0
        self._rate = 0.0

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Note the time and the learning rate."""
        self._started = time.perf_counter()
        self._rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Write history and weights, stop if patience is over, report progress."""
        fit = cast("TrainingModule", module)
        epoch = trainer.current_epoch + 1
        fit.close_epoch()
        train_loss = fit.train_loss
        if not math.isfinite(train_loss):
            raise CardioError(
                f"training: expected a finite loss, found {train_loss} in epoch {epoch}; "
                "lower learning_rate, set gradient_clip, or use --precision 32",
                code="not_a_number",
            )
        seconds = time.perf_counter() - self._started
        values = (epoch, seconds, train_loss, fit.val_loss, fit.val_score, self._rate)
        self.history.append(dict(zip(COLUMNS, values, strict=True)))
        self._write_history()
        if self._tracker is not None:
            self._tracker.log(epoch, {name: self.history[-1][name] for name in COLUMNS[1:]})
        if self._improved(fit.val_score):
            self.best_epoch, self.best_score = epoch, fit.val_score
            self._save(fit)
        elif self._patience is not None and epoch - self.best_epoch >= self._patience:
            trainer.should_stop = True
        if self._progress is not None:
            mean = sum(row["seconds"] for row in self.history) / epoch
            left = 0.0 if trainer.should_stop else mean * (self._n_epochs - epoch)
            self._progress(epoch, self._n_epochs, train_loss, fit.val_score, left)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Keep the last weights where validation does not choose."""
        if not self._chooses:
            self.best_epoch = len(self.history)
            self._save(cast("TrainingModule", module))

    def best(self) -> Trained:
        """Return what is left once training has ended."""
        return Trained(self.weights, self.history, self.best_epoch, self.best_score)

    def _save(self, fit: TrainingModule) -> None:
        save_weights(fit.result, self.weights)

    def _improved(self, score: float | None) -> bool:
        # A score that is not a number (AUC of one class, say) is no improvement.
        if not self._chooses or score is None or math.isnan(score):
            return False
        return self.best_score is None or score > self.best_score

    def _write_history(self) -> None:
        with (
            replacing(self._history_file) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.history)
