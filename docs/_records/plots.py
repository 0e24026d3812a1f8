"""Forest plots of records: a column of a table that holds estimates with their intervals."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from cardio_stats.figures import Draw, ForestLine, described, estimate_forest, save_svg

from .record import ROOT, Record

IMAGES = ROOT / "docs" / "images" / "results"
_CELL = re.compile(r"\**([\d.]+) \(([\d.]+) to ([\d.]+)\)\**$")
_DESC = re.compile(r"<desc[^>]*>(.*?)</desc>", re.DOTALL)


def file_of(record: Record, table: str, column: str) -> Path:
    """Return where the plot of a column is kept."""
    words = re.sub(r"[^a-z0-9]+", "_", f"{record.name} {table} {column}".lower())
    return IMAGES / f"{words.strip('_')}.svg"


def image(record: Record, table: str, column: str) -> str:
    """Return the line of Markdown that shows the plot, its numbers for who cannot see it."""
    place = file_of(record, table, column).relative_to(ROOT / "docs")
    return f"![{_in_words(record, table, column)}](../{place.as_posix()})"


def write(record: Record, table: str, column: str) -> None:
    """Draw the plot anew."""
    path = file_of(record, table, column)
    path.parent.mkdir(exist_ok=True)
    save_svg(_drawn(record, table, column), path)


def is_current(record: Record, table: str, column: str) -> bool:
    """Whether the plot that is kept shows the numbers of its record."""
    path = file_of(record, table, column)
    found = _DESC.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found is not None and found[1] == _in_words(record, table, column)


def _drawn(record: Record, table: str, column: str) -> Draw:
    lines = []
    for label, cell in _rows(record, table, column):
        numbers = _CELL.match(cell)
        value, low, high = (float(n) for n in numbers.groups()) if numbers else (None, None, None)
        lines.append(ForestLine(label, value, low, high, cell.strip("*"), style="plain"))
    about: dict[str, Any] = {}
    if "AUC" in column:
        least = min(line.low for line in lines if line.low is not None)
        about = {"reference": 0.5, "limits": (min(0.4, math.floor(10 * least) / 10), 1.0)}
    draw = estimate_forest(lines, x=column, **about)
    return described(draw, column, _in_words(record, table, column))


def _in_words(record: Record, table: str, column: str) -> str:
    rows = (f"{label} {cell.strip('*')}" for label, cell in _rows(record, table, column))
    return f"{column}: {'; '.join(rows)}"


def _rows(record: Record, table: str, column: str) -> list[tuple[str, str]]:
    """Return the rows that have an estimate in the column, what they are of before it."""
    held = record.raw["tables"][table]
    place = held["head"].index(column)
    return [
        (re.sub(r"[*`]", "", str(row[0])), str(row[place])) for row in held["rows"] if row[place]
    ]
