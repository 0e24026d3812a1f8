"""How well any classifier can rank, where the true probabilities are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.types.estimate import Estimate


def bayes_auc(probability: ArrayLike, *, unit: str = "row") -> Estimate:
    """Return the expected AUC of the true probabilities themselves.

    Labels are drawn independently, label i being 1 with probability η_i. Ranking by η is the best
    that can be done (it is the likelihood ratio, up to a monotonic function), and its expected
    AUC over draws of the labels is, up to terms of order 1/n,

        Σ_{i≠j} η_i (1 − η_j) [η_i > η_j or half of a tie] / Σ_{i≠j} η_i (1 − η_j).

    Parameters
    ----------
    probability : array_like, shape (n,)
        The true probabilities of a cohort's cases, 0 to 1, none missing.
    unit : str
        What one of them is of.

    Returns
    -------
    Estimate
        ``bayes_auc``, 0.5 where all are equal. It is no estimate from a sample: it has no limits.

    Raises
    ------
    DataError
        A value outside 0 to 1, or no pair of a case and a control possible: fewer than two
        values, or all of them 0, or all 1.

    Examples
    --------
    >>> bayes_auc([0.0, 0.0, 1.0]).value, bayes_auc([0.3] * 10).value
    (1.0, 0.5)
    >>> round(bayes_auc([0.2, 0.8]).value, 4)  # .8·.8 right, .2·.2 wrong
    0.9412
    """
    eta = np.asarray(probability, dtype=float).ravel()
    if not ((eta >= 0) & (eta <= 1)).all():
        worst = eta[~((eta >= 0) & (eta <= 1))][0]
        raise DataError(f"Bayes AUC: expected true probabilities from 0 to 1, found {worst:g}")
    values, count = np.unique(eta, return_counts=True)
    case, control = values * count, (1 - values) * count
    below = np.cumsum(control) - control
    # Of a group of m equal values, a case meets the other m - 1 as controls, and ties with them.
    tied = values * (1 - values) * count * (count - 1)
    pairs = float(case @ below + tied.sum() + case @ (control.sum() - below - control))
    if pairs == 0.0:
        raise DataError(
            f"Bayes AUC: expected probabilities that allow a case and a control, found {eta.size} "
            "that allow only one of them; draw more cases"
        )
    return Estimate(
        "bayes_auc",
        float((case @ below + 0.5 * tied.sum()) / pairs),
        method="expected AUC of the true probabilities",
        n=int(eta.size),
        unit=unit,
        extra={"expected_cases": float(case.sum())},
    )


def stated_bayes_auc(probability: ArrayLike) -> float | None:
    """Return the Bayes AUC as the truth of a synthetic cohort states it, None where it has none.

    Parameters
    ----------
    probability : array_like, shape (n,)
        As for :func:`bayes_auc`. A cohort of one patient is written, too, without a Bayes AUC.

    Examples
    --------
    >>> stated_bayes_auc([0.3, 0.3]), stated_bayes_auc([0.3])
    (0.5, None)
    """
    eta = np.asarray(probability, dtype=float).ravel()
    n_sure = int((eta == 0).sum()), int((eta == 1).sum())
    return None if eta.size < 2 or eta.size in n_sure else bayes_auc(eta).value
