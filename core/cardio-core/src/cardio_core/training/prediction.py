"""Running a network over examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from cardio_core.compute.devices import Device
from cardio_core.compute.resource_errors import is_out_of_memory
from cardio_core.training.examples import Examples
from cardio_core.training.loader import (
    Arrays,
    as_float32,
    channels_last,
    each,
    join,
    lay_out_channels_last,
    release_memory,
)
from cardio_stats.errors import CardioError, DataError

# What networks make of their inputs before the last layer, overheard while they predict.

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
        into_last[:] = [one for one in inputs if isinstance(one, Tensor)][:1]

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


_AUTOCAST = {"bf16": torch.bfloat16, "16": torch.float16}


def predict(
    network: nn.Module,
    examples: Examples,
    *,
    device: Device,
    batch_size: int = 256,
    use_channels_last: bool = False,
    log: Callable[[str], object] | None = None,
) -> Arrays:
    """Return a network's outputs for all examples, in their order.

    Parameters
    ----------
    network : torch.nn.Module
        Run in evaluation mode without gradients; afterwards it is in its former mode and on its
        former device.
    examples : Examples
        At least one; batches are asked for without augmentation.
    device : Device
        Where, and in which precision, to compute.
    batch_size : int
        Examples at once, 1 or more. Halved, and said so to `log`, where memory runs out.
    use_channels_last : bool
        Memory layout of inputs and weights; changes speed, not results.
    log : callable or None
        Told of a halved batch.

    Returns
    -------
    ndarray of float32, shape (n_examples, ...), or dict of them
        What the network returns, joined along the first axis; integer outputs stay integers.

    Raises
    ------
    DataError
        If there are no examples.
    CardioError
        If a single example does not fit into memory.
    """
    if len(examples) == 0:
        raise DataError("predict: expected at least one example, found none")
    parts: list[Any] = []
    position = 0
    with _ready(network, device, use_channels_last), listening(network) as listener:
        while position < len(examples):
            indices = np.arange(position, min(position + batch_size, len(examples)))
            part = _attempt(network, examples, indices, device, use_channels_last)
            if part is not None:
                parts.append(part)
                if listener is not None:
                    listener(part, len(indices))
                position += len(indices)
                continue
            release_memory()
            if batch_size == 1:
                raise CardioError(
                    f"out of memory with one example on {device.torch_name}; "
                    "use smaller inputs or a device with more memory"
                )
            batch_size = -(-batch_size // 2)
            if log is not None:
                log(f"out of memory in prediction: batch halved to {batch_size}")
    return join(parts)


def _attempt(
    network: nn.Module, examples: Examples, indices: Any, device: Device, use_channels_last: bool
) -> Any:
    """Return the outputs of one batch on the CPU, or None where memory ran out."""
    half = _AUTOCAST.get(device.precision)
    try:
        inputs = examples.batch(indices, None)["inputs"]
        inputs = each(lambda tensor: tensor.to(device.torch_name), inputs)
        if use_channels_last:
            inputs = channels_last(inputs)
        with torch.inference_mode(), torch.autocast(device.kind, half, enabled=half is not None):
            outputs = as_float32(network(inputs))
        return each(lambda tensor: tensor.cpu(), outputs)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


@contextmanager
def _ready(network: nn.Module, device: Device, use_channels_last: bool) -> Iterator[None]:
    modes = {module: module.training for module in network.modules()}
    first = next(network.parameters(), None)
    home = first.device if first is not None else torch.device("cpu")
    try:
        network.to(device.torch_name).eval()
        if use_channels_last:
            lay_out_channels_last(network)
        yield
    finally:
        network.to(home)
        for module, mode in modes.items():
            module.training = mode


# Grad-CAM++: which part of a picture, a signal or a video spoke for a class.


def grad_cam_maps(
    maps: torch.Tensor, logits_of: Callable[[torch.Tensor], torch.Tensor], classes: torch.Tensor
) -> torch.Tensor:
    """Return the Grad-CAM++ maps at the size of the feature maps, not yet scaled to 1.

    Parameters
    ----------
    maps : Tensor, shape (n, channels, ...)
        Feature maps A over any number of axes: rows and columns of a picture, frames as well in a
        video.
    logits_of : callable
        From feature maps to logits, shape (n, n_classes), sample by sample.
    classes : Tensor of int64, shape (n,)
        The class of each sample.

    Returns
    -------
    Tensor, shape (n, ...)
        Over the same axes, without the channels. Not negative.

    Notes
    -----
    Chattopadhay et al., WACV 2018, equations 10 and 19, for the score exp(logit); `map_weights`
    says why it stays finite.

    Examples
    --------
    >>> maps = torch.ones(1, 2, 3, 3)
    >>> grad_cam_maps(maps, lambda a: a.mean(dim=(2, 3)), torch.tensor([0])).shape
    torch.Size([1, 3, 3])
    >>> video = torch.ones(1, 2, 4, 3, 3)
    >>> grad_cam_maps(video, lambda a: a.mean(dim=(2, 3, 4)), torch.tensor([0])).shape
    torch.Size([1, 4, 3, 3])
    """
    leaf = maps.detach().requires_grad_()
    chosen = logits_of(leaf).gather(1, classes[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, leaf)
    weights = map_weights(leaf.detach(), gradient)
    weights = weights.reshape(*weights.shape, *(1,) * (maps.ndim - 2))
    return functional.relu((weights * leaf.detach()).sum(dim=1))


def map_weights(maps: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return the weight of each feature map, shape (n, channels); sums run over all its cells.

    With the score S = exp(Y), derivatives of order m are exp(Y) g^m where g = dY/dA (Y piecewise
    linear in A). exp(Y) cancels in alpha = S'' / (2 S'' + sum(A) S''') and scales all weights of a
    picture alike, so it is left out: no logit is too large.
    """
    cells = tuple(range(2, maps.ndim))
    square = gradient.square()
    denominator = 2 * square + maps.sum(dim=cells, keepdim=True) * square * gradient
    alpha = torch.where(denominator != 0, square / denominator, torch.zeros_like(square))
    return (alpha * functional.relu(gradient)).sum(dim=cells)
