"""The basis of a restricted cubic spline: its knots, and the columns that they make of a number."""

from __future__ import annotations

import re

import numpy as np

from cardio_stats._numerics.validate import Floats
from cardio_stats.errors import DataError

QUANTILES = {
    3: (0.10, 0.5, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.18333, 0.34167, 0.5, 0.65833, 0.81667, 0.975),
}
"""Where knots lie by default (Harrell, Regression modeling strategies, table 2.3)."""
MIN_FOR_TAILS = 100
"""With fewer rows the outer knots are the fifth smallest and the fifth largest value."""
_WRITTEN = re.compile(r"rcs\((?P<column>.+?)(?:,\s*(?P<n>\d+)\s*)?\)")


def spline_requested(feature: str) -> tuple[str, int] | None:
    """Return column and number of knots of ``rcs(column, knots)``, None of any other word.

    Examples
    --------
    >>> spline_requested("rcs(age_y, 4)"), spline_requested("rcs(age_y)"), spline_requested("age_y")
    (('age_y', 4), ('age_y', 5), None)
    """
    found = _WRITTEN.fullmatch(feature.strip())
    return None if found is None else (found["column"].strip(), int(found["n"] or 5))


def spline_knots(values: Floats, n_knots: int, name: str) -> tuple[float, ...]:
    """Return the knots of a column, at quantiles of its known values, as rms.

    Examples
    --------
    >>> spline_knots(np.arange(1.0, 202), 3, "age_y")
    (21.0, 101.0, 181.0)
    """
    if n_knots not in QUANTILES:
        raise DataError(f"rcs({name}, {n_knots}): expected 3 to 7 knots, found {n_knots}")
    known = np.sort(values[~np.isnan(values)])
    knots = np.quantile(known, QUANTILES[n_knots]) if known.size else np.zeros(n_knots)
    if 5 <= known.size < MIN_FOR_TAILS:
        knots[0], knots[-1] = known[4], known[-5]
    if (np.diff(knots) <= 0).any():
        raise DataError(
            f"rcs({name}, {n_knots}): expected values with {n_knots} different knots, found "
            f"{np.unique(known).size} different values in {known.size} rows; take fewer knots, or "
            "the column as it stands"
        )
    return tuple(float(knot) for knot in knots)


def spline_basis(values: Floats, knots: tuple[float, ...]) -> Floats:
    """Return the column and its curved parts, shape (n, n_knots - 1); NaN stays.

    Notes
    -----
    Cubic between the knots and linear beyond the outer ones; divided by the squared distance of
    these, so that every part is in the column's unit. Without knots it is the column alone.

    References
    ----------
    Stone CJ, Koo CY. Proc Stat Comp Sect Am Stat Assoc 1985:45. Harrell FE. Regression modeling
    strategies, 2nd ed. (2015), equations 2.25 to 2.27.

    Examples
    --------
    >>> spline_basis(np.array([0.0, 1, 2, 3]), (0.0, 1.0, 2.0)).round(2).tolist()
    [[0.0, 0.0], [1.0, 0.25], [2.0, 1.5], [3.0, 3.0]]
    """
    if not knots:
        return values[:, np.newaxis]
    t = np.asarray(knots)
    cubes = np.maximum(values[:, np.newaxis] - t, 0.0) ** 3
    last, before = t[-1], t[-2]
    left = (last - t[:-2]) / (last - before)
    right = (before - t[:-2]) / (last - before)
    curved = cubes[:, :-2] - cubes[:, [-2]] * left + cubes[:, [-1]] * right
    return np.column_stack([values, curved / (last - t[0]) ** 2])
