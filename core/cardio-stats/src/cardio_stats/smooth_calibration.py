"""The smooth calibration curve: observed risk along the predicted, by local regression."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.validate import (
    Floats,
    ScoredSample,
    binary_labels,
    checked_level,
    group_sums,
    probability_sample,
    require_variation,
    unit_count,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

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
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    event: str | None = None,
    span: float = 0.75,
    n_points: int = 101,
    patient: ArrayLike | None = None,
    level: float = 0.95,
    unit: str | None = None,
) -> CalibrationCurve:
    """Smooth the labels along the predicted probabilities with LOESS.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1, not all equal.
    span : float
        Share of the rows that enter each local fit, above 0 and up to 1.
    n_points : int
        Number of equally spaced points.
    patient : array-like, shape (n,), optional
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
    outcome = binary_labels(outcome, event)
    if not 0 < span <= 1:
        raise DataError(f"span: expected a share above 0 and up to 1, found {span}; use 0.75")
    sample = probability_sample(outcome, probabilities, patient, unit)
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
    if total == 0:  # all lie at the window's edges: scores of exactly 0 and 1, say
        return rows, np.full(away.size, 1 / away.size)
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


# How far the smooth calibration curve lies from the diagonal: ICI, E50, E90 and Emax.

NAMES = ("ici", "e50", "e90", "emax")
N_POINTS = 101
N_QUANTILES = 500
"""Predictions that stand for all of them in the draws behind intervals."""


def smooth_calibration_errors(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    event: str | None = None,
    span: float = VAL_PROB_SPAN,
    patient: ArrayLike | None = None,
    n_draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> list[Estimate]:
    """Return mean, median, 90th percentile and maximum of the distance of curve and prediction.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1, not all equal.
    span : float
        Share of the rows that enter each local fit; by default that of R's ``lowess``, which
        rms::val.prob draws.
    patient : array-like, shape (n,), optional
        Patient or record of every row, within which errors may be correlated.
    n_draws, seed : int
        Of the curves behind the intervals.
    level : float
    unit : str, optional

    Returns
    -------
    list of Estimate
        ``ici`` (the mean, val.prob's Eavg), ``e50``, ``e90`` and, without limits, ``emax``; 0 is
        right, and ``extra["if_calibrated"]`` is what a model without any error would show by
        chance.

    Raises
    ------
    DataError
        One class only, or a constant predictor.

    Notes
    -----
    The curve is a weighted sum of the outcome, so its error at all points together is had from
    their residuals. Curves drawn with that error give the spread of each figure; as they lie
    farther from the diagonal than the truth does, the low limit is turned around the estimate
    (basic, cut at 0); the high one is the wider of the basic and the percentile limit.

    References
    ----------
    Austin PC, Steyerberg EW. The Integrated Calibration Index. Stat Med 2019;38:4051.
    Harrell FE. Regression modeling strategies, 2nd ed. Springer 2015 (val.prob).

    Examples
    --------
    >>> p = np.linspace(0.05, 0.95, 400)
    >>> y = np.arange(400) % 2
    >>> [round(e.value, 2) for e in smooth_calibration_errors(y, p, n_draws=100)]
    [0.22, 0.22, 0.4, 0.44]
    """
    outcome = binary_labels(outcome, event)
    checked_level(level)
    sample = probability_sample(outcome, probabilities, patient, unit)
    require_variation(sample)
    found = smoother(sample, span, N_POINTS)
    errors = np.abs(np.interp(found.predicted, found.points, found.observed) - found.predicted)
    values = _figures(errors)
    standing = np.quantile(found.predicted, (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES)
    rng = np.random.default_rng(seed)
    clusters_in_order = None if sample.clusters is None else sample.clusters[found.order]
    drawn = _draws(found.weights, found.residual, clusters_in_order, n_draws, rng)
    away = found.observed - found.points
    apart = _figures(np.abs(_at(standing, found.points, away + drawn)))
    chance_sd = np.sqrt(found.predicted * (1 - found.predicted))
    by_chance = _figures(
        np.abs(_at(standing, found.points, _draws(found.weights, chance_sd, None, n_draws, rng)))
    ).mean(axis=0)
    tail = (1 - level) / 2
    high_drawn, low_drawn = np.quantile(apart, [1 - tail, tail], axis=0)
    smooth = f"LOESS, local lines, span {span:.3g}"
    return [
        # of a largest distance no resampling gives limits that hold
        Estimate(
            name,
            float(value),
            None if name == "emax" else max(0.0, float(2 * value - upper)),
            None if name == "emax" else max(float(2 * value - lower), float(upper)),
            None if name == "emax" else level,
            smooth if name == "emax" else f"{smooth}; {n_draws} curves drawn with its error",
            n_dropped=sample.n_dropped,
            seed=seed,
            extra={"if_calibrated": float(chance), "n_rows": float(sample.n)},
            **unit_count(sample.n, sample.n_clusters, unit),
        )
        for name, value, upper, lower, chance in zip(
            NAMES, values, high_drawn, low_drawn, by_chance, strict=True
        )
    ]


def _figures(errors: Floats) -> Floats:
    """Return mean, median, 90th percentile and maximum along the last axis, as a last axis."""
    middle, high = np.quantile(errors, [0.5, 0.9], axis=-1)
    return np.stack([errors.mean(axis=-1), middle, high, errors.max(axis=-1)], axis=-1)


def _draws(
    weights: Floats,
    residual: Floats,
    clusters: np.ndarray[tuple[int], np.dtype[np.int64]] | None,
    n_draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw errors of the curve at all its points, shape (n_draws, n_points)."""
    parts = weights * residual
    if clusters is not None:
        parts = np.array([group_sums(row, clusters) for row in parts])
    values, vectors = np.linalg.eigh(parts @ parts.T)
    root = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(rng.normal(size=(n_draws, len(parts))) @ root.T)


def _at(where: Floats, points: Floats, curves: Floats) -> Floats:
    """Interpolate every curve, a row each, between its equally spaced points."""
    place = (where - points[0]) / (points[-1] - points[0]) * (points.size - 1)
    left = np.clip(place.astype(np.intp), 0, points.size - 2)
    share = place - left
    return np.asarray(curves[:, left] * (1 - share) + curves[:, left + 1] * share)
