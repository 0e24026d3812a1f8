"""R(2+1)D with 18 layers: every 3-D convolution is one over space and then one over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cardio_echo_cmr.networks.folded_conv import SpaceConv3d, TimeConv3d

PLANES = (64, 128, 256, 512)
"""Channels of the four stages."""

STEM_MID = 45
"""Channels between the two convolutions of the stem."""

TEMPORAL_STRIDE = 8
"""Frames of the clip behind each frame of the last feature maps: three stages halve the time."""


class R2Plus1D18(nn.Module):
    """The R(2+1)D-18 of Tran et al., CVPR 2018, with the parameters of torchvision's r2plus1d_18.

    Parameters
    ----------
    n_classes : int
        Outputs: 400 for Kinetics, 1 for a logit or a value.
    width_mult : float
        Of the channels of stem and stages; 1.0 is the published network.

    Notes
    -----
    Names and shapes of the state dict are torchvision's, so that its weights fit. 31,505,325
    parameters with 400 outputs, 31,300,638 with one.

    Examples
    --------
    >>> network = R2Plus1D18(1)
    >>> sum(parameter.numel() for parameter in network.parameters())
    31300638
    """

    def __init__(self, n_classes: int = 400, width_mult: float = 1.0) -> None:
        super().__init__()
        planes = [max(1, round(width_mult * n)) for n in PLANES]
        mid = max(1, round(width_mult * STEM_MID))
        self.stem = nn.Sequential(
            SpaceConv3d(3, mid, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(mid),
            nn.ReLU(inplace=True),
            TimeConv3d(mid, planes[0], (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(planes[0]),
            nn.ReLU(inplace=True),
        )
        self.layer1 = _stage(planes[0], planes[0], stride=1)
        self.layer2 = _stage(planes[0], planes[1], stride=2)
        self.layer3 = _stage(planes[1], planes[2], stride=2)
        self.layer4 = _stage(planes[2], planes[3], stride=2)
        self.fc = nn.Linear(planes[3], n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.fc.weight, 0.0, 0.01)
        nn.init.zeros_(self.fc.bias)

    def maps(self, clips: Tensor) -> Tensor:
        """Return the last feature maps.

        Parameters
        ----------
        clips : Tensor, shape (n, 3, frames, rows, columns)

        Returns
        -------
        Tensor, shape (n, channels, ceil(frames / 8), ceil(rows / 16), ceil(columns / 16))
        """
        # The order that folded convolutions need; it stays through the network.
        maps: Tensor = self.stem(clips.contiguous(memory_format=torch.channels_last_3d))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return maps

    def head(self, maps: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Return the outputs, shape (n, n_classes), from the last feature maps.

        Parameters
        ----------
        maps : Tensor
            Of `maps`.
        n_frames : Tensor of int64, shape (n,), or None
            How many frames of each clip are recorded, 1 or more; the others, at its end, are left
            out of the average over time. None averages over all.
        """
        made: Tensor = self.fc(masked_average(maps, n_frames))
        return made

    def forward(self, clips: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """Return the outputs of clips, shape (n, n_classes); see `maps` and `head`."""
        return self.head(self.maps(clips), n_frames)


def masked_average(maps: Tensor, n_frames: Tensor | None = None) -> Tensor:
    """Return the mean of feature maps over space and over the recorded time.

    Parameters
    ----------
    maps : Tensor, shape (n, channels, times, rows, columns)
    n_frames : Tensor of int64, shape (n,), or None
        Recorded frames of the clip, before the network made 1 frame of 8.

    Returns
    -------
    Tensor, shape (n, channels)

    Examples
    --------
    >>> maps = torch.tensor([1.0, 9.0]).reshape(1, 1, 2, 1, 1)
    >>> masked_average(maps).item(), masked_average(maps, torch.tensor([8])).item()
    (5.0, 1.0)
    """
    over_space = maps.mean(dim=(3, 4))
    if n_frames is None:
        return over_space.mean(dim=2)
    n_kept = torch.div(n_frames + TEMPORAL_STRIDE - 1, TEMPORAL_STRIDE, rounding_mode="floor")
    n_kept = n_kept.clamp(1, maps.shape[2])[:, None]
    kept = torch.arange(maps.shape[2], device=maps.device)[None] < n_kept
    return (over_space * kept[:, None]).sum(dim=2) / n_kept


def mid_planes(n_in: int, n_out: int) -> int:
    """Return the channels between space and time that give a 3-D convolution's parameters.

    Computed once for a block and used by both of its convolutions, as in the weights that are
    public; the paper's equation for each convolution would give 33,370,839 parameters.

    Examples
    --------
    >>> [mid_planes(64, 64), mid_planes(64, 128), mid_planes(128, 128)]
    [144, 230, 288]
    """
    return 27 * n_in * n_out // (9 * n_in + 3 * n_out)


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        mid = mid_planes(n_in, n_out)
        self.conv1 = nn.Sequential(
            _space_then_time(n_in, mid, n_out, stride), nn.BatchNorm3d(n_out), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(_space_then_time(n_out, mid, n_out), nn.BatchNorm3d(n_out))
        self.downsample: nn.Sequential | None = None
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                nn.Conv3d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm3d(n_out)
            )

    def forward(self, maps: Tensor) -> Tensor:
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return functional.relu(self.conv2(self.conv1(maps)) + shortcut)


def _space_then_time(n_in: int, mid: int, n_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        SpaceConv3d(n_in, mid, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(mid),
        nn.ReLU(inplace=True),
        TimeConv3d(mid, n_out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )


def _stage(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(_Block(n_in, n_out, stride), _Block(n_out, n_out, 1))
