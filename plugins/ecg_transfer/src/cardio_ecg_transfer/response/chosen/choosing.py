"""Choose one of several classifiers by folds inside the training patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.response.chosen.shrinking import shares_of, shrink, weights_for

PARTS = 5
"""Folds, or as many as the rarest class has patients."""


def choose(
    candidates: Mapping[str, Any],
    vectors: NDArray[np.float64],
    outcome: NDArray[Any],
    people: NDArray[Any],
    *,
    regression: bool,
    seed: int,
) -> tuple[str, float, dict[str, float]]:
    """Return the candidate that predicts patients best whom it was not fitted on.

    Of a forest, how far its leaves are shrunk is chosen, too (`chosen.shrinking`).

    Parameters
    ----------
    candidates : mapping of str to estimator
        Unfitted; they stay so. Of equals the first is taken.
    vectors : ndarray, shape (n_patients, n_features)
    outcome : ndarray, shape (n_patients,)
        Class numbers, or values.
    people : ndarray, shape (n_patients,)
        Who they are: one person under two ids is never on both sides.
    regression : bool
        Whether values are predicted.
    seed : int
        Shuffles the patients.

    Returns
    -------
    str
        Its name.
    float
        The weight by which its leaves are to be shrunk; 0 for what has none.
    dict of str to float
        What each lost at its best: log loss or mean squared error of all patients out of fold.
        Empty where there is nothing to choose, or too few patients to choose by.
    """
    from sklearn.base import clone
    from sklearn.metrics import log_loss, mean_squared_error
    from sklearn.model_selection import StratifiedGroupKFold

    strata = np.zeros(len(outcome), int) if regression else outcome.astype(int)
    n_parts = min(PARTS, len(np.unique(people)), *np.bincount(strata)[np.unique(strata)].tolist())
    weights = {name: weights_for(candidate) for name, candidate in candidates.items()}
    first = next(iter(candidates))
    nothing = first, weights[first][0], dict[str, float]()
    if sum(map(len, weights.values())) < 2 or n_parts < 2:
        return nothing
    folds = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    parts = [
        (fit, held)
        for fit, held in folds.split(vectors, strata, people)
        if regression or len(np.unique(strata[fit])) == len(np.unique(strata))
    ]
    if not parts:
        return nothing
    lost: dict[tuple[str, float], float] = {}
    for name, candidate in candidates.items():
        found = dict.fromkeys(weights[name], 0.0)
        for fit, held in parts:
            fitted = clone(candidate).fit(vectors[fit], outcome[fit])
            before = 0.0
            for weight in found:
                if weight:
                    shrink(fitted, shares_of(outcome[fit]), weight, before)
                    before = weight
                if regression:
                    each = mean_squared_error(outcome[held], fitted.predict(vectors[held]))
                else:
                    said = fitted.predict_proba(vectors[held])
                    each = log_loss(outcome[held], said, labels=fitted.classes_)
                found[weight] += float(each) * len(held)
        n_held = sum(len(held) for _, held in parts)
        lost |= {(name, weight): total / n_held for weight, total in found.items()}
    name, weight = min(lost, key=lambda one: lost[one])
    best = {own: min(lost[own, each] for each in weights[own]) for own in candidates}
    return name, weight, best
