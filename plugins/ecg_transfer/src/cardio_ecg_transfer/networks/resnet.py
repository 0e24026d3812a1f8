"""ResNet-18, -50 and -101 with torchvision's keys, for any number of channels and side features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import torch
from torch import nn

from cardio_core.api import ConfigError, ResNet

Freeze = Literal["none", "stem+layer1", "all"]

_FROZEN: dict[Freeze, tuple[str, ...]] = {
    "none": (),
    "stem+layer1": ("conv1", "bn1", "layer1"),
    "all": ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4"),
}


class BeatResNet(ResNet):
    """A residual network for pictures, with other numbers joined before its last layer.

    Keys and shapes of the convolutional part equal torchvision's ``resnet18``, ``resnet50`` and
    ``resnet101``; so do those of the whole where there are no side features.

    Parameters
    ----------
    depth : {18, 50, 101}
        Which network.
    n_input_channels : int
        Channels of the picture.
    n_classes : int
        Width of the output.
    n_side : int
        Side features per picture; 0 for none. They are standardised by a batch norm without
        parameters, passed through two hidden layers, and joined to the pooled features.
    n_side_hidden : int
        Width of those layers.
    width_mult : float
        Multiplies the number of channels in every layer.
    small_stem : bool
        Leaves out the first max-pooling, for pictures of 64 pixels and less. No key changes.
    dropout : float
        Share of the joined features dropped in training.
    picture_classes : sequence of int, optional
        For each class, the class whose evidence from the picture it takes; default its own. With
        (0, 0, 2, 3, 4) the picture says the same for classes 0 and 1, and only the side features
        tell them apart: normal and supraventricular beats share their QRS and differ in timing.
    picture_dropout : float
        Probability that a sample's pooled features are all dropped in training, so that the side
        features learn to decide alone. Without it a network that has learnt its patients by their
        pictures leaves them unused.

    Raises
    ------
    ConfigError
        If the depth is unknown.

    Notes
    -----
    He et al., CVPR 2016, in the variant that strides in the 3 x 3 convolution of a bottleneck.

    Examples
    --------
    >>> net = BeatResNet(18, n_input_channels=1, n_classes=5, n_side=4, width_mult=0.25)
    >>> net({"images": torch.zeros(2, 1, 64, 64), "side": torch.zeros(2, 4)}).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        depth: int = 18,
        *,
        n_input_channels: int = 3,
        n_classes: int = 5,
        n_side: int = 0,
        n_side_hidden: int = 64,
        width_mult: float = 1.0,
        small_stem: bool = False,
        dropout: float = 0.0,
        picture_classes: Sequence[int] | None = None,
        picture_dropout: float = 0.0,
    ) -> None:
        super().__init__(
            depth,
            n_input_channels=n_input_channels,
            n_outputs=n_classes,
            width_mult=width_mult,
            small_stem=small_stem,
        )
        self.n_side = n_side
        self.picture_classes = list(picture_classes or range(n_classes))
        self.picture_dropout = picture_dropout if n_side else 0.0
        self.dropout = nn.Dropout(dropout)
        if n_side:
            self.side = nn.Sequential(
                nn.BatchNorm1d(n_side, affine=False),
                nn.Linear(n_side, n_side_hidden),
                nn.ReLU(),
                nn.Linear(n_side_hidden, n_side_hidden),
                nn.ReLU(),
            )
            self.fc = nn.Linear(self.fc.in_features + n_side_hidden, n_classes)

    def head(self, maps: torch.Tensor, side: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits, shape (n, n_classes), from feature maps and side features."""
        pooled = self.pooled(maps)
        logits: torch.Tensor
        if not self.n_side:
            logits = self.fc(self.dropout(pooled))
            return logits
        if side is None:
            raise ValueError(f"ResNet with {self.n_side} side features was called without them")
        if self.training and self.picture_dropout > 0:
            kept = torch.rand(len(pooled), 1, device=pooled.device) >= self.picture_dropout
            pooled = pooled * kept
        pooled, joined = self.dropout(pooled), self.dropout(self.side(side))
        n_pooled = pooled.shape[1]
        from_picture = pooled @ self.fc.weight[self.picture_classes, :n_pooled].T
        logits = from_picture + joined @ self.fc.weight[:, n_pooled:].T + self.fc.bias
        return logits

    def forward(self, inputs: torch.Tensor | Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the logits.

        Parameters
        ----------
        inputs : Tensor, or mapping with ``"images"`` and ``"side"``
            Pictures, shape (n, n_input_channels, height, width), alone or with side features,
            shape (n, n_side).

        Returns
        -------
        Tensor, shape (n, n_classes)
            Logits.
        """
        if isinstance(inputs, torch.Tensor):
            return self.head(self.maps(inputs))
        return self.head(self.maps(inputs["images"]), inputs["side"])


def freeze(network: BeatResNet, schedule: Freeze) -> list[str]:
    """Freeze the first part of a network, and keep its batch norms at their stored statistics.

    Parameters
    ----------
    network : BeatResNet
        Changed in place. ``fc`` and the side layer always stay trainable.
    schedule : {"none", "stem+layer1", "all"}
        What is frozen: nothing, ``conv1``, ``bn1`` and ``layer1``, or the whole backbone.

    Returns
    -------
    list of str
        Names of the frozen modules. Call `hold_frozen` with them after every ``network.train()``.

    Raises
    ------
    ConfigError
        If the schedule is unknown.

    Examples
    --------
    >>> freeze(BeatResNet(18, n_classes=2, width_mult=0.125), "stem+layer1")
    ['conv1', 'bn1', 'layer1']
    """
    if schedule not in _FROZEN:
        msg = f"freeze schedule: expected one of {', '.join(_FROZEN)}, found {schedule!r}"
        raise ConfigError(msg)
    names = _FROZEN[schedule]
    for name, module in network.named_children():
        for parameter in module.parameters():
            parameter.requires_grad_(name not in names)
    hold_frozen(network, names)
    return list(names)


def hold_frozen(network: BeatResNet, names: Iterable[str]) -> None:
    """Put the named children into evaluation mode, so that their batch norms do not drift."""
    for name in names:
        network.get_submodule(name).eval()
