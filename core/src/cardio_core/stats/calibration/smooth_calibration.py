"""The smooth calibration curve: observed risk along the predicted, by local regression."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.probabilities import probability_sample, require_variation
from cardio_core.stats.foundation.validate import (
    Floats,
    ScoredSample,
    checked_level,
    group_sums,
    unit_count,
)

VAL_PROB_SPAN = 2 / 3
"""Of R's ``lowess``, from which rms::val.prob takes its curve and its errors."""


@dataclass(frozen=True, slots=True)
class CalibrationCurve:
    """Observed risk as a smooth function of the predicted, with pointwise limits.

    Attributes
    ----------
    predicted : ndarray of float64, shape (n_points,)
        Rising, from the lowest to the highest prediction.
    observed, low, high : ndarray of float64, shape (n_points,)
        Between 0 and 1.
    level : float
    method : str
    n : int
    unit : str
    n_patients : int or None
    n_dropped : int
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    level: float
    method: str
    n: int
    unit: str
    n_patients: int | None
    n_dropped: int


def calibration_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    span: float = 0.75,
    n_points: int = 101,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    unit: str | None = None,
) -> CalibrationCurve:
    """Smooth the labels along the predicted probabilities with LOESS.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1, not all equal.
    span : float
        Share of the rows that enter each local fit, above 0 and up to 1.
    n_points : int
        Number of equally spaced points.
    clusters : array-like, shape (n,), optional
        Patient or record of every row, within which errors may be correlated.
    level : float
        Coverage of the pointwise limits, which make no statement about the whole curve.
    unit : str, optional

    Returns
    -------
    CalibrationCurve

    Raises
    ------
    DataError
        One class only, a constant predictor, or fewer than two different predictions in reach.

    Notes
    -----
    Local lines with tricube weights, without robustness steps: R's ``loess(y ~ p, degree = 1)``.
    The curve is a weighted sum of the labels, so its error is had from their residuals directly.

    References
    ----------
    Cleveland WS, Devlin SJ. J Am Stat Assoc 1988;83:596. Austin PC, Steyerberg EW. Stat Med
    2014;33:517.

    Examples
    --------
    >>> p = np.linspace(0.05, 0.95, 200)
    >>> curve = calibration_curve(np.arange(200) % 2, p, n_points=3)
    >>> curve.predicted.round(2).tolist(), curve.observed.round(1).tolist()
    ([0.05, 0.5, 0.95], [0.5, 0.5, 0.5])
    """
    if not 0 < span <= 1:
        raise DataError(f"span: expected a share above 0 and up to 1, found {span}; use 0.75")
    sample = probability_sample(labels, probabilities, clusters, unit)
    require_variation(sample)
    found = smoother(sample, span, n_points)
    se = np.array([_error(sample, found, weight) for weight in found.weights])
    half_width = normal_quantile(checked_level(level)) * se
    return CalibrationCurve(
        found.points,
        found.observed.clip(0, 1),
        (found.observed - half_width).clip(0, 1),
        (found.observed + half_width).clip(0, 1),
        level,
        f"LOESS, local lines, span {span:g}; pointwise normal limits",
        n_dropped=sample.n_dropped,
        **unit_count(sample.n, sample.n_clusters, unit),
    )


@dataclass(frozen=True, slots=True)
class Smoother:
    """The curve as a weighted sum of labels, rows in the order of their predictions.

    `order`, `predicted` and `residual` have the shape (n,), `points` and `observed` (n_points,),
    `weights` (n_points, n).
    """

    order: np.ndarray[tuple[int], np.dtype[np.intp]]
    predicted: Floats
    residual: Floats
    points: Floats
    observed: Floats
    weights: Floats


def smoother(sample: ScoredSample, span: float, n_points: int) -> Smoother:
    """Smooth labels along predictions that vary, at equally spaced points."""
    order = np.argsort(sample.scores[0], kind="stable")
    predicted, truth = sample.scores[0][order], sample.positive[order].astype(np.float64)
    points = np.linspace(predicted[0], predicted[-1], n_points)
    n_near = max(2, int(sample.n * span + 1e-5))
    weights = np.zeros((n_points, sample.n))
    for own, point in zip(weights, points, strict=True):
        rows, weight = _smoothing_weights(predicted, float(point), n_near)
        own[rows] = weight
    observed = weights @ truth
    residual = truth - np.interp(predicted, points, observed)
    return Smoother(order, predicted, residual, points, observed, weights)


def _smoothing_weights(predicted: Floats, point: float, n_near: int) -> tuple[slice, Floats]:
    """Return the rows near a point and the weights whose sum over their labels is the curve."""
    # the window of n_near sorted predictions whose farthest is nearest
    first = bisect_left(
        range(predicted.size - n_near),
        True,
        key=lambda i: bool(point - predicted[i] <= predicted[i + n_near] - point),
    )
    reach = max(point - predicted[first], predicted[first + n_near - 1] - point)
    rows = slice(
        int(np.searchsorted(predicted, point - reach, "left")),
        int(np.searchsorted(predicted, point + reach, "right")),
    )
    away = predicted[rows] - point
    if reach == 0:
        return rows, np.full(away.size, 1 / away.size)
    tricube = (1 - np.minimum(np.abs(away) / reach, 1) ** 3) ** 3
    total = tricube.sum()
    centre = tricube @ away / total
    spread = tricube @ (away - centre) ** 2
    if spread < 1e-12 * reach**2 * total:
        return rows, tricube / total
    return rows, tricube / total - tricube * (away - centre) * centre / spread


def _error(sample: ScoredSample, found: Smoother, weight: Floats) -> float:
    parts = weight * found.residual
    if sample.clusters is not None:
        parts = group_sums(parts, sample.clusters[found.order], sample.n_clusters)
    return float(np.sqrt(np.sum(parts**2)))
