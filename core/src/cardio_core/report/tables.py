"""The CSV tables of a run, as they are printed."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.report.words import PROTOCOLS, count, number, p_value, title_words

MAX_ROWS = 60
FOLDED_FROM = 15

_P_COLUMNS = frozenset({"p", "p_value", "p-value", "p value", "p_adjusted"})


@dataclass(frozen=True)
class Table:
    """One table of the report.

    `protocol` is empty where the file's name carries none; `file` is relative to the run directory;
    columns that are `numeric` are flush right; `note` says what is not shown, `rounded` whether a
    number was rounded for print.
    """

    title: str
    protocol: str
    file: str
    head: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    rounded: bool
    folded: bool


def named(path: Path, folder: Path) -> tuple[str, str]:
    """Return the protocol and the title that a file's name carries.

    Examples
    --------
    >>> named(Path("run/tables/honest-by-class-net.csv"), Path("run/tables"))
    ('honest', 'By class net')
    """
    stem = "-".join(path.relative_to(folder).with_suffix("").parts)
    for protocol in PROTOCOLS:
        for mark in "-_":
            if stem.startswith(protocol + mark):
                return protocol, title_words(stem.removeprefix(protocol + mark))
    return "", title_words(stem)


def read_table(path: Path, run: Path) -> Table:
    """Read one CSV file for the report."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file) if line]
    head, rows = (tuple(lines[0]), lines[1:]) if lines else ((), [])
    numeric = tuple(
        not _is_name(head[i]) and _is_numeric([row[i] for row in rows if i < len(row)])
        for i in range(len(head))
    )
    like = tuple(_typical([row[i] for row in rows if i < len(row)]) for i in range(len(head)))
    shown = [_printed(row, head, numeric, like) for row in rows[:MAX_ROWS]]
    protocol, title = named(path, run / "tables")
    name = path.relative_to(run).as_posix()
    note = ""
    if len(rows) > MAX_ROWS:
        note = f"The first {MAX_ROWS} of {count(len(rows))} rows."
    folded = len(rows) > FOLDED_FROM
    rounded = any(
        "." in cell for row in rows for cell, flag in zip(row, numeric, strict=False) if flag
    )
    return Table(title, protocol, name, head, numeric, tuple(shown), note, rounded, folded)


def _is_name(column: str) -> bool:
    """Return whether a column names things: record 1234 is not the number 1 234."""
    return column.lower().rpartition("_")[2] in {"id", "record", "recording", "patient", "fold"}


def _is_numeric(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(_value(cell) is not None for cell in filled)


def _typical(cells: Sequence[str]) -> float | None:
    """Return the middle size of a column's numbers, by which all of them get their decimals."""
    sizes = [abs(value) for cell in cells if (value := _value(cell)) and math.isfinite(value)]
    return statistics.median(sizes) if sizes else None


def _value(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _printed(
    row: Sequence[str], head: Sequence[str], numeric: Sequence[bool], like: Sequence[float | None]
) -> tuple[str, ...]:
    cells = []
    for position, name in enumerate(head):
        text = row[position] if position < len(row) else ""
        value = _value(text) if numeric[position] else None
        if value is None:
            cells.append(text)
        elif name.strip().lower() in _P_COLUMNS:
            cells.append(p_value(value))
        elif value.is_integer() and "." not in text and "e" not in text.lower():
            cells.append(count(int(value)).replace("-", "\u2212"))
        else:
            cells.append(number(value, like=like[position]))
    return tuple(cells)
