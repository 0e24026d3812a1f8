"""Bootstrap resamples as counts: how often each unit was drawn, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import BootstrapInterval
from cardio_stats._numerics.options import DrawOptions, spells_out
from cardio_stats._numerics.options import Sampling as Sampling
from cardio_stats._numerics.validate import (
    Bools,
    Floats,
    Ints,
    ScoredSample,
    group_codes,
    group_sums,
    known_units,
    require_clusters,
    same_length,
    sample_count,
)
from cardio_stats._numerics.watching import tell
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

CELLS_PER_BLOCK = 2**16
"""Counts held at once: a block of them stays in a core's second-level cache."""

CELLS_PER_PRODUCT = 2**19
"""Counts held at once where they are multiplied by a matrix, which favours tall blocks."""

CountStatistic = Callable[[Floats], Floats]
"""From counts, shape (n_resamples, n_units), to replicates, shape (n_resamples, n_statistics)."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn with replacement.

    Attributes
    ----------
    n : int
        Number of units: rows, or clusters of rows.
    strata : tuple of ndarray of int64, or None
        The units of each stratum; each stratum keeps its size in every resample.
    """

    n: int
    strata: tuple[Ints, ...] | None = None

    def draw(self, rng: np.random.Generator, n_resamples: int) -> Floats:
        """Return how often each unit occurs in each resample, shape (n_resamples, n)."""
        counts = np.empty((n_resamples, self.n))
        if self.strata is None:
            _fill(counts, rng)
            return counts
        for members in self.strata:
            within = np.empty((n_resamples, members.size))
            _fill(within, rng)
            counts[:, members] = within
        return counts


def _fill(counts: Floats, rng: np.random.Generator) -> None:
    n_resamples, n_units = counts.shape
    drawn = rng.integers(0, n_units, size=(n_resamples, n_units))
    for row, units in zip(counts, drawn, strict=True):
        row[:] = np.bincount(units, minlength=n_units)


@dataclass(frozen=True, slots=True)
class Replicates:
    """Bootstrap replicates of one or more statistics.

    Attributes
    ----------
    values : ndarray of float64, shape (n_resamples, n_statistics)
    n_redrawn : int
        Resamples on which a statistic was undefined, and which were drawn again.
    """

    values: Floats
    n_redrawn: int


def strata_of_units(stratum_of_row: Ints, unit_of_row: Ints | None) -> tuple[Ints, ...]:
    """Return the units of each stratum; a cluster must lie in one stratum with all its rows.

    Raises
    ------
    DataError
        A cluster with rows in two strata.
    """
    if unit_of_row is None:
        stratum_of_unit = stratum_of_row
    else:
        stratum_of_unit = np.empty(int(unit_of_row.max()) + 1, dtype=np.int64)
        stratum_of_unit[unit_of_row] = stratum_of_row
        n_mixed = np.unique(unit_of_row[stratum_of_unit[unit_of_row] != stratum_of_row]).size
        if n_mixed:
            raise DataError(
                f"strata: expected every cluster within one stratum, found {n_mixed} clusters in "
                "two or more; resample without strata"
            )
    return tuple(
        np.flatnonzero(stratum_of_unit == stratum) for stratum in np.unique(stratum_of_unit)
    )


def resample(
    statistic: CountStatistic,
    units: Units,
    sampling: Sampling,
    *,
    redraw: bool = True,
    cells_per_block: int = CELLS_PER_BLOCK,
) -> Replicates:
    """Draw resamples block by block and compute the statistic on each.

    Parameters
    ----------
    statistic : callable
        From counts to replicates; NaN where a resample does not define it.
    units : Units
    sampling : Sampling
        Its `n_resamples`, at least 2, and `seed`.
    redraw : bool
        Draw undefined resamples again until all are defined. Without it they stay NaN.
    cells_per_block : int
        Bound of the counts held at once. The resamples do not depend on it.

    Returns
    -------
    Replicates

    Raises
    ------
    DataError
        More than nine in ten resamples undefined.
    """
    n_resamples, rng = sampling.n_resamples, np.random.default_rng(sampling.seed)
    if n_resamples < 2:
        raise DataError(f"n_resamples: expected at least 2, found {n_resamples}; use 2000")
    values = _blocks(statistic, units, n_resamples, rng, cells_per_block)
    undefined = np.flatnonzero(np.isnan(values).any(axis=1))
    n_redrawn = 0
    while redraw and undefined.size:
        n_redrawn += undefined.size
        if n_redrawn > 9 * n_resamples:
            raise DataError(
                f"bootstrap: expected resamples that define the statistic, found {n_redrawn} that "
                "do not (one class, or no variation); too few units for a bootstrap"
            )
        values[undefined] = _blocks(statistic, units, undefined.size, rng, cells_per_block)
        undefined = undefined[np.isnan(values[undefined]).any(axis=1)]
    return Replicates(values, n_redrawn)


