"""Bootstrap of ratios of sums: confusion tables, sensitivity, F1, Brier, from one product.

Whatever depends on the rows through sums only can be resampled without touching the rows again:
the sums of a resample are its cluster counts times the sums of the clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import BootstrapInterval, bootstrapped
from cardio_core.stats.foundation.validate import (
    Floats,
    Ints,
    group_codes,
    group_sums,
    require_clusters,
    same_length,
    unit_count,
)
from cardio_core.stats.resampling.draws import Replicates, Units, resample
from cardio_core.types.estimate import Estimate

SumStatistic = Callable[[Floats], Floats]
"""From sums, shape (..., n_sums), to statistics, shape (..., n_statistics); NaN where undefined."""


def bootstrap_sums(
    rows: ArrayLike,
    statistic: SumStatistic,
    names: Sequence[str],
    *,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    interval: BootstrapInterval = "percentile",
    unit: str | None = None,
) -> list[Estimate]:
    """Return functions of column sums with bootstrap intervals.

    Parameters
    ----------
    rows : array-like of numbers, shape (n, n_sums)
        What each row adds to each sum: 0/1 for counts, squared errors for a Brier score. Rows in
        which anything is missing are left out.
    statistic : callable
        From sums, shape (..., n_sums), to statistics, shape (..., n_statistics).
    names : sequence of str
        One for each statistic.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then drawn.
    n_resamples, seed : int
    level : float
    interval : {"percentile", "bca"}
    unit : str, optional
        What is drawn: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    list of Estimate
        One for each name; ``extra["n_undefined"]`` counts resamples that did not define it.

    Raises
    ------
    DataError
        A statistic undefined on the data or on nine in ten resamples; fewer than five clusters.

    Examples
    --------
    >>> hit_and_beat = np.array([[1, 1], [1, 1], [0, 1], [1, 1], [1, 1], [0, 1], [1, 1]])
    >>> [sensitivity] = bootstrap_sums(
    ...     hit_and_beat, lambda sums: sums[..., :1] / sums[..., 1:], ["sensitivity"],
    ...     clusters=[100, 100, 101, 102, 103, 104, 104], unit="record", seed=1)
    >>> round(sensitivity.value, 3), sensitivity.n, sensitivity.unit
    (0.714, 5, 'record')
    """
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2:
        raise DataError(f"rows: expected an array of rows and sums, found shape {table.shape}")
    codes = None if clusters is None else group_codes(clusters, "clusters")
    n_rows = same_length(rows=table[:, 0], clusters=codes)
    known = ~np.isnan(table).any(axis=1)
    if codes is not None:
        known &= codes >= 0
        codes = np.unique(codes[known], return_inverse=True)[1]
    n_known = int(np.count_nonzero(known))
    unit = unit or ("row" if clusters is None else "patient")
    sums = table[known] if codes is None else cluster_sums(table[known], codes)
    if codes is not None:
        require_clusters(len(sums), unit)
    value = statistic(sums.sum(axis=0))
    undefined = [name for name, found in zip(names, value, strict=True) if np.isnan(found)]
    if undefined:
        raise DataError(f"{', '.join(undefined)}: undefined on these {n_known} rows")
    drawn = replicate_sums(sums, statistic, n_resamples, seed)
    jackknife = statistic(sums.sum(axis=0) - sums) if interval == "bca" else None
    counted = unit_count(len(sums), None, unit)
    estimates = []
    for column, name in enumerate(names):
        replicates = defined(drawn.values[:, column], name)
        left_out = None if jackknife is None else defined(jackknife[:, column], name)
        estimate = Estimate(name, float(value[column]), **counted, n_dropped=n_rows - n_known)
        estimates.append(
            bootstrapped(
                estimate,
                replicates,
                level,
                seed,
                n_resamples,
                jackknife=left_out,
                n_rows=n_known,
                n_undefined=n_resamples - replicates.size,
            )
        )
    return estimates


def cluster_sums(rows: Floats, clusters: Ints) -> Floats:
    """Add the rows, shape (n, n_sums), of each cluster 0 to ``n_clusters - 1``."""
    return np.stack([group_sums(column, clusters) for column in rows.T], axis=1)


def replicate_sums(
    sums: Floats, statistic: SumStatistic, n_resamples: int, seed: int
) -> Replicates:
    """Return the statistics on resampled units, a row a resample; undefined ones stay NaN."""
    return resample(
        lambda counts: statistic(counts @ sums), Units(len(sums)), n_resamples, seed, redraw=False
    )


def defined(replicates: Floats, name: str) -> Floats:
    """Return the replicates that are defined, which equals drawing the others again.

    Raises
    ------
    DataError
        Fewer than one in ten is defined.
    """
    kept = replicates[~np.isnan(replicates)]
    if kept.size * 10 < replicates.size or kept.size < 2:
        raise DataError(
            f"{name}: expected resamples that define it, found {kept.size} of {replicates.size}; "
            "too few units hold it for a bootstrap"
        )
    return kept
