"""One cell of a cohort table: what it says, or what is wrong with it without repeating it."""

from __future__ import annotations

import difflib
import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.io.cohort_schema import ColumnSpec

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "<NA>", "NULL", "null", "None"})
"""Cells that mean that a value is missing."""

SEPARATOR = ";"
"""Stands between the paths of one cell."""


class BadCellError(ValueError):
    """What is wrong with one cell, without its content."""


def cell_text(cell: object) -> str | None:
    """Return a cell as stripped text, None where it is missing; 201.0 and 201 are one text."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, float | np.floating) and (math.isnan(cell) or cell.is_integer()):
        return None if math.isnan(cell) else str(int(cell))
    if isinstance(cell, bool | np.bool_):
        return str(int(cell))
    if isinstance(cell, date):  # pandas' timestamps are dates too
        return cell.isoformat()[:10]
    text = str(cell).strip()
    return None if text in MISSING else text


def parse_cell(text: str, column: ColumnSpec, folder: Path) -> object:
    """Return the value of a cell that is not missing.

    The text has no surrounding space; `folder` is where relative paths start.

    Raises
    ------
    BadCellError
        Saying what was expected and what kind of thing was found.

    Examples
    --------
    >>> parse_cell("3", ColumnSpec("nyha_bl", "count", "NYHA class.", low=1, high=4), Path())
    3
    """
    match column.kind:
        case "path":
            return _paths(text, folder)
        case "number" | "count" | "flag":
            return _number(text, column)
        case "code":
            return _code(text, column)
        case "date":
            return _date(text)
    return text


def _paths(text: str, folder: Path) -> tuple[Path, ...]:
    parts = [part.strip() for part in text.split(SEPARATOR)]
    return tuple((folder / part).absolute() for part in parts if part)


def _number(text: str, column: ColumnSpec) -> float | int:
    expected = "0, 1 or NA" if column.kind == "flag" else "a number"
    expected += f" in {column.unit}" if column.unit else ""
    try:
        value = float(text.replace("_", "?"))  # Python alone reads 1_000 as a number
    except ValueError:
        comma = text.replace(",", ".").replace(".", "", 1).lstrip("+-").isdigit()
        found = "a decimal comma; write a point" if comma else "text; correct it or leave it empty"
        raise BadCellError(f"expected {expected}, found {found}") from None
    if not math.isfinite(value):
        raise BadCellError(f"expected {expected}, found an infinite one")
    if column.kind == "flag" and value not in (0, 1):
        raise BadCellError(f"expected {expected}, found another number")
    if column.kind == "count" and not value.is_integer():
        raise BadCellError("expected a whole number, found a fraction")
    low, high = column.low, column.high
    if (low is not None and value < low) or (high is not None and value > high):
        limits = f"from {low:g} to {high:g}" if high is not None else f"of at least {low:g}"
        raise BadCellError(
            f"expected {expected} {limits}, found one outside; check the unit and the entry"
        )
    return value if column.kind == "number" else int(value)


def _code(text: str, column: ColumnSpec) -> str:
    if text in column.allowed:
        return text
    lowered = {code.lower(): code for code in column.allowed}
    near = difflib.get_close_matches(text.lower(), lowered, n=1)
    hint = f"did you mean {lowered[near[0]]}?" if near else "recode it or leave it empty"
    raise BadCellError(f"expected one of {', '.join(column.allowed)}, found another text; {hint}")


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadCellError("expected a date as YYYY-MM-DD, found another text") from None