def cells_per_block(n_units: int, n_rows: int) -> int:
    """Return how many counts to hold at once where a unit has several rows."""
    return max(1, CELLS_PER_BLOCK * n_units // max(n_units, n_rows))


def resample_sample(
    statistic: CountStatistic,
    sample: ScoredSample,
    sampling: Sampling,
    *,
    strata: tuple[Ints, ...] | None = None,
) -> Replicates:
    """Resample the clusters of a sample, or its rows where it has none."""
    n_units = sample.n_clusters or sample.n
    cells = cells_per_block(n_units, sample.n)
    return resample(statistic, Units(n_units, strata), sampling, cells_per_block=cells)


def _blocks(
    statistic: CountStatistic,
    units: Units,
    n_resamples: int,
    rng: np.random.Generator,
    cells_per_block: int,
) -> Floats:
    n_block = max(1, cells_per_block // units.n)
    blocks = []
    for start in range(0, n_resamples, n_block):
        tell("resamples", start, n_resamples)
        blocks.append(statistic(units.draw(rng, min(n_block, n_resamples - start))))
    return np.concatenate(blocks)


# Bootstrap of any statistic of a table, drawing rows or whole clusters of rows.

if TYPE_CHECKING:
    import pandas as pd

    Table = pd.DataFrame | np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any], ...]


@spells_out(DrawOptions)
def bootstrap(
    statistic: Callable[..., float],
    data: Table,
    *,
    strata: ArrayLike | None = None,
    interval: BootstrapInterval = "percentile",
    name: str = "statistic",
    **options: Unpack[DrawOptions],
) -> Estimate:
    """Return any statistic of a table with a bootstrap interval.

    Parameters
    ----------
    statistic : callable
        From resampled data, of the same type as `data` (a tuple is unpacked into arguments), to a
        number. NaN or a DataError says that a resample does not define it.
    data : DataFrame, ndarray, or tuple of ndarrays
        One row, or one element of each array, an observation. Rows in which anything is missing
        are left out.
    strata : array-like, shape (n,), optional
        Units are drawn within each stratum, which keeps its size. A cluster lies in one stratum.
    interval : {"percentile", "bca"}
        ``"bca"`` computes the statistic once more for every unit left out.
    name : str
        What the statistic is, in snake case.

    Returns
    -------
    Estimate
        `extra` holds ``se`` (the SD of the replicates), ``n_rows`` and ``n_redrawn``.

    Raises
    ------
    DataError
        The statistic is undefined on the data, or on most resamples; fewer than five clusters.

    Notes
    -----
    For AUCs use :func:`bootstrap_auc`, for ratios of sums (sensitivity, F1, Brier)
    :func:`bootstrap_sums`: both are a hundred times as fast.

    Examples
    --------
    >>> qrs_ms = np.array([118.0, 124, 131, 140, 142, 155, 160, 171])
    >>> found = bootstrap(np.median, qrs_ms, name="median_qrs", seed=3)
    >>> found.value, found.low, found.high
    (141.0, 124.5, 157.5)
    """
    sampling = Sampling(**options)
    columns = data if isinstance(data, tuple) else (data,)
    stratum_codes = None if strata is None else group_codes(strata, "strata")
    lengths = {f"data {i}": np.empty(len(c)) for i, c in enumerate(columns)}
    n_rows = same_length(**lengths, strata=stratum_codes)
    known, codes = known_units(_complete(columns, stratum_codes), sampling.patient)
    rows = np.flatnonzero(known)
    if rows.size == 0:
        raise DataError(f"{name}: expected complete rows, found none of {n_rows}")
    unit = sampling.named_unit
    unit_of_row = np.arange(rows.size) if codes is None else codes
    n_units = int(unit_of_row.max()) + 1
    if codes is not None:
        require_clusters(n_units, unit)
    groups = None if stratum_codes is None else strata_of_units(stratum_codes[rows], unit_of_row)

    def evaluate(counts: Floats) -> float:
        taken = np.repeat(rows, counts[unit_of_row].astype(np.int64))
        try:
            return float(statistic(*(_take(column, taken) for column in columns)))
        except DataError:
            return np.nan

    value = evaluate(np.ones(n_units))
    if np.isnan(value):
        raise DataError(f"{name}: undefined on the {rows.size} complete rows; nothing to resample")
    drawn = resample(
        lambda counts: np.array([[evaluate(row)] for row in counts]),
        Units(n_units, groups),
        sampling,
    )
    jackknife = None
    if interval == "bca":
        left_out = np.array([evaluate(row) for row in 1 - np.eye(n_units)])
        jackknife = left_out[~np.isnan(left_out)]
    replicates = drawn.values[:, 0]
    estimate = Estimate(
        name,
        value,
        **sample_count(n_units, None, unit, n_rows - rows.size),
        note="" if np.ptp(replicates) > 0 else "every resample gives the same value",
    )
    return sampling.bootstrapped(
        estimate,
        replicates,
        jackknife=jackknife,
        within="" if strata is None else ", stratified",
        n_rows=rows.size,
        n_redrawn=drawn.n_redrawn,
    )


