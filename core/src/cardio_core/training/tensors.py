"""Small operations on the tensors, or dicts of tensors, that networks take and give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

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
