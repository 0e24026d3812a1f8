"""How far the smooth calibration curve lies from the diagonal: ICI, E50, E90 and Emax."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.stats.calibration.smooth_calibration import VAL_PROB_SPAN, smoother
from cardio_core.stats.foundation.probabilities import probability_sample, require_variation
from cardio_core.stats.foundation.validate import Floats, checked_level, group_sums, unit_count
from cardio_core.types.estimate import Estimate

NAMES = ("ici", "e50", "e90", "emax")
N_POINTS = 101
N_QUANTILES = 500
"""Predictions that stand for all of them in the draws behind intervals."""


def smooth_calibration_errors(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    span: float = VAL_PROB_SPAN,
    clusters: ArrayLike | None = None,
    n_draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> list[Estimate]:
    """Return mean, median, 90th percentile and maximum of the distance of curve and prediction.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1, not all equal.
    span : float
        Share of the rows that enter each local fit; by default that of R's ``lowess``, which
        rms::val.prob draws.
    clusters : array-like, shape (n,), optional
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
    The curve is a weighted sum of the labels, so its error at all points together is had from
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
    checked_level(level)
    sample = probability_sample(labels, probabilities, clusters, unit)
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
