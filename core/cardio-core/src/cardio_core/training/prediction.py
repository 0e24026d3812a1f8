"""Running a network over examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from cardio_core.compute.devices import Device
from cardio_core.compute.resource_errors import is_out_of_memory
from cardio_core.training.embedding import listening
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
        raise DataError("predict: expected at least one example, found none", code="missing")
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
                    "use smaller inputs or a device with more memory",
                    code="memory",
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
