"""Clinical variables as numbers for a linear model, settled on the training patients alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Number:
    """A column of numbers: missing ones are the training median, marked where training had any."""

    name: str
    median: float
    mean: float
    sd: float
    marks_missing: bool

    def encode(self, values: Sequence[Any]) -> list[Floats]:
        """Return the standardised column and, where it is kept, the mark of missing values."""
        numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(float)
        missing = np.isnan(numbers)
        filled = (np.where(missing, self.median, numbers) - self.mean) / self.sd
        return [filled, missing.astype(float)] if self.marks_missing else [filled]


@dataclass(frozen=True)
class Words:
    """A column of words: one 0 or 1 a level of the training patients; others are none of them."""

    name: str
    levels: tuple[str, ...]
    marks_missing: bool

    def encode(self, values: Sequence[Any]) -> list[Floats]:
        """Return one column a level and, where it is kept, the mark of missing values."""
        texts = pd.Series(values, dtype=object)
        missing = texts.isna().to_numpy()
        # A missing value has no truth of its own: compared with a level it would raise.
        words = texts.map(str).mask(missing, None).to_numpy(object)
        columns = [np.asarray(words == level, dtype=float) for level in self.levels]
        return [*columns, missing.astype(float)] if self.marks_missing else columns


@dataclass(frozen=True)
class Encoding:
    """How each clinical variable becomes numbers."""

    columns: tuple[Number | Words, ...]

    def encode(self, table: pd.DataFrame) -> Floats:
        """Return the design matrix, shape (n_patients, n_terms)."""
        return np.column_stack(
            [term for one in self.columns for term in one.encode(table[one.name].tolist())]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "columns": [{"kind": type(one).__name__.lower(), **vars(one)} for one in self.columns]
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Encoding:
        """Read the JSON form."""
        found: list[Number | Words] = []
        for one in stored["columns"]:
            about = {key: value for key, value in one.items() if key != "kind"}
            if one["kind"] == "number":
                found.append(Number(**about))
            else:
                found.append(Words(**{**about, "levels": tuple(about["levels"])}))
        return cls(tuple(found))


def fit_encoding(table: pd.DataFrame) -> Encoding:
    """Settle how the columns of the training patients become numbers.

    Parameters
    ----------
    table : DataFrame of object
        One row a patient; a column is of numbers where every known value is one, else of words.
        Columns of one value, or of none, are left out.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [50, 60, None], "arm": ["on", "off", "on"], "x": [1, 1, 1]})
    >>> made = fit_encoding(table)
    >>> [one.name for one in made.columns], made.encode(table).shape
    (['age', 'arm'], (3, 3))
    """
    columns: list[Number | Words] = []
    for name in table.columns:
        values = table[name].astype(object)
        known = values.dropna()
        missing = bool(values.isna().any())
        if known.nunique() < 2:
            continue
        numbers = pd.to_numeric(known, errors="coerce")
        if numbers.notna().all():
            filled = pd.to_numeric(values, errors="coerce").fillna(float(numbers.median()))
            sd = float(filled.std(ddof=0)) or 1.0
            columns.append(
                Number(str(name), float(numbers.median()), float(filled.mean()), sd, missing)
            )
            continue
        levels = tuple(sorted(known.astype(str).unique()))
        kept = levels[1:] if len(levels) == 2 else levels
        columns.append(Words(str(name), kept, missing))
    return Encoding(tuple(columns))
