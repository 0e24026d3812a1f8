"""Recalibration of predictions on new patients, each patient with the coefficients of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from cardio_stats._numerics.intervals import maximise
from cardio_stats._numerics.options import Sampling
from cardio_stats._numerics.validate import (
    Floats,
    Ints,
    group_codes,
    numeric_column,
    require_overlap,
    require_variation,
)
from cardio_stats.errors import DataError

How = Literal["in the large", "slope"]

Fit = Callable[[np.ndarray], tuple[float, float]]
"""From the rows that are fitted on to intercept and slope."""

PARTS = 10
FEWEST = 10
"""Units of each class, or units of a number, below which nothing is refitted."""


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """Predictions after a recalibration.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Each row under the coefficients of the parts that its unit is not in.
    intercept, slope : float
        Of everybody together, to be used on patients yet to come; of probabilities on the scale of
        log odds. The slope is 1 where only the intercept was fitted.
    parts : int
        Parts that the units were divided into.
    """

    values: Floats
    intercept: float
    slope: float
    parts: int


def recalibrated_probabilities(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    event: str | None = None,
    how: How,
    patient: ArrayLike | None = None,
    parts: int = PARTS,
    seed: int = 0,
) -> Recalibrated:
    """Recalibrate probabilities in the large or by intercept and slope, cross-fitted.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        No missing values.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    probabilities : array-like, shape (n,)
        Of class 1, strictly between 0 and 1.
    how : {"in the large", "slope"}
        An intercept with the log odds as offset; or an intercept and a slope of the log odds.
    patient : array-like, shape (n,), optional
        Patient of every row: all rows of a patient are in one part.
    parts : int
        Each part is recalibrated by the others; units are dealt out by class.
    seed : int
        Of the dealing.

    Returns
    -------
    Recalibrated

    Raises
    ------
    DataError
        Fewer than ten units of a class; a probability of exactly 0 or 1; for the slope a constant
        predictor or one that separates the classes.

    Notes
    -----
    Numbers on `values` do not flatter as those of coefficients fitted and judged on the same rows
    do. They tell how predictions would do after a recalibration on such patients, and are no part
    of the validation of the model as it is.

    References
    ----------
    Steyerberg EW et al. Stat Med 2004;23:2567. Van Calster B et al. J Clin Epidemiol 2016;74:167.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> odds = rng.normal(size=400)
    >>> y = rng.random(400) < expit(odds - 1)
    >>> found = recalibrated_probabilities(y, expit(odds), how="in the large")
    >>> round(found.intercept, 1), found.slope, found.parts
    (-1.1, 1.0, 10)
    """
    sample = Sampling(event, patient).probabilities(outcome, probabilities)
    if sample.n_dropped:
        raise DataError("recalibration: expected rows without missing values; leave them out first")
    predicted = sample.scores[0]
    if ((predicted == 0) | (predicted == 1)).any():
        raise DataError(
            "recalibration: expected probabilities strictly between 0 and 1, whose log odds are "
            "finite, found 0 or 1",
            code="out_of_range",
        )
    least = min(sample.units_of_each_class)
    if least < FEWEST:
        raise DataError(
            f"recalibration: expected at least {FEWEST} units of each class, found {least}; "
            "validate on more patients"
        )
    if how == "slope":
        require_variation(sample)
        require_overlap(sample)
    truth, odds = sample.positive.astype(np.float64), np.asarray(logit(predicted))

    def fit(rows: np.ndarray) -> tuple[float, float]:
        ones = np.ones((int(rows.sum()), 1))
        if how == "in the large":
            beta, _ = maximise(ones, truth[rows], odds[rows])
            return float(beta[0]), 1.0
        beta, _ = maximise(np.column_stack([ones, odds[rows]]), truth[rows])
        return float(beta[0]), float(beta[1])

    part = _dealt(sample.clusters, truth, parts, seed)
    found, intercept, slope = _cross_fitted(fit, odds, part)
    return Recalibrated(np.asarray(expit(found)), intercept, slope, int(part.max()) + 1)


def recalibrated_numbers(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    how: How,
    patient: ArrayLike | None = None,
    parts: int = PARTS,
    seed: int = 0,
) -> Recalibrated:
    """Recalibrate predicted numbers by their mean error or by a straight line, cross-fitted.

    Parameters and notes are those of `recalibrated_probabilities`; least squares takes the place
    of logistic regression.

    Raises
    ------
    DataError
        Fewer than ten units; for the slope one prediction for everybody.

    Examples
    --------
    >>> x = np.arange(40.0)
    >>> found = recalibrated_numbers(3 + 0.5 * x, x, how="slope")
    >>> round(found.intercept, 6), round(found.slope, 6), found.values[:3].round(6).tolist()
    (3.0, 0.5, [3.0, 3.5, 4.0])
    """
    y, x = numeric_column(truth, "truth"), numeric_column(predicted, "predicted")
    if np.isnan(y).any() or np.isnan(x).any():
        raise DataError("recalibration: expected rows without missing values; leave them out first")
    codes = None if patient is None else group_codes(patient, "patient")
    n_units = len(y) if codes is None else int(codes.max()) + 1
    if n_units < FEWEST:
        raise DataError(
            f"recalibration: expected at least {FEWEST} units, found {n_units}; validate on more "
            "patients"
        )
    if how == "slope" and np.ptp(x) == 0:
        raise DataError("recalibration: expected several predictions, found the same for everybody")

    def fit(rows: np.ndarray) -> tuple[float, float]:
        if how == "in the large":
            return float((y[rows] - x[rows]).mean()), 1.0
        matrix = np.column_stack([np.ones(int(rows.sum())), x[rows]])
        beta = np.linalg.lstsq(matrix, y[rows], rcond=None)[0]
        return float(beta[0]), float(beta[1])

    part = _dealt(codes, np.zeros(len(y)), parts, seed)
    return Recalibrated(*_cross_fitted(fit, x, part), int(part.max()) + 1)


def _cross_fitted(fit: Fit, x: Floats, part: Ints) -> tuple[Floats, float, float]:
    found = np.empty(len(x))
    for item in np.unique(part):
        inside = part == item
        intercept, slope = fit(~inside)
        found[inside] = intercept + slope * x[inside]
    return found, *fit(np.ones(len(x), bool))


def _dealt(clusters: Ints | None, truth: Floats, parts: int, seed: int) -> Ints:
    """Return the part of each row: units in random order, those with the event first, dealt out."""
    units = np.arange(len(truth)) if clusters is None else clusters
    names, place = np.unique(units, return_inverse=True)
    event = np.zeros(len(names), bool)
    np.logical_or.at(event, place, truth == 1)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(~event[order], kind="stable")]
    of_unit = np.empty(len(names), np.int64)
    of_unit[order] = np.arange(len(names)) % min(parts, len(names))
    return of_unit[place]
