"""The columns of a CSV table as a reader reads them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cardio_core.report.naming import Names
from cardio_core.report.spelling import capital, cell_words
from cardio_core.report.words import METRICS, count, number, p_value

Cell = tuple[str, str]
"""What is printed, and a number with all its digits (empty for text)."""

MIN_ROWS = 2
"""From so many rows on a column that says one thing moves into the caption."""

_P_COLUMNS = frozenset({"p", "p-value", "p value", "q"})
_NO_VALUE = frozenset({"n", "k", "p"})
_NEVER_CONSTANT = frozenset({"variable", "model", "term", "characteristic"})
_DASH = "\u2013"


@dataclass(frozen=True)
class Column:
    """One column: the file's name for it, its heading, whether it is numeric, and its cells."""

    name: str
    heading: str
    numeric: bool
    cells: tuple[Cell, ...]

    @property
    def words(self) -> frozenset[str]:
        """What the cells say."""
        return frozenset(text for text, _ in self.cells)


def columns_of(head: Sequence[str], rows: Sequence[Sequence[str]], names: Names) -> list[Column]:
    """Return the columns that say anything; of a matrix of classes all, as they are called."""
    if is_matrix(head, rows):
        return [
            _column(
                name, [row[i] for row in rows], names, first=i == 0, heading=_class(name, names)
            )
            for i, name in enumerate(head)
        ]
    found = []
    for position, name in enumerate(head):
        texts = [row[position] if position < len(row) else "" for row in rows]
        if rows and not any(text.strip() and text != _DASH for text in texts):
            continue
        found.append(_column(name, texts, names, first=position == 0))
    return found


def is_matrix(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether rows and columns are the same classes."""
    firsts = {row[0] for row in rows if row}
    complete = all(len(row) == len(head) for row in rows)
    return complete and len(firsts) > 1 and firsts <= set(head[1:])


def with_intervals(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with every pair of limits beside its value: 0.58 (0.29 to 0.91)."""
    found: list[Column] = []
    position = 0
    while position < len(columns):
        column = columns[position]
        position += 1
        if position + 1 < len(columns):
            low, high = columns[position : position + 2]
            stem = low.name.removesuffix("low")
            limits = stem != low.name and high.name == stem + "high" and low.numeric
            if limits and high.numeric:
                # superiority, p, low, high: the limits are not those of p.
                if column.name == "p" and found and found[-1].numeric:
                    found[-1] = _with_limits(found[-1], low, high)
                elif column.numeric and column.name not in _NO_VALUE:
                    column = _with_limits(column, low, high)
                found.append(column)
                position += 2
                continue
        found.append(column)
    return found


def same_throughout(columns: Sequence[Column]) -> tuple[list[Column], list[tuple[str, str]]]:
    """Return the columns that differ between rows, and (heading, text) of the others."""
    kept, constant = [], []
    for position, column in enumerate(columns):
        alike = len(column.cells) >= MIN_ROWS and len(column.words) == 1
        if alike and position and column.name.lower() not in _NEVER_CONSTANT:
            constant.append((column.heading, column.cells[0][0]))
        else:
            kept.append(column)
    return kept, constant


def _with_limits(column: Column, low: Column, high: Column) -> Column:
    cells = tuple(
        (f"{value} ({below} to {above})" if below and above else value, "")
        for (value, _), (below, _), (above, _) in zip(
            column.cells, low.cells, high.cells, strict=True
        )
    )
    return replace(column, heading=f"{column.heading} (95 % CI)", cells=cells)


def _column(
    name: str, texts: Sequence[str], names: Names, *, first: bool, heading: str | None = None
) -> Column:
    heading = heading if heading is not None else _heading(name, names)
    numeric = not _is_name(name) and _is_numeric(texts)
    if numeric:
        like = _typical(texts)
        cells = tuple((_printed(text, name, like), text) for text in texts)
        return Column(name, heading, True, cells)
    quiet = name.strip().lower()
    models = quiet in ("model", "row", "versus", "first", "second") or (first and not quiet)
    cells = tuple((_said(text, names, models, first, _is_name(name)), "") for text in texts)
    figures = [text for text in texts if text.strip() and text != _DASH]
    # "58.4 ± 9.6" and "9 (75.0)" are numbers, too, and stand flush right.
    right = bool(figures) and not first and all(text.lstrip("<>−-+").lstrip()[:1].isdigit()
                                                for text in figures)  # fmt: skip
    return Column(name, heading, right and not _is_name(name), cells)


def _said(text: str, names: Names, models: bool, first: bool, ids: bool) -> str:
    if ids:
        return names.fold(text)
    if models and text in names.models:
        return names.models[text]
    if text in ("True", "False"):
        return "yes" if text == "True" else "no"
    if first and text.startswith("  "):
        return "\u2003" + names.text(text.strip())
    said = METRICS.get(text) or names.words.get(text) or cell_words(names.text(text))
    plain = first and len(said) > 2 and not any(sign.isdigit() for sign in said.split(" ")[0])
    return said[:1].upper() + said[1:] if plain else said


def _class(name: str, names: Names) -> str:
    """Return what heads the column of a class: single letters stay what they are."""
    known = names.models.get(name) or names.words.get(name)
    return known or (capital(names.text(name)) if len(name) > 2 else name)


def _heading(name: str, names: Names) -> str:
    return names.heading(name) if name else ""


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


def _printed(text: str, column: str, like: float | None) -> str:
    value = _value(text)
    if value is None:
        return text
    name = column.strip().lower()
    if name in _P_COLUMNS or name.startswith("p_"):
        return p_value(value)
    if value.is_integer() and "." not in text and "e" not in text.lower():
        return count(int(value)).replace("-", "\u2212")
    return number(value, like=like)
