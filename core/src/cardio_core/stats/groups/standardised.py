"""Standardised mean differences: how far groups lie apart, whatever their size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, numeric_column
from cardio_core.types.estimate import Estimate


def smd_of_means(samples: Sequence[ArrayLike]) -> Estimate:
    """Return the standardised difference of the means of two groups, or its mean over all pairs.

    Parameters
    ----------
    samples : sequence of array-like, shape (n_i,)
        Two or more groups; NaN is missing and left out.

    Returns
    -------
    Estimate
        ``|m1 - m2|`` / sqrt((s1² + s2²) / 2) with SDs of n - 1, as R's tableone; without a sign.

    Raises
    ------
    DataError
        A group of fewer than two known values, or two groups without any spread.

    References
    ----------
    Austin PC. Stat Med 2009;28:3083.

    Examples
    --------
    >>> round(smd_of_means([[150, 160, 170, 180], [140, 150, 155]]).value, 3)
    1.571
    """
    known = [column[~np.isnan(column)] for column in (numeric_column(s, "group") for s in samples)]
    if min(column.size for column in known) < 2:
        raise DataError("standardised difference: expected two known values in every group")
    pairs = [
        _divided(abs(float(a.mean() - b.mean())), float((a.var(ddof=1) + b.var(ddof=1)) / 2))
        for a, b in combinations(known, 2)
    ]
    return _estimate(pairs, sum(column.size for column in known))


def smd_of_counts(counts: ArrayLike) -> Estimate:
    """Return the standardised difference of the shares of categories.

    Parameters
    ----------
    counts : array-like of int, shape (n_groups, n_levels)
        Two groups or more, of which the mean over all pairs is given.

    Returns
    -------
    Estimate
        Yang and Dalton's Mahalanobis distance of the shares of all levels but one, with their
        multinomial covariances averaged over both groups. Of two levels it is
        ``|p1 - p2|`` / sqrt((p1 (1 - p1) + p2 (1 - p2)) / 2).

    Raises
    ------
    DataError
        A group without a known value, one level only, or two groups each of one level.

    References
    ----------
    Yang D, Dalton JE. SAS Global Forum 2012, paper 335.

    Examples
    --------
    >>> round(smd_of_counts([[30, 10], [20, 20]]).value, 3)
    0.535
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or (table.sum(axis=1) == 0).any():
        raise DataError("standardised difference: expected two levels, and known values in groups")
    pairs = [_distance(a / a.sum(), b / b.sum()) for a, b in combinations(table, 2)]
    return _estimate(pairs, int(table.sum()))


def _distance(p: Floats, q: Floats) -> float:
    """Return the distance of two sets of shares, levels that neither group has left out."""
    there = p + q > 0
    p, q = p[there][1:], q[there][1:]
    if p.size == 0:  # both groups have the same one level
        return 0.0
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    if np.linalg.matrix_rank(spread) < p.size:
        raise DataError("standardised difference: groups without a common level lie infinitely far")
    return float(np.sqrt((p - q) @ np.linalg.solve(spread, p - q)))


def _divided(difference: float, variance: float) -> float:
    if variance == 0 and difference > 0:
        raise DataError("standardised difference: groups without spread lie infinitely far apart")
    return difference / float(np.sqrt(variance)) if variance else 0.0


def _estimate(pairs: Sequence[float], n: int) -> Estimate:
    method = "standardised mean difference" + (", mean over pairs" if len(pairs) > 1 else "")
    return Estimate("smd", float(np.mean(pairs)), method=method, n=n)
