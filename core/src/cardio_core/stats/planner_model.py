"""How many patients a prediction model needs: to be developed, after Riley's four criteria."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.special import chdtri, ndtri

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.validate import Floats
from cardio_core.types.estimate import Estimate

MOST_OPTIMISM = 0.05
"""In Nagelkerke's R² (of numbers: in R²) between the apparent and the adjusted."""
MARGIN = 0.05
"""Half-width of the interval of the overall risk."""
FOLD = 1.1
"""Most by which a residual SD may be wrong, as a factor."""

Outcome = Literal["binary", "continuous", "survival"]


def n_for_model(
    outcome: Outcome,
    *,
    parameters: int,
    r2: float | None = None,
    c_statistic: float | None = None,
    prevalence: float | None = None,
    rate: float | None = None,
    timepoint: float | None = None,
    mean_follow_up: float | None = None,
    shrinkage: float = 0.9,
) -> Estimate:
    """Return the least number of patients to develop a prediction model on.

    Parameters
    ----------
    outcome : {"binary", "continuous", "survival"}
    parameters : int
        Candidate predictor parameters: of a category one less than its levels, of a curve each
        term; whatever is looked at, chosen or not.
    r2 : float, optional
        Anticipated R², adjusted for optimism: Cox and Snell's, or for a continuous outcome the
        share of variance explained.
    c_statistic : float, optional
        Instead of `r2` for a binary outcome: the R² of a normal score with that AUC.
    prevalence : float, optional
        Share with a binary outcome.
    rate, timepoint, mean_follow_up : float, optional
        Events a person-year, years at which risk is predicted, mean years of follow-up.
    shrinkage : float
        Least uniform shrinkage factor (calibration slope in new patients), 0.9 by convention.

    Returns
    -------
    Estimate
        ``n_required``; ``extra`` holds the n of each criterion (``n_shrinkage``, ``n_optimism``,
        ``n_overall``), ``r2``, ``max_r2`` and, but for numbers, ``events`` and
        ``events_per_parameter``.

    Raises
    ------
    DataError
        A number outside its range, or one that the outcome needs and does not have.

    Notes
    -----
    1: shrinkage of at least `shrinkage`. 2: optimism of at most .05 in Nagelkerke's R² (of numbers:
    R²). 3: the overall risk (at `timepoint`) within ± .05; of numbers: the residual SD within 10 %.

    References
    ----------
    Riley RD et al. BMJ 2020;368:m441; Stat Med 2019;38:1276 (binary, survival) and 1262
    (continuous). Riley RD et al. Stat Med 2021;40:859 (R² from a C statistic).

    Examples
    --------
    >>> found = n_for_model("binary", parameters=24, r2=0.288, prevalence=0.174)
    >>> found.value, found.extra["n_shrinkage"], found.extra["n_overall"]
    (662.0, 623.0, 221.0)
    """
    if parameters < 1:
        raise DataError(f"parameters: expected at least 1, found {parameters}")
    _share(shrinkage, "shrinkage")
    if outcome == "continuous":
        own = _share(_needed(r2, "R²", outcome), "R²")
        return _made(outcome, _continuous(parameters, own, shrinkage), own, 1.0, parameters, None)
    if outcome == "binary":
        risk = _share(_needed(prevalence, "the prevalence", outcome), "prevalence")
        null = risk * math.log(risk) + (1 - risk) * math.log(1 - risk)
        if r2 is None:
            r2 = r2_of_c(_needed(c_statistic, "R² or a C statistic", outcome), risk)
        n_overall = (normal_quantile(0.95) / MARGIN) ** 2 * risk * (1 - risk)
        share = risk
    else:
        events = _positive(_needed(rate, "a rate", outcome), "rate")
        follow_up = _positive(_needed(mean_follow_up, "a mean follow-up", outcome), "follow-up")
        at = _positive(_needed(timepoint, "a timepoint", outcome), "timepoint")
        share = events * follow_up
        null = share * math.log(share) - share
        n_overall = _n_of_incidence(events, at, follow_up)
    own, most = _share(_needed(r2, "R²", outcome), "R²"), 1 - math.exp(2 * null)
    if own >= most:
        raise DataError(
            f"R²: expected Cox and Snell's, below its maximum of {most:.3f} here, found {own:g}; "
            "Nagelkerke's is to be multiplied by that maximum"
        )
    other = own / (own + MOST_OPTIMISM * most)
    by_criterion = (_n_of_shrinkage(parameters, own, shrinkage),
                    _n_of_shrinkage(parameters, own, other), n_overall)  # fmt: skip
    return _made(outcome, by_criterion, own, most, parameters, share)


