"""The tensors of a Keras DenseNet121, brought to torchvision's names and order of axes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cardio_core.errors import ConfigError, DataError

_KINDS = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_LAYER = re.compile(r"conv(\d)_block(\d+)_([012])_(conv|bn)")
_TRANSITION = re.compile(r"pool(\d)_(conv|bn)")
_OPTIMIZER = "optimizer_weights"


def read_keras(path: Path, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a Keras .h5 file by their path in it; no model is built, no code read.

    Raises
    ------
    DataError
        If it is no HDF5 file, or holds more than `max_bytes`.
    ConfigError
        If h5py is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ConfigError(
            "weights in HDF5 need h5py, which is not installed; pip install h5py"
        ) from None
    found: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith(_OPTIMIZER):
            found[name] = item

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
            if sum(item.nbytes for item in found.values()) > max_bytes:
                raise DataError(f"{path.name}: expected at most {max_bytes / 1e9:g} GB of weights")
            return {name: np.asarray(item) for name, item in found.items()}
    except DataError:
        raise
    except Exception as error:  # h5py says of a damaged file whatever it met
        raise DataError(
            f"{path.name}: expected an HDF5 file of Keras weights, found another or a damaged one"
        ) from error


def keras_state(weights: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
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
    and has a batch norm epsilon of 1.001e-5 where torchvision has 1e-5. A Keras ResNet50 cannot be
    carried over so: it strides in the first convolution of a block, torchvision in the second.

    Examples
    --------
    >>> made = keras_state({"conv2_block3_1_conv/kernel:0": np.zeros((1, 1, 128, 128))})
    >>> [(name, tuple(value.shape)) for name, value in made.items()]
    [('features.denseblock1.denselayer3.conv1.weight', (128, 128, 1, 1))]
    """
    made: dict[str, torch.Tensor] = {}
    for path, value in weights.items():
        *above, kind = path.removesuffix(":0").split("/")
        place = _place(above)
        if place is None:
            continue
        array = np.asarray(value, np.float32)
        if kind == "kernel":
            made[f"{place}.weight"] = torch.from_numpy(array.transpose(3, 2, 0, 1).copy())
        elif kind in _KINDS:
            made[f"{place}.{_KINDS[kind]}"] = torch.from_numpy(array.copy())
        else:
            raise DataError(f"weights: expected kernel or batch norm in Keras, found {path}")
    return made


def _place(above: list[str]) -> str | None:
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
