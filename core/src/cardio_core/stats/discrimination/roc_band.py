"""The pointwise band of a ROC curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.stats.foundation.validate import (
    Floats,
    checked_level,
    require_clusters,
    scored_sample,
)
from cardio_core.stats.resampling.draws import Units, resample

N_GRID = 101


def roc_band(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> tuple[Floats, Floats, Floats]:
    """Return the bootstrap interval of the sensitivity at every false-positive rate.

    Labels are 0 and 1; all have the shape (n,). Rows in which anything is missing are left out; a
    larger score is more likely class 1.
    `clusters` has the patient of every row: whole patients are resampled. `level` is the coverage
    at each point; the band as a whole covers less. The false-positive rates are an even grid of
    101, low and high the percentile limits of the sensitivity there.

    Raises
    ------
    DataError
        One class only, or fewer than five clusters.

    References
    ----------
    Fawcett T. Pattern Recognit Lett 2006;27:861, vertical averaging.

    Examples
    --------
    >>> grid, low, high = roc_band([0, 1, 0, 1, 1, 0] * 9, range(54), n_resamples=200)
    >>> bool(np.all(low <= high)), high[-1]
    (True, np.float64(1.0))
    """
    sample = scored_sample(labels, scores, clusters=clusters)
    if sample.clusters is not None:
        require_clusters(sample.n_clusters, "patient")
    order = np.argsort(-sample.scores[0], kind="stable")
    score, positive = sample.scores[0][order], sample.positive[order]
    unit_of_row = order if sample.clusters is None else sample.clusters[order]
    last_of_tie = np.flatnonzero(np.append(np.diff(score) != 0, True))
    grid = np.linspace(0, 1, N_GRID)

    def sensitivities(counts: Floats) -> Floats:
        found = np.empty((len(counts), N_GRID))
        for resampled, row in zip(counts, found, strict=True):
            weight = resampled[unit_of_row]
            hits = np.cumsum(weight * positive)[last_of_tie]
            alarms = np.cumsum(weight * ~positive)[last_of_tie]
            if hits[-1] == 0 or alarms[-1] == 0:
                row[:] = np.nan
                continue
            fpr = np.append(0.0, alarms / alarms[-1])
            row[:] = np.interp(grid, fpr, np.append(0.0, hits / hits[-1]))
        return found

    units = Units(sample.n if sample.clusters is None else sample.n_clusters)
    replicates = resample(sensitivities, units, n_resamples, seed)
    tail = (1 - checked_level(level)) / 2
    low, high = np.quantile(replicates.values, [tail, 1 - tail], axis=0)
    return grid, low, high
