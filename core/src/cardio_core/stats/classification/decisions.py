"""The rates of a two-by-two table of decisions, as one vector and with intervals from counts."""

from __future__ import annotations

import math

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.classification.proportions import f1_score, proportion, wilson_limits
from cardio_core.stats.foundation.validate import Floats, checked_level, ratio, unit_count
from cardio_core.types.estimate import Estimate

DECISION_RATES = (
    "sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "balanced_accuracy", "youden",
)  # fmt: skip


def decision_rates(cells: Floats) -> Floats:
    """Return the ``DECISION_RATES`` of tables, NaN where a denominator is 0, shape (..., 8).

    `cells`, shape (..., 4): true positives, false negatives, true negatives, false positives.
    """
    tp, fn, tn, fp = np.moveaxis(np.asarray(cells, dtype=np.float64), -1, 0)
    sensitivity, specificity = ratio(tp, tp + fn), ratio(tn, tn + fp)
    return np.stack(
        [
            sensitivity,
            specificity,
            ratio(tp, tp + fp),
            ratio(tn, tn + fn),
            ratio(tp + tn, tp + fn + tn + fp),
            ratio(2 * tp, 2 * tp + fp + fn),
            (sensitivity + specificity) / 2,
            sensitivity + specificity - 1,
        ],
        axis=-1,
    )


def confusion_metrics(
    *,
    tp: int,
    fn: int,
    tn: int,
    fp: int,
    threshold_source: str = "as published",
    level: float = 0.95,
    unit: str = "row",
) -> dict[str, Estimate]:
    """Return the rates of a two-by-two table of independent units.

    Parameters
    ----------
    tp, fn, tn, fp : int
        True positives, false negatives, true negatives and false positives.
    threshold_source : str
        Where the threshold behind the decisions came from.
    level : float
    unit : str
        What was counted.

    Returns
    -------
    dict of str to Estimate
        ``sensitivity``, ``specificity``, ``ppv``, ``npv``, ``accuracy`` (Wilson), ``f1``,
        ``balanced_accuracy`` (the area under the ROC curve of this one decision) and ``youden``.
        A rate whose denominator is 0 is left out.

    Raises
    ------
    DataError
        A negative count, or an empty table.

    References
    ----------
    Intervals of sums of two proportions: Newcombe RG. Stat Med 1998;17:873, method 10.

    Examples
    --------
    >>> found = confusion_metrics(tp=44, fn=2, tn=12, fp=13, unit="patient")
    >>> round(found["accuracy"].value, 3), round(found["specificity"].value, 2)
    (0.789, 0.48)
    """
    counts = np.array([tp, fn, tn, fp], dtype=np.float64)
    if counts.min() < 0 or counts.sum() == 0:
        raise DataError(f"expected counts of 0 or more, found tp {tp}, fn {fn}, tn {tn}, fp {fp}")
    checked_level(level)
    pairs = {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "accuracy": (tp + tn, tp + fn + tn + fp),
    }
    found = {
        name: proportion(k, n, level=level, name=name, unit=unit)
        for name, (k, n) in pairs.items()
        if n
    }
    if tp + fp + fn:
        found["f1"] = f1_score(tp, fp + fn, level=level, name="f1", unit=unit)
    if tp + fn and tn + fp:
        found |= _sums(found["sensitivity"], found["specificity"], level, unit)
    return {name: each.replace(threshold_source=threshold_source) for name, each in found.items()}


def _sums(
    sensitivity: Estimate, specificity: Estimate, level: float, unit: str
) -> dict[str, Estimate]:
    """Square and add the distances to both Wilson limits, as Newcombe does for a difference."""
    limits = [wilson_limits(each.extra["k"], each.n, level) for each in (sensitivity, specificity)]
    total = sensitivity.value + specificity.value
    below = math.hypot(sensitivity.value - limits[0][0], specificity.value - limits[1][0])
    above = math.hypot(limits[0][1] - sensitivity.value, limits[1][1] - specificity.value)
    counted = unit_count(sensitivity.n + specificity.n, None, unit)
    return {
        name: Estimate(
            name,
            scale * total - shift,
            scale * (total - below) - shift,
            scale * (total + above) - shift,
            level,
            "Newcombe, square and add",
            **counted,
        )
        for name, scale, shift in (("balanced_accuracy", 0.5, 0.0), ("youden", 1.0, 1.0))
    }
