"""Batches for training and validation, the same for any number of worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from cardio_core.training.examples import Batch, Examples
from cardio_core.training.memory import BatchSize
from cardio_core.training.tensors import part_of

_ORDER, _AUGMENT = 0, 1


@dataclass(frozen=True, slots=True)
class Request:
    """Which examples make up one batch, and everything that its making depends on.

    No `seed` augments nothing. `share` is the weight of this batch's mean loss, so that batches
    accumulated to one effective batch give its mean loss, also where the last of them is smaller.
    `part` are the first and last place (exclusive) of the examples that are wanted of the batch,
    where processes share it; None wants all.
    """

    indices: NDArray[np.int64]
    seed: tuple[int, ...] | None = None
    share: float = 1.0
    part: tuple[int, int] | None = None


class Batches(Dataset[tuple[Batch, float]]):
    """Turns requests into batches, wherever that happens."""

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self._draws = False

    def __getitem__(self, request: Request) -> tuple[Batch, float]:
        if request.part is None:
            return self.examples.batch(request.indices, _rng(request)), request.share
        return self._part(request, *request.part), request.share

    def _part(self, request: Request, first: int, last: int) -> Batch:
        """Return some examples of a batch as they are in the whole of it.

        Random numbers are drawn for a batch, so that a part of it is made alone only where none
        are: the others' would move its own.
        """
        if not self._draws:
            rng = _rng(request)
            before = None if rng is None else rng.bit_generator.state
            alone = self.examples.batch(request.indices[first:last], rng)
            if rng is None or rng.bit_generator.state == before:
                return alone
            self._draws = True
        n = len(request.indices)
        whole = self.examples.batch(request.indices, _rng(request))
        return {name: part_of(value, n, first, last) for name, value in whole.items()}


def _rng(request: Request) -> np.random.Generator | None:
    return None if request.seed is None else np.random.default_rng(request.seed)


class TrainingOrder(Sampler[Request]):
    """The batches of an epoch, drawn anew for each epoch from (seed, epoch).

    Batches are cut within effective batches: halving one never moves an example to another. `draw`
    examples an epoch are drawn with replacement, by the sampling weights, shape (n_examples,),
    where there are any; None takes each example once.
    """

    def __init__(
        self,
        n_examples: int,
        batch: BatchSize,
        seed: int,
        draw: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        self.n_examples, self.batch, self.seed = n_examples, batch, seed
        self.draw, self.weights = draw, weights
        self.epoch = 0

    @property
    def n_drawn(self) -> int:
        """Examples in an epoch."""
        return self.draw or self.n_examples

    @property
    def n_steps(self) -> int:
        """Changes of the weights in an epoch."""
        return -(-self.n_drawn // self.batch.effective)

    def __len__(self) -> int:
        rest = self.n_drawn - (self.n_steps - 1) * self.batch.effective
        return (self.n_steps - 1) * self.batch.accumulate + -(-rest // self.batch.size)

    def set_epoch(self, epoch: int) -> None:
        """Take the order of that epoch (from 0); Lightning calls this before each."""
        self.epoch = epoch

    def order(self) -> NDArray[np.int64]:
        """Return the examples of this epoch in order, shape (n_drawn,)."""
        rng = np.random.default_rng((self.seed, self.epoch, _ORDER))
        if self.draw is None:
            return rng.permutation(self.n_examples)
        p = None if self.weights is None else self.weights / self.weights.sum()
        return rng.choice(self.n_examples, size=self.draw, p=p)

    def __iter__(self) -> Iterator[Request]:
        order, number = self.order(), 0
        for start in range(0, len(order), self.batch.effective):
            together = order[start : start + self.batch.effective]
            for first in range(0, len(together), self.batch.size):
                indices = together[first : first + self.batch.size]
                # Lightning divides by `accumulate`, whatever the sizes of the batches.
                share = len(indices) * self.batch.accumulate / len(together)
                yield Request(indices, (self.seed, self.epoch, _AUGMENT, number), share)
                number += 1


class InOrder(Sampler[Request]):
    """All examples once, in their own order, without augmentation."""

    def __init__(self, n_examples: int, size: int) -> None:
        self.n_examples, self.size = n_examples, size

    def __len__(self) -> int:
        return -(-self.n_examples // self.size)

    def __iter__(self) -> Iterator[Request]:
        for start in range(0, self.n_examples, self.size):
            yield Request(np.arange(start, min(start + self.size, self.n_examples)))


def make_loader(
    examples: Examples, order: Sampler[Request], *, n_workers: int = 0, pin: bool = False
) -> DataLoader[Any]:
    """Return a loader that yields (batch, share) in that order.

    `n_workers` processes make batches, 0 makes them in this one; `pin` takes page-locked memory,
    for faster copies to a GPU.
    """
    import torch

    return DataLoader(
        Batches(examples),
        batch_size=None,  # a request already is a batch
        sampler=order,
        num_workers=n_workers,
        persistent_workers=n_workers > 0,
        pin_memory=pin,
        # Its own generator: otherwise each epoch would draw a number from the global one.
        generator=torch.Generator().manual_seed(0),
    )
