"""One cell of a cohort table: what it says, or what is wrong with it without repeating it."""

from __future__ import annotations

import difflib
import re
from datetime import date
from pathlib import Path

from cardio_core.io.cohorts.column import ColumnSpec
from cardio_core.io.tables.cells import number_of

SEPARATOR = ";"
"""Stands between the paths of one cell."""


class BadCellError(ValueError):
    """What is wrong with one cell, without its content."""


def parse_cell(
    text: str, column: ColumnSpec, folder: Path, *, decimal_comma: bool = False
) -> object:
    """Return the value of a cell that is not missing.

    The text has no surrounding space; `folder` is where relative paths start; `decimal_comma` says
    whether ``12,5`` is a number.

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
            return _number(text, column, decimal_comma)
        case "code":
            return _code(text, column)
        case "date":
            return _date(text)
    return text


def _paths(text: str, folder: Path) -> tuple[Path, ...]:
    parts = [part.strip().strip('"') for part in text.split(SEPARATOR)]
    return tuple(_path(part, folder) for part in parts if part)


def _path(text: str, folder: Path) -> Path:
    """Return a path as this computer writes it: ``~`` is home, a backslash divides."""
    if "\\" in text and not (folder / text).exists():
        text = text.replace("\\", "/")
    try:
        return (folder / Path(text).expanduser()).absolute()
    except RuntimeError:  # the home of somebody unknown
        return (folder / text).absolute()


_MOST = 1e15
"""Above it not every whole number is a float of its own, and nothing is measured."""
_FLAGS = {"yes": 1, "y": 1, "true": 1, "no": 0, "n": 0, "false": 0}


def _number(text: str, column: ColumnSpec, decimal_comma: bool) -> float | int:
    expected = "0, 1 or NA" if column.kind == "flag" else "a number"
    expected += f" in {column.unit}" if column.unit else ""
    if column.kind == "flag" and text.casefold() in _FLAGS:
        return _FLAGS[text.casefold()]
    value = number_of(text, decimal_comma)
    if value is None:
        raise BadCellError(f"expected {expected}, found {_instead_of_number(text, column)}")
    if column.kind == "flag" and value not in (0, 1):
        raise BadCellError(f"expected {expected}, found another number")
    if abs(value) > _MOST:
        raise BadCellError(f"expected {expected}, found one too large to be true; correct it")
    if column.kind == "count" and not value.is_integer():
        raise BadCellError("expected a whole number, found a fraction")
    low, high = column.low, column.high
    if (low is not None and value < low) or (high is not None and value > high):
        limits = f"from {low:g} to {high:g}" if high is not None else f"of at least {low:g}"
        raise BadCellError(
            f"expected {expected} {limits}, found one outside; check the unit and the entry"
        )
    return value if column.kind == "number" else int(value)


def _instead_of_number(text: str, column: ColumnSpec) -> str:
    if text.lower().lstrip("+-") in {"inf", "infinity"}:
        return "an infinite one; correct it or leave it empty"
    if text.count(",") == 1 and text.replace(",", "").lstrip("+-").isdigit():
        return "a decimal comma; write a point"
    if "," in text and text.replace(",", "").replace(".", "").lstrip("+-").isdigit():
        return "marks of thousands; write the digits and one decimal point"
    if text[:1] in "<>≤≥~":
        return "a limit (< or >), not a value; write the value or leave it empty"
    if column.unit and re.fullmatch(r"[+-]?\d+([.,]\d+)?\s*\D+", text):
        return "a number with a unit behind it; write the number alone"
    if text.startswith("#"):
        return "an error of the spreadsheet's formula; correct it or leave it empty"
    return "text; correct it or leave it empty"


def _code(text: str, column: ColumnSpec) -> str:
    lowered = {code.lower(): code for code in column.allowed} | dict(column.aliases)
    if text.lower() in lowered:
        return lowered[text.lower()]
    if column.aliases and text in {"0", "1", "2"}:
        raise BadCellError(
            f"expected {' or '.join(column.allowed)}, found a number, which does not say who is "
            f"who; write {' or '.join(column.allowed)}"
        )
    near = difflib.get_close_matches(text.lower(), lowered, n=1)
    hint = f"did you mean {lowered[near[0]]}?" if near else "recode it or leave it empty"
    raise BadCellError(f"expected one of {', '.join(column.allowed)}, found another text; {hint}")


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadCellError("expected a date as YYYY-MM-DD, found another text") from None
