"""Scores that were fitted to recordings: their numbers, and sums over features and products."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray


@cache
def fitted(name: str) -> dict[str, NDArray[np.float64]]:
    """Return the fitted numbers of ``weights/NAME.json``, as the command that fits them wrote it.

    ``benchmarks/ecg_limits_fit.py``, ``ecg_checks_fit.py``, ``ecg_pacing.py --fit`` and
    ``ecg_rhythm.py --fit`` print these files: limits, exchanges, pacing and rhythm.

    Examples
    --------
    >>> {name: numbers.shape for name, numbers in fitted("exchanges").items()}
    {'foretold': (3, 8, 8), 'weights': (236,)}
    """
    file = resources.files(__package__).joinpath("weights", f"{name}.json")
    numbers = json.loads(file.read_text(encoding="utf-8"))
    return {key: np.array(values) for key, values in numbers.items()}


def score(name: str, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log odds that a fitted score gives, shape (n,), of features (n, k)."""
    numbers = fitted(name)
    made = with_products(features, numbers["lowest"], numbers["highest"])
    return np.asarray(made @ numbers["weights"])


def with_products(
    features: NDArray[np.float64], lowest: NDArray[np.float64], highest: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return 1, each feature within its range, and each product of two.

    Parameters
    ----------
    features : ndarray of float64, shape (n, k)
        Of any unit.
    lowest, highest : ndarray, shape (k,)
        The range in which a score was fitted: beyond, products would mislead.

    Returns
    -------
    ndarray of float64, shape (n, 1 + k + k * (k + 1) / 2)

    Examples
    --------
    >>> with_products(np.array([[2.0, 9.0]]), np.zeros(2), np.full(2, 5.0)).tolist()
    [[1.0, 2.0, 5.0, 4.0, 10.0, 25.0]]
    """
    within = features.clip(lowest, highest)
    first, second = np.triu_indices(within.shape[1])
    ones = np.ones((len(within), 1))
    return np.hstack([ones, within, within[:, first] * within[:, second]])
