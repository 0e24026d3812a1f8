"""Profile-likelihood limits: where the likelihood ratio reaches its critical value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import chdtrc, chdtri

from cardio_core.errors import DataError
from cardio_core.stats.foundation.newton import maximise
from cardio_core.stats.foundation.validate import Floats

MAX_WIDENINGS = 60


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A fit on standardised columns; the intercept stands last.

    Attributes
    ----------
    beta : ndarray, shape (k + 1,)
    covariance : ndarray, shape (k + 1, k + 1)
        Inverse Fisher information at the estimate.
    low, high : ndarray, shape (k,)
        Profile-likelihood limits.
    p_value : ndarray, shape (k,)
        Of the likelihood-ratio test.
    """

    beta: Floats
    covariance: Floats
    low: Floats
    high: Floats
    p_value: Floats


def with_limits(
    beta: Floats,
    covariance: Floats,
    maximum: float,
    profile_of: Callable[[int], Callable[[float], float]],
    level: float,
) -> Coefficients:
    """Add limits and tests to a fit of log-likelihood `maximum`, from the profile of each term."""
    low, high, p_value = (np.empty(len(beta) - 1) for _ in range(3))
    for term in range(len(beta) - 1):
        profile, se = profile_of(term), float(np.sqrt(covariance[term, term]))
        low[term], high[term] = profile_limits(profile, float(beta[term]), se, maximum, level)
        p_value[term] = chdtrc(1, max(0.0, 2 * (maximum - profile(0.0))))
    return Coefficients(beta, covariance, low, high, p_value)


def logistic_profile(
    matrix: Floats, outcome: Floats, term: int, fitted: Floats
) -> Callable[[float], float]:
    """Return the profile log-likelihood of the coefficient of column `term` of `matrix`.

    Each point starts from the nearest one that is known, `fitted` being the first, so that it can
    be reached.
    """
    others = np.delete(matrix, term, axis=1)
    held = matrix[:, term]
    known = {float(fitted[term]): np.delete(fitted, term)}

    def profile(coefficient: float) -> float:
        nearest = min(known, key=lambda point: abs(point - coefficient))
        beta, value = maximise(others, outcome, coefficient * held, known[nearest])
        known[float(coefficient)] = beta
        return value

    return profile


def profile_limits(
    profile: Callable[[float], float], estimate: float, se: float, maximum: float, level: float
) -> tuple[float, float]:
    """Return the two coefficients at which twice the drop in likelihood is the chi-square quantile.

    Parameters
    ----------
    profile : callable
        Coefficient -> profile log-likelihood.
    estimate, se : float
        Where the profile has its maximum, and the step in which limits are searched for.
    maximum : float
        Log-likelihood at the estimate.
    level : float

    Raises
    ------
    DataError
        The profile stays above the critical value however far one goes.

    Examples
    --------
    A parabola gives the Wald limits:

    >>> low, high = profile_limits(lambda b: -0.5 * (b - 1) ** 2, 1.0, 1.0, 0.0, 0.95)
    >>> round(low, 3), round(high, 3)
    (-0.96, 2.96)
    """
    allowed = float(chdtri(1, 1 - level)) / 2

    # a point must have one value, wherever the search for it started
    @cache
    def excess(coefficient: float) -> float:
        return maximum - profile(coefficient) - allowed

    return _crossing(excess, estimate, -se), _crossing(excess, estimate, se)


def _crossing(excess: Callable[[float], float], inside: float, step: float) -> float:
    from scipy.optimize import brentq

    for _ in range(MAX_WIDENINGS):
        outside = inside + step
        if excess(outside) > 0:
            return float(brentq(excess, inside, outside, xtol=1e-12, rtol=1e-12))
        inside, step = outside, step * 1.5
    raise DataError(
        "profile likelihood: no limit found, the likelihood stays flat; report the other limit only"
    )
