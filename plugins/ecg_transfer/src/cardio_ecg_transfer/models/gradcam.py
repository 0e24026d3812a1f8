"""Grad-CAM++: which part of a spectrogram spoke for a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardio_ecg_transfer.models.resnet import BeatResNet


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
    Chattopadhay et al., WACV 2018, equations 10 and 19, for the score exp(logit); `map_weights`
    says why it stays finite.

    Examples
    --------
    >>> from cardio_ecg_transfer.models.resnet import BeatResNet
    >>> net = BeatResNet(18, n_input_channels=1, width_mult=0.125)
    >>> grad_cam_pp(net, torch.rand(2, 1, 64, 64), torch.tensor([0, 3])).shape
    torch.Size([2, 64, 64])
    """
    network.eval()
    with torch.no_grad():
        maps = network.maps(images)
    cams = class_maps(maps, lambda a: network.head(a, side), classes)
    size = list(images.shape[2:])
    large = functional.interpolate(cams[:, None], size=size, mode="bilinear", align_corners=False)
    return _to_unit(large[:, 0])


def class_maps(
    maps: torch.Tensor,
    logits_of: Callable[[torch.Tensor], torch.Tensor],
    classes: torch.Tensor,
) -> torch.Tensor:
    """Return the Grad-CAM++ maps at the size of the feature maps, not yet scaled to 1.

    Parameters
    ----------
    maps : Tensor, shape (n, channels, rows, columns)
        Feature maps A.
    logits_of : callable
        From feature maps to logits, shape (n, n_classes), sample by sample.
    classes : Tensor of int64, shape (n,)
        The class of each sample.

    Returns
    -------
    Tensor, shape (n, rows, columns)
        Not negative.
    """
    leaf = maps.detach().requires_grad_()
    chosen = logits_of(leaf).gather(1, classes[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, leaf)
    weights = map_weights(leaf.detach(), gradient)
    return functional.relu((weights[:, :, None, None] * leaf.detach()).sum(dim=1))


def map_weights(maps: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return the weight of each feature map, shape (n, channels).

    With the score S = exp(Y), derivatives of order m are exp(Y) g^m where g = dY/dA (Y piecewise
    linear in A). exp(Y) cancels in alpha = S'' / (2 S'' + sum(A) S''') and scales all weights of a
    picture alike, so it is left out: no logit is too large.
    """
    square = gradient.square()
    denominator = 2 * square + maps.sum(dim=(2, 3), keepdim=True) * square * gradient
    alpha = torch.where(denominator != 0, square / denominator, torch.zeros_like(square))
    return (alpha * functional.relu(gradient)).sum(dim=(2, 3))


def _to_unit(maps: torch.Tensor) -> torch.Tensor:
    """Divide each map by its largest value, leaving an empty map empty."""
    largest = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(largest > 0, maps / largest.clamp_min(torch.finfo(maps.dtype).tiny), maps)
