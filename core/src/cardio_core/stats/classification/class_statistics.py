"""The statistics of a per-class table as one vector, so that a bootstrap computes them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cardio_core.stats.classification.confusion import (
    accuracy_counts,
    class_rates,
    kappa_of_tables,
    ratio,
)
from cardio_core.stats.foundation.validate import Floats, Ints

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
        """Return every statistic, NaN where undefined.

        Parameters
        ----------
        cells : ndarray, shape (..., (n_classes + 1)²)
            Flattened confusion tables.

        Returns
        -------
        ndarray of float64, shape (..., n_statistics)
            A macro average is undefined where a class that it averages is.
        """
        confusion = self._table(cells)
        rates = {
            name: ratio(*parts) for name, parts in class_rates(confusion, self.forgiven).items()
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
            [*macro, ratio(*accuracy_counts(confusion)), kappa_of_tables(confusion)], -1
        )
        return np.concatenate([of_class.reshape(*overall.shape[:-1], -1), overall], axis=-1)

    def counts(self, cells: Floats) -> list[tuple[int, int] | None]:
        """Return numerator and denominator of each statistic that is a ratio of counts."""
        confusion = self._table(cells)
        rates = class_rates(confusion, self.forgiven)
        rates["accuracy"] = accuracy_counts(confusion)
        found: list[tuple[int, int] | None] = []
        for label, name in self.keys:
            if name not in rates:
                found.append(None)
                continue
            k, n = (np.atleast_1d(part)[label or 0] for part in rates[name])
            found.append((int(k), int(n)))
        return found

    def holders(self, cells_of_cluster: Floats) -> Ints:
        """Return in how many clusters each statistic has something to count.

        Parameters
        ----------
        cells_of_cluster : ndarray, shape (n_clusters, (n_classes + 1)²)

        Returns
        -------
        ndarray of int64, shape (n_statistics,)
            For a macro average, the fewest of the classes averaged.
        """
        rates = class_rates(self._table(cells_of_cluster), self.forgiven)
        held = {name: np.count_nonzero(parts[1], axis=0) for name, parts in rates.items()}
        averaged = list(self.averaged)
        macro = [int(held[name][averaged].min()) if averaged else 0 for name in MACRO_RATES]
        of_class = [int(held[name][label]) for label, name in self.keys if label is not None]
        return np.array([*of_class, *macro, len(cells_of_cluster), len(cells_of_cluster)])

    def _table(self, cells: Floats) -> Floats:
        side = self.n_classes + 1
        return cells.reshape(*cells.shape[:-1], side, side)
