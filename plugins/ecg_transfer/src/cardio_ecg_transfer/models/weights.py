"""Start a network from a local file of torchvision's ResNet weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_core.api import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    from cardio_ecg_transfer.models.resnet import BeatResNet

# What a file of another task cannot give: the classifier, and layers that torchvision has not.
_OWN = ("fc.", "side.")
_COUNTER = "num_batches_tracked"


def load_backbone(network: BeatResNet, path: Path) -> list[str]:
    """Copy the convolutional part of a safetensors file with torchvision's keys into a network.

    Parameters
    ----------
    network : BeatResNet
        Changed in place, of full width (``width_mult`` 1). ``fc`` and the side layer are left.
    path : Path
        A safetensors file. ``.pt`` and ``.pth`` files are converted beforehand.

    Returns
    -------
    list of str
        The keys that were copied.

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
        msg = (
            f"{path.name}: expected a safetensors file of ResNet weights, found {error}; "
            "convert other formats with `cardio data convert-weights FILE --trust`"
        )
        raise DataError(msg) from error
    mapped = backbone_state(state, network)
    network.load_state_dict(mapped, strict=False)
    return sorted(mapped)


def backbone_state(
    state: Mapping[str, torch.Tensor], network: BeatResNet
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
    for key, own in network.state_dict().items():
        if key.startswith(_OWN) or key.endswith(_COUNTER):
            continue
        if key not in plain:
            msg = f"ResNet weights: expected the key {key}, found none among {len(plain)}"
            raise DataError(msg)
        value = plain[key]
        if key == "conv1.weight" and value.shape[1] != own.shape[1]:
            n_channels = own.shape[1]
            value = value.mean(dim=1, keepdim=True).repeat(1, n_channels, 1, 1)
            value = value * (plain[key].shape[1] / n_channels)
        if value.shape != own.shape:
            msg = (
                f"ResNet weights: expected {key} of shape {tuple(own.shape)}, found "
                f"{tuple(value.shape)}; the depth must agree and width_mult be 1"
            )
            raise DataError(msg)
        mapped[key] = value
    return mapped
