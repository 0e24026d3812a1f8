"""The statistics of a per-class table as one vector, and the interval of each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cardio_core.stats.classification.proportions import f1_score, proportion, wilson_limits
from cardio_core.stats.foundation.intervals import bootstrapped
from cardio_core.stats.foundation.validate import MIN_CLUSTERS, Floats, Ints, ratio
from cardio_core.stats.resampling.sums_bootstrap import replicate_sums
from cardio_core.types.estimate import Estimate

CLASS_RATES = ("sensitivity", "ppv", "f1", "fpr")
MACRO_RATES = ("sensitivity", "ppv", "f1")
OVERALL = (*(f"macro_{rate}" for rate in MACRO_RATES), "accuracy", "kappa")


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """Which statistics a table has, and in which order.

    Attributes
    ----------
    n_classes : int
    averaged : tuple of int
        Classes that enter the macro averages.
    forgiven : tuple of (int, int)
        Calls, as reference and called class, that are no false positives.
    """

    n_classes: int
    averaged: tuple[int, ...]
    forgiven: tuple[tuple[int, int], ...] = ()

    @property
    def keys(self) -> list[tuple[int | None, str]]:
        """Class (None for all) and name of each statistic."""
        of_class = [(label, rate) for label in range(self.n_classes) for rate in CLASS_RATES]
        return [*of_class, *((None, name) for name in OVERALL)]

    def values(self, cells: Floats) -> Floats:
        """Return every statistic of flattened confusion tables, shape (..., n_statistics).

        NaN where undefined; so is a macro average where a class that it averages is.
        """
        confusion = self._table(cells)
        rates = {
            name: ratio(*parts) for name, parts in _class_rates(confusion, self.forgiven).items()
        }
        of_class = np.stack([rates[name] for name in CLASS_RATES], axis=-1)
        averaged = list(self.averaged)
        macro = [
            rates[name][..., averaged].mean(axis=-1)
            if averaged
            else np.full(confusion.shape[:-2], np.nan)
            for name in MACRO_RATES
        ]
        overall = np.stack(
            [*macro, ratio(*_accuracy_counts(confusion)), _kappa_of_tables(confusion)], -1
        )
        return np.concatenate([of_class.reshape(*overall.shape[:-1], -1), overall], axis=-1)

    def counts(self, cells: Floats) -> list[tuple[int, int] | None]:
        """Return numerator and denominator of each statistic that is a ratio of counts."""
        confusion = self._table(cells)
        rates = _class_rates(confusion, self.forgiven)
        rates["accuracy"] = _accuracy_counts(confusion)
        found: list[tuple[int, int] | None] = []
        for label, name in self.keys:
            if name not in rates:
                found.append(None)
                continue
            k, n = (np.atleast_1d(part)[label or 0] for part in rates[name])
            found.append((int(k), int(n)))
        return found

    def holders(self, cells_of_cluster: Floats) -> Ints:
        """Return in how many clusters, the rows, each statistic has something to count.

        For a macro average, the fewest of the classes averaged.
        """
        rates = _class_rates(self._table(cells_of_cluster), self.forgiven)
        held = {name: np.count_nonzero(parts[1], axis=0) for name, parts in rates.items()}
        averaged = list(self.averaged)
        macro = [int(held[name][averaged].min()) if averaged else 0 for name in MACRO_RATES]
        of_class = [int(held[name][label]) for label, name in self.keys if label is not None]
        return np.array([*of_class, *macro, len(cells_of_cluster), len(cells_of_cluster)])

    def _table(self, cells: Floats) -> Floats:
        side = self.n_classes + 1
        return cells.reshape(*cells.shape[:-1], side, side)


def _class_rates(
    confusion: Floats, forgiven: Sequence[tuple[int, int]]
) -> dict[str, tuple[Floats, Floats]]:
    """Return numerator and denominator of each rate, both of shape (..., n_classes).

    Rows of `confusion` are the reference and columns the prediction; the last row holds false
    detections, the last column missed events. ``sensitivity`` is TP/(TP+FN), ``ppv`` TP/(TP+FP),
    ``f1`` 2TP/(2TP+FP+FN) and ``fpr`` FP/(FP+TN), where every event of another class, or of none,
    is a negative. Forgiven calls are no false positives of the class called, nor negatives; they
    still cost the reference class its sensitivity.
    """
    true_positive = np.diagonal(confusion, axis1=-2, axis2=-1)[..., :-1]
    in_reference = confusion.sum(axis=-1)[..., :-1]
    in_prediction = confusion.sum(axis=-2)[..., :-1]
    in_all = confusion.sum(axis=(-2, -1))[..., None]
    for reference, called in forgiven:
        pardon = np.zeros(in_prediction.shape[-1])
        pardon[called] = 1.0
        excused = confusion[..., reference, called][..., None] * pardon
        in_prediction = in_prediction - excused
        in_all = in_all - excused
    return {
        "sensitivity": (true_positive, in_reference),
        "ppv": (true_positive, in_prediction),
        "f1": (2 * true_positive, in_reference + in_prediction),
        "fpr": (in_prediction - true_positive, in_all - in_reference),
    }


def _accuracy_counts(confusion: Floats) -> tuple[Floats, Floats]:
    """Return events with the right class, and all events, missed and false ones included."""
    return np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1))


def _kappa_of_tables(confusion: Floats) -> Floats:
    """Return Cohen's kappa (Educ Psychol Meas 1960;20:37), NaN where chance would agree fully."""
    right, n = _accuracy_counts(confusion)
    by_chance = np.einsum("...i,...i->...", confusion.sum(axis=-1), confusion.sum(axis=-2))
    return ratio(right * n - by_chance, n**2 - by_chance)


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
