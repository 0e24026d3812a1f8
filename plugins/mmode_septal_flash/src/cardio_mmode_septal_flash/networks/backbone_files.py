"""Start a DenseNet121 from a local file of weights: ImageNet's or RadImageNet's, converted."""

from __future__ import annotations

from pathlib import Path

import torch

from cardio_core.api import Context, DataError
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet

OWN = ("classifier.",)
"""The last layer is the task's own."""

STEM = "features.conv0.weight"

FORMAT = (
    "a safetensors file of DenseNet121 with torchvision's keys (features.conv0.weight, "
    "features.denseblock1.denselayer1.norm1.weight, ...) and three input channels"
)


def start_from_file(network: FlashDenseNet, file: Path, ctx: Context) -> str:
    """Copy a local file's convolutional part into a network, and say so in one sentence.

    A network with a one-channel stem takes the sum of the three filters: it then responds to a grey
    picture as the file's network to that picture three times.

    Raises
    ------
    DataError
        If the file is no safetensors file, or lacks a key, or has another depth or width.
    """
    if not file.is_file():
        raise DataError(f"weights: {file.name}: no such file; expected {FORMAT}")
    try:
        n_copied = _load(network, file, ctx)
    except DataError as error:
        raise DataError(
            f"{error}; expected {FORMAT}, of width 1 (train.width_mult=1). `cardio data "
            "convert-weights FILE --trust` makes it of the PyTorch and Keras files of RadImageNet"
        ) from error
    return f"Network started from the file {file.name}: {n_copied} tensors copied."


def _load(network: FlashDenseNet, file: Path, ctx: Context) -> int:
    if network.n_channels == 3:
        return len(ctx.load_backbone(network, file, own=OWN))
    colour = FlashDenseNet(width_mult=network.width_mult)
    copied = ctx.load_backbone(colour, file, own=OWN)
    state = {name: colour.state_dict()[name] for name in copied}
    network.load_state_dict(state | {STEM: one_channel(state[STEM])}, strict=False)
    return len(copied)


def one_channel(filters: torch.Tensor) -> torch.Tensor:
    """Return filters for a grey picture that act as the given ones on that picture repeated.

    Examples
    --------
    >>> one_channel(torch.ones(8, 3, 7, 7)).shape
    torch.Size([8, 1, 7, 7])
    """
    return filters.sum(dim=1, keepdim=True)
