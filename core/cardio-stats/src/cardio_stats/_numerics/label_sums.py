"""Weighted sums of labels: how they err, and what they would be if every probability were right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cardio_stats._numerics.validate import Floats, Ints
from cardio_stats.estimate import Estimate

Weights = Callable[[slice], Floats]
"""From some rows to what each counts in each sum, shape (n_sums, n_rows)."""

BLOCK = 65_536
"""Rows whose weights are held at once."""

MOST_DRAWN = 20_000_000
"""Labels that are drawn one by one; sums of more are normal."""


def covariance_of(
    weights: Weights, spread: Floats, clusters: Ints | None = None, n_clusters: int = 0
) -> Floats:
    """Return the covariance of the sums, shape (n_sums, n_sums).

    `spread` has the SD, or the residual, of each label, shape (n,). Rows of one cluster, numbered
    from 0, err together.
    """
    n_sums = len(weights(slice(0, 0)))
    total = np.zeros((n_sums, n_sums if clusters is None else n_clusters))
    for rows in _blocks(spread.size):
        parts = weights(rows) * spread[rows]
        if clusters is None:
            total += parts @ parts.T
            continue
        for own, part in zip(total, parts, strict=True):
            own += np.bincount(clusters[rows], weights=part, minlength=n_clusters)
    return total if clusters is None else total @ total.T


def sums_if_calibrated(
    weights: Weights,
    labels: Floats,
    predicted: Floats,
    *,
    clusters: Ints | None,
    n_clusters: int,
    n_draws: int,
    seed: int,
) -> Floats:
    """Draw the sums of label less probability of a calibrated model, shape (n_draws, n_sums).

    Labels are drawn from the probabilities; of many rows the sums are drawn, which are normal then.
    Rows of one cluster depend on each other by what no probability tells, so their sums are normal
    with the covariance of the clusters at hand.
    """
    rng = np.random.default_rng(seed)
    n = predicted.size
    if clusters is None and n * n_draws <= MOST_DRAWN:
        every = weights(slice(0, n))
        step = max(1, MOST_DRAWN // 10 // n)
        return np.concatenate(
            [
                ((rng.random((min(step, n_draws - start), n)) < predicted) - predicted) @ every.T
                for start in range(0, n_draws, step)
            ]
        )
    spread = np.sqrt(predicted * (1 - predicted)) if clusters is None else labels - predicted
    return normal_draws(covariance_of(weights, spread, clusters, n_clusters), n_draws, rng)


def normal_draws(covariance: Floats, n_draws: int, rng: np.random.Generator) -> Floats:
    """Draw vectors with mean 0, shape (n_draws, n)."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn: Floats = rng.normal(size=(n_draws, len(covariance))) @ root.T
    return drawn


def _blocks(n: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]


def if_calibrated(found: Estimate, by_chance: Floats, level: float) -> Estimate:
    """Return an error of calibration beside what calibrated models show, shape (n_draws,)."""
    mean, high = float(by_chance.mean()), float(np.quantile(by_chance, level))
    n_as_large = int(np.count_nonzero(by_chance >= found.value))
    return found.replace(
        p_value=(n_as_large + 1) / (by_chance.size + 1),
        method=f"{found.method}; p against {by_chance.size} calibrated models",
        note=f"A calibrated model shows {mean:.3f} on average by chance, and up to {high:.3f} in "
        f"{100 * level:g} %.",
        extra={**found.extra, "if_calibrated": mean, "if_calibrated_high": high},
    )
