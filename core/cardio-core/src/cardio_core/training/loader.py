"""Batches for training and validation, the same for any number of worker processes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from cardio_core.training.examples import Batch, Examples

# Small operations on the tensors, or dicts of tensors, that networks take and give.

Arrays = NDArray[Any] | dict[str, NDArray[Any]]


def each(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    """Apply a function to a tensor, or to every tensor in a dict, list or tuple."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {name: each(function, item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(each(function, item) for item in value)
    return value


def as_float32(value: Any) -> Any:
    """Turn half-precision tensors into float32; leave the others."""
    return each(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor, value)


def channels_last(value: Any) -> Any:
    """Lay out image and video tensors (4 or 5 axes) with the channel axis last in memory."""

    def lay_out(tensor: Tensor) -> Tensor:
        layout = {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.ndim)
        return tensor if layout is None else tensor.contiguous(memory_format=layout)

    return each(lay_out, value)


def lay_out_channels_last(network: nn.Module) -> None:
    """Do the same with a network's weights, in place.

    `nn.Module.to` knows one layout for all tensors and so fails on networks that mix dimensions.
    """
    for parameter in network.parameters():
        parameter.data = channels_last(parameter.data)


def join(parts: Sequence[Any]) -> Arrays:
    """Concatenate batches along their first axis into float32, or integer, arrays."""
    if isinstance(parts[0], dict):
        return {name: _join([part[name] for part in parts]) for name in parts[0]}
    return _join(parts)


def _join(parts: Sequence[Any]) -> NDArray[Any]:
    return np.concatenate([as_float32(torch.as_tensor(part)).cpu().numpy() for part in parts])


def part_of(value: Any, n: int, first: int, last: int) -> Any:
    """Return some examples of what a batch of `n` holds; what is not one an example stays whole.

    Examples
    --------
    >>> part_of({"image": torch.arange(4), "size": torch.ones(2)}, 4, 1, 3)
    {'image': tensor([1, 2]), 'size': tensor([1., 1.])}
    """
    if isinstance(value, dict):
        return {name: part_of(item, n, first, last) for name, item in value.items()}
    if isinstance(value, Tensor | np.ndarray):
        return value[first:last] if value.ndim and len(value) == n else value
    if isinstance(value, list | tuple):
        return value[first:last] if len(value) == n else value
    return value


def batch_length(inputs: Any) -> int:
    """Return the number of examples in a batch."""
    return batch_length(next(iter(inputs.values()))) if isinstance(inputs, dict) else len(inputs)


# Batches that fit into memory: halving one that did not, and giving back what it held.


@dataclass(frozen=True, slots=True)
class BatchSize:
    """How many examples are in memory at once, and how many stand behind a change of the weights.

    Attributes
    ----------
    size : int
        Examples in memory at once, 1 or more.
    effective : int
        Examples behind each change of the weights; stays the same when `size` is halved.

    Examples
    --------
    >>> BatchSize(25, 50).halved()
    BatchSize(size=13, effective=50)
    >>> BatchSize(25, 50).halved().accumulate
    4
    """

    size: int
    effective: int

    @property
    def accumulate(self) -> int:
        """Number of batches behind each change of the weights."""
        return -(-self.effective // self.size)

    def halved(self) -> BatchSize:
        """Return half the size, rounded up, for the same effective batch."""
        return replace(self, size=-(-self.size // 2))


def release_memory() -> None:
    """Give back what a failed attempt held. The exception must no longer be held itself."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()  # does nothing where no GPU was used


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
