"""What networks make of their inputs before the last layer, overheard while they predict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float32]

MOST_DIMENSIONS = 4096
"""Wider vectors (feature maps) are not kept."""


@dataclass
class Overheard:
    """The vectors of every network that predicted, in the order of its examples.

    Attributes
    ----------
    by_network : dict of str to list of ndarray, each of shape (n_examples, n_dimensions)
        By the network's kind; the one that predicted last stands behind the others.
    """

    by_network: dict[str, list[Floats]] = field(default_factory=dict)

    def last(self, *sizes: int) -> Floats | None:
        """Return the vectors of the kind of network that predicted last; None without any.

        Of several predictions of one of `sizes` examples each (one network a target, one pass a
        gain) each example has the mean; others follow each other.
        """
        if not self.by_network:
            return None
        parts = self.by_network[next(reversed(self.by_network))]
        if not parts or len({part.shape[1:] for part in parts}) != 1:
            return None
        lengths = {len(part) for part in parts}
        if sum(map(len, parts)) not in sizes and len(lengths) == 1 and lengths <= set(sizes):
            return np.asarray(np.mean(parts, axis=0), np.float32)
        return np.concatenate(parts)

    def add(self, name: str, vectors: Floats | None) -> None:
        """Take what one call gave."""
        before = self.by_network.pop(name, [])
        self.by_network[name] = [*before, *([vectors] if vectors is not None else [])]


_LISTENER: ContextVar[Overheard | None] = ContextVar("listener", default=None)


@contextmanager
def overhearing() -> Iterator[Overheard]:
    """Overhear every prediction of this thread by the training engine.

    The vector of an example is what goes into the linear layer that works last, flat; of a network
    without one, what it returns.
    """
    heard = Overheard()
    token = _LISTENER.set(heard)
    try:
        yield heard
    finally:
        _LISTENER.reset(token)


@contextmanager
def listening(network: nn.Module) -> Iterator[Any]:
    """Yield what takes each batch's outputs, and tells the listener afterwards; None without one.

    If the work inside fails, nothing is told.
    """
    heard = _LISTENER.get()
    if heard is None:
        yield None
        return
    from torch import Tensor, nn

    into_last: list[Tensor] = []
    parts: list[Floats | None] = []

    def keep(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        into_last[:] = [path for path in inputs if isinstance(path, Tensor)][:1]

    def take(outputs: Any, n_examples: int) -> None:
        found = into_last[0] if into_last else outputs
        if isinstance(found, dict):
            found = next(iter(found.values()))
        parts.append(_flat(found, n_examples) if isinstance(found, Tensor) else None)
        into_last.clear()

    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_pre_hook(keep) for module in linear]
    try:
        yield take
    finally:
        for hook in hooks:
            hook.remove()
    whole = [part for part in parts if part is not None]
    heard.add(
        type(network).__qualname__, np.concatenate(whole) if len(whole) == len(parts) else None
    )


def _flat(found: Any, n_examples: int) -> Floats | None:
    """Return one vector an example; rows of several to an example (clips, beats) are averaged.

    So are places and times: of shape (rows, channels, height, width) the channels are kept, of
    shape (rows, times, dimensions) the dimensions.
    """
    tensor = found.detach().float().cpu()
    if tensor.ndim == 0 or not len(tensor) or len(tensor) % n_examples:
        return None
    if tensor.ndim == 3:
        tensor = tensor.mean(dim=1)
    elif tensor.ndim > 3:
        tensor = tensor.flatten(2).mean(dim=2)
    rows = tensor.reshape(len(tensor), -1).numpy()
    rows = rows.reshape(n_examples, len(tensor) // n_examples, -1).mean(axis=1)
    return np.asarray(rows, np.float32) if rows.shape[1] <= MOST_DIMENSIONS else None