def r2_of_c(c_statistic: float, prevalence: float) -> float:
    """Return Cox and Snell's R² of a score with this AUC, normal and of one SD in both classes.

    Examples
    --------
    >>> round(r2_of_c(0.8, 0.1), 3)
    0.111
    """
    if not 0.5 < c_statistic < 1:
        raise DataError(f"C statistic: expected a number between 0.5 and 1, found {c_statistic:g}")
    risk = _share(prevalence, "prevalence")
    apart = math.sqrt(2) * float(ndtri(c_statistic))
    x, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()

    def mean_log(shift: float, sign: int) -> float:
        log_odds: Floats = math.log(risk / (1 - risk)) - apart**2 / 2 + apart * (x + shift)
        return float(weight @ -np.logaddexp(0.0, -sign * log_odds))

    fitted = risk * mean_log(apart, 1) + (1 - risk) * mean_log(0.0, -1)
    null = risk * math.log(risk) + (1 - risk) * math.log(1 - risk)
    return 1 - math.exp(-2 * (fitted - null))


def _n_of_shrinkage(parameters: int, r2: float, shrinkage: float) -> float:
    return parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)) if shrinkage > r2 else 0.0


def _n_of_incidence(rate: float, at: float, follow_up: float) -> float:
    """Return n at which the interval of the risk by `at` is no wider than the margin, each side."""
    from scipy.optimize import brentq

    z, risk = normal_quantile(0.95), 1 - math.exp(-rate * at)

    def excess(log_n: float) -> float:
        half = z * math.sqrt(rate / (math.exp(log_n) * follow_up))
        upper = 1 - math.exp(-(rate + half) * at) - risk
        lower = risk - (1 - math.exp(-max(rate - half, 0.0) * at))
        return max(upper, lower) - MARGIN

    return math.exp(brentq(excess, 0.0, 30.0)) if excess(0.0) > 0 else 1.0


def _continuous(parameters: int, r2: float, shrinkage: float) -> tuple[float, float, float]:
    n = parameters + 3
    while True:
        apparent = (r2 * (n - parameters - 1) + parameters) / (n - 1)
        if 1 + (parameters - 2) / (n * math.log(1 - apparent)) >= shrinkage:
            break
        n += 1
    n_optimism = 1 + parameters * (1 - r2) / MOST_OPTIMISM
    # chi-square limits of a residual SD: the wider ratio, found by search
    df = 1
    while max(math.sqrt(chdtri(df, 0.025) / df), math.sqrt(df / chdtri(df, 0.975))) > FOLD:
        df += 1
    return float(n), n_optimism, float(df + parameters + 1)


def _made(
    outcome: str,
    by_criterion: tuple[float, float, float],
    r2: float,
    most: float,
    parameters: int,
    share: float | None,
) -> Estimate:
    """Round each criterion up to whole patients; the largest is the answer."""
    needed = [float(math.ceil(n - 1e-9)) for n in by_criterion]
    extra = dict(zip(("n_shrinkage", "n_optimism", "n_overall"), needed, strict=True))
    extra |= {"r2": r2, "max_r2": most}
    if share is not None:
        extra |= {
            "events": max(needed) * share,
            "events_per_parameter": max(needed) * share / parameters,
        }
    return Estimate(
        "n_required", max(needed), method=f"Riley's criteria for a {outcome} outcome",
        n=int(max(needed)), unit="patient", extra=extra,
    )  # fmt: skip


def _needed(value: float | None, what: str, outcome: str) -> float:
    if value is None:
        raise DataError(f"planner: a model of a {outcome} outcome needs {what}, found none")
    return value


def _share(value: float, name: str) -> float:
    if not 0 < value < 1:
        raise DataError(f"{name}: expected a number between 0 and 1, found {value:g}")
    return value


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise DataError(f"{name}: expected a number above 0, found {value:g}")
    return value
