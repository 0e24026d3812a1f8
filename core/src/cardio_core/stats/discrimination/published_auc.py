"""What a published AUC and two group sizes imply: standard errors without the data."""

from __future__ import annotations

import math

from scipy.special import ndtr

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import normal_quantile, wald_limits
from cardio_core.stats.foundation.validate import checked_level, unit_count
from cardio_core.types.estimate import Estimate


def hanley_mcneil(
    auc: float, n_positive: int, n_negative: int, *, level: float = 0.95, unit: str = "row"
) -> Estimate:
    """Return a published AUC with the interval that its group sizes imply.

    Parameters
    ----------
    auc : float
        Between 0 and 1.
    n_positive, n_negative : int
        Group sizes, at least 1.
    level : float
    unit : str

    Returns
    -------
    Estimate
        ``auc`` with the Wald interval truncated to [0, 1] and ``extra["se"]``.

    Raises
    ------
    DataError
        An AUC outside [0, 1], an empty group, or an AUC of exactly 0 or 1 (the error is 0 there).

    Notes
    -----
    The formula assumes exponential scores. With the data at hand use DeLong (:func:`auc`).

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29, equation 1 and the approximations of Q1 and Q2.

    Examples
    --------
    >>> found = hanley_mcneil(0.81, 46, 47)
    >>> round(found.extra["se"], 5), round(found.low, 3), round(found.high, 3)
    (0.04525, 0.721, 0.899)
    """
    _check(auc, n_positive, n_negative)
    if auc in (0.0, 1.0):
        raise DataError(f"auc: the Hanley-McNeil error is 0 at {auc:g}; use newcombe_auc")
    q1, q2 = _excess(auc)
    variance = auc * (1 - auc) + (n_positive - 1) * q1 + (n_negative - 1) * q2
    se = math.sqrt(variance / (n_positive * n_negative))
    return Estimate(
        "auc",
        auc,
        *wald_limits(auc, se, checked_level(level), within=(0.0, 1.0)),
        level,
        "Hanley-McNeil",
        **unit_count(n_positive + n_negative, None, unit),
        extra={"se": se, "n_positive": n_positive, "n_negative": n_negative},
    )


def hanley_mcneil_effective_n(
    auc: float, low: float, high: float, prevalence: float, *, level: float = 0.95
) -> Estimate:
    """Return how many independent rows a published interval of an AUC is worth.

    Far fewer than the rows reported means clustering or a mistake; far more, that rows of one
    patient were counted as independent.

    Parameters
    ----------
    auc, low, high : float
        Published AUC and its limits.
    prevalence : float
        Share of class 1, between 0 and 1.
    level : float
        Coverage of the published interval.

    Returns
    -------
    Estimate
        ``effective_n`` without an interval; `extra` holds ``se``, the implied standard error.

    Examples
    --------
    >>> round(hanley_mcneil_effective_n(0.817, 0.791, 0.843, 0.483).value)
    1046
    """
    if not (0 < low < auc < high < 1 and 0 < prevalence < 1):
        raise DataError(
            f"expected 0 < low < auc < high < 1 and a prevalence within (0, 1), found low {low}, "
            f"auc {auc}, high {high}, prevalence {prevalence}"
        )
    se = (high - low) / (2 * normal_quantile(checked_level(level)))
    q1, q2 = _excess(auc)
    # se² π(1−π) N² − (π q1 + (1−π) q2) N − (θ(1−θ) − q1 − q2) = 0: Hanley-McNeil solved for N
    square = se**2 * prevalence * (1 - prevalence)
    linear = prevalence * q1 + (1 - prevalence) * q2
    constant = auc * (1 - auc) - q1 - q2
    n = (linear + math.sqrt(linear**2 + 4 * square * constant)) / (2 * square)
    return Estimate(
        "effective_n", n, method="Hanley-McNeil, solved for n", n=round(n), extra={"se": se}
    )


def newcombe_auc(
    auc: float, n_positive: int, n_negative: int, *, level: float = 0.95, unit: str = "row"
) -> Estimate:
    """Return an AUC with an interval that also holds where it is exactly 0 or 1.

    Parameters
    ----------
    auc : float
        Between 0 and 1, both included.
    n_positive, n_negative : int
        Group sizes, at least 1.
    level : float
    unit : str

    Returns
    -------
    Estimate
        ``auc``; each limit is the value whose own Hanley-McNeil error just reaches `auc`.

    References
    ----------
    Newcombe RG. Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic, part 2. Stat Med 2006;25:559, method 5.

    Examples
    --------
    >>> found = newcombe_auc(1.0, 11, 18)
    >>> round(found.low, 3), found.high
    (0.852, 1.0)
    """
    from scipy.optimize import brentq

    _check(auc, n_positive, n_negative)
    z = normal_quantile(checked_level(level))

    def excess(limit: float) -> float:
        return (limit - auc) ** 2 - z**2 * _newcombe_variance(limit, n_positive, n_negative)

    low = 0.0 if auc == 0 else float(brentq(excess, 0.0, auc - 1e-12 * auc, xtol=1e-12))
    high = 1.0 if auc == 1 else float(brentq(excess, auc + 1e-12 * (1 - auc), 1.0, xtol=1e-12))
    return Estimate(
        "auc",
        auc,
        low,
        high,
        level,
        "Newcombe (Mann-Whitney, method 5)",
        **unit_count(n_positive + n_negative, None, unit),
        extra={"n_positive": n_positive, "n_negative": n_negative},
    )


def auc_binormal(mean_1: float, sd_1: float, mean_0: float, sd_0: float) -> Estimate:
    """Return the AUC of a normal variable from the published means and SDs of both groups.

    Parameters
    ----------
    mean_1, sd_1 : float
        Class 1; SDs at least 0, not both 0.
    mean_0, sd_0 : float
        Class 0.

    Returns
    -------
    Estimate
        ``auc`` without an interval.

    Examples
    --------
    >>> round(auc_binormal(179.4, 19.8, 158.4, 23.7).value, 6)
    0.751747
    """
    spread = math.hypot(sd_1, sd_0)
    if min(sd_1, sd_0) < 0 or spread == 0:
        raise DataError(f"expected SDs above 0, found {sd_1} and {sd_0}")
    return Estimate(
        "auc", float(ndtr((mean_1 - mean_0) / spread)), method="binormal, from summaries"
    )


def _check(auc: float, n_positive: int, n_negative: int) -> None:
    if not 0 <= auc <= 1:
        raise DataError(f"auc: expected a number between 0 and 1, found {auc}")
    if min(n_positive, n_negative) < 1:
        raise DataError(f"expected groups of at least 1, found {n_positive} and {n_negative}")


def _excess(auc: float) -> tuple[float, float]:
    """Return Q1 − θ² and Q2 − θ² for exponential scores."""
    return auc / (2 - auc) - auc**2, 2 * auc**2 / (1 + auc) - auc**2


def _newcombe_variance(auc: float, n_positive: int, n_negative: int) -> float:
    """Hanley-McNeil with both group sizes replaced by their mean in the numerator."""
    mean_less_one = (n_positive + n_negative) / 2 - 1
    factor = 1 + mean_less_one * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    return auc * (1 - auc) * factor / (n_positive * n_negative)
