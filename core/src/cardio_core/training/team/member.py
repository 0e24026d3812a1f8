"""What one of several processes that share a fit does otherwise than one that is alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, distributed
from torch.utils.data import Sampler

from cardio_core.compute.devices import Device
from cardio_core.training.attempt import Alone, Job
from cardio_core.training.callbacks import EpochKeeper
from cardio_core.training.examples import Batch
from cardio_core.training.loader import InOrder, Request, TrainingOrder
from cardio_core.training.module import TrainingModule

_COME_TOGETHER = timedelta(minutes=10)
"""For all to have started; afterwards a process that ends is seen at once by the one that leads."""

Tell = Callable[[str, Any], None]


class Member(Alone):
    """One of `world` processes that share a fit; the one of rank 0 scores and writes.

    `meeting` is a file, made by none of them before, through which they find each other; `tell`
    sends a word and something beside it to the process that started them.
    """

    def __init__(self, rank: int, world: int, meeting: Path, tell: Tell) -> None:
        self.rank, self.world, self._meeting, self._tell = rank, world, meeting, tell
        self._group: Any = None

    def seed(self, seed: int) -> int:
        """Return another seed for each process: dropout must not repeat itself over a batch."""
        if self.rank == 0:
            return seed
        return int(np.random.SeedSequence((seed, self.rank)).generate_state(1)[0])

    def device(self, job: Job) -> Device:
        """Return one of those that share the fit."""
        return (job.device, *job.device.others)[self.rank]

    def module(self, *arguments: Any) -> TrainingModule:
        """Return what Lightning trains, with what all have found at the end of each epoch."""
        return SharedModule(self._group, *arguments)

    def keeper(self, *arguments: Any) -> EpochKeeper:
        """Return what keeps history and weights, or follows without writing."""
        return (
            _Lead(self._tell, *arguments) if self.rank == 0 else _Follower(self._tell, *arguments)
        )

    def of_training(self, order: TrainingOrder) -> Sampler[Request]:
        """Return this process's part of every batch."""
        return PartOfEach(order, self.rank, self.world)

    def of_validation(self, order: InOrder) -> Sampler[Request]:
        """Return every so-manieth batch, whole: its outputs are those of a process alone."""
        return EveryOther(order, self.rank, self.world)

    def place(self, job: Job) -> dict[str, Any]:
        """Let the processes meet; return what Lightning's trainer is told of where they run."""
        on_gpu = job.device.kind == "cuda"
        devices = (job.device, *job.device.others)
        if on_gpu:
            torch.cuda.set_device(self.device(job).torch_name)
        distributed.init_process_group(
            "nccl" if on_gpu else "gloo",
            init_method=f"file://{self._meeting}",
            rank=self.rank,
            world_size=self.world,
            timeout=_COME_TOGETHER,
        )
        # What is gathered at the end of an epoch lies in main memory, on every kind of device.
        self._group = distributed.new_group(backend="gloo")
        return {
            "accelerator": "cuda" if on_gpu else "cpu",
            "devices": [device.index or 0 for device in devices] if on_gpu else self.world,
            "sync_batchnorm": on_gpu,
            "strategy": DDPStrategy(
                process_group_backend="nccl" if on_gpu else "gloo",
                # Buffers are the same everywhere, and validation is of uneven length.
                broadcast_buffers=False,
                # A part of a network that a batch does not use is left as it is.
                find_unused_parameters=True,
            ),
        }


