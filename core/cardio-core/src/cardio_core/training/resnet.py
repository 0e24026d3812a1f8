"""ResNet-18, -50 and -101 for pictures, with the layers and keys of torchvision's."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from cardio_stats.errors import ConfigError

RESIDUAL = ("layer1", "layer2", "layer3", "layer4")
"""Names of the residual layers, each of half the size of the one before."""


class ResNet(nn.Module):
    """A residual network for pictures.

    Keys and shapes equal torchvision's ``resnet18``, ``resnet50`` and ``resnet101``; a new one
    starts as MONAI's with ``conv1_t_stride=2, bias_downsample=False`` does, number for number, if
    the random numbers before it were the same.

    Parameters
    ----------
    depth : {18, 50, 101}
        Which network.
    n_input_channels : int
        Channels of the picture.
    n_outputs : int
        Width of the last layer.
    width_mult : float
        Multiplies the number of channels in every layer.
    small_stem : bool
        Leaves out the first max-pooling, for pictures of 64 pixels and less. No key changes.

    Raises
    ------
    ConfigError
        If the depth is unknown.

    Notes
    -----
    He et al., CVPR 2016, in the variant that strides in the 3 x 3 convolution of a bottleneck.

    Examples
    --------
    >>> ResNet(18, n_outputs=2, width_mult=0.125)(torch.zeros(3, 3, 64, 64)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        depth: int,
        *,
        n_input_channels: int = 3,
        n_outputs: int = 1000,
        width_mult: float = 1.0,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        if depth not in _LAYERS:
            known = ", ".join(map(str, _LAYERS))
            raise ConfigError(f"ResNet depth: expected one of {known}, found {depth}")
        block, n_blocks = _LAYERS[depth]
        planes = [max(1, int(n * width_mult)) for n in (64, 128, 256, 512)]
        self.small_stem = small_stem
        self.conv1 = nn.Conv2d(n_input_channels, planes[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(planes[0])
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        n_in = planes[0]
        for name, width, n in zip(RESIDUAL, planes, n_blocks, strict=True):
            blocks = []
            for number in range(n):
                halves = number == 0 and name != "layer1"
                blocks.append(block(n_in, width, stride=2 if halves else 1))
                n_in = width * block.expansion
            self.add_module(name, nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(n_in, n_outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.fc.bias)

    def early(self, pictures: torch.Tensor, layer: int) -> torch.Tensor:
        """Return the feature maps after residual layer 1, 2, 3 or 4."""
        maps = functional.relu(self.bn1(self.conv1(pictures)), inplace=True)
        if not self.small_stem:
            maps = self.maxpool(maps)
        for name in RESIDUAL[:layer]:
            maps = self.get_submodule(name)(maps)
        return maps

    def late(self, maps: torch.Tensor, layer: int) -> torch.Tensor:
        """Return the last feature maps, from those after residual layer 1, 2, 3 or 4."""
        for name in RESIDUAL[layer:]:
            maps = self.get_submodule(name)(maps)
        return maps

    def maps(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the last feature maps, shape (n, channels, rows, columns)."""
        return self.early(pictures, len(RESIDUAL))

    def head(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the outputs, shape (n, n_outputs), from the last feature maps."""
        outputs: torch.Tensor = self.fc(self.pooled(maps))
        return outputs

    def pooled(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the mean of each feature map, shape (n, channels)."""
        pooled: torch.Tensor = self.avgpool(maps)
        return pooled.flatten(1)

    def forward(self, inputs: Any) -> torch.Tensor:
        """Return the outputs, shape (n, n_outputs), of pictures (n, channels, rows, columns)."""
        return self.head(self.maps(inputs))


class _Basic(nn.Module):
    """Two 3 x 3 convolutions, and the way around them."""

    expansion = 1

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        around = _around(n_in, n_out, stride)
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.downsample = around

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        inside = functional.relu(self.bn1(self.conv1(maps)), inplace=True)
        joined: torch.Tensor = self.bn2(self.conv2(inside))
        joined += maps if self.downsample is None else self.downsample(maps)
        return functional.relu(joined, inplace=True)


class _Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, and the way around them."""

    expansion = 4

    def __init__(self, n_in: int, n_inside: int, stride: int) -> None:
        super().__init__()
        n_out = n_inside * self.expansion
        around = _around(n_in, n_out, stride)
        self.conv1 = nn.Conv2d(n_in, n_inside, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_inside)
        self.conv2 = nn.Conv2d(n_inside, n_inside, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_inside)
        self.conv3 = nn.Conv2d(n_inside, n_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(n_out)
        self.downsample = around

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        inside = functional.relu(self.bn1(self.conv1(maps)), inplace=True)
        inside = functional.relu(self.bn2(self.conv2(inside)), inplace=True)
        joined: torch.Tensor = self.bn3(self.conv3(inside))
        joined += maps if self.downsample is None else self.downsample(maps)
        return functional.relu(joined, inplace=True)


def _around(n_in: int, n_out: int, stride: int) -> nn.Sequential | None:
    """Return what brings maps to the number and size of a block's; None where they have it."""
    if stride == 1 and n_in == n_out:
        return None
    convolution = nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out))


_LAYERS: dict[int, tuple[type[_Basic] | type[_Bottleneck], tuple[int, ...]]] = {
    18: (_Basic, (2, 2, 2, 2)),
    50: (_Bottleneck, (3, 4, 6, 3)),
    101: (_Bottleneck, (3, 4, 23, 3)),
}
"""The kind of block, and how many of them each residual layer has."""
