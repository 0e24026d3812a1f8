"""How far chance moves means over folds: the identity's gap, and their spread."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats
from cardio_core.types.estimate import Estimate

DRAWS = 20_000


def fold_gap_probability(
    gap: float,
    *,
    sensitivity: float,
    specificity: float,
    n_events: int,
    n: int,
    folds: int,
    seed: int = 0,
) -> Estimate:
    """Return how often chance opens such a gap between a mean accuracy and the mean rates.

    A mean of accuracies over folds is not the accuracy of the mean rates: folds with more
    patients of the better class have the higher accuracy. The gap is mean accuracy minus
    ``pi * mean sensitivity + (1 - pi) * mean specificity``.

    Parameters
    ----------
    gap : float
        Its absolute size, after rounding was allowed for; 0 or more.
    sensitivity, specificity : float
        Chance of each patient of either class to be classified rightly, from 0 to 1.
    n_events, n : int
        Patients with the outcome, and all.
    folds : int
        2 or more, of equal size up to one patient, drawn without strata.

    Returns
    -------
    Estimate
        Share of 20,000 random divisions in which the gap is at least as large. A fold without a
        patient of a class has no rate of it: programs leave it out or write 0; the larger of the
        two shares is returned.

    Raises
    ------
    DataError
        More folds than patients of the smaller class, or a rate outside 0 to 1.

    Examples
    --------
    >>> rates = {"sensitivity": 0.783, "specificity": 0.792, "n_events": 46, "n": 71, "folds": 5}
    >>> fold_gap_probability(0.007, **rates).value > 0.5
    True
    >>> fold_gap_probability(0.065, **rates).value < 0.005
    True
    """
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1):
        raise DataError(
            f"rates: expected numbers from 0 to 1, found {sensitivity:g} and {specificity:g}"
        )
    if not 2 <= folds <= min(n_events, n - n_events):
        raise DataError(
            f"folds: expected 2 to {min(n_events, n - n_events)}, the patients of the smaller "
            f"class, found {folds}"
        )
    rng = np.random.default_rng(seed)
    events = np.arange(n) < n_events
    right = rng.random((DRAWS, n)) < np.where(events, sensitivity, specificity)
    order = rng.permuted(np.tile(np.arange(n), (DRAWS, 1)), axis=1)
    sums, counted = np.zeros((3, DRAWS)), np.zeros((3, DRAWS))
    for fold in range(folds):
        members = order[:, fold::folds]
        hit, event = np.take_along_axis(right, members, axis=1), events[members]
        for row, chosen in enumerate((np.ones_like(event), event, ~event)):
            size = chosen.sum(axis=1)
            sums[row] += (hit & chosen).sum(axis=1) / np.maximum(size, 1)
            counted[row] += size > 0
    share = n_events / n
    found = []
    for means in (sums / np.maximum(counted, 1), sums / folds):
        moved = np.abs(means[0] - (share * means[1] + (1 - share) * means[2]))
        found.append(float((moved >= gap - 1e-12).mean()))
    return Estimate(
        "p_gap_of_fold_means",
        max(found),
        method=f"{DRAWS:,} random divisions into {folds} folds without strata",
        n=n,
        unit="patient",
        seed=seed,
    )


def fold_spread_probability(
    sd: float, *, value: float, n_per_fold: int, folds: int, seed: int = 0
) -> Estimate:
    """Return how often accuracies of folds lie as close together as printed.

    Parameters
    ----------
    sd : float
        Largest SD over folds that rounds to the printed one.
    value : float
        Accuracy: chance of each patient to be classified rightly, from 0 to 1.
    n_per_fold, folds : int

    Returns
    -------
    Estimate
        Share of 20,000 draws of independent patients whose SD, divided by the number of folds
        (the smaller of the two usual ones), is no larger.

    Examples
    --------
    >>> fold_spread_probability(0.0185, value=0.721, n_per_fold=14, folds=5).value < 0.01
    True
    """
    if not (0 <= value <= 1 and n_per_fold >= 1 and folds >= 2):
        raise DataError(
            f"fold spread: expected a share from 0 to 1 and 2 folds or more, found {value:g} and "
            f"{folds}"
        )
    rng = np.random.default_rng(seed)
    accuracies: Floats = rng.binomial(n_per_fold, value, size=(DRAWS, folds)) / n_per_fold
    return Estimate(
        "p_spread_of_folds",
        float((accuracies.std(axis=1) <= sd + 1e-12).mean()),
        method=f"{DRAWS:,} draws of {folds} folds of {n_per_fold} independent patients",
        n=n_per_fold * folds,
        unit="patient",
        seed=seed,
    )


def tables_of_rates(
    accuracy: tuple[float, float],
    sensitivity: tuple[float, float],
    specificity: tuple[float, float],
    n_most: int,
) -> Iterator[tuple[int, int]]:
    """Yield (n, n with the outcome) of every whole-number table with these three figures.

    Parameters
    ----------
    accuracy, sensitivity, specificity : tuple of 2 float
        Limits before rounding, from 0 to 1.
    n_most : int
        Largest sample to be tried; the smallest come first.

    Examples
    --------
    >>> next(tables_of_rates((0.575, 0.585), (0.905, 0.915), (0.1245, 0.1255), 71))
    (19, 11)
    """
    hits = {m: _counts(m, sensitivity) for m in range(1, n_most)}
    rejections = {m: _counts(m, specificity) for m in range(1, n_most)}
    for n in range(2, n_most + 1):
        for events in range(1, n):
            pairs = product(hits[events], rejections[n - events])
            if any(_within((a + b) / n, accuracy) for a, b in pairs):
                yield n, events


def _counts(n: int, limits: tuple[float, float]) -> list[int]:
    return [k for k in range(n + 1) if _within(k / n, limits)]


def _within(share: float, limits: tuple[float, float]) -> bool:
    return limits[0] - 1e-9 <= share <= limits[1] + 1e-9
