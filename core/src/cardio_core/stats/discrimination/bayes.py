"""How well any classifier can rank, where the true probabilities are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def bayes_auc(probability: ArrayLike) -> float:
    """Return the expected AUC of the true probabilities themselves.

    Labels are drawn independently, label i being 1 with probability η_i. Ranking by η is the best
    that can be done (it is the likelihood ratio, up to a monotonic function), and its expected
    AUC over draws of the labels is, up to terms of order 1/n,

        Σ_{i≠j} η_i (1 − η_j) [η_i > η_j or half of a tie] / Σ_{i≠j} η_i (1 − η_j).

    Parameters
    ----------
    probability : array_like, shape (n,)
        The true probabilities of a cohort's cases, 0 to 1.

    Returns
    -------
    float
        0.5 where all are equal; NaN where no pair of a case and a control is possible.

    Examples
    --------
    >>> bayes_auc([0.0, 0.0, 1.0]), bayes_auc([0.3] * 10)
    (1.0, 0.5)
    >>> round(bayes_auc([0.2, 0.8]), 4)  # .8·.8 right, .2·.2 wrong
    0.9412
    >>> bayes_auc([])
    nan
    """
    eta = np.sort(np.asarray(probability, dtype=float))
    if eta.size == 0:
        return float("nan")
    values, count = np.unique(eta, return_counts=True)
    case, control = values * count, (1 - values) * count
    below = np.concatenate([[0.0], np.cumsum(control)[:-1]])
    # Of a group of m equal values, a case meets the other m - 1 as controls, and ties with them.
    tied = values * (1 - values) * count * (count - 1)
    pairs = float(case @ below + tied.sum() + case @ (control.sum() - below - control))
    if pairs == 0.0:
        return float("nan")
    return float((case @ below + 0.5 * tied.sum()) / pairs)
