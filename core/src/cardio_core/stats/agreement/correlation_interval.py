"""Pearson's and Spearman's correlation with their intervals."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.validate import (
    checked_level,
    numeric_column,
    same_length,
    unit_count,
)
from cardio_core.types.estimate import Estimate


def correlation(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: Literal["pearson", "spearman"] = "pearson",
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Return a correlation with Fisher's interval.

    Parameters
    ----------
    x, y : array-like, shape (n,)
        Rows in which either is missing are left out.
    method : {"pearson", "spearman"}
        ``"spearman"`` correlates midranks.
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    Estimate
        ``pearson_r`` or ``spearman_rho``; `p_value` from Student's t; `extra` holds ``t`` and
        ``df``. At exactly 1 or −1 there is no interval.

    Raises
    ------
    DataError
        Fewer than four complete rows, or a constant column.

    Notes
    -----
    Correlation is no agreement: a method that reads twice the truth correlates perfectly.

    References
    ----------
    Fisher RA. Metron 1921;1:3. Spearman's error on Fisher's scale: Bonett DG, Wright TA.
    Psychometrika 2000;65:23.

    Examples
    --------
    >>> found = correlation([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 7, 5])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.792, -0.055, 0.976)
    """
    one, other = numeric_column(x, "x"), numeric_column(y, "y")
    n_rows = same_length(x=one, y=other)
    known = ~(np.isnan(one) | np.isnan(other))
    one, other = one[known], other[known]
    n = one.size
    if n < 4:
        raise DataError(f"x, y: expected at least 4 complete rows, found {n}")
    for name, column in (("x", one), ("y", other)):
        if np.ptp(column) == 0:
            raise DataError(f"{name}: expected several values, found {column[0]:g} in every row")
    if method == "spearman":
        from scipy.stats import rankdata

        one, other = rankdata(one), rankdata(other)
    one, other = one - one.mean(), other - other.mean()
    value = float(one @ other / math.sqrt((one @ one) * (other @ other)))
    name = "pearson_r" if method == "pearson" else "spearman_rho"
    estimate = Estimate(
        name, max(-1.0, min(1.0, value)), n_dropped=n_rows - n, **unit_count(n, None, unit)
    )
    if abs(value) > 1 - 1e-12:
        return estimate.replace(
            value=math.copysign(1.0, value),
            method="point estimate",
            p_value=0.0,
            note="the relation is perfect: no interval",
        )
    t = value * math.sqrt((n - 2) / (1 - value**2))
    inflation = 1.0 if method == "pearson" else 1 + value**2 / 2
    half_width = normal_quantile(checked_level(level)) * math.sqrt(inflation / (n - 3))
    return estimate.replace(
        low=math.tanh(math.atanh(value) - half_width),
        high=math.tanh(math.atanh(value) + half_width),
        level=level,
        method="Fisher's z" if method == "pearson" else "Fisher's z, Bonett-Wright error",
        p_value=float(2 * stdtr(n - 2, -abs(t))),
        extra={"t": t, "df": n - 2},
    )
