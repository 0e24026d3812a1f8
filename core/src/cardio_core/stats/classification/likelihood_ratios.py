"""Likelihood ratios of a decision: how much a positive and a negative result shift the odds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.stats.foundation.intervals import bootstrapped, normal_quantile
from cardio_core.stats.foundation.validate import (
    Floats,
    checked_level,
    ratio,
    require_clusters,
    scored_sample,
    unit_count,
)
from cardio_core.stats.resampling.sums_bootstrap import cluster_sums, replicate_sums
from cardio_core.types.estimate import Estimate

NAMES = ("likelihood_ratio_positive", "likelihood_ratio_negative")


def likelihood_ratios(
    labels: ArrayLike,
    called: ArrayLike,
    *,
    source: str,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> dict[str, Estimate]:
    """Return the likelihood ratios of decisions that were made already.

    LR+ is sensitivity / (1 − specificity), LR− is (1 − sensitivity) / specificity.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    called : array-like of 0 and 1, shape (n,)
        Whether each was called positive.
    source : str
        Where the threshold behind the decisions came from.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then resampled.
    n_resamples, seed : int
        Of the bootstrap of clusters.
    level : float
    unit : str, optional
        What is independent: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    dict of str to Estimate
        ``likelihood_ratio_positive`` and ``likelihood_ratio_negative``; one whose denominator is 0
        is infinite, and left out. One that is 0 has no interval.

    Raises
    ------
    DataError
        One class only, or fewer than five clusters.

    References
    ----------
    Simel DL, Samsa GP, Matchar DB. J Clin Epidemiol 1991;44:763 (the interval of the logarithm).

    Examples
    --------
    >>> truth, called = [1] * 744 + [0] * 842, [1] * 670 + [0] * 74 + [1] * 202 + [0] * 640
    >>> found = likelihood_ratios(truth, called, source="fixed")["likelihood_ratio_positive"]
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (3.75, 3.32, 4.24)
    """
    sample = scored_sample(labels, called, clusters=clusters)
    checked_level(level)
    truth, positive = sample.positive, sample.scores[0] == 1
    cells = np.stack(
        [truth & positive, truth & ~positive, ~truth & ~positive, ~truth & positive], axis=1
    ).astype(np.float64)
    values = _ratios(cells.sum(axis=0))
    counted = unit_count(sample.n, sample.n_clusters, unit)
    replicates = None
    if sample.clusters is not None:
        require_clusters(sample.n_clusters, counted["unit"])
        sums = cluster_sums(cells, sample.clusters)
        replicates = replicate_sums(sums, _ratios, n_resamples, seed).values
    found = {}
    for position, name in enumerate(NAMES):
        value = float(values[position])
        if np.isnan(value):
            continue
        estimate = Estimate(
            name, value, method="point estimate", **counted, n_dropped=sample.n_dropped,
            threshold_source=source,
        )  # fmt: skip
        if replicates is not None:
            known = replicates[~np.isnan(replicates[:, position]), position]
            if np.ptp(known) > 0:
                estimate = bootstrapped(
                    estimate, known, level, seed, n_resamples, n_undefined=n_resamples - known.size
                )
        elif value > 0:
            estimate = _by_logarithm(estimate, cells.sum(axis=0), position, level)
        if estimate.low is None:
            estimate = estimate.replace(note="0 or the same in every resample: no interval")
        found[name] = estimate
    return found


def _ratios(cells: Floats) -> Floats:
    tp, fn, tn, fp = np.moveaxis(np.asarray(cells, dtype=np.float64), -1, 0)
    sensitivity, specificity = ratio(tp, tp + fn), ratio(tn, tn + fp)
    return np.stack(
        [ratio(sensitivity, 1 - specificity), ratio(1 - sensitivity, specificity)], axis=-1
    )


def _by_logarithm(estimate: Estimate, cells: Floats, position: int, level: float) -> Estimate:
    tp, fn, tn, fp = (float(cell) for cell in cells)
    of_cases, of_controls = (tp, fp) if position == 0 else (fn, tn)
    se = math.sqrt(1 / of_cases - 1 / (tp + fn) + 1 / of_controls - 1 / (tn + fp))
    factor = math.exp(normal_quantile(level) * se)
    return estimate.replace(
        low=estimate.value / factor, high=estimate.value * factor, level=level,
        method="Simel, by the logarithm", extra={"se_log": se},
    )  # fmt: skip
