"""Differences between two recordings of one patient, read off the table for the page.

A plugin that gives a recording a measurement called ``X, stress minus rest`` says with it that the
patient has both. The page shows them beside each other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.io.tables.formula import as_they_were
from cardio_core.report.measured.values import short

_DIFFERENCE = re.compile(r"(?P<title>.+), (?P<late>\w+) minus (?P<early>\w+)(?P<unit> \([^()]*\))?")


@dataclass(frozen=True)
class Difference:
    """A column that holds a difference: its own head, that of its measurement, and of what."""

    head: str
    of: str
    early: str
    late: str


@dataclass(frozen=True)
class Pair:
    """One patient's two recordings: whose, which is the later, and a cell a column."""

    patient: str
    recording: str
    cells: tuple[str, ...]


def differences(columns: Sequence[str]) -> list[Difference]:
    """Return the columns of differences.

    Examples
    --------
    >>> differences(["EF (%)", "EF, stress minus rest (%)", "Scar (%)"])[0].of
    'EF (%)'
    """
    found = [(head, _DIFFERENCE.fullmatch(head)) for head in columns]
    return [
        Difference(head, f"{one['title']}{one['unit'] or ''}", one["early"], one["late"])
        for head, one in found
        if one is not None
    ]


def pairs(table: Path, columns: Sequence[Difference]) -> Iterator[Pair]:
    """Yield each recording that has a difference, with both values and the difference.

    Parameters
    ----------
    table : Path
        ``measurements.csv``.
    columns : sequence of Difference
        As `differences` returns them.
    """
    with table.open(encoding="utf-8", newline="") as file:
        for row in map(as_they_were, csv.DictReader(file)):
            cells = tuple(_cell(row, one) for one in columns)
            if any(cells):
                yield Pair(row.get("patient") or row["id"], row["id"], cells)


def _cell(row: dict[str, str], one: Difference) -> str:
    """Write ``18 → 24 (+6)``: the table has the later value and the difference."""
    text = row.get(one.head) or ""
    if not text:
        return ""
    change = float(text)
    shown = f"+{short(text)}" if change > 0 else short(text).replace("-", "−")
    late = row.get(one.of) or ""
    if not late:
        return shown
    early = f"{float(late) - change:.4g}"
    return f"{short(early)} → {short(late)} ({shown})"
