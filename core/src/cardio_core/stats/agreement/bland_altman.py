"""Limits of agreement between two methods that measure the same quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri, nctdtrit, stdtr, stdtrit

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.validate import (
    Floats,
    Ints,
    checked_level,
    group_codes,
    group_sums,
    numeric_column,
    require_clusters,
    same_length,
    unit_count,
)
from cardio_core.types.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Agreement:
    """What :func:`limits_of_agreement` returns.

    Attributes
    ----------
    bias, sd, lower, upper : Estimate
        Mean and SD of the differences, measured less reference, and the two limits of agreement,
        each with its own interval, in the unit of the measurement.
    mean, difference : ndarray of float64, shape (n,)
        The points of the plot.
    """

    bias: Estimate
    sd: Estimate
    lower: Estimate
    upper: Estimate
    mean: Floats
    difference: Floats

    @property
    def estimates(self) -> list[Estimate]:
        """Bias, SD, lower and upper limit."""
        return [self.bias, self.sd, self.lower, self.upper]


def limits_of_agreement(
    reference: ArrayLike,
    measured: ArrayLike,
    *,
    subjects: ArrayLike | None = None,
    level: float = 0.95,
    share: float = 0.95,
    unit: str | None = None,
) -> Agreement:
    """Return Bland and Altman's limits of agreement.

    Parameters
    ----------
    reference, measured : array-like, shape (n,)
        The same quantity in the same unit. Rows in which anything is missing are left out.
    subjects : array-like, shape (n,), optional
        Whom each pair was measured on, where some have several pairs and the true value may
        change between them.
    level : float
        Coverage of the intervals of bias, SD and limits.
    share : float
        Share of differences between the limits: 0.95 gives bias ± 1.96 SD.
    unit : str, optional
        What is independent: ``"row"`` by default, ``"patient"`` with `subjects`.

    Returns
    -------
    Agreement

    Raises
    ------
    DataError
        Fewer than three pairs, fewer than five subjects, no subject with two pairs where
        `subjects` are given, or differences that are all equal.

    Notes
    -----
    Without subjects the intervals are exact for normal differences. With them the variance is
    that between subjects' means plus that within subjects, and the intervals are Zou's (MOVER).
    Look at the plot first: limits that widen with the mean need a log scale.

    References
    ----------
    Bland JM, Altman DG. Lancet 1986;327:307; J Biopharm Stat 2007;17:571 (several pairs).
    Carkeet A. Optom Vis Sci 2015;92:e71 (exact limits). Zou GY. Stat Methods Med Res 2013;22:630.

    Examples
    --------
    >>> found = limits_of_agreement([50, 42, 61, 35, 47], [52, 41, 66, 35, 50])
    >>> found.bias.value, round(found.lower.value, 2), round(found.upper.value, 2)
    (1.8, -2.88, 6.48)
    """
    checked_level(level)
    multiple = normal_quantile(checked_level(share))
    one, other = numeric_column(reference, "reference"), numeric_column(measured, "measured")
    codes = None if subjects is None else group_codes(subjects, "subjects")
    n_rows = same_length(reference=one, measured=other, subjects=codes)
    known = ~(np.isnan(one) | np.isnan(other))
    if codes is not None:
        known &= codes >= 0
    difference, mean = (other - one)[known], (other + one)[known] / 2
    if difference.size < 3:
        raise DataError(
            f"reference, measured: expected at least 3 complete pairs, found {difference.size}"
        )
    if np.ptp(difference) == 0:
        raise DataError(
            f"measured: expected differences that vary, found {difference[0]:g} in every pair; the "
            "methods agree up to that constant"
        )
    if codes is None:
        parts = _simple(difference, multiple, level)
        n_subjects, method = None, "Bland-Altman, exact for normal differences"
    else:
        groups = np.unique(codes[known], return_inverse=True)[1]
        n_subjects = int(groups.max()) + 1
        require_clusters(n_subjects, unit or "patient")
        parts = _repeated(difference, groups, multiple, level)
        method = "Bland-Altman, several pairs a subject; Zou (MOVER)"
    counted = unit_count(difference.size, n_subjects, unit)
    bias, sd, lower, upper = (
        Estimate(
            name,
            *part,
            level,
            method,
            n_dropped=n_rows - difference.size,
            extra={"n_rows": difference.size, "share": share},
            **counted,
        )
        for name, part in zip(
            ("bias", "sd_of_differences", "loa_lower", "loa_upper"), parts, strict=True
        )
    )
    return Agreement(_with_test(bias, counted["n"]), sd, lower, upper, mean, difference)


Part = tuple[float, float, float]


def _simple(difference: Floats, multiple: float, level: float) -> list[Part]:
    n = difference.size
    df, root_n = n - 1, math.sqrt(n)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    tail = (1 - level) / 2
    half_width = float(stdtrit(df, 1 - tail)) * sd / root_n
    # a limit is a normal quantile: its exact bounds are those of a non-central t
    inner, outer = (
        float(nctdtrit(df, multiple * root_n, p)) * sd / root_n for p in (tail, 1 - tail)
    )
    return [
        (bias, bias - half_width, bias + half_width),
        (sd, sd * math.sqrt(df / chdtri(df, tail)), sd * math.sqrt(df / chdtri(df, 1 - tail))),
        (bias - multiple * sd, bias - outer, bias - inner),
        (bias + multiple * sd, bias + inner, bias + outer),
    ]


def _repeated(difference: Floats, groups: Ints, multiple: float, level: float) -> list[Part]:
    """Variance of one difference: between subjects' means, plus what a mean hides within them."""
    m = group_sums(np.ones(difference.size), groups)
    means = group_sums(difference, groups) / m
    n, n_pairs = means.size, difference.size
    df_within = n_pairs - n
    if df_within == 0:
        raise DataError(
            "subjects: expected some with two or more pairs, found one each; leave subjects out"
        )
    tail = (1 - level) / 2
    bias, between = float(means.mean()), float(means.var(ddof=1))
    within = float(np.sum((difference - means[groups]) ** 2) / df_within)
    hidden = float(1 - np.mean(1 / m))
    variance = between + hidden * within
    sd = math.sqrt(variance)

    def reach(p: float) -> float:
        return math.hypot(
            between * (1 - (n - 1) / chdtri(n - 1, p)),
            hidden * within * (1 - df_within / chdtri(df_within, p)),
        )

    low, high = math.sqrt(max(0.0, variance - reach(tail))), math.sqrt(variance + reach(1 - tail))
    half_width = float(stdtrit(n - 1, 1 - tail)) * math.sqrt(between / n)
    error = normal_quantile(level) * math.sqrt(between / n)
    inner, outer = (math.hypot(error, multiple * gap) for gap in (sd - low, high - sd))
    lower, upper = bias - multiple * sd, bias + multiple * sd
    return [
        (bias, bias - half_width, bias + half_width),
        (sd, low, high),
        (lower, lower - outer, lower + inner),
        (upper, upper - inner, upper + outer),
    ]


def _with_test(bias: Estimate, n: int) -> Estimate:
    """Add the t test of no bias, from the interval that belongs to it."""
    assert bias.low is not None and bias.level is not None  # noqa: S101 - for mypy
    df = n - 1
    se = (bias.value - bias.low) / float(stdtrit(df, 0.5 + bias.level / 2))
    t = bias.value / se
    return bias.replace(
        p_value=float(2 * stdtr(df, -abs(t))), extra={**bias.extra, "se": se, "t": t, "df": df}
    )
