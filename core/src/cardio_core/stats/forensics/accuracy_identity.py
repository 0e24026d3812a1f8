"""Accuracy lies between sensitivity and specificity, at the place that the prevalence says."""

from __future__ import annotations

from dataclasses import dataclass

from cardio_core.errors import DataError
from cardio_core.types.estimate import Estimate


@dataclass(frozen=True, slots=True)
class AccuracyIdentity:
    """What accuracy, sensitivity and specificity say about each other.

    Attributes
    ----------
    feasible_pooled : bool
        Some prevalence from 0 to 1 gives the three figures, within their rounding. If not, they
        do not come from one table.
    implied_prevalence : Estimate or None
        The prevalence that the figures imply, possibly outside 0 to 1, with the range that
        rounding leaves; None where sensitivity equals specificity.
    accuracy_expected : Estimate or None
        Accuracy at the true prevalence, with the range that rounding leaves; None without it.
    at_prevalence : bool or None
        The printed accuracy is one of those; None without a prevalence.
    """

    feasible_pooled: bool
    implied_prevalence: Estimate | None
    accuracy_expected: Estimate | None
    at_prevalence: bool | None


def check_acc_identity(
    acc: float,
    sens: float,
    spec: float,
    prevalence: float | None = None,
    *,
    half_steps: tuple[float, float, float] = (0.0005, 0.0005, 0.0005),
) -> AccuracyIdentity:
    """Check ``accuracy = prevalence * sensitivity + (1 - prevalence) * specificity``.

    Parameters
    ----------
    acc, sens, spec : float
        From 0 to 1, as printed.
    prevalence : float, optional
        True share of patients with the outcome.
    half_steps : tuple of 3 float
        Half a unit of the last digit of the three figures; 0.0005 for three decimals.

    Returns
    -------
    AccuracyIdentity

    Raises
    ------
    DataError
        A figure outside 0 to 1.

    Notes
    -----
    The identity holds for one pooled table. Means over folds obey it up to the covariance of
    fold prevalence and the difference of the two rates, which stratified folds keep near 0.

    Examples
    --------
    >>> check_acc_identity(0.721, 0.783, 0.792, 46 / 71).feasible_pooled
    False
    >>> found = check_acc_identity(0.613, 0.529, 0.710, 46 / 71)
    >>> found.feasible_pooled, round(found.implied_prevalence.value, 3), found.at_prevalence
    (True, 0.536, False)
    """
    figures = {"accuracy": acc, "sensitivity": sens, "specificity": spec}
    if prevalence is not None:
        figures["prevalence"] = prevalence
    for name, value in figures.items():
        if not 0 <= value <= 1:
            raise DataError(f"{name}: expected a number from 0 to 1, found {value:g}")
    h_acc, h_sens, h_spec = half_steps
    feasible = _feasible_prevalences(
        (acc - h_acc, acc + h_acc),
        (max(0.0, sens - h_sens), min(1.0, sens + h_sens)),
        (max(0.0, spec - h_spec), min(1.0, spec + h_spec)),
    )
    implied = None
    low, high = feasible or (None, None)
    if sens != spec:
        implied = Estimate(
            "implied_prevalence",
            (acc - spec) / (sens - spec),
            low,
            high,
            method="accuracy identity; the range is that of rounding",
        )
    expected = at_prevalence = None
    if prevalence is not None:
        value = prevalence * sens + (1 - prevalence) * spec
        slack = prevalence * h_sens + (1 - prevalence) * h_spec
        expected = Estimate(
            "accuracy_expected",
            value,
            max(0.0, value - slack),
            min(1.0, value + slack),
            method="accuracy identity; the range is that of rounding",
        )
        at_prevalence = abs(acc - value) <= slack + h_acc + 1e-9
    return AccuracyIdentity(feasible is not None, implied, expected, at_prevalence)


def _feasible_prevalences(
    acc: tuple[float, float], sens: tuple[float, float], spec: tuple[float, float]
) -> tuple[float, float] | None:
    """Return the prevalences at which the three ranges meet, None where there is none.

    At prevalence q the accuracy ranges from ``q sens_low + (1 - q) spec_low`` to ``q sens_high +
    (1 - q) spec_high``; both are linear in q, and each must reach the printed range.
    """
    low, high = 0.0, 1.0
    # each condition reads constant + slope * q <= 0
    conditions = ((spec[0] - acc[1], sens[0] - spec[0]), (acc[0] - spec[1], spec[1] - sens[1]))
    for constant, slope in conditions:
        if abs(slope) < 1e-12:
            if constant > 1e-9:
                return None
            continue
        root = -constant / slope
        if slope > 0:
            high = min(high, root)
        else:
            low = max(low, root)
    return (low, high) if low <= high + 1e-9 else None
