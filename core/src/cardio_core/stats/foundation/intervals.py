"""Intervals from a standard error, and from bootstrap replicates."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtr, stdtrit

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, checked_level
from cardio_core.types.estimate import Estimate

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
    """Return BCa limits where `jackknife` (each unit left out once) is given, else percentiles.

    Raises
    ------
    DataError
        All replicates on one side of `value`: the bias correction of BCa is infinite.
    """
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
