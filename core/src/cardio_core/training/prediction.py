"""Running a network over examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from cardio_core.compute.devices import Device
from cardio_core.compute.lacking import is_out_of_memory
from cardio_core.errors import CardioError, DataError
from cardio_core.training.embedding import listening
from cardio_core.training.examples import Examples
from cardio_core.training.memory import release_memory
from cardio_core.training.tensors import (
    Arrays,
    as_float32,
    channels_last,
    each,
    join,
    lay_out_channels_last,
)

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
