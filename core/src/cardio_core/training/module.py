"""One training run as Lightning sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from cardio_core.training.examples import Batch
from cardio_core.training.plan import FitPlan
from cardio_core.training.schedule import learning_rate_factor
from cardio_core.training.tensors import (
    as_float32,
    batch_length,
    channels_last,
    each,
    join,
    lay_out_channels_last,
)

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
