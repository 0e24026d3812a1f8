"""Which networks a plugin calls while it predicts, and on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules import module as hooks

Array = NDArray[Any]
Named = Mapping[str, Array]


@dataclass(frozen=True)
class Called:
    """A network with the first batch that it was given.

    Attributes
    ----------
    network : torch.nn.Module
    inputs : mapping of str to ndarray
        By name, the examples along the first axis.
    as_mapping : bool
        Whether the network takes them as one mapping; else by position.
    """

    network: nn.Module
    inputs: Named
    as_mapping: bool


@contextmanager
def watching() -> Iterator[list[Called]]:
    """Collect the networks that are called, each once; what a network calls itself is part of it.

    Examples
    --------
    >>> with watching() as called:
    ...     _ = nn.Sequential(nn.Linear(3, 2), nn.ReLU())(torch.zeros(5, 3))
    >>> [(type(one.network).__name__, one.inputs["input"].shape) for one in called]
    [('Sequential', (5, 3))]
    """
    found: list[Called] = []
    seen: set[int] = set()
    depth = 0

    def before(module: nn.Module, given: Any) -> None:
        nonlocal depth
        depth += 1

    def after(module: nn.Module, given: Any, output: Any) -> None:
        nonlocal depth
        depth -= 1
        learnt = next(module.parameters(), None) is not None
        if depth or not learnt or id(module) in seen:
            return
        inputs, as_mapping = _named(given)
        if inputs:
            seen.add(id(module))
            found.append(Called(module, inputs, as_mapping))

    handles = [
        hooks.register_module_forward_pre_hook(before),
        hooks.register_module_forward_hook(after, always_call=True),
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _named(given: tuple[Any, ...]) -> tuple[dict[str, Array], bool]:
    """Return the tensors of a call by name, and whether they came as one mapping."""
    if len(given) == 1 and isinstance(given[0], Mapping):
        tensors = {str(name): value for name, value in given[0].items()}
        as_mapping = True
    else:
        names = ["input"] if len(given) == 1 else [f"input_{n}" for n in range(1, len(given) + 1)]
        tensors, as_mapping = dict(zip(names, given, strict=True)), False
    if not all(isinstance(value, torch.Tensor) and value.dim() for value in tensors.values()):
        return {}, as_mapping
    found = {name: value.detach().cpu().numpy().copy() for name, value in tensors.items()}
    return found, as_mapping
