"""Start a DenseNet121 from local weights: ImageNet's, or RadImageNet's in either layout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.api import Context, DataError
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet

OWN = ("classifier.",)
"""The last layer is the task's own."""

STEM = "features.conv0.weight"

FORMAT = (
    "a safetensors file of DenseNet121 with torchvision's keys (features.conv0.weight, "
    "features.denseblock1.denselayer1.norm1.weight, ...) and three input channels"
)

_NORM = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_LAYER = re.compile(r"conv(\d)_block(\d+)_([012])_(conv|bn)")
_TRANSITION = re.compile(r"pool(\d)_(conv|bn)")
_SEQUENTIAL = re.compile(r"^(?:module\.|backbone\.)*0\.(\d+)\.(.+)$")
_CHILDREN = (
    "conv0", "norm0", "relu0", "pool0", "denseblock1", "transition1", "denseblock2", "transition2",
    "denseblock3", "transition3", "denseblock4", "norm5",
)  # fmt: skip


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
            f"{error}; expected {FORMAT}, of width 1 (train.width_mult=1). Keras and PyTorch files "
            "of RadImageNet are brought into this form by keras_state and plain_state of "
            "cardio_mmode_septal_flash.networks.backbone_files"
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


def plain_state(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a PyTorch state dict with torchvision's keys.

    Parameters
    ----------
    state : mapping
        Keys as torchvision's, as MONAI's (``denselayer1.layers.norm1``), as torchvision's of 2017
        (``denselayer1.norm.1``), or as RadImageNet's PyTorch files (``backbone.0.4.denselayer1...``
        where children are numbered).

    Examples
    --------
    >>> plain_state({"backbone.0.4.denselayer1.norm1.weight": torch.zeros(1)}).keys()
    dict_keys(['features.denseblock1.denselayer1.norm1.weight'])
    """
    made = {}
    for key, value in state.items():
        numbered = _SEQUENTIAL.match(key)
        if numbered and int(numbered[1]) < len(_CHILDREN):
            name = f"features.{_CHILDREN[int(numbered[1])]}.{numbered[2]}"
        else:
            name = key.removeprefix("module.").removeprefix("backbone.")
        name = re.sub(r"(denselayer\d+)\.layers\.", r"\1.", name)
        name = re.sub(r"(denselayer\d+)\.(norm|conv)\.([12])\.", r"\1.\2\3.", name)
        made[name] = value
    return made


def keras_state(weights: Mapping[str, NDArray[np.floating[Any]]]) -> dict[str, torch.Tensor]:
    """Return the weights of a Keras DenseNet121 with torchvision's keys and layout.

    Parameters
    ----------
    weights : mapping of str to ndarray
        ``layer/weight`` as in the .h5 file of Keras or RadImageNet, with or without ``:0`` and
        groups before them: ``conv1/conv``, ``conv1/bn``, ``conv2_block1_0_bn``,
        ``conv2_block1_1_conv``, ``pool2_bn``, ``pool2_conv``, ``bn``. Convolutions are (rows,
        columns, in, out). Classifiers are left out.

    Returns
    -------
    dict of str to Tensor
        Convolutions are (out, in, rows, columns).

    Raises
    ------
    DataError
        If a layer has no place in a DenseNet121.

    Notes
    -----
    Keras pads its first convolution and pooling with zeros before it strides, as torchvision does,
    and has a batch norm epsilon of 1.001e-5 where torchvision has 1e-5.

    Examples
    --------
    >>> made = keras_state({"conv2_block3_1_conv/kernel:0": np.zeros((1, 1, 128, 128))})
    >>> [(name, tuple(value.shape)) for name, value in made.items()]
    [('features.denseblock1.denselayer3.conv1.weight', (128, 128, 1, 1))]
    """
    made: dict[str, torch.Tensor] = {}
    for path, value in weights.items():
        *above, kind = path.removesuffix(":0").split("/")
        place = _keras_place(above)
        if place is None:
            continue
        array = np.asarray(value, np.float32)
        if kind == "kernel":
            made[f"{place}.weight"] = torch.from_numpy(array.transpose(3, 2, 0, 1).copy())
        elif kind in _NORM:
            made[f"{place}.{_NORM[kind]}"] = torch.from_numpy(array.copy())
        else:
            raise DataError(f"weights: expected kernel or batch norm in Keras, found {path}")
    return made


def _keras_place(above: list[str]) -> str | None:
    """Return the torchvision name of a Keras layer; None for a classifier."""
    joined = "/".join(above)
    if found := _LAYER.search(joined):
        stage, layer, part, kind = found.groups()
        # Keras numbers the batch norms of a layer 0 and 1, its convolutions 1 and 2.
        number = int(part) + 1 if kind == "bn" else int(part)
        name = "norm" if kind == "bn" else "conv"
        return f"features.denseblock{int(stage) - 1}.denselayer{layer}.{name}{number}"
    if found := _TRANSITION.search(joined):
        name = "norm" if found[2] == "bn" else "conv"
        return f"features.transition{int(found[1]) - 1}.{name}"
    if "conv1/conv" in joined or joined.endswith("conv1_conv"):
        return "features.conv0"
    if "conv1/bn" in joined or joined.endswith("conv1_bn"):
        return "features.norm0"
    if above and above[-1] == "bn":
        return "features.norm5"
    if any(name.startswith(("dense", "fc", "predictions", "classifier")) for name in above):
        return None
    raise DataError(f"weights: {joined}: no such layer in a Keras DenseNet121")
