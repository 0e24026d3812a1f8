"""How many patients it takes to validate a prediction model of a binary outcome, after Riley."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.validate import checked_level
from cardio_core.types.estimate import Estimate


def n_for_validation(
    *,
    prevalence: float,
    c_statistic: float,
    threshold: float | None = None,
    oe_width: float = 0.2,
    slope_width: float = 0.2,
    c_width: float = 0.1,
    net_benefit_width: float = 0.2,
    level: float = 0.95,
) -> Estimate:
    """Return the least number of patients to validate a model on, with narrow intervals.

    Parameters
    ----------
    prevalence : float
        Expected share with the outcome among those it is validated on.
    c_statistic : float
        Expected there, between 0.5 and 1.
    threshold : float, optional
        Probability from which one would act; without it net benefit is not planned for.
    oe_width, slope_width, c_width, net_benefit_width : float
        Widths of the intervals (high less low) of observed over expected, calibration slope,
        C statistic, and net benefit by its maximum.
    level : float

    Returns
    -------
    Estimate
        ``n_required``; ``extra`` holds the n of each criterion (``n_oe``, ``n_slope``, ``n_c``,
        ``n_net_benefit``) and the ``events``.

    Raises
    ------
    DataError
        A number outside its range.

    Notes
    -----
    The model is taken as well calibrated, its log odds as normal with one SD in patients with and
    without the outcome, as far apart as the C statistic says.

    References
    ----------
    Riley RD et al. Stat Med 2021;40:4230. Newcombe RG. Stat Med 2006;25:559 (C statistic).

    Examples
    --------
    >>> found = n_for_validation(prevalence=0.2, c_statistic=0.8)
    >>> found.extra["n_oe"], found.value == found.extra["n_slope"]
    (1542.0, True)
    """
    z = normal_quantile(checked_level(level))
    if not 0 < prevalence < 1 or not 0.5 < c_statistic < 1:
        raise DataError(
            f"planner: expected a prevalence between 0 and 1 and a C statistic between 0.5 and 1, "
            f"found {prevalence:g} and {c_statistic:g}"
        )
    widths = (oe_width, slope_width, c_width, net_benefit_width)
    if min(widths) <= 0 or max(c_width, net_benefit_width) >= 1:
        raise DataError(
            "planner: expected widths above 0, of C statistic and net benefit below 1, found "
            f"{', '.join(f'{width:g}' for width in widths)}"
        )
    needed = {
        # exp(z se) - exp(-z se) is the width, se² is (1 - prevalence)/(prevalence n)
        "n_oe": (1 - prevalence) / prevalence / (math.asinh(oe_width / 2) / z) ** 2,
        "n_slope": _slope_variance(prevalence, c_statistic) / (slope_width / 2 / z) ** 2,
        "n_c": _n_of_c(prevalence, c_statistic, c_width / 2 / z),
    }
    if threshold is not None:
        if not 0 < threshold < 1:
            raise DataError(f"threshold: expected a number between 0 and 1, found {threshold:g}")
        variance = _net_benefit_variance(prevalence, c_statistic, threshold)
        needed["n_net_benefit"] = variance / (net_benefit_width / 2 / z) ** 2
    whole = {name: float(math.ceil(n - 1e-9)) for name, n in needed.items()}
    n = max(whole.values())
    return Estimate(
        "n_required", n, method="Riley's criteria for validation of a binary outcome",
        n=int(n), unit="patient", extra=whole | {"events": n * prevalence},
    )  # fmt: skip


def _classes(prevalence: float, c_statistic: float) -> tuple[float, float]:
    """Return the mean log odds of those without the outcome, and the SD, whose square parts them.

    With log odds normal and of one SD s in both classes, the model is calibrated where the means
    lie s² apart, and the AUC is Phi(s / √2).
    """
    spread = math.sqrt(2) * float(ndtri(c_statistic))
    return math.log(prevalence / (1 - prevalence)) - spread**2 / 2, spread


def _slope_variance(prevalence: float, c_statistic: float) -> float:
    """Return n times the variance of the slope, from the information of intercept and slope."""
    mean, spread = _classes(prevalence, c_statistic)
    x, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    a = b = ab = 0.0
    for share, centre in ((1 - prevalence, mean), (prevalence, mean + spread**2)):
        log_odds = centre + spread * x
        w = share * weight * expit(log_odds) * expit(-log_odds)
        a, ab, b = a + w.sum(), ab + w @ log_odds, b + w @ log_odds**2
    return float(a / (a * b - ab**2))


def _n_of_c(prevalence: float, c_statistic: float, se: float) -> float:
    c = c_statistic

    def excess(log_n: float) -> float:
        n = math.exp(log_n)
        half = n / 2 - 1
        inside = 1 + half * (1 - c) / (2 - c) + half * c / (1 + c)
        return c * (1 - c) * inside / (n**2 * prevalence * (1 - prevalence)) - se**2

    return float(math.exp(brentq(excess, 0.0, 40.0)))


def _net_benefit_variance(prevalence: float, c_statistic: float, threshold: float) -> float:
    """Return n times the variance of net benefit by prevalence, its maximum."""
    mean, spread = _classes(prevalence, c_statistic)
    at = math.log(threshold / (1 - threshold))
    sensitivity = float(ndtr((mean + spread**2 - at) / spread))
    specificity = float(ndtr((at - mean) / spread))
    price = (1 - prevalence) / prevalence * threshold / (1 - threshold)
    return (
        sensitivity * (1 - sensitivity) / prevalence
        + price**2 * specificity * (1 - specificity) / (1 - prevalence)
        + price**2 * (1 - specificity) ** 2 / (prevalence * (1 - prevalence))
    )
