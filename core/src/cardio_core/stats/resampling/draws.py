"""Bootstrap resamples as counts: how often each unit was drawn, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, Ints
from cardio_core.stats.foundation.watching import tell

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
    n_resamples: int,
    seed: int,
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
    n_resamples : int
        At least 2.
    seed : int
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
    if n_resamples < 2:
        raise DataError(f"n_resamples: expected at least 2, found {n_resamples}; use 2000")
    rng = np.random.default_rng(seed)
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
