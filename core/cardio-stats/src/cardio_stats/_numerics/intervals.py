"""Intervals from a standard error, and from bootstrap replicates."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtr, stdtrit

from cardio_stats._numerics.validate import Floats, checked_level
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

BootstrapInterval = Literal["percentile", "bca"]


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile of `level`, 1.96 for 0.95."""
    return float(ndtri(0.5 + level / 2))


def t_quantile(level: float, df: float) -> float:
    """Return the two-sided quantile of Student's t, the normal one where `df` is infinite."""
    return normal_quantile(level) if np.isinf(df) else float(stdtrit(df, 0.5 + level / 2))


def two_sided_p(statistic: float, df: float = np.inf) -> float:
    """Return the two-sided p-value of a standard normal statistic, or of Student's t on `df`."""
    return float(2 * (ndtr(-abs(statistic)) if np.isinf(df) else stdtr(df, -abs(statistic))))


def wald_limits(
    value: float,
    se: float,
    level: float,
    *,
    within: tuple[float, float] | None = None,
    df: float = np.inf,
) -> tuple[float, float]:
    """Return ``value ± z se``, or with t on `df`, truncated to `within` where that is given."""
    half_width = t_quantile(level, df) * se
    low, high = value - half_width, value + half_width
    if within is not None:
        low, high = max(within[0], low), min(within[1], high)
    return low, high


def logit_limits(value: float, se: float, level: float, df: float = np.inf) -> tuple[float, float]:
    """Return the Wald interval on the log-odds scale, by the delta method, with t on `df`.

    It stays within 0 and 1 and is not symmetric; `value` must lie strictly between them.
    """
    half_width = t_quantile(level, df) * se / (value * (1 - value))
    centre = float(logit(value))
    return float(expit(centre - half_width)), float(expit(centre + half_width))


