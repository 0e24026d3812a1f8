"""Errors of a predicted number: R², r², MAE and RMSE beside the constant predictor."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import (
    Floats,
    group_codes,
    numeric_column,
    ratio,
    same_length,
)
from cardio_core.stats.resampling.sums_bootstrap import bootstrap_sums
from cardio_core.types.estimate import Estimate

ERRORS = ("r2", "pearson_r2", "mae", "mae_constant", "mae_skill", "rmse", "bias", "ccc",
          "pearson_r", "calibration_slope", "calibration_intercept")  # fmt: skip
_OF_A_LINE = ("pearson_r2", "pearson_r", "calibration_slope", "calibration_intercept")
"""What predictions have that are not all the same."""


def regression_errors(
    reference: ArrayLike,
    predicted: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    weigh_clusters_alike: bool = False,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> dict[str, Estimate]:
    """Return the errors of predicted numbers with bootstrap intervals.

    Parameters
    ----------
    reference, predicted : array-like, shape (n,)
        The same quantity in the same unit. Rows in which anything is missing are left out.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then drawn.
    weigh_clusters_alike : bool
        Whether every cluster counts alike, so that a row weighs one by the rows of its cluster, as
        in the bias of repeated pairs; otherwise every row does.
    n_resamples, seed : int
    level : float
    unit : str, optional
        What is drawn: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    dict of str to Estimate
        ``r2`` is 1 − SSE/SST and negative where the mean would do better; ``pearson_r2`` is the
        squared correlation, which forgives any bias and scale. ``mae_constant`` is the error of
        predicting the median of these rows for all, and ``mae_skill`` is 1 − mae/mae_constant.
        ``ccc`` is Lin's concordance correlation (moments over n). ``calibration_slope`` and
        ``calibration_intercept`` are of the straight line of the reference on the predictions: 1
        and 0 where a prediction is worth its face value. ``pearson_r2``, ``pearson_r`` and that
        line are left out where the predictions are constant.

    Raises
    ------
    DataError
        Fewer than three complete rows, a constant reference, or fewer than five clusters.

    References
    ----------
    Kvålseth TO. Am Stat 1985;39:279, on the definitions of R². Lin LI. Biometrics 1989;45:255.

    Examples
    --------
    >>> found = regression_errors([50, 42, 61, 35, 47], [60, 52, 71, 45, 57], n_resamples=50)
    >>> round(found["r2"].value, 2), round(found["pearson_r2"].value, 2), found["mae"].value
    (-0.34, 1.0, 10.0)
    """
    truth, guess = numeric_column(reference, "reference"), numeric_column(predicted, "predicted")
    codes = None if clusters is None else group_codes(clusters, "clusters")
    same_length(reference=truth, predicted=guess, clusters=codes)
    known = ~(np.isnan(truth) | np.isnan(guess))
    if codes is not None:
        known &= codes >= 0
    if known.sum() < 3:
        raise DataError(
            f"reference, predicted: expected at least 3 complete rows, found {int(known.sum())}"
        )
    if np.ptp(truth[known]) == 0:
        raise DataError(
            f"reference: expected several values, found {truth[known][0]:g} in every row; R² "
            "is not defined, report the mean absolute error"
        )
    weights = np.ones(truth.size)
    if codes is not None and weigh_clusters_alike:
        rows_of = np.bincount(codes[known])
        weights[known] = 1 / rows_of[codes[known]]
    # sums of squares lose digits far from zero: centre on the means, which changes no statistic
    centre = float(np.average(truth[known], weights=weights[known]))
    y, p = truth - centre, guess - centre
    median = _weighted_median(y[known], weights[known])
    rows = weights[:, np.newaxis] * np.column_stack(
        [np.ones(y.size), y, y**2, p, p**2, y * p, (y - p) ** 2, np.abs(y - p), np.abs(y - median)]
    )
    constant = np.ptp(guess[known]) == 0
    names = tuple(name for name in ERRORS if not (constant and name in _OF_A_LINE))
    chosen = [ERRORS.index(name) for name in names]
    estimates = bootstrap_sums(
        rows,
        lambda sums: _errors(sums, centre)[..., chosen],
        names,
        clusters=clusters,
        n_resamples=n_resamples,
        seed=seed,
        level=level,
        unit=unit,
    )
    return dict(zip(names, estimates, strict=True))


def _weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value with half of the weight on either side, the middle of two if they tie."""
    order = np.argsort(values)
    ranked, reached = values[order], np.cumsum(weights[order])
    half = reached[-1] / 2
    first = int(np.searchsorted(reached, half * (1 - 1e-12)))
    tied = abs(reached[first] - half) <= 1e-12 * half and first + 1 < ranked.size
    return float((ranked[first] + ranked[first + 1]) / 2 if tied else ranked[first])


def _errors(sums: Floats, centre: float) -> Floats:
    n, y, yy, p, pp, yp, squared, absolute, of_constant = np.moveaxis(sums, -1, 0)
    spread_y, spread_p, shared = yy - y**2 / n, pp - p**2 / n, yp - y * p / n
    slope = ratio(shared, spread_p)
    return np.stack(
        [
            1 - ratio(squared, spread_y),
            ratio(shared**2, spread_y * spread_p),
            absolute / n,
            of_constant / n,
            1 - ratio(absolute, of_constant),
            np.sqrt(squared / n),
            (p - y) / n,
            ratio(2 * shared, spread_y + spread_p + (y - p) ** 2 / n),
            ratio(shared, np.sqrt(np.maximum(spread_y * spread_p, 0.0))),
            slope,
            (y - slope * p) / n + centre * (1 - slope),
        ],
        axis=-1,
    )


def gaussian_constant_mae(sd: float) -> Estimate:
    """Return the mean absolute error of always predicting the mean of a normal variable.

    A published error is judged against it when only the SD is known: 0.798 SD.

    Parameters
    ----------
    sd : float
        Standard deviation, above 0.

    Returns
    -------
    Estimate
        ``mae_constant``, without an interval.

    Examples
    --------
    >>> round(gaussian_constant_mae(72.1).value, 3)
    57.527
    """
    if not sd > 0:
        raise DataError(f"sd: expected a number above 0, found {sd}")
    return Estimate("mae_constant", math.sqrt(2 / math.pi) * sd, method="normal, sqrt(2/pi) SD")
