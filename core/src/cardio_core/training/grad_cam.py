"""Grad-CAM++: which part of a picture, a signal or a video spoke for a class."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional


def grad_cam_maps(
    maps: torch.Tensor, logits_of: Callable[[torch.Tensor], torch.Tensor], classes: torch.Tensor
) -> torch.Tensor:
    """Return the Grad-CAM++ maps at the size of the feature maps, not yet scaled to 1.

    Parameters
    ----------
    maps : Tensor, shape (n, channels, ...)
        Feature maps A over any number of axes: rows and columns of a picture, frames as well in a
        video.
    logits_of : callable
        From feature maps to logits, shape (n, n_classes), sample by sample.
    classes : Tensor of int64, shape (n,)
        The class of each sample.

    Returns
    -------
    Tensor, shape (n, ...)
        Over the same axes, without the channels. Not negative.

    Notes
    -----
    Chattopadhay et al., WACV 2018, equations 10 and 19, for the score exp(logit); `map_weights`
    says why it stays finite.

    Examples
    --------
    >>> maps = torch.ones(1, 2, 3, 3)
    >>> grad_cam_maps(maps, lambda a: a.mean(dim=(2, 3)), torch.tensor([0])).shape
    torch.Size([1, 3, 3])
    >>> video = torch.ones(1, 2, 4, 3, 3)
    >>> grad_cam_maps(video, lambda a: a.mean(dim=(2, 3, 4)), torch.tensor([0])).shape
    torch.Size([1, 4, 3, 3])
    """
    leaf = maps.detach().requires_grad_()
    chosen = logits_of(leaf).gather(1, classes[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, leaf)
    weights = map_weights(leaf.detach(), gradient)
    weights = weights.reshape(*weights.shape, *(1,) * (maps.ndim - 2))
    return functional.relu((weights * leaf.detach()).sum(dim=1))


def map_weights(maps: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return the weight of each feature map, shape (n, channels); sums run over all its cells.

    With the score S = exp(Y), derivatives of order m are exp(Y) g^m where g = dY/dA (Y piecewise
    linear in A). exp(Y) cancels in alpha = S'' / (2 S'' + sum(A) S''') and scales all weights of a
    picture alike, so it is left out: no logit is too large.
    """
    cells = tuple(range(2, maps.ndim))
    square = gradient.square()
    denominator = 2 * square + maps.sum(dim=cells, keepdim=True) * square * gradient
    alpha = torch.where(denominator != 0, square / denominator, torch.zeros_like(square))
    return (alpha * functional.relu(gradient)).sum(dim=cells)
