"""DenseNet121 with torchvision's keys, for grey M-modes."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from cardio_core.api import Context, DataError

Stem = Literal["repeated", "one"]

BLOCKS = (6, 12, 24, 16)
N_FIRST, N_GROWTH = 64, 32


class DenseLayer(nn.Sequential):
    """Norm, ReLU, 1 x 1, norm, ReLU, 3 x 3; what comes out is appended to what came in."""

    def __init__(self, n_in: int, growth: int) -> None:
        super().__init__(
            OrderedDict(
                norm1=nn.BatchNorm2d(n_in),
                relu1=nn.ReLU(inplace=True),
                conv1=nn.Conv2d(n_in, 4 * growth, 1, bias=False),
                norm2=nn.BatchNorm2d(4 * growth),
                relu2=nn.ReLU(inplace=True),
                conv2=nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False),
            )
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the maps with the new ones after them."""
        new: torch.Tensor = super().forward(maps)  # type: ignore[no-untyped-call]
        return torch.cat([maps, new], dim=1)


def _transition(n_in: int) -> nn.Sequential:
    """Return what halves the maps in number and size."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(n_in),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(n_in, n_in // 2, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


class FlashDenseNet(nn.Module):
    """DenseNet121 with torchvision's keys and shapes, for pictures of one grey channel.

    Parameters
    ----------
    n_outputs : int
        Width of the last layer.
    stem : {"repeated", "one"}
        The first convolution sees the grey picture three times, as weights trained on colour
        expect, or once.
    width_mult : float
        Multiplies the first features (64) and the growth (32) in every layer.

    Notes
    -----
    Huang et al., CVPR 2017. Pictures of 256 pixels end in feature maps of 8 x 8 x 1024 after the
    last batch norm and ReLU: the place where Grad-CAM++ looks. A new network starts as MONAI's
    does, number for number, if the random numbers before it were the same.

    Examples
    --------
    >>> FlashDenseNet(2, width_mult=0.125)(torch.zeros(2, 1, 64, 64)).shape
    torch.Size([2, 2])
    """

    def __init__(
        self, n_outputs: int = 2, *, stem: Stem = "repeated", width_mult: float = 1.0
    ) -> None:
        super().__init__()
        self.width_mult, self.stem = width_mult, stem
        self.n_channels = 3 if stem == "repeated" else 1
        n, growth = max(2, round(N_FIRST * width_mult)), max(1, round(N_GROWTH * width_mult))
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(self.n_channels, n, 7, stride=2, padding=3, bias=False),
                norm0=nn.BatchNorm2d(n),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(3, stride=2, padding=1),
            )
        )
        for number, n_layers in enumerate(BLOCKS, start=1):
            block = nn.Sequential()
            for layer in range(1, n_layers + 1):
                block.add_module(f"denselayer{layer}", DenseLayer(n, growth))
                n += growth
            self.features.add_module(f"denseblock{number}", block)
            if number < len(BLOCKS):
                self.features.add_module(f"transition{number}", _transition(n))
                n //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(n))
        self.classifier = nn.Linear(n, n_outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(self.classifier.bias)

    def maps(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the last feature maps after norm and ReLU, (n, 1024, rows / 32, columns / 32)."""
        return torch.relu(self.features(self._grey(pictures)))

    def head(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (n, n_outputs), of the last feature maps."""
        made: torch.Tensor = self.classifier(maps.mean(dim=(2, 3)))
        return made

    def early(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return feature maps at an eighth of the picture, after a ReLU: 32 x 32 of 256 x 256."""
        x = self._grey(pictures)
        for name in ("conv0", "norm0", "relu0", "pool0", "denseblock1", "transition1"):
            x = self.features.get_submodule(name)(x)
        second = self.features.get_submodule("transition2")
        x = second.get_submodule("norm")(self.features.get_submodule("denseblock2")(x))
        return torch.relu(x)

    def late(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the logits from the feature maps of `early`."""
        second = self.features.get_submodule("transition2")
        x = second.get_submodule("pool")(second.get_submodule("conv")(maps))
        for name in ("denseblock3", "transition3", "denseblock4", "norm5"):
            x = self.features.get_submodule(name)(x)
        return self.head(torch.relu(x))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the logits.

        Parameters
        ----------
        pictures : Tensor, shape (n, 1, rows, columns)
            Grey levels, standardised.

        Returns
        -------
        Tensor, shape (n, n_outputs)
        """
        return self.head(self.maps(pictures))

    def _grey(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.expand(-1, self.n_channels, -1, -1)


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
            "convert-weights FILE --allow pickle` makes it of RadImageNet's PyTorch and Keras files"
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