class PartOfEach(Sampler[Request]):
    """One process's part of every batch; the parts of all are the batch.

    In a batch of fewer examples than processes some have none of their own: they compute one that
    another has, and count it as nothing, because all must compute for their gradients to meet.

    Examples
    --------
    >>> from cardio_core.training.memory import BatchSize
    >>> both = [PartOfEach(TrainingOrder(5, BatchSize(4, 4), 0), rank, 2) for rank in (0, 1)]
    >>> [[(one.part, one.share) for one in part] for part in both]
    [[((0, 2), 1.0), ((0, 1), 0.0)], [((2, 4), 1.0), ((0, 1), 2.0)]]
    """

    def __init__(self, order: TrainingOrder, rank: int, world: int) -> None:
        self.order, self.rank, self.world = order, rank, world

    def __len__(self) -> int:
        return len(self.order)

    def set_epoch(self, epoch: int) -> None:
        """Take the order of that epoch; Lightning calls this before each."""
        self.order.set_epoch(epoch)

    def __iter__(self) -> Iterator[Request]:
        for request in self.order:
            n = len(request.indices)
            first, last = (n * place // self.world for place in (self.rank, self.rank + 1))
            # Gradients are averaged over processes, whatever the sizes of the parts.
            share = request.share * self.world * (last - first) / n
            part = (first, last) if last > first else (0, 1)
            yield replace(request, part=part, share=share)


class EveryOther(Sampler[Request]):
    """One process's batches of those that are validated, dealt out in turn."""

    def __init__(self, order: InOrder, rank: int, world: int) -> None:
        self.order, self.rank, self.world = order, rank, world

    def __len__(self) -> int:
        return len(range(self.rank, len(self.order), self.world))

    def __iter__(self) -> Iterator[Request]:
        for number, request in enumerate(self.order):
            if number % self.world == self.rank:
                yield request


class SharedModule(TrainingModule):
    """A training run in one of several processes, `group` of them for what is gathered."""

    def __init__(self, group: Any, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._group = group
        # With fewer batches to validate than processes, some validate none.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        if self.average is not None:
            self.average.requires_grad_(False)

    def training_step(self, item: tuple[Batch, float], index: int) -> Tensor:
        """Return the weighted loss; one that counts as nothing is none of the epoch's."""
        loss = super().training_step(item, index)
        if item[1] == 0:
            self._train_losses.pop()
        return loss

    def close_epoch(self) -> None:
        """Gather what all have computed; the first computes losses and score, and tells them."""
        kept = (_on_cpu(self._train_losses), _on_cpu(self._val_losses))
        own = (*kept, self._outputs, self._targets)
        self._val_losses, self._outputs, self._targets = [], [], []
        first = distributed.get_rank() == 0
        parts: list[Any] | None = [None] * distributed.get_world_size() if first else None
        distributed.gather_object(own, parts, dst=0, group=self._group)
        if parts is not None:
            self._train_losses = [loss for part in parts for loss in part[0]]
            self._val_losses, self._outputs, self._targets = (
                _dealt_back([part[place] for part in parts]) for place in (1, 2, 3)
            )
            super().close_epoch()
        found = [(self.train_loss, self.val_loss, self.val_score)]
        distributed.broadcast_object_list(found, src=0, group=self._group)
        self.train_loss, self.val_loss, self.val_score = found[0]


def _on_cpu(losses: list[tuple[Tensor, int]]) -> list[tuple[Tensor, int]]:
    return [(loss.float().cpu(), n) for loss, n in losses]


def _dealt_back(hands: list[list[Any]]) -> list[Any]:
    """Return what was dealt out in turn in its first order.

    Examples
    --------
    >>> _dealt_back([["a", "c"], ["b"]])
    ['a', 'b', 'c']
    """
    n = sum(len(hand) for hand in hands)
    return [hands[place % len(hands)][place // len(hands)] for place in range(n)]


class _Lead(EpochKeeper):
    """The keeper of rank 0: what it would tell goes to the process that started it."""

    def __init__(self, tell: Tell, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._tell = tell
        self._progress = lambda *news: tell("epoch", (news, self.history[-1]))

    def on_exception(
        self, trainer: Trainer, module: LightningModule, exception: BaseException
    ) -> None:
        """Say it before Lightning tidies up, for which it might wait for the others."""
        self._tell("failed", exception)


class _Follower(_Lead):
    """The keeper of the others: it decides alike and writes nothing."""

    def __init__(self, tell: Tell, *arguments: Any) -> None:
        super().__init__(tell, *arguments)
        self._progress = None

    def _save(self, fit: TrainingModule) -> None:
        pass

    def _write_history(self) -> None:
        pass
