"""The tensors of published networks, by torchvision's names and their number of axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

COUNTER = "num_batches_tracked"
"""Last part of the name of a counter, which steers nothing here and which some files lack."""

_NORM = ("weight", "bias", "running_mean", "running_var")
_BLOCKS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
}
_DENSE_BLOCKS = (6, 12, 24, 16)

Axes = dict[str, int]


def _convolution(name: str, axes: int = 4) -> Axes:
    return {f"{name}.weight": axes}


def _norm(name: str) -> Axes:
    return {f"{name}.{kind}": 1 for kind in _NORM}


def _head(name: str) -> Axes:
    return {f"{name}.weight": 2, f"{name}.bias": 1}


def _resnet(kind: str) -> Axes:
    n_convolutions = 2 if kind in ("resnet18", "resnet34") else 3
    made = _convolution("conv1") | _norm("bn1")
    for stage, n_blocks in enumerate(_BLOCKS[kind], start=1):
        for block in range(n_blocks):
            place = f"layer{stage}.{block}"
            for number in range(1, n_convolutions + 1):
                made |= _convolution(f"{place}.conv{number}") | _norm(f"{place}.bn{number}")
            if block == 0 and (stage > 1 or n_convolutions == 3):
                made |= _convolution(f"{place}.downsample.0") | _norm(f"{place}.downsample.1")
    return made | _head("fc")


def _densenet121() -> Axes:
    made = _convolution("features.conv0") | _norm("features.norm0") | _norm("features.norm5")
    for block, n_layers in enumerate(_DENSE_BLOCKS, start=1):
        for layer in range(1, n_layers + 1):
            place = f"features.denseblock{block}.denselayer{layer}"
            for number in (1, 2):
                made |= _norm(f"{place}.norm{number}") | _convolution(f"{place}.conv{number}")
        if block < len(_DENSE_BLOCKS):
            place = f"features.transition{block}"
            made |= _norm(f"{place}.norm") | _convolution(f"{place}.conv")
    return made | _head("classifier")


def _r2plus1d_18() -> Axes:
    def space_then_time(place: str) -> Axes:
        return _convolution(f"{place}.0", 5) | _norm(f"{place}.1") | _convolution(f"{place}.3", 5)

    made = space_then_time("stem") | _norm("stem.4")
    for stage in range(1, 5):
        for block in range(2):
            place = f"layer{stage}.{block}"
            for part in ("conv1", "conv2"):
                made |= space_then_time(f"{place}.{part}.0") | _norm(f"{place}.{part}.1")
            if block == 0 and stage > 1:
                made |= _convolution(f"{place}.downsample.0", 5) | _norm(f"{place}.downsample.1")
    return made | _head("fc")


NETWORKS: Mapping[str, Callable[[], Axes]] = {
    "r2plus1d_18": _r2plus1d_18,
    "densenet121": _densenet121,
    **{kind: partial(_resnet, kind) for kind in _BLOCKS},
}
"""From a network's name to the number of axes of each of its tensors, counters left out."""

HEADS = ("fc.", "classifier.")
"""How the names of a last layer begin."""
