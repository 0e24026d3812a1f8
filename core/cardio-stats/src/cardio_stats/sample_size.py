"""How many patients a study needs for an interval of a given width, or for a given power."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, expit, ndtr, ndtri

from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.validate import Floats, checked_fraction, checked_level
from cardio_stats.auc_published import hanley_mcneil
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.proportions import wilson_limits

MAX_PATIENTS = 10_000_000


def _smallest(enough: Callable[[int], bool], start: int) -> int:
    """Return the smallest n at which a condition that stays true becomes true."""
    high = start
    while not enough(high):
        high *= 2
        if high > MAX_PATIENTS:
            raise DataError(
                f"planner: no study of up to {MAX_PATIENTS:,} patients reaches this; ask for less"
            )
    high = bisect_left(range(high), True, lo=start, key=enough)
    # whole patients a class make the width uneven by one or two patients
    while high > start and enough(high - 1):
        high -= 1
    return high


def _classes(n: int, prevalence: float) -> tuple[int, int]:
    """Split n patients by prevalence, at least one in either class."""
    n_positive = min(max(round(n * prevalence), 1), n - 1)
    return n_positive, n - n_positive


def n_for_auc(auc: float, *, prevalence: float, half_width: float, level: float = 0.95) -> Estimate:
    """Return the number of patients for an AUC whose interval has a given half-width.

    Parameters
    ----------
    auc : float
        Expected AUC, between 0 and 1.
    prevalence : float
        Share of patients with the outcome.
    half_width : float
        Largest half-width of the interval, for example 0.05.
    level : float

    Returns
    -------
    Estimate
        ``n_required``; ``extra`` holds ``n_positive``, ``n_negative`` and the half-width reached.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29.

    Examples
    --------
    >>> e = n_for_auc(0.8, prevalence=0.4, half_width=0.05)
    >>> int(e.value), e.extra["half_width"] <= 0.05
    (343, True)
    """
    checked_fraction(auc, "auc"), checked_fraction(prevalence, "prevalence"), checked_level(level)
    z = normal_quantile(level)
    if not 0 < half_width < 0.5:
        raise DataError(f"half_width: expected a number between 0 and 0.5, found {half_width:g}")

    def reached(n: int) -> float:
        return z * float(hanley_mcneil(auc, *_classes(n, prevalence), level=level).extra["se"])

    n = _smallest(lambda n: reached(n) <= half_width, 4)
    n_positive, n_negative = _classes(n, prevalence)
    return Estimate(
        "n_required",
        float(n),
        level=level,
        method=f"Hanley-McNeil, AUC {auc:g}, prevalence {prevalence:g}, half-width {half_width:g}",
        n=n,
        unit="patient",
        note="Patients, each counted once: several recordings of one patient add little.",
        extra={
            "n_positive": float(n_positive),
            "n_negative": float(n_negative),
            "half_width": reached(n),
        },
    )


def n_for_proportion(proportion: float, *, half_width: float, level: float = 0.95) -> Estimate:
    """Return the number of patients for a proportion whose Wilson interval is narrow enough.

    Parameters
    ----------
    proportion : float
        Expected sensitivity, specificity or prevalence, from 0 to 1. For a sensitivity the
        patients are those with the outcome.
    half_width : float
        Largest half-width of the interval.
    level : float

    Examples
    --------
    >>> int(n_for_proportion(0.9, half_width=0.05).value)
    141
    """
    checked_level(level)
    if not 0 <= proportion <= 1 or not 0 < half_width < 0.5:
        raise DataError(
            "planner: expected a proportion from 0 to 1 and a half-width between 0 and 0.5, found "
            f"{proportion:g} and {half_width:g}"
        )

    def reached(n: int) -> float:
        low, high = wilson_limits(proportion * n, n, level)
        return (high - low) / 2

    n = _smallest(lambda n: reached(n) <= half_width, 1)
    return Estimate(
        "n_required",
        float(n),
        level=level,
        method=f"Wilson interval, proportion {proportion:g}, half-width {half_width:g}",
        n=n,
        unit="patient",
        extra={"half_width": reached(n)},
    )


def _power(
    auc_a: float, auc_b: float, correlation: float, n: int, prevalence: float, alpha: float
) -> float:
    classes = _classes(n, prevalence)
    se_a, se_b = (float(hanley_mcneil(auc, *classes).extra["se"]) for auc in (auc_a, auc_b))
    variance = se_a**2 + se_b**2 - 2 * correlation * se_a * se_b
    shift = abs(auc_a - auc_b) / math.sqrt(variance)
    z = normal_quantile(1 - alpha)
    return float(ndtr(shift - z) + ndtr(-shift - z))


def power_paired_auc(
    auc_a: float,
    auc_b: float,
    *,
    correlation: float,
    n: int,
    prevalence: float,
    alpha: float = 0.05,
) -> Estimate:
    """Return the power to tell two AUCs apart that are measured on the same patients.

    Parameters
    ----------
    auc_a, auc_b : float
        Expected AUCs.
    correlation : float
        Of the two estimated AUCs, from -1 to below 1; about 0.5 for two scores of one modality.
    n : int
        Patients, at least 4.
    prevalence : float
    alpha : float
        Two-sided level of the test.

    References
    ----------
    Hanley JA, McNeil BJ. A method of comparing the areas under ROC curves derived from the same
    cases. Radiology 1983;148:839.

    Examples
    --------
    >>> e = power_paired_auc(0.80, 0.72, correlation=0.5, n=200, prevalence=0.4)
    >>> round(e.value, 2)
    0.61
    """
    _check_pair(auc_a, auc_b, correlation, prevalence, alpha)
    if n < 4:
        raise DataError(f"planner: expected at least 4 patients, found {n}")
    return Estimate(
        "power",
        _power(auc_a, auc_b, correlation, n, prevalence, alpha),
        method=f"paired AUCs {auc_a:g} and {auc_b:g}, r = {correlation:g}, alpha {alpha:g}",
        n=n,
        unit="patient",
    )


def n_for_paired_auc(
    auc_a: float,
    auc_b: float,
    *,
    correlation: float,
    prevalence: float,
    power: float = 0.8,
    alpha: float = 0.05,
) -> Estimate:
    """Return the number of patients that tells two AUCs apart with a given power.

    Examples
    --------
    >>> e = n_for_paired_auc(0.80, 0.72, correlation=0.5, prevalence=0.4)
    >>> e.extra["power"] >= 0.8
    True
    """
    _check_pair(auc_a, auc_b, correlation, prevalence, alpha)
    checked_fraction(power, "power")

    def reached(n: int) -> float:
        return _power(auc_a, auc_b, correlation, n, prevalence, alpha)

    n = _smallest(lambda n: reached(n) >= power, 8)
    return Estimate(
        "n_required",
        float(n),
        method=(
            f"paired AUCs {auc_a:g} and {auc_b:g}, r = {correlation:g}, alpha {alpha:g}, "
            f"power {power:g}"
        ),
        n=n,
        unit="patient",
        extra={"power": reached(n)},
    )


def _check_pair(
    auc_a: float, auc_b: float, correlation: float, prevalence: float, alpha: float
) -> None:
    checked_fraction(auc_a, "auc_a"), checked_fraction(auc_b, "auc_b")
    checked_fraction(prevalence, "prevalence"), checked_fraction(alpha, "alpha")
    if auc_a == auc_b or not -1 <= correlation < 1:
        raise DataError(
            "planner: expected two different AUCs and a correlation from -1 to below 1, found "
            f"{auc_a:g}, {auc_b:g} and {correlation:g}"
        )


# How many patients a prediction model needs: to be developed, after Riley's four criteria.

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
    checked_fraction(shrinkage, "shrinkage")
    if outcome == "continuous":
        own = checked_fraction(_needed(r2, "R²", outcome), "R²")
        return _made(outcome, _continuous(parameters, own, shrinkage), own, 1.0, parameters, None)
    if outcome == "binary":
        risk = checked_fraction(_needed(prevalence, "the prevalence", outcome), "prevalence")
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
    own, most = checked_fraction(_needed(r2, "R²", outcome), "R²"), 1 - math.exp(2 * null)
    if own >= most:
        raise DataError(
            f"R²: expected Cox and Snell's, below its maximum of {most:.3f} here, found {own:g}; "
            "Nagelkerke's is to be multiplied by that maximum",
            code="out_of_range",
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
    risk = checked_fraction(prevalence, "prevalence")
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
        raise DataError(
            f"planner: a model of a {outcome} outcome needs {what}, found none; give it",
            code="missing",
        )
    return value


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise DataError(f"{name}: expected a number above 0, found {value:g}")
    return value


# How many patients it takes to validate a prediction model of a binary outcome, after Riley.


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
            f"found {prevalence:g} and {c_statistic:g}",
            code="out_of_range",
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
        checked_fraction(threshold, "threshold")
        variance = _net_benefit_variance(prevalence, c_statistic, threshold)
        needed["n_net_benefit"] = variance / (net_benefit_width / 2 / z) ** 2
    whole = {name: float(math.ceil(n - 1e-9)) for name, n in needed.items()}
    n = max(whole.values())
    return Estimate(
        "n_required", n, method="Riley's criteria for validation of a binary outcome",
        n=int(n), unit="patient", extra=whole | {"events": n * prevalence},
    )  # fmt: skip


def _validation_classes(prevalence: float, c_statistic: float) -> tuple[float, float]:
    """Return the mean log odds of those without the outcome, and the SD, whose square parts them.

    With log odds normal and of one SD s in both classes, the model is calibrated where the means
    lie s² apart, and the AUC is Phi(s / √2).
    """
    spread = math.sqrt(2) * float(ndtri(c_statistic))
    return math.log(prevalence / (1 - prevalence)) - spread**2 / 2, spread


def _slope_variance(prevalence: float, c_statistic: float) -> float:
    """Return n times the variance of the slope, from the information of intercept and slope."""
    mean, spread = _validation_classes(prevalence, c_statistic)
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
    mean, spread = _validation_classes(prevalence, c_statistic)
    at = math.log(threshold / (1 - threshold))
    sensitivity = float(ndtr((mean + spread**2 - at) / spread))
    specificity = float(ndtr((at - mean) / spread))
    price = (1 - prevalence) / prevalence * threshold / (1 - threshold)
    return (
        sensitivity * (1 - sensitivity) / prevalence
        + price**2 * specificity * (1 - specificity) / (1 - prevalence)
        + price**2 * (1 - specificity) ** 2 / (prevalence * (1 - prevalence))
    )
