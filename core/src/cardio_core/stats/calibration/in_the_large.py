"""Calibration of predicted probabilities: in the large, slope, and the Brier score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from cardio_core.errors import DataError
from cardio_core.stats.calibration.calibration_error import expected_calibration_error
from cardio_core.stats.foundation.intervals import two_sided_p, wald_limits
from cardio_core.stats.foundation.newton import maximise
from cardio_core.stats.foundation.probabilities import (
    probability_sample,
    require_overlap,
    require_variation,
)
from cardio_core.stats.foundation.validate import (
    Floats,
    ScoredSample,
    checked_level,
    ratio,
    unit_count,
)
from cardio_core.stats.resampling.sums_bootstrap import bootstrap_sums, cluster_sums
from cardio_core.types.estimate import Estimate


@dataclass(frozen=True, slots=True)
class CalibrationMetrics:
    """What :func:`calibration_metrics` returns.

    Attributes
    ----------
    estimates : list of Estimate
    refused : dict of str to str
        Names of the metrics that these data do not allow, with the reason.
    """

    estimates: list[Estimate]
    refused: dict[str, str]


def calibration_metrics(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> CalibrationMetrics:
    """Return every calibration metric that the data allow.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1.
    clusters : array-like, shape (n,), optional
        Patient or record of every row.
    n_resamples, seed : int
        Of the bootstrap behind ECE and Brier scores.
    level : float
    unit : str, optional

    Returns
    -------
    CalibrationMetrics
        ``calibration_in_the_large``, ``calibration_slope``, ``ece``, ``brier``, ``scaled_brier``.

    Examples
    --------
    >>> found = calibration_metrics([0, 1, 0, 1, 1, 0], [0.5] * 6, n_resamples=100)
    >>> [estimate.name for estimate in found.estimates], list(found.refused)
    (['calibration_in_the_large', 'ece', 'brier', 'scaled_brier'], ['calibration_slope'])
    """
    rows: dict[str, Any] = {"clusters": clusters, "level": level, "unit": unit}
    drawn: dict[str, Any] = {**rows, "n_resamples": n_resamples, "seed": seed}
    calls: dict[str, Callable[[], list[Estimate]]] = {
        "calibration_in_the_large": lambda: [
            calibration_in_the_large(labels, probabilities, **rows)
        ],
        "calibration_slope": lambda: [calibration_slope(labels, probabilities, **rows)],
        "ece": lambda: [expected_calibration_error(labels, probabilities, **drawn)],
        "brier": lambda: brier_scores(labels, probabilities, **drawn),
    }
    estimates: list[Estimate] = []
    refused: dict[str, str] = {}
    for name, call in calls.items():
        try:
            estimates += call()
        except DataError as error:
            refused[name] = str(error)
    return CalibrationMetrics(estimates, refused)


def calibration_in_the_large(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    unit: str | None = None,
) -> Estimate:
    """Return by how much the log odds are too low on the whole; 0 is right.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
    probabilities : array-like, shape (n,)
        Strictly between 0 and 1.
    clusters : array-like, shape (n,), optional
        The error is then robust to correlation within clusters.
    level : float
    unit : str, optional

    Returns
    -------
    Estimate
        ``calibration_in_the_large``: the intercept of a logistic regression with the log odds as
        offset; `p_value` tests 0; `extra` holds ``se``, ``observed`` and ``expected`` rates.

    Raises
    ------
    DataError
        One class only, probabilities of exactly 0 or 1, fewer than five clusters.

    References
    ----------
    Cox DR. Biometrika 1958;45:562. Van Calster B et al. BMC Med 2019;17:230.

    Examples
    --------
    >>> found = calibration_in_the_large([0, 0, 1, 1], [0.2, 0.3, 0.2, 0.3])
    >>> found.value > 0
    True
    """
    sample = probability_sample(labels, probabilities, clusters, unit)
    name, matrix = "calibration_in_the_large", np.ones((sample.n, 1))
    estimate = _coefficient(sample, name, matrix, log_odds(sample), 0, level, unit)
    return estimate.replace(
        extra={
            **estimate.extra,
            "observed": sample.n_positive / sample.n,
            "expected": float(sample.scores[0].mean()),
        }
    )


def calibration_slope(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    unit: str | None = None,
) -> Estimate:
    """Return the slope of the true log odds on the predicted; below 1 they are too extreme.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
    probabilities : array-like, shape (n,)
        Strictly between 0 and 1, not all equal.
    clusters : array-like, shape (n,), optional
        The error is then robust to correlation within clusters.
    level : float
    unit : str, optional

    Returns
    -------
    Estimate
        ``calibration_slope``; `p_value` tests 1; `extra` holds ``se`` and ``intercept``.

    Raises
    ------
    DataError
        One class only, a constant predictor, probabilities of exactly 0 or 1, complete
        separation, fewer than five clusters.

    References
    ----------
    Cox DR. Biometrika 1958;45:562. Miller ME et al. Stat Med 1991;10:1213.

    Examples
    --------
    >>> found = calibration_slope([0, 0, 1, 0, 1, 1], [0.1, 0.4, 0.3, 0.6, 0.7, 0.9])
    >>> round(found.value, 2)
    1.02
    """
    sample = probability_sample(labels, probabilities, clusters, unit)
    require_variation(sample)
    require_overlap(sample)
    matrix = np.column_stack([np.ones(sample.n), log_odds(sample)])
    return _coefficient(sample, "calibration_slope", matrix, np.zeros(sample.n), 1, level, unit)


def brier_scores(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> list[Estimate]:
    """Return the Brier score and its scaled form with bootstrap intervals.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
    probabilities : array-like, shape (n,)
    clusters : array-like, shape (n,), optional
    n_resamples, seed : int
    level : float
    unit : str, optional

    Returns
    -------
    list of Estimate
        ``brier``, the mean squared error, and ``scaled_brier``, 1 less its ratio to that of the
        prevalence: 1 is perfect, 0 no better than the prevalence.

    References
    ----------
    Brier GW. Mon Weather Rev 1950;78:1. Steyerberg EW et al. Epidemiology 2010;21:128.

    Examples
    --------
    >>> [brier, scaled] = brier_scores([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9], n_resamples=50)
    >>> round(brier.value, 3), round(scaled.value, 2)
    (0.085, 0.66)
    """
    sample = probability_sample(labels, probabilities, clusters, unit)
    truth = sample.positive.astype(np.float64)
    rows = np.column_stack([(sample.scores[0] - truth) ** 2, truth, np.ones(sample.n)])
    found = bootstrap_sums(
        rows,
        _brier,
        ("brier", "scaled_brier"),
        clusters=sample.clusters,
        n_resamples=n_resamples,
        seed=seed,
        level=level,
        unit=unit,
    )
    return [estimate.replace(n_dropped=sample.n_dropped) for estimate in found]


def _brier(sums: Floats) -> Floats:
    squared, events, n = np.moveaxis(sums, -1, 0)
    by_prevalence = events * (n - events) / n
    return np.stack([squared / n, 1 - ratio(squared, by_prevalence)], axis=-1)


def log_odds(sample: ScoredSample) -> Floats:
    """Return the log odds of the predictions; refuse 0 and 1, where they are infinite."""
    predicted = sample.scores[0]
    certain = int(((predicted == 0) | (predicted == 1)).sum())
    if certain:
        raise DataError(
            f"probabilities: expected numbers strictly between 0 and 1, found {certain} of exactly "
            "0 or 1, whose log odds are infinite; say how they are to be clipped"
        )
    odds: Floats = logit(predicted)
    return odds


def _coefficient(
    sample: ScoredSample,
    name: str,
    matrix: Floats,
    offset: Floats,
    ideal: int,
    level: float,
    unit: str | None,
) -> Estimate:
    """Fit a logistic regression and return its last coefficient with a Wald interval."""
    truth = sample.positive.astype(np.float64)
    beta, _ = maximise(matrix, truth, offset)
    fitted = expit(matrix @ beta + offset)
    covariance = np.linalg.inv((matrix * (fitted * (1 - fitted))[:, None]).T @ matrix)
    method = "logistic recalibration, Wald"
    if sample.clusters is not None:
        # sandwich with m/(m-1): scores are summed over each cluster before they are squared
        scores = cluster_sums(matrix * (truth - fitted)[:, None], sample.clusters)
        m = sample.n_clusters
        covariance = m / (m - 1) * covariance @ (scores.T @ scores) @ covariance
        method += ", cluster-robust"
    value, se = float(beta[-1]), float(np.sqrt(covariance[-1, -1]))
    extra = {"se": se, "n_rows": float(sample.n)}
    if matrix.shape[1] > 1:
        extra["intercept"] = float(beta[0])
    return Estimate(
        name,
        value,
        *wald_limits(value, se, checked_level(level)),
        level,
        method,
        p_value=two_sided_p((value - ideal) / se),
        n_dropped=sample.n_dropped,
        extra=extra,
        **unit_count(sample.n, sample.n_clusters, unit),
    )
