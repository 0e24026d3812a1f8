"""How far a patient lies from others in measured columns: one by one, and all together."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_KNOWN = 0.5
"""A column that fewer of the patients have says too little."""

MOST_COLUMNS = 300
"""The covariance of more columns is not estimated; those that most patients have are taken."""

_NORMAL_90 = 1.2815515655446004
_NORMAL_97 = 1.959963984540054
"""The 90th and the 97.5th percentile of the standard normal distribution."""

_LEAST_SIDE = 0.25
"""Least scale of one side of a column, as a share of the mean of both."""

_FARTHEST = 20.0
"""In scales: in the distance of all columns together, what lies farther is as far."""

_WINSOR = 3.0
"""In scales: training patients farther out do not stretch the covariance."""


@dataclass(frozen=True)
class Likeness:
    """Robust scales of columns and their shrunk covariance; no patient's own values.

    Attributes
    ----------
    columns : tuple of str
    middle, below, above : ndarray, shape (n_columns,)
        Median, and how far the 10th and the 90th percentile lie from it, or the 2.5th and the
        97.5th if that is more, as the standard deviation of a normal distribution. Two sides,
        because many measurements are skewed.
    low, high : ndarray, shape (n_columns,)
        The 1st and the 99th percentile, for words.
    known : ndarray, shape (n_columns,)
        Share of the patients who have the column.
    together : tuple of int
        Positions of the columns that are judged together, too.
    covariance : ndarray, shape (n_together, n_together)
        Of the scaled columns, shrunk as Ledoit and Wolf have it.
    """

    columns: tuple[str, ...]
    middle: Floats
    below: Floats
    above: Floats
    low: Floats
    high: Floats
    known: Floats
    together: tuple[int, ...]
    covariance: Floats

    @classmethod
    def fit(cls, values: pd.DataFrame, together: Mapping[str, bool]) -> Likeness:
        """Summarise patients.

        Parameters
        ----------
        values : DataFrame, one row a patient
            Numbers, NaN where unknown. Columns that few patients have, or in which most are the
            same, are left out.
        together : mapping of str to bool
            Whether a column is judged together with the others, not only by itself.
        """
        kept = [name for name in values.columns if _varies(values[name].to_numpy(float))]
        if len(kept) > MOST_COLUMNS:
            share = values[kept].notna().mean().sort_values(ascending=False, kind="stable")
            kept = [name for name in kept if name in set(share.index[:MOST_COLUMNS])]
        table = values[kept].to_numpy(float)
        asked = (1, 2.5, 10, 50, 90, 97.5, 99)
        percentiles = np.nanpercentile(table, asked, axis=0) if kept else np.empty((7, 0), float)
        low, least, tenth, middle, ninetieth, most, high = percentiles
        # Far tails have the scale of their own end: what is rare in training is rare, not strange.
        below = np.maximum((middle - tenth) / _NORMAL_90, (middle - least) / _NORMAL_97)
        above = np.maximum((ninetieth - middle) / _NORMAL_90, (most - middle) / _NORMAL_97)
        mean = (below + above) / 2
        below, above = np.maximum(below, _LEAST_SIDE * mean), np.maximum(above, _LEAST_SIDE * mean)
        places = tuple(place for place, name in enumerate(kept) if together[name])
        scaled = np.clip(_scaled(table, middle, below, above), -_WINSOR, _WINSOR)
        scaled = np.nan_to_num(scaled[:, list(places)], nan=0.0)
        known = np.isfinite(table).mean(axis=0) if len(table) else np.zeros(len(kept))
        return cls(tuple(kept), middle, below, above, low, high, known, places, _shrunk(scaled))

    def scaled(self, values: pd.DataFrame) -> Floats:
        """Return how many scales each value lies off the middle; NaN where it is unknown."""
        table = values.reindex(columns=list(self.columns)).to_numpy(float)
        return _scaled(table, self.middle, self.below, self.above)

    def farthest(self, values: pd.DataFrame, among: Container[str]) -> Floats:
        """Return by patient how far the most unusual of some columns lies off; NaN of none."""
        places = [place for place, name in enumerate(self.columns) if name in among]
        scaled = np.abs(self.scaled(values)[:, places])
        found = np.where(np.isnan(scaled), -1.0, scaled).max(axis=1, initial=-1.0)
        return np.where(found < 0, np.nan, found)

    def distances(self, values: pd.DataFrame) -> Floats:
        """Return by patient the Mahalanobis distance over what is known of him, by its dimension.

        NaN where nothing is known.
        """
        scaled = np.clip(self.scaled(values)[:, list(self.together)], -_FARTHEST, _FARTHEST)
        known = np.isfinite(scaled)
        found = np.full(len(scaled), np.nan)
        patterns, whose = np.unique(known, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            here, rows = np.flatnonzero(pattern), np.flatnonzero(whose.ravel() == number)
            if here.size:
                off = scaled[np.ix_(rows, here)]
                part = self.covariance[np.ix_(here, here)]
                squares = (off * np.linalg.solve(part, off.T).T).sum(axis=1)
                found[rows] = np.sqrt(squares / here.size)
        return found

    def unusual(self, row: Floats) -> Floats:
        """Return by column how far it lies off what the other columns let expect, in its scale.

        `row` is one patient's of `scaled`; columns that are not judged together are NaN.
        """
        found = np.full(len(self.columns), np.nan)
        here = [place for place in self.together if np.isfinite(row[place])]
        if here:
            inside = [self.together.index(place) for place in here]
            inverse = np.linalg.inv(self.covariance[np.ix_(inside, inside)])
            found[here] = (inverse @ row[here]) / np.sqrt(np.diag(inverse))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready numbers, six digits each."""
        return {
            "columns": list(self.columns),
            **{name: digits(getattr(self, name)) for name in _ARRAYS},
            "together": list(self.together),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Likeness:
        """Return what `to_dict` stored."""
        arrays = {name: np.asarray(stored[name], float) for name in _ARRAYS}
        n = len(stored["together"])
        arrays["covariance"] = arrays["covariance"].reshape(n, n)
        return cls(columns=tuple(stored["columns"]), together=tuple(stored["together"]), **arrays)


_ARRAYS = ("middle", "below", "above", "low", "high", "known", "covariance")


def digits(values: Floats) -> Any:
    """Return numbers with six digits, as nested lists.

    Examples
    --------
    >>> digits(np.array([1 / 3, 1e6 / 3]))
    [0.333333, 333333.0]
    """
    return (
        np.vectorize(lambda one: float(f"{one:.6g}"), otypes=[float])(values).tolist()
        if (np.size(values))
        else np.asarray(values).tolist()
    )


def _varies(column: Floats) -> bool:
    """Whether enough patients have a column, and the middle four fifths of them differ."""
    known = column[np.isfinite(column)]
    if known.size < max(2.0, LEAST_KNOWN * column.size):
        return False
    tenth, ninetieth = np.percentile(known, (10, 90))
    return bool(ninetieth - tenth > 1e-9 * max(1.0, abs(float(ninetieth))))


def _scaled(table: Floats, middle: Floats, below: Floats, above: Floats) -> Floats:
    off = table - middle
    with np.errstate(invalid="ignore"):
        return np.asarray(off / np.where(off < 0, below, above), float)


def _shrunk(scaled: Floats) -> Floats:
    """Return the covariance of columns around 0, shrunk; of few patients it is nearly round.

    The weight of the round part is that of Ledoit and Wolf (2004).
    """
    n, p = scaled.shape
    if not p or n < 2:
        return np.eye(p)
    sample = scaled.T @ scaled / n
    mean = float(np.trace(sample)) / p
    apart = float(((sample - mean * np.eye(p)) ** 2).sum())
    squares = scaled**2
    noise = float((squares.T @ squares / n - sample**2).sum()) / n
    weight = min(noise, apart) / apart if apart > 0 else 1.0
    return np.asarray((1 - weight) * sample + weight * mean * np.eye(p), float)
