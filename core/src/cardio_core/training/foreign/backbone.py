"""Start a network from a local file of weights with torchvision's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch
    from torch import nn

OWN = ("fc.", "side.")
"""What a file of another task cannot give: the classifier, and layers that torchvision has not."""

_COUNTER = "num_batches_tracked"


def load_backbone(network: nn.Module, path: Path, *, own: tuple[str, ...] = OWN) -> list[str]:
    """Copy the convolutional part of a safetensors file with torchvision's keys into a network.

    The network is changed in place, of the file's width; its first convolution is called ``conv1``.
    Keys that begin as `own` says are left as they are. Returned are the keys that were copied.
    ``.pt`` and ``.pth`` files are converted beforehand.

    Raises
    ------
    DataError
        If the file cannot be read, or a key is missing or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path.name}: expected a safetensors file of network weights, found {error}; "
            "convert other formats with `cardio data convert-weights FILE --trust`"
        ) from error
    mapped = backbone_state(state, network, own=own)
    network.load_state_dict(mapped, strict=False)
    return sorted(mapped)


def backbone_state(
    state: Mapping[str, torch.Tensor], network: nn.Module, *, own: tuple[str, ...] = OWN
) -> dict[str, torch.Tensor]:
    """Return the part of a state dict that a network's backbone can take, with its own keys.

    Prefixes ``module.`` and ``backbone.`` are taken off. Where the network has not three input
    channels, the mean of the three filters is repeated and scaled by 3 / channels, so that the
    response to a picture repeated over the channels stays the same.

    Raises
    ------
    DataError
        If a key is missing or of another shape.
    """
    plain = {key.removeprefix("module.").removeprefix("backbone."): v for key, v in state.items()}
    mapped: dict[str, torch.Tensor] = {}
    for key, present in network.state_dict().items():
        if key.startswith(own) or key.endswith(_COUNTER):
            continue
        if key not in plain:
            raise DataError(f"weights: expected the key {key}, found none among {len(plain)}")
        value = plain[key]
        if key == "conv1.weight" and value.shape[1] != present.shape[1]:
            n_channels = present.shape[1]
            value = value.mean(dim=1, keepdim=True).repeat(1, n_channels, 1, 1)
            value = value * (plain[key].shape[1] / n_channels)
        if value.shape != present.shape:
            raise DataError(
                f"weights: expected {key} of shape {tuple(present.shape)}, found "
                f"{tuple(value.shape)}; depth and width must agree"
            )
        mapped[key] = value
    return mapped
