"""Grad-CAM++: which part of a spectrogram spoke for a class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from cardio_core.api import grad_cam_maps
from cardio_ecg_transfer.networks.resnet import BeatResNet


def grad_cam_pp(
    network: BeatResNet,
    images: torch.Tensor,
    classes: torch.Tensor,
    side: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return one map per picture for one class each.

    Parameters
    ----------
    network : BeatResNet
        Used, and left, in evaluation mode.
    images : Tensor, shape (n, channels, height, width)
        Pictures.
    classes : Tensor of int64, shape (n,)
        The class whose evidence is mapped.
    side : Tensor, shape (n, n_side), optional
        Side features.

    Returns
    -------
    Tensor, shape (n, height, width)
        0 to 1, the largest value of a map being 1; all 0 where nothing spoke for the class.

    Notes
    -----
    Chattopadhay et al., WACV 2018, equations 10 and 19, for the score exp(logit).

    Examples
    --------
    >>> net = BeatResNet(18, n_input_channels=1, width_mult=0.125)
    >>> grad_cam_pp(net, torch.rand(2, 1, 64, 64), torch.tensor([0, 3])).shape
    torch.Size([2, 64, 64])
    """
    network.eval()
    with torch.no_grad():
        maps = network.maps(images)
    cams = grad_cam_maps(maps, lambda a: network.head(a, side), classes)
    large = enlarged(cams, images.shape[2:])
    return large / large.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(large.dtype).tiny)


def enlarged(cams: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Return maps, shape (n, rows, columns), at the size of the picture."""
    return functional.interpolate(
        cams[:, None], size=list(size), mode="bilinear", align_corners=False
    )[:, 0]
