"""The smooth calibration curve: observed risk along the predicted, by local regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.label_sums import (
    covariance_of,
    if_calibrated,
    sums_if_calibrated,
)
from cardio_stats._numerics.local_regression import SPANS, Kind, LocalRegression
from cardio_stats._numerics.options import OutcomeOptions, Sampling, spells_out
from cardio_stats._numerics.validate import (
    Floats,
    Ints,
    ScoredSample,
    require_variation,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate


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


@spells_out(OutcomeOptions)
def calibration_curve(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    smoother: Kind = "loess",
    span: float | None = None,
    n_points: int = 101,
    **options: Unpack[OutcomeOptions],
) -> CalibrationCurve:
    """Smooth the labels along the predicted probabilities.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1, not all equal.
    smoother : {"loess", "lowess"}
        R's ``loess(y ~ p)``, of local parabolas, or its ``lowess(p, y, iter = 0)``, of local
        lines, which rms::val.prob draws.
    span : float, optional
        Share of the rows that enter each local fit, above 0 and up to 1; 0.75 of loess and 2/3 of
        lowess by default, as in R.
    n_points : int
        Number of equally spaced points.
    level : float
        Coverage of the pointwise limits, which make no statement about the whole curve.

    Returns
    -------
    CalibrationCurve

    Raises
    ------
    DataError
        One class only, a constant predictor, or a span that is no share.

    Notes
    -----
    The curve is a weighted sum of the labels, so its error is had from their residuals directly.

    References
    ----------
    Cleveland WS, Devlin SJ. J Am Stat Assoc 1988;83:596. Cleveland WS, Grosse E. Stat Comput
    1991;1:47 (fits at the vertices of a tree, and curves between them). Austin PC, Steyerberg EW.
    Stat Med 2014;33:517.

    Examples
    --------
    >>> p = np.linspace(0.05, 0.95, 200)
    >>> curve = calibration_curve(np.arange(200) % 2, p, n_points=3)
    >>> curve.predicted.round(2).tolist(), curve.observed.round(1).tolist()
    ([0.05, 0.5, 0.95], [0.5, 0.5, 0.5])
    """
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
    fitted = _Fitted.of(sample, smoother, span)
    points = np.linspace(fitted.predicted[0], fitted.predicted[-1], n_points)
    to_points = fitted.smooth.at(points)
    observed = to_points @ fitted.coefficients
    covariance = covariance_of(
        fitted.smooth.weights, fitted.truth - fitted.curve, fitted.clusters, sample.n_clusters
    )
    variance = np.einsum("ij,jk,ik->i", to_points, covariance, to_points)
    half_width = normal_quantile(sampling.level) * np.sqrt(np.maximum(variance, 0))
    return CalibrationCurve(
        points,
        observed.clip(0, 1),
        (observed - half_width).clip(0, 1),
        (observed + half_width).clip(0, 1),
        sampling.level,
        f"{fitted.words}; pointwise normal limits",
        **sample.counted(sampling.unit),
    )


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A curve through the rows in the order of their predictions; all but `smooth` of shape (n,).

    `coefficients` are those of `smooth`.
    """

    smooth: LocalRegression
    predicted: Floats
    truth: Floats
    clusters: Ints | None
    coefficients: Floats
    curve: Floats
    words: str

    @classmethod
    def of(cls, sample: ScoredSample, smoother: Kind, span: float | None) -> _Fitted:
        require_variation(sample)
        share = SPANS[smoother] if span is None else span
        if not 0 < share <= 1:
            raise DataError(
                f"span: expected a share above 0 and up to 1, found {span}; use 0.75",
                code="out_of_range",
            )
        order = np.argsort(sample.scores[0], kind="stable")
        predicted, truth = sample.scores[0][order], sample.positive[order].astype(np.float64)
        smooth = LocalRegression.of(predicted, smoother, share)
        coefficients = smooth.fit(truth)
        return cls(
            smooth, predicted, truth, None if sample.clusters is None else sample.clusters[order],
            coefficients, smooth.curve(coefficients),
            f"{smoother}, degree {2 if smoother == 'loess' else 1}, span {share:.3g}",
        )  # fmt: skip


