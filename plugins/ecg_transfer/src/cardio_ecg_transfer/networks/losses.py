"""Losses for rare classes: weighted cross-entropy and logit adjustment."""

from __future__ import annotations

import torch
from torch.nn import functional


def inverse_sqrt_frequency(counts: torch.Tensor) -> torch.Tensor:
    """Return class weights proportional to one over the square root of the class's count.

    Parameters
    ----------
    counts : Tensor, shape (n_classes,)
        Samples of each class.

    Returns
    -------
    Tensor of float32, shape (n_classes,)
        Scaled so that the weights average 1 over the samples; 0 for a class without samples.

    Examples
    --------
    >>> inverse_sqrt_frequency(torch.tensor([100, 4, 0])).round(decimals=2).tolist()[::2]
    [0.8700000047683716, 0.0]
    """
    n = counts.to(torch.float32)
    weights = torch.where(n > 0, n.clamp_min(1).rsqrt(), torch.zeros_like(n))
    return weights * (n.sum() / (n * weights).sum())


def prior_adjusted_cross_entropy(
    logits: torch.Tensor,
    target: torch.Tensor,
    *,
    log_prior_ratio: torch.Tensor,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """Return the cross-entropy of logits shifted to the prior that the training batches follow.

    Where batches are drawn with other class shares than the data, plain cross-entropy learns the
    posterior of the drawn shares. With log(drawn share / wanted share) added to the logits while
    training, the unshifted logits are those of the wanted shares.

    Parameters
    ----------
    logits : Tensor, shape (n, n_classes)
        Network output, of the wanted prior.
    target : Tensor of int64, shape (n,), or of float, shape (n, n_classes)
        Class numbers, or class probabilities (mixed samples).
    log_prior_ratio : Tensor, shape (n_classes,)
        log(drawn share / wanted share).
    label_smoothing : float
        Share of the target spread over all classes.

    Returns
    -------
    Tensor, scalar
        Mean over the samples.

    Notes
    -----
    Menon et al., Long-tail learning via logit adjustment, ICLR 2021 (arXiv 2007.07314), equation
    10: there the data keep their long-tailed prior and the wanted one is uniform.

    Examples
    --------
    >>> shift = torch.tensor([0.9, 0.1]).log() - torch.tensor([0.5, 0.5]).log()
    >>> loss = prior_adjusted_cross_entropy(
    ...     torch.zeros(1, 2), torch.tensor([1]), log_prior_ratio=shift
    ... )
    >>> round(loss.item(), 4)  # -ln .1
    2.3026
    """
    return functional.cross_entropy(
        logits + log_prior_ratio.to(logits), target, label_smoothing=label_smoothing
    )