def percentile_limits(replicates: Floats, level: float) -> tuple[float, float]:
    """Return the central `level` of the replicates, by linear interpolation.

    References
    ----------
    Efron B, Tibshirani RJ. An Introduction to the Bootstrap (1993), chapter 13.
    """
    low, high = np.quantile(replicates, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _bca_limits(
    replicates: Floats, value: float, jackknife: Floats, level: float
) -> tuple[float, float]:
    """Return the bias-corrected and accelerated interval.

    Efron B. Better bootstrap confidence intervals. J Am Stat Assoc 1987;82:171, equations 2.3
    and 6.6. Ties with `value` count one half, so that a discrete statistic is not called biased.
    """
    share_below = np.mean((replicates < value) + 0.5 * (replicates == value))
    if not 0 < share_below < 1:
        raise DataError(
            f"bootstrap: expected replicates on both sides of the estimate {value:.6g}, found them "
            "on one side; BCa does not apply, use interval='percentile'"
        )
    bias = ndtri(share_below)
    tails = ndtri([0.5 - level / 2, 0.5 + level / 2])
    shifted = bias + tails
    adjusted = ndtr(bias + shifted / (1 - _acceleration(jackknife) * shifted))
    low, high = np.quantile(replicates, adjusted)
    return float(low), float(high)


def _acceleration(jackknife: Floats) -> float:
    """Return Efron's acceleration: the skewness of the jackknife values, over six."""
    deviation = jackknife.mean() - jackknife
    spread = float(np.sum(deviation**2))
    if spread == 0:
        return 0.0
    return float(np.sum(deviation**3) / (6 * spread**1.5))


def bootstrap_limits(
    replicates: Floats, value: float, jackknife: Floats | None, level: float
) -> tuple[float, float]:
    """Return BCa limits where `jackknife` (each unit left out once) is given, else percentiles."""
    if jackknife is None:
        return percentile_limits(replicates, level)
    return _bca_limits(replicates, value, jackknife, level)


def bootstrapped(
    estimate: Estimate,
    replicates: Floats,
    level: float,
    seed: int,
    n_resamples: int,
    *,
    jackknife: Floats | None = None,
    within: str = "",
    **extra: float,
) -> Estimate:
    """Give an estimate the interval of its replicates, their SD as ``se``, and a method."""
    low, high = bootstrap_limits(replicates, estimate.value, jackknife, checked_level(level))
    kind = "percentile" if jackknife is None else "BCa"
    return estimate.replace(
        low=low,
        high=high,
        level=level,
        method=f"{estimate.unit} bootstrap{within}, {kind}, {n_resamples} resamples",
        seed=seed,
        extra={**estimate.extra, "se": float(replicates.std(ddof=1)), **extra},
    )


# The difference of two estimates from other patients, from their own intervals.

METHOD = "independent samples, MOVER"


def independent_difference(item: Estimate, other: Estimate, *, name: str = "") -> Estimate:
    """Return one estimate less another that no patient shares, with an interval.

    Parameters
    ----------
    item, other : Estimate
        Of the same quantity, each with an interval of the same coverage.
    name : str, optional
        Of the difference; by default ``NAME_difference``.

    Returns
    -------
    Estimate
        `n` counts both; `note` says how many each.

    Raises
    ------
    DataError
        An estimate without an interval, or intervals of two coverages.

    Notes
    -----
    The limits are ``d - sqrt((a - a_low)² + (b_high - b)²)`` and
    ``d + sqrt((a_high - a)² + (b - b_low)²)`` (MOVER): each side of the difference takes the sides
    of the two intervals that lead there, so that intervals need not be symmetric. With Wilson's
    intervals of two proportions it is Newcombe's method 10, with symmetric ones the Wald interval.

    References
    ----------
    Zou GY, Donner A. Stat Med 2008;27:1693. Newcombe RG. Stat Med 1998;17:873.

    Examples
    --------
    >>> one = Estimate("auc", 0.80, 0.74, 0.86, 0.95, "DeLong", n=200, unit="patient")
    >>> other = Estimate("auc", 0.90, 0.82, 0.98, 0.95, "DeLong", n=100, unit="patient")
    >>> found = independent_difference(one, other)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (-0.1, -0.2, 0.0)
    """
    for estimate in (item, other):
        if estimate.low is None or estimate.high is None:
            raise DataError(f"{estimate.name}: expected an interval, found none", code="missing")
    if item.level != other.level:
        raise DataError(
            f"{item.name}: expected intervals of one level, found {item.level} and {other.level}",
            code="mismatch",
        )
    a, a_low, a_high = item.value, float(item.low or 0.0), float(item.high or 0.0)
    b, b_low, b_high = other.value, float(other.low or 0.0), float(other.high or 0.0)
    value = a - b
    return Estimate(
        name or f"{item.name}_difference",
        value,
        value - math.hypot(a - a_low, b_high - b),
        value + math.hypot(a_high - a, b - b_low),
        item.level,
        METHOD,
        n=item.n + other.n,
        unit=item.unit if item.unit == other.unit else "row",
        n_patients=None
        if item.n_patients is None or other.n_patients is None
        else item.n_patients + other.n_patients,
        note=f"{item.n} and {other.n} {item.unit}s." if item.unit == other.unit else "",
    )


# The logistic log-likelihood, maximised by Newton's method with an offset.
#
# Bootstraps, permutations and points of profiles fit thousands of times, some of them with a
# ridge: statsmodels' Logit has none, and its fit of 120 rows takes .5 ms where this takes .2 ms.

MAX_STEPS = 500
MAX_MOVE = 10.0
"""Most that a step moves a log odds: where all probabilities are 0 or 1 the curvature is nothing,
and a full step leads anywhere."""
MAX_HALVINGS = 30


def log_likelihood(matrix: Floats, outcome: Floats, beta: Floats, offset: Floats | float) -> float:
    """Return the logistic log-likelihood of `beta`."""
    eta = matrix @ beta + offset
    return float(outcome @ eta - np.logaddexp(0.0, eta).sum())


def maximise(
    matrix: Floats,
    outcome: Floats,
    offset: Floats | float = 0.0,
    start: Floats | None = None,
    ridge: Floats | float = 0.0,
) -> tuple[Floats, float]:
    """Return the coefficients with the highest likelihood, and that log-likelihood.

    Parameters
    ----------
    matrix : ndarray, shape (n, k)
        Includes the intercept's column of ones where one is wanted; k may be 0.
    outcome : ndarray of 0 and 1, shape (n,)
    offset : ndarray, shape (n,), or float
        Added to the linear predictor.
    start : ndarray, shape (k,), optional
    ridge : ndarray, shape (k,), or float
        ``ridge * beta ** 2 / 2`` is subtracted from the log-likelihood, of each coefficient.

    Returns
    -------
    beta : ndarray, shape (k,)
    log_likelihood : float
        Less the ridge.

    Raises
    ------
    DataError
        No maximum within 500 steps.

    Notes
    -----
    Separated outcomes have no maximum; the ascent then stops where nothing visible is left to be
    gained. Ask :func:`~cardio_stats.logistic.separated_terms` first.

    Examples
    --------
    With an intercept alone, the maximum is the log odds:

    >>> import numpy as np
    >>> beta, _ = maximise(np.ones((4, 1)), np.array([1.0, 1.0, 1.0, 0.0]))
    >>> round(float(beta[0]), 6) == round(float(np.log(3)), 6)
    True
    """

    def gain(beta: Floats) -> float:
        penalty = float(np.sum(ridge * beta**2)) / 2
        return log_likelihood(matrix, outcome, beta, offset) - penalty

    beta = np.zeros(matrix.shape[1]) if start is None else start.copy()
    best = gain(beta)
    if matrix.shape[1] == 0:
        return beta, best
    # 1e-12 turns a step where there is no curvature into one along the gradient, and no other
    flat = np.diag(np.broadcast_to(np.asarray(ridge) + 1e-12, beta.shape))
    for _ in range(MAX_STEPS):
        probability = 0.5 * (1 + np.tanh((matrix @ beta + offset) / 2))
        weight = probability * (1 - probability)
        score = matrix.T @ (outcome - probability) - ridge * beta
        information = (matrix * weight[:, np.newaxis]).T @ matrix + flat
        step = np.linalg.solve(information, score)
        # half the Newton decrement is what is still to be gained; the last step squares the error
        if float(score @ step) < 1e-10:
            beta = beta + step
            return beta, gain(beta)
        step = step * min(1.0, MAX_MOVE / max(float(np.abs(matrix @ step).max()), MAX_MOVE))
        for _ in range(MAX_HALVINGS):
            candidate = gain(beta + step)
            if candidate >= best:
                break
            step = step / 2
        else:
            return beta, best
        beta, best = beta + step, candidate
    raise DataError("logistic regression: the likelihood reaches no maximum; use Firth's method")
