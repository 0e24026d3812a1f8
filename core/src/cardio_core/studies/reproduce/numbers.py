"""The numbers of two runs beside each other: which are equal, within rounding, or differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.io.kept.predictions import read_predictions
from cardio_core.io.run_artifact import METRICS, MetricRow

TOLERANCE = 1e-6
"""Of the number, or of 1 where the number is smaller: scores are written with seven digits."""

_ESTIMATES = ("value", "low", "high", "p_value", "n", "n_patients", "n_dropped")
_PLACE = ("protocol", "target", "model", "versus", "name", "class_name", "subgroup", "repeat",
          "fold")  # fmt: skip
_UNITS = ("protocol", "repeat", "model", "target", "event", "level", "patient_id", "study_id",
          "recording_id", "sample_id")  # fmt: skip
_PREDICTED = ("score", "predicted", "y_true", "fold", "time_s")
_LISTED = 1000
_NEITHER = (None, None)


@dataclass(frozen=True)
class Other:
    """One number, or one word, that is not the same.

    Attributes
    ----------
    where : str
        Its place, in the words of the file.
    then, now : float, str or None
        None where it is missing.
    """

    where: str
    then: float | str | None
    now: float | str | None

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return vars(self)


@dataclass
class Counts:
    """How many numbers of a file are equal.

    Attributes
    ----------
    file : str
    n, equal, within, differ : int
        Numbers: all, equal to the last digit, within `TOLERANCE`, and others. What only one of the
        two has differs.
    largest : float
        Of the differences within rounding and beyond, as a share of the number (or of 1).
    others : list of Other
        The first thousand that differ.
    """

    file: str
    n: int = 0
    equal: int = 0
    within: int = 0
    differ: int = 0
    largest: float = 0.0
    others: list[Other] = field(default_factory=list)

    def add(
        self, where: Sequence[str] | pd.Series, then: Sequence[Any], now: Sequence[Any]
    ) -> None:
        """Count numbers, or words, in pairs."""
        for place, one, other in zip(where, then, now, strict=True):
            self.n += 1
            if _same(one, other):
                self.equal += 1
                continue
            apart = _apart(one, other)
            if apart is not None:
                self.largest = max(self.largest, apart)
            if apart is not None and apart <= TOLERANCE:
                self.within += 1
                continue
            self.differ += 1
            if len(self.others) < _LISTED:
                self.others.append(Other(str(place), _plain(one), _plain(other)))

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return vars(self) | {"others": [one.to_dict() for one in self.others]}


def compare_numbers(then: Path, now: Path) -> list[Counts]:
    """Compare `metrics.json` and `predictions.csv` of two runs, whatever the order of their rows.

    Parameters
    ----------
    then, now : Path
        Run directories.

    Returns
    -------
    list of Counts
        One a file.
    """
    return [_metrics(then, now), _predictions(then, now)]


def _metrics(then: Path, now: Path) -> Counts:
    counts = Counts("metrics.json")
    before, after = (_by_place(METRICS.read(run / counts.file)) for run in (then, now))
    for place in dict.fromkeys([*before, *after]):
        one, other = before.get(place, {}), after.get(place, {})
        names = [n for n in dict.fromkeys([*one, *other]) if (one.get(n), other.get(n)) != _NEITHER]
        where = [f"{place}{'' if name == 'value' else f', {name}'}" for name in names]
        counts.add(where, [one.get(n) for n in names], [other.get(n) for n in names])
    return counts


def _by_place(rows: Iterable[MetricRow]) -> dict[str, dict[str, Any]]:
    """Return the numbers of estimates by their place in words."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        words = [str(one) for key in _PLACE if (one := getattr(row, key)) not in (None, "")]
        place, again = " ".join(words), 2
        while place in found:
            place, again = f"{' '.join(words)} ({again})", again + 1
        found[place] = {name: getattr(row, name) for name in _ESTIMATES} | row.extra
    return found


def _predictions(then: Path, now: Path) -> Counts:
    counts = Counts("predictions.csv")
    before, after = (_read(run / counts.file) for run in (then, now))
    both = before.merge(
        after, on=[*_UNITS, "again"], how="outer", suffixes=(" then", " now"), sort=False
    )
    if both.empty:
        return counts
    where = both["protocol"]
    for name in ("target", "model", "event", "sample_id"):
        where = where + " " + both[name]
    for name in _PREDICTED:
        one, other = _numbers(both[f"{name} then"]), _numbers(both[f"{name} now"])
        asked = [not (_missing(a) and _missing(b)) for a, b in zip(one, other, strict=True)]
        counts.add(
            (where + ("" if name == "score" else f", {name}"))[asked],
            [a for a, ask in zip(one, asked, strict=True) if ask],
            [b for b, ask in zip(other, asked, strict=True) if ask],
        )
    return counts


def _read(path: Path) -> pd.DataFrame:
    table = read_predictions(path)
    table = table.reindex(columns=[*_UNITS, *_PREDICTED]).astype({"repeat": str})
    table[list(_UNITS)] = table[list(_UNITS)].fillna("")
    table["again"] = table.groupby(list(_UNITS)).cumcount()
    return table


def _numbers(column: pd.Series) -> list[Any]:
    values = pd.to_numeric(column, errors="coerce")
    return [
        text if number != number else number for text, number in zip(column, values, strict=True)
    ]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (_missing(one) and _missing(other))


def _apart(one: Any, other: Any) -> float | None:
    """Return how far two numbers lie apart, None where that is not known."""
    if isinstance(one, str) or isinstance(other, str) or _missing(one) or _missing(other):
        return None
    apart = abs(float(one) - float(other)) / max(1.0, abs(float(one)), abs(float(other)))
    return apart if np.isfinite(apart) else None


def _plain(value: Any) -> float | str | None:
    if _missing(value):
        return None
    return value if isinstance(value, str) else float(value)
