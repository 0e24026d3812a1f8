"""Intervals of a per-class table: Wilson, or a bootstrap of events or of clusters."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cardio_core.stats.classification.class_statistics import ClassStatistics
from cardio_core.stats.classification.proportions import f1_score, proportion, wilson_limits
from cardio_core.stats.foundation.intervals import bootstrapped
from cardio_core.stats.foundation.validate import MIN_CLUSTERS, Floats
from cardio_core.stats.resampling.sums_bootstrap import replicate_sums
from cardio_core.types.estimate import Estimate


@dataclass(frozen=True)
class Source:
    """The counted events, from which every estimate of the table is made.

    Attributes
    ----------
    cells : ndarray of float64, shape (n_clusters, n_cells)
        Confusion table of each cluster, flattened; one row where events are independent.
    statistics : ClassStatistics
    level : float
    n_resamples, seed : int
    unit : str
        What is resampled.
    clustered : bool
    """

    cells: Floats
    statistics: ClassStatistics
    level: float
    n_resamples: int
    seed: int
    unit: str
    clustered: bool
    _values: Floats = field(init=False)
    _replicates: Floats = field(init=False)

    def __post_init__(self) -> None:
        in_all = self.cells.sum(axis=0)
        object.__setattr__(self, "_values", self.statistics.values(in_all))
        object.__setattr__(self, "_replicates", self._resampled(in_all))

    def estimate(self, position: int, name: str) -> Estimate | None:
        """Return one estimate with its interval, or None where it has no value."""
        value = float(self._values[position])
        if np.isnan(value):
            return None
        counts = self.statistics.counts(self.cells.sum(axis=0))[position]
        if self.clustered:
            return self._by_cluster(position, name, value, counts)
        if counts is None:
            estimate = Estimate(name, value, n=int(self.cells.sum()), unit=self.unit)
            return self._with_percentiles(estimate, position)
        k, n = counts
        if name.startswith("f1"):
            return f1_score(k // 2, n - k, level=self.level, name=name, unit=self.unit)
        return proportion(k, n, level=self.level, name=name, unit=self.unit)

    def _by_cluster(
        self, position: int, name: str, value: float, counts: tuple[int, int] | None
    ) -> Estimate:
        n_clusters = len(self.cells)
        extra = {} if counts is None else {"k": counts[0], "n_events": counts[1]}
        estimate = Estimate(name, value, n=n_clusters, unit=self.unit, extra=extra)
        n_holding = int(self.statistics.holders(self.cells)[position])
        if n_holding < MIN_CLUSTERS:
            return estimate.replace(
                method="point estimate",
                note=f"held by {n_holding} {self.unit}s: too few for an interval",
            )
        if value in (0.0, 1.0):
            # every cluster agrees, so resampling shows no spread; Wilson counts a cluster once
            low, high = wilson_limits(value * n_holding, n_holding, self.level)
            return estimate.replace(
                low=low,
                high=high,
                level=self.level,
                method=f"Wilson, each {self.unit} counted once",
                note=f"the same in all {n_holding} {self.unit}s that hold it",
            )
        return self._with_percentiles(estimate, position)

    def _with_percentiles(self, estimate: Estimate, position: int) -> Estimate:
        replicates = self._replicates[:, position]
        replicates = replicates[~np.isnan(replicates)]
        if replicates.size * 10 < self.n_resamples or np.ptp(replicates) == 0:
            return estimate.replace(
                method="point estimate", note="resamples do not vary: no interval"
            )
        n_undefined = self.n_resamples - replicates.size
        return bootstrapped(
            estimate, replicates, self.level, self.seed, self.n_resamples, n_undefined=n_undefined
        )

    def _resampled(self, in_all: Floats) -> Floats:
        if self.clustered:
            return replicate_sums(
                self.cells, self.statistics.values, self.n_resamples, self.seed
            ).values
        # resampling independent events is drawing their cells: a multinomial of the table
        n = int(in_all.sum())
        drawn = np.random.default_rng(self.seed).multinomial(n, in_all / n, self.n_resamples)
        return self.statistics.values(drawn.astype(np.float64))
