"""From several distances to one verdict whose false alarms are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHA_OUTSIDE = 0.05
"""At most this share of new patients who are like those of training is called outside."""

ALPHA_BORDERLINE = 0.10
"""At most this share of them is called borderline or outside."""

LEAST_PATIENTS = 19
"""With fewer, not even the largest distance is exceeded by one in twenty only."""

_GRID = 101
_TAIL = 80
_ALONE_AT_MOST = 1000
"""Of more patients, one changes no scale."""


@dataclass(frozen=True)
class Calibration:
    """What distances of patients from training who were left out of it look like.

    Each distance is moved and stretched, so that the 80th percentile of the patients left out is 0
    and those beyond it lie 1 off on average: far tails and near ones become alike. A patient's is
    the largest of his. So several distances are one, and what is exceeded by one patient in twenty
    is read off it, with the correction for a finite number that conformal prediction has: the
    ``ceil((1 - alpha) (n + 1))``-th smallest of n. For that each of the n is compared with the
    others alone, as a new patient is.

    Attributes
    ----------
    middle, spread : mapping of str to float
        By test: the 80th percentile, and how far beyond it those beyond it lie on average.
    borderline, outside : float
        What the largest must exceed.
    grid : tuple of float
        The percentiles of the largest, from 0 to 100.
    n : int
        Patients.
    """

    middle: Mapping[str, float]
    spread: Mapping[str, float]
    borderline: float
    outside: float
    grid: tuple[float, ...]
    n: int

    @classmethod
    def of(cls, distances: pd.DataFrame) -> Calibration | None:
        """Calibrate on patients who were left out; None where they are too few.

        Parameters
        ----------
        distances : DataFrame, one row a patient, one column a test
            NaN where a test does not apply to a patient.
        """
        known = distances[distances.notna().any(axis=1)]
        n = len(known)
        if n < LEAST_PATIENTS:
            return None
        scales = {name: _scale_of(known[name].to_numpy(float)) for name in known.columns}
        tests = [name for name, scale in scales.items() if scale is not None]
        if not tests:
            return None
        moved = np.column_stack(
            [_moved_beside_others(known[name].to_numpy(float)) for name in tests]
        )
        largest = np.where(np.isnan(moved), -np.inf, moved).max(axis=1)
        ordered = np.sort(largest[np.isfinite(largest)])
        if len(ordered) < LEAST_PATIENTS:
            return None
        return cls(
            {name: scale[0] for name, scale in scales.items() if scale is not None},
            {name: scale[1] for name, scale in scales.items() if scale is not None},
            conformal_quantile(ordered, ALPHA_BORDERLINE),
            conformal_quantile(ordered, ALPHA_OUTSIDE),
            tuple(float(one) for one in np.percentile(ordered, np.linspace(0, 100, _GRID))),
            len(ordered),
        )

    def placed(self, distances: pd.DataFrame) -> pd.DataFrame:
        """Return the distances of new patients as they are compared; tests not calibrated drop."""
        tests = [name for name in self.middle if name in distances.columns]
        middle, spread = pd.Series(self.middle)[tests], pd.Series(self.spread)[tests]
        return (distances[tests] - middle) / spread

    def moved(self, test: str, distance: float) -> float:
        """Return one distance as it is compared."""
        return (distance - self.middle[test]) / self.spread[test]

    def limit(self, test: str) -> float:
        """Return the distance of one test from which on it is told as a reason."""
        return self.middle[test] + self.borderline * self.spread[test]

    def percentile(self, largest: float) -> float:
        """Return the share in per cent of left-out patients who lie no farther."""
        steps = np.linspace(0, 100, _GRID)
        return float(np.interp(largest, self.grid, steps))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready numbers."""
        return {
            "middle": {name: _six(value) for name, value in self.middle.items()},
            "spread": {name: _six(value) for name, value in self.spread.items()},
            "borderline": _six(self.borderline),
            "outside": _six(self.outside),
            "grid": [_six(value) for value in self.grid],
            "n": self.n,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Calibration:
        """Return what `to_dict` stored."""
        return cls(
            dict(stored["middle"]),
            dict(stored["spread"]),
            float(stored["borderline"]),
            float(stored["outside"]),
            tuple(stored["grid"]),
            int(stored["n"]),
        )


def conformal_quantile(ordered: Floats, alpha: float) -> float:
    """Return what at most a share `alpha` of further, exchangeable numbers exceeds.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 20.0), 0.05), conformal_quantile(np.arange(9.0), 0.05)
    (19.0, inf)
    """
    rank = math.ceil((1 - alpha) * (len(ordered) + 1) - 1e-9)
    return float(ordered[rank - 1]) if rank <= len(ordered) else float("inf")


def _scale_of(column: Floats) -> tuple[float, float] | None:
    """Return the 80th percentile and the mean beyond it; None where nothing lies beyond."""
    known = column[np.isfinite(column)]
    if known.size < 2:
        return None
    middle = float(np.percentile(known, _TAIL))
    beyond = known[known > middle]
    spread = float((beyond - middle).mean()) if beyond.size else 0.0
    return (middle, spread) if spread > 1e-12 * max(1.0, abs(middle)) else None


def _moved_beside_others(column: Floats) -> Floats:
    """Return each distance as it is compared, by the scale of the others alone."""
    whole = _scale_of(column)
    found = np.full(len(column), np.nan)
    if whole is None:
        return found
    for place in np.flatnonzero(np.isfinite(column)):
        own = None
        if len(column) <= _ALONE_AT_MOST:
            own = _scale_of(np.delete(column, place))
        middle, spread = own or whole
        found[place] = (column[place] - middle) / spread
    return found


def _six(value: float) -> float:
    return float(f"{value:.6g}")
