"""How many patients a study needs for an interval of a given width, or for a given power."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

from scipy.special import ndtr

from cardio_core.errors import DataError
from cardio_core.stats.classification.proportions import wilson_limits
from cardio_core.stats.discrimination.published_auc import hanley_mcneil
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.validate import checked_level
from cardio_core.types.estimate import Estimate

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


def _fraction(value: float, name: str) -> float:
    if not 0 < value < 1:
        raise DataError(f"{name}: expected a number between 0 and 1, found {value:g}")
    return value


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
    _fraction(auc, "auc"), _fraction(prevalence, "prevalence"), checked_level(level)
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
    _fraction(power, "power")

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
    _fraction(auc_a, "auc_a"), _fraction(auc_b, "auc_b")
    _fraction(prevalence, "prevalence"), _fraction(alpha, "alpha")
    if auc_a == auc_b or not -1 <= correlation < 1:
        raise DataError(
            "planner: expected two different AUCs and a correlation from -1 to below 1, found "
            f"{auc_a:g}, {auc_b:g} and {correlation:g}"
        )
