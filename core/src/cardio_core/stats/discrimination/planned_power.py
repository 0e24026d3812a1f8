"""Power to tell apart two correlated ROC curves: of two normal scores, or as in a pilot study."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from cardio_core.errors import DataError
from cardio_core.stats.discrimination.delong import delong_covariance
from cardio_core.types.estimate import Estimate

_REFERENCE = "Obuchowski-McClish"


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
        _fraction(name, value)
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
    return _planned(auc_a - auc_b, variances, covariance, prevalence, n, power, alpha, about)


def pilot_power(
    labels: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    n: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
) -> Estimate:
    """Return the power of a study like a pilot study, or how many patients reach a power.

    AUCs, variances and covariance are the pilot's, by DeLong, as in pROC's ``power.roc.test`` of
    two curves. A pilot's difference is uncertain, and with it the number.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    score_a, score_b : array-like, shape (n,)
    n : int, optional
        Patients of the study that is planned, with the pilot's prevalence; with it the power is
        returned, without it the number of patients.
    power, alpha : float
        Wanted power, and two-sided level.

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
    >>> round(pilot_power(y, a, b, n=40).value, 2)
    0.34
    """
    found = delong_covariance(labels, score_a, score_b)
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
    variances = [float(per_case[0, 0]), float(per_case[1, 1])]
    planned = _planned(
        difference, variances, float(per_case[0, 1]), prevalence, n, power, alpha, about
    )
    return planned.replace(n_dropped=sample.n_dropped)


def _planned(
    difference: float,
    variances: list[float],
    covariance: float,
    prevalence: float,
    n: int | None,
    power: float,
    alpha: float,
    about: str,
) -> Estimate:
    """Solve n δ² = (z_α √V₀ + z_β √V_A)² for power or n; variances are those of one case."""
    for name, value in (("alpha", alpha), ("power", power)):
        _fraction(name, value)
    null = 2 * variances[0] - 2 * covariance
    alternative = variances[0] + variances[1] - 2 * covariance
    z_alpha = float(ndtri(1 - alpha / 2))
    if min(null, alternative) <= 0:
        raise DataError(
            f"planner: expected variances of the difference above 0, found {null:.3g} under the "
            f"null hypothesis and {alternative:.3g}; name the other score first, or plan with AUCs"
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


def _fraction(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise DataError(f"{name}: expected a number between 0 and 1, found {value:g}")


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