def _complete(columns: tuple[Any, ...], strata: Ints | None) -> Bools:
    import pandas as pd

    known = np.ones(len(columns[0]), dtype=bool)
    for column in columns:
        missing = np.asarray(pd.isna(column))
        known &= ~missing.reshape(len(known), -1).any(axis=1)
    return known if strata is None else known & (strata >= 0)


def _take(column: Any, rows: Ints) -> Any:
    return column.iloc[rows] if hasattr(column, "iloc") else column[rows]


# Bootstrap of ratios of sums: confusion tables, sensitivity, F1, Brier, from one product.
#
# Whatever depends on the rows through sums only can be resampled without touching the rows again:
# the sums of a resample are its cluster counts times the sums of the clusters.

SumStatistic = Callable[[Floats], Floats]
"""From sums, shape (..., n_sums), to statistics, shape (..., n_statistics); NaN where undefined."""


@spells_out(DrawOptions)
def bootstrap_sums(
    rows: ArrayLike,
    statistic: SumStatistic,
    names: Sequence[str],
    *,
    interval: BootstrapInterval = "percentile",
    **options: Unpack[DrawOptions],
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
    interval : {"percentile", "bca"}

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
    ...     patient=[100, 100, 101, 102, 103, 104, 104], unit="record", seed=1)
    >>> round(sensitivity.value, 3), sensitivity.n, sensitivity.unit
    (0.714, 5, 'record')
    """
    sampling = Sampling(**options)
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2:
        raise DataError(f"rows: expected an array of rows and sums, found shape {table.shape}")
    n_rows = same_length(rows=table[:, 0])
    known, codes = known_units(np.asarray(~np.isnan(table).any(axis=1)), sampling.patient)
    n_known, unit = int(np.count_nonzero(known)), sampling.named_unit
    sums = table[known] if codes is None else cluster_sums(table[known], codes)
    if codes is not None:
        require_clusters(len(sums), unit)
    value = statistic(sums.sum(axis=0))
    undefined = [name for name, found in zip(names, value, strict=True) if np.isnan(found)]
    if undefined:
        raise DataError(f"{', '.join(undefined)}: undefined on these {n_known} rows; leave it out")
    drawn = replicate_sums(sums, statistic, sampling)
    jackknife = statistic(sums.sum(axis=0) - sums) if interval == "bca" else None
    counted = sample_count(len(sums), None, unit, n_rows - n_known)
    estimates = []
    for column, name in enumerate(names):
        replicates = defined(drawn.values[:, column], name)
        left_out = None if jackknife is None else defined(jackknife[:, column], name)
        estimate = Estimate(name, float(value[column]), **counted)
        estimates.append(
            sampling.bootstrapped(
                estimate,
                replicates,
                jackknife=left_out,
                n_rows=n_known,
                n_undefined=sampling.n_resamples - replicates.size,
            )
        )
    return estimates


def cluster_sums(rows: Floats, clusters: Ints) -> Floats:
    """Add the rows, shape (n, n_sums), of each cluster 0 to ``n_clusters - 1``."""
    return np.stack([group_sums(column, clusters) for column in rows.T], axis=1)


def replicate_sums(sums: Floats, statistic: SumStatistic, sampling: Sampling) -> Replicates:
    """Return the statistics on resampled units, a row a resample; undefined ones stay NaN."""
    return resample(
        lambda counts: statistic(counts @ sums), Units(len(sums)), sampling, redraw=False
    )


def defined(replicates: Floats, name: str) -> Floats:
    """Return the replicates that are defined, which equals drawing the others again.

    Raises
    ------
    DataError
        Fewer than one in ten is defined.
    """
    retained = replicates[~np.isnan(replicates)]
    if retained.size * 10 < replicates.size or retained.size < 2:
        raise DataError(
            f"{name}: expected resamples that define it, found {retained.size} of "
            f"{replicates.size}; too few units hold it for a bootstrap"
        )
    return retained
