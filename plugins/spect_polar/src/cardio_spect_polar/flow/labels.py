"""What is known of one factor among the training patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import FeatureSet, Targets

MIN_PER_CLASS = 2


@dataclass(frozen=True)
class Labels:
    """What is known of one factor among the training patients.

    Attributes
    ----------
    known : ndarray of int64
        Positions of the samples whose label is known.
    y : ndarray of float32
        Their labels, 1 and 0.
    """

    known: NDArray[np.int64]
    y: NDArray[np.float32]

    @property
    def learnable(self) -> bool:
        """Whether there are two patients or more with and without it."""
        n_with = int((self.y == 1).sum())
        return min(n_with, self.y.size - n_with) >= MIN_PER_CLASS

    @property
    def constant(self) -> float:
        """Probability to give where nothing can be learnt: the base rate, or one half."""
        return float(np.clip(self.y.mean(), 0.01, 0.99)) if self.y.size else 0.5

    def said(self, target: str) -> str:
        """Return the note for the report where nothing can be learnt."""
        n_with = int((self.y == 1).sum())
        return (
            f"{target} is not learnt: {n_with} training patients have it, {self.y.size - n_with} "
            "do not, and the others' records do not say; everybody is given the base rate"
        )


def labels_of(features: FeatureSet, targets: Targets, target: str) -> Labels:
    """Return the known labels of one factor."""
    y = np.asarray(targets.of(features.table, target), dtype=float)
    known = np.flatnonzero(np.isfinite(y))
    return Labels(known, y[known].astype(np.float32))