# How far the smooth calibration curve lies from the diagonal: ICI, E50, E90 and Emax.

NAMES = ("ici", "e50", "e90", "emax")
MOST_ROWS, N_QUANTILES, N_ENDS = 2000, 500, 25
"""Of more rows, quantiles stand for all of them where a calibrated model is drawn; the largest
distance is looked for among the lowest and the highest predictions, too."""


@spells_out(OutcomeOptions)
def smooth_calibration_errors(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    smoother: Kind = "loess",
    span: float | None = None,
    n_draws: int = 2000,
    seed: int = 0,
    **options: Unpack[OutcomeOptions],
) -> list[Estimate]:
    """Return mean, median, 90th percentile and maximum of the distance of curve and prediction.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1, not all equal.
    smoother, span
        As for :func:`calibration_curve`: Austin and Steyerberg's loess, or val.prob's lowess.
    n_draws, seed : int
        Of calibrated models.
    level : float
        Share of calibrated models that ``extra["if_calibrated_high"]`` is not exceeded by.

    Returns
    -------
    list of Estimate
        ``ici`` (the mean; with lowess val.prob's Eavg), ``e50``, ``e90`` and ``emax``. None has an
        interval: 0 is right, and chance alone makes every one of them larger. Instead
        ``extra["if_calibrated"]`` and ``extra["if_calibrated_high"]`` are the mean and the upper
        limit of what a model without any error shows on the same predictions, and `p_value` is how
        often such a model shows as much.

    Raises
    ------
    DataError
        One class only, or a constant predictor.

    References
    ----------
    Austin PC, Steyerberg EW. The Integrated Calibration Index. Stat Med 2019;38:4051.
    Harrell FE. Regression modeling strategies, 2nd ed. Springer 2015 (val.prob). Bröcker J,
    Smith LA. Weather Forecast 2007;22:651 (the distribution under calibration).

    Examples
    --------
    >>> p = np.linspace(0.05, 0.95, 400)
    >>> y = np.arange(400) % 2
    >>> found = smooth_calibration_errors(y, p, n_draws=100)
    >>> [round(e.value, 2) for e in found], found[0].p_value < 0.01
    ([0.22, 0.23, 0.4, 0.44], True)
    """
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
    fitted = _Fitted.of(sample, smoother, span)
    smooth, predicted = fitted.smooth, fitted.predicted
    values = _figures(np.abs(fitted.curve - predicted))
    standing = _standing(predicted)
    drawn = sums_if_calibrated(
        smooth.weights, fitted.truth, predicted, clusters=fitted.clusters,
        n_clusters=sample.n_clusters, n_draws=n_draws, seed=seed,
    )  # fmt: skip
    to_standing = smooth.at(standing)
    off = to_standing @ smooth.fit(predicted) - standing  # what smoothing alone moves
    errors = np.abs(drawn @ to_standing.T + off)
    by_chance = _figures(errors if sample.n <= MOST_ROWS else errors[:, :N_QUANTILES])
    by_chance[:, -1] = errors.max(axis=1)
    counted = sample.counted(sampling.unit)
    return [
        if_calibrated(
            Estimate(
                name, float(value), method=fitted.words, seed=seed,
                extra={"n_rows": float(sample.n)}, **counted,
            ),
            chance,
            sampling.level,
        )
        for name, value, chance in zip(NAMES, values, by_chance.T, strict=True)
    ]  # fmt: skip


def _standing(predicted: Floats) -> Floats:
    if predicted.size <= MOST_ROWS:
        return predicted
    places = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    quantiles = np.quantile(predicted, places)
    return np.concatenate([quantiles, predicted[:N_ENDS], predicted[-N_ENDS:]])


def _figures(errors: Floats) -> Floats:
    """Return mean, median, 90th percentile and maximum along the last axis, as a last axis."""
    middle, high = np.quantile(errors, [0.5, 0.9], axis=-1)
    return np.stack([errors.mean(axis=-1), middle, high, errors.max(axis=-1)], axis=-1)
