"""What a published AUC and two group sizes imply: standard errors without the data."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from cardio_stats._numerics.intervals import normal_quantile, wald_limits
from cardio_stats._numerics.validate import checked_fraction, checked_level, sample_count
from cardio_stats.auc_covariance import delong_covariance
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate


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
        raise DataError(
            f"auc: the Hanley-McNeil error is 0 at {auc:g}; use newcombe_auc", code="degenerate"
        )
    q1, q2 = _excess(auc)
    variance = auc * (1 - auc) + (n_positive - 1) * q1 + (n_negative - 1) * q2
    se = math.sqrt(variance / (n_positive * n_negative))
    return Estimate(
        "auc",
        auc,
        *wald_limits(auc, se, checked_level(level), within=(0.0, 1.0)),
        level,
        "Hanley-McNeil",
        **sample_count(n_positive + n_negative, None, unit),
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
            f"auc {auc}, high {high}, prevalence {prevalence}",
            code="contradiction",
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
        **sample_count(n_positive + n_negative, None, unit),
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
        raise DataError(f"expected SDs above 0, found {sd_1} and {sd_0}", code="out_of_range")
    return Estimate(
        "auc", float(ndtr((mean_1 - mean_0) / spread)), method="binormal, from summaries"
    )


def _check(auc: float, n_positive: int, n_negative: int) -> None:
    if not 0 <= auc <= 1:
        raise DataError(f"auc: expected a number between 0 and 1, found {auc}", code="out_of_range")
    if min(n_positive, n_negative) < 1:
        raise DataError(
            f"expected groups of at least 1, found {n_positive} and {n_negative}", code="too_few"
        )


def _excess(auc: float) -> tuple[float, float]:
    """Return Q1 − θ² and Q2 − θ² for exponential scores."""
    return auc / (2 - auc) - auc**2, 2 * auc**2 / (1 + auc) - auc**2


def _newcombe_variance(auc: float, n_positive: int, n_negative: int) -> float:
    """Hanley-McNeil with both group sizes replaced by their mean in the numerator."""
    mean_less_one = (n_positive + n_negative) / 2 - 1
    factor = 1 + mean_less_one * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    return auc * (1 - auc) * factor / (n_positive * n_negative)


# Power to tell apart two correlated ROC curves: of two normal scores, or as in a pilot study.

_REFERENCE = "Obuchowski-McClish"

NullVariance = Literal["symmetric", "first"]
"""Of both scores as they are, or as if both varied like the first."""


def binormal_power(
    auc_a: float,
    auc_b: float,
    *,
    correlation: float,
    prevalence: float,
    n: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    sd_ratio: float = 1.0,
) -> Estimate:
    """Return the power of `n` patients to tell two AUCs apart, or how many patients reach a power.

    Both scores are normal in either class, and correlate alike within both. The published formula
    leaves out how the errors of the two parameters of a curve correlate, and is on the safe side:
    it says 52 % for AUCs of .80 and .72, r .5 and 80 + 120 patients, where paired DeLong tests
    find a difference more often.

    Parameters
    ----------
    auc_a, auc_b : float
        Expected AUCs, between 0 and 1. The variance under the null hypothesis is that of two
        curves like `auc_a`.
    correlation : float
        Of the two scores within a class (not of the AUCs), -1 to 1.
    prevalence : float
        Share of patients with the outcome.
    n : int, optional
        Patients; with it the power is returned, without it the number of patients.
    power, alpha : float
        Wanted power, and two-sided level.
    sd_ratio : float
        SD of controls over SD of cases.

    Returns
    -------
    Estimate
        ``power``, or ``n_required``; `extra` holds ``n_positive`` and ``n_negative``.

    Raises
    ------
    DataError
        Equal AUCs, or a number out of its range.

    References
    ----------
    Obuchowski NA, McClish DK. Stat Med 1997;16:1529 (also pROC's ``power.roc.test``).

    Examples
    --------
    >>> found = binormal_power(0.80, 0.72, correlation=0.5, prevalence=0.4, n=200)
    >>> round(found.value, 3)
    0.521
    >>> int(binormal_power(0.80, 0.72, correlation=0.5, prevalence=0.4).value)
    402
    """
    for name, value in (("auc_a", auc_a), ("auc_b", auc_b), ("prevalence", prevalence)):
        checked_fraction(value, name)
    if auc_a == auc_b or not -1 <= correlation <= 1 or sd_ratio <= 0:
        raise DataError(
            "planner: expected two different AUCs, a correlation from -1 to 1 and a ratio of SDs "
            f"above 0, found {auc_a:g}, {auc_b:g}, {correlation:g} and {sd_ratio:g}"
        )
    kappa = (1 - prevalence) / prevalence
    curves = [_Binormal.of(auc, sd_ratio) for auc in (auc_a, auc_b)]
    variances = [curve.variance(kappa) for curve in curves]
    covariance = curves[0].covariance(curves[1], correlation, kappa)
    about = f"{_REFERENCE}, binormal, AUCs {auc_a:g} and {auc_b:g}, scores r = {correlation:g}"
    null = 2 * variances[0] - 2 * covariance
    alternative = sum(variances) - 2 * covariance
    return _planned(auc_a - auc_b, (null, alternative), prevalence, n, power, alpha, about)


def pilot_power(
    outcome: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    event: str | None = None,
    n: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    null_variance: NullVariance = "symmetric",
) -> Estimate:
    """Return the power of a study like a pilot study, or how many patients reach a power.

    AUCs, variances and covariance are the pilot's, by DeLong. A pilot's difference is uncertain,
    and with it the number.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    score_a, score_b : array-like, shape (n,)
    n : int, optional
        Patients of the study that is planned, with the pilot's prevalence; with it the power is
        returned, without it the number of patients.
    power, alpha : float
        Wanted power, and two-sided level.
    null_variance : {"symmetric", "first"}
        Variance of the difference where the two areas are equal. ``"symmetric"`` takes that of a
        paired DeLong test, the same whichever score comes first. ``"first"`` takes both scores to
        vary like `score_a`, as pROC's ``power.roc.test`` of two curves; it depends on the order.

    Returns
    -------
    Estimate
        ``power``, or ``n_required``; `extra` holds ``n_positive`` and ``n_negative``.

    Raises
    ------
    DataError
        One class only, or a pilot with equal AUCs.

    References
    ----------
    Obuchowski NA, McClish DK. Stat Med 1997;16:1529.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> a, b = [2, 1, 6, 5, 3, 4, 7, 8], [1, 2, 3, 5, 4, 6, 7, 8]
    >>> round(pilot_power(y, a, b, n=40).value, 2), round(pilot_power(y, b, a, n=40).value, 2)
    (0.7, 0.7)
    """
    found = delong_covariance(outcome, score_a, score_b, event=event)
    sample = found.sample
    difference = float(found.aucs[0] - found.aucs[1])
    if difference == 0:
        raise DataError("pilot: expected two different AUCs, found the same; no n tells them apart")
    per_case = found.covariance * sample.n_positive
    prevalence = sample.n_positive / sample.n
    about = (
        f"{_REFERENCE}, as in a pilot of {sample.n}: AUCs {found.aucs[0]:.3f} and "
        f"{found.aucs[1]:.3f}"
    )
    covariance = float(per_case[0, 1])
    alternative = float(per_case[0, 0] + per_case[1, 1]) - 2 * covariance
    if null_variance == "first":
        null = 2 * float(per_case[0, 0]) - 2 * covariance
        about += ", null variance of the first score"
    else:
        null = alternative
        about += ", symmetric null variance"
    planned = _planned(difference, (null, alternative), prevalence, n, power, alpha, about)
    return planned.replace(n_dropped=sample.n_dropped)


def _planned(
    difference: float,
    variances: tuple[float, float],
    prevalence: float,
    n: int | None,
    power: float,
    alpha: float,
    about: str,
) -> Estimate:
    """Solve n δ² = (z_α √V₀ + z_β √V_A)² for power or n; V₀ and V_A are those of one case."""
    for name, value in (("alpha", alpha), ("power", power)):
        checked_fraction(value, name)
    null, alternative = variances
    z_alpha = float(ndtri(1 - alpha / 2))
    if min(null, alternative) <= 0:
        raise DataError(
            f"planner: expected variances of the difference above 0, found {null:.3g} under the "
            f"null hypothesis and {alternative:.3g}; plan with other AUCs, or name the other first"
        )
    if n is not None:
        if n < 4:
            raise DataError(f"planner: expected at least 4 patients, found {n}")
        n_positive = n * prevalence
        shift = math.sqrt(n_positive) * abs(difference) - z_alpha * math.sqrt(null)
        return Estimate(
            "power", float(ndtr(shift / math.sqrt(alternative))), n=n, unit="patient",
            method=f"{about}, alpha {alpha:g}",
            extra={"n_positive": n_positive, "n_negative": n - n_positive},
        )  # fmt: skip
    wanted = z_alpha * math.sqrt(null) + float(ndtri(power)) * math.sqrt(alternative)
    n_positive = wanted**2 / difference**2
    needed = math.ceil(n_positive / prevalence)
    return Estimate(
        "n_required", float(needed), n=needed, unit="patient",
        method=f"{about}, alpha {alpha:g}, power {power:g}",
        extra={"n_positive": n_positive, "n_negative": n_positive * (1 - prevalence) / prevalence},
    )  # fmt: skip


class _Binormal:
    """A curve Φ(a + b Φ⁻¹(x)), and what its area loses to the errors of a and b."""

    def __init__(self, a: float, b: float) -> None:
        spread = 1 + b**2
        density = math.exp(-(a**2) / (2 * spread))
        self.a, self.b = a, b
        self.by_a = density / math.sqrt(2 * math.pi * spread)
        self.by_b = -density * a * b / math.sqrt(2 * math.pi * spread**3)

    @classmethod
    def of(cls, auc: float, sd_ratio: float) -> _Binormal:
        return cls(float(ndtri(auc)) * math.hypot(1, sd_ratio), sd_ratio)

    def variance(self, kappa: float) -> float:
        """Return the published variance of the area times the number of cases.

        It leaves out that the errors of a and b correlate, which makes it a little too large.
        """
        of_a = 1 + self.b**2 / kappa + self.a**2 / 2
        of_b = self.b**2 * (1 + kappa) / (2 * kappa)
        return self.by_a**2 * of_a + self.by_b**2 * of_b

    def covariance(self, other: _Binormal, r: float, kappa: float) -> float:
        """Return the covariance of two areas times the number of cases."""
        both, square = self.b * other.b, r**2
        return (
            self.by_a * other.by_a * (r + r * both / kappa + square * self.a * other.a / 2)
            + self.by_b * other.by_b * both * square * (1 + kappa) / (2 * kappa)
            + self.by_a * other.by_b * square * self.a * other.b / 2
            + other.by_a * self.by_b * square * other.a * self.b / 2
        )


# How well any classifier can rank, where the true probabilities are known.


def bayes_auc(probability: ArrayLike, *, unit: str = "row") -> Estimate:
    """Return the expected AUC of the true probabilities themselves.

    Labels are drawn independently, label i being 1 with probability η_i. Ranking by η is the best
    that can be done (it is the likelihood ratio, up to a monotonic function), and its expected
    AUC over draws of the labels is, up to terms of order 1/n,

        Σ_{i≠j} η_i (1 − η_j) [η_i > η_j or half of a tie] / Σ_{i≠j} η_i (1 − η_j).

    Parameters
    ----------
    probability : array_like, shape (n,)
        The true probabilities of a cohort's cases, 0 to 1, none missing.
    unit : str
        What one of them is of.

    Returns
    -------
    Estimate
        ``bayes_auc``, 0.5 where all are equal. It is no estimate from a sample: it has no limits.

    Raises
    ------
    DataError
        A value outside 0 to 1, or no pair of a case and a control possible: fewer than two
        values, or all of them 0, or all 1.

    Examples
    --------
    >>> bayes_auc([0.0, 0.0, 1.0]).value, bayes_auc([0.3] * 10).value
    (1.0, 0.5)
    >>> round(bayes_auc([0.2, 0.8]).value, 4)  # .8·.8 right, .2·.2 wrong
    0.9412
    """
    eta = np.asarray(probability, dtype=float).ravel()
    if not ((eta >= 0) & (eta <= 1)).all():
        worst = eta[~((eta >= 0) & (eta <= 1))][0]
        raise DataError(
            f"Bayes AUC: expected true probabilities from 0 to 1, found {worst:g}",
            code="out_of_range",
        )
    values, count = np.unique(eta, return_counts=True)
    case, control = values * count, (1 - values) * count
    below = np.cumsum(control) - control
    # Of a group of m equal values, a case meets the other m - 1 as controls, and ties with them.
    tied = values * (1 - values) * count * (count - 1)
    pairs = float(case @ below + tied.sum() + case @ (control.sum() - below - control))
    if pairs == 0.0:
        raise DataError(
            f"Bayes AUC: expected probabilities that allow a case and a control, found {eta.size} "
            "that allow only one of them; draw more cases",
            code="degenerate",
        )
    return Estimate(
        "bayes_auc",
        float((case @ below + 0.5 * tied.sum()) / pairs),
        method="expected AUC of the true probabilities",
        n=int(eta.size),
        unit=unit,
        extra={"expected_cases": float(case.sum())},
    )


def stated_bayes_auc(probability: ArrayLike) -> float | None:
    """Return the Bayes AUC as the truth of a synthetic cohort states it, None where it has none.

    Parameters
    ----------
    probability : array_like, shape (n,)
        As for :func:`bayes_auc`. A cohort of one patient is written, too, without a Bayes AUC.

    Examples
    --------
    >>> stated_bayes_auc([0.3, 0.3]), stated_bayes_auc([0.3])
    (0.5, None)
    """
    eta = np.asarray(probability, dtype=float).ravel()
    n_sure = int((eta == 0).sum()), int((eta == 1).sum())
    return None if eta.size < 2 or eta.size in n_sure else bayes_auc(eta).value
