"""Placement values: for every row, the share of the other class that it is ranked above."""

from __future__ import annotations

import numpy as np

from cardio_core.stats.foundation.validate import Bools, Floats


def placements(positive: Bools, score: Floats) -> Floats:
    """Return DeLong's structural components, one for each row, in the order of the rows.

    A positive row gets the share of negatives below it (a tie counts one half), ``V10``; a
    negative row the share of positives above it, ``V01``. The mean of either is the AUC.

    Notes
    -----
    Sorting each class once and searching it in the other's order costs O(n log n).

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837, equations 4 and 5.
    Sun X, Xu W. IEEE Signal Process Lett 2014;21:1389 (the fast form).
    """
    rows_positive = np.flatnonzero(positive)
    rows_negative = np.flatnonzero(~positive)
    of_positive, of_negative = score[rows_positive], score[rows_negative]
    order_positive, order_negative = np.argsort(of_positive), np.argsort(of_negative)
    sorted_positive, sorted_negative = of_positive[order_positive], of_negative[order_negative]
    component = np.empty(score.size)
    component[rows_positive[order_positive]] = (
        _twice_below(sorted_negative, sorted_positive) / 2.0 / sorted_negative.size
    )
    component[rows_negative[order_negative]] = (
        1.0 - _twice_below(sorted_positive, sorted_negative) / 2.0 / sorted_positive.size
    )
    return component


def midrank_auc(positive: Bools, score: Floats) -> float:
    """Return the area under the ROC curve: the share of pairs ranked rightly, a tie one half.

    It is never flipped: a score that runs the wrong way has an area below one half.
    """
    sorted_negative = np.sort(score[~positive])
    sorted_positive = np.sort(score[positive])
    twice = int(_twice_below(sorted_negative, sorted_positive).sum())
    return twice / (2 * sorted_negative.size * sorted_positive.size)


def _twice_below(reference: Floats, values: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Count, for each of the sorted values, references below it plus references up to it."""
    return np.searchsorted(reference, values, "left") + np.searchsorted(reference, values, "right")
