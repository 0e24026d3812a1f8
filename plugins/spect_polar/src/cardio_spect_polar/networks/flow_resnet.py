"""A ResNet-50 for polar maps, and its division into a trunk that stays and a tail that is tuned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from cardio_core.api import ResNet

RESIDUAL = ("layer1", "layer2", "layer3", "layer4")
TUNED_FROM = 2
"""Step two keeps everything up to residual layer 2, and tunes layers 3 and 4 and the head."""


class FlowResNet(ResNet):
    """ResNet-50 with torchvision's keys, for pictures of one map.

    Parameters
    ----------
    n_outputs : int
        Width of the last layer.
    width_mult : float
        Multiplies the number of channels in every layer.
    small_stem : bool
        Leaves out the first max-pooling, for pictures of 64 pixels and less. No key changes.

    Notes
    -----
    He et al., CVPR 2016, in the variant that strides in the 3 x 3 convolution of a bottleneck.

    Examples
    --------
    >>> FlowResNet(18, width_mult=0.125)(torch.zeros(2, 1, 64, 64)).shape
    torch.Size([2, 18])
    """

    def __init__(
        self, n_outputs: int, *, width_mult: float = 1.0, small_stem: bool = False
    ) -> None:
        super().__init__(
            50,
            n_input_channels=1,
            n_outputs=n_outputs,
            width_mult=width_mult,
            small_stem=small_stem,
        )


class Trunk(nn.Module):
    """What step two keeps of step one, always in evaluation mode: its statistics do not drift.

    Examples
    --------
    >>> trunk = Trunk(FlowResNet(18, width_mult=0.125))
    >>> trunk(torch.zeros(2, 1, 64, 64)).shape
    torch.Size([2, 64, 8, 8])
    """

    def __init__(self, network: FlowResNet) -> None:
        super().__init__()
        self.network = network
        for name in (*RESIDUAL[TUNED_FROM:], "fc"):
            setattr(self.network, name, nn.Identity())
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Trunk:
        """Stay in evaluation mode."""
        return super().train(False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the feature maps that tails begin with."""
        return self.network.early(pictures, TUNED_FROM)


class Tail(nn.Module):
    """Layers 3 and 4 of a network with a new head of one logit.

    Examples
    --------
    >>> tail = Tail(FlowResNet(18, width_mult=0.125))
    >>> tail(torch.zeros(2, 64, 8, 8)).shape
    torch.Size([2])
    """

    def __init__(self, network: FlowResNet) -> None:
        super().__init__()
        self.body = nn.ModuleList(network.get_submodule(n) for n in RESIDUAL[TUNED_FROM:])
        self.fc = nn.Linear(network.fc.in_features, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the logits, shape (n,)."""
        logits: torch.Tensor = self.after(maps, TUNED_FROM)[:, 0]
        return logits

    def after(self, maps: torch.Tensor, layer: int) -> torch.Tensor:
        """Return the logits, shape (n, 1), from feature maps after residual layer 2, 3 or 4."""
        for block in list(self.body)[layer - TUNED_FROM :]:
            maps = block(maps)
        logits: torch.Tensor = self.fc(maps.mean(dim=(2, 3)))
        return logits

    def until(self, maps: torch.Tensor, layer: int) -> torch.Tensor:
        """Return the feature maps after residual layer 2, 3 or 4 from those after layer 2."""
        for block in list(self.body)[: layer - TUNED_FROM]:
            maps = block(maps)
        return maps

    def parameter_groups(self, body_learning_rate: float) -> Sequence[dict[str, Any]]:
        """Return the tuned layers with a rate of their own, and the head with the plan's."""
        return (
            {"params": list(self.body.parameters()), "lr": body_learning_rate},
            {"params": list(self.fc.parameters())},
        )
