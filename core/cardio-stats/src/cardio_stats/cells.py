"""One cell of a table: whether a value is missing, and which number it says."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cardio_stats.files import replacing

MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "n.a.", "nan", "<na>", "nat", "null", "#null!", ".", "-", "–",
     "unknown", "?"}
)  # fmt: skip
"""Cells that mean that a value is missing, in small letters.

Not "None", which is a category (NYHA None, I, II)."""


def cell_text(cell: object) -> str | None:
    """Return a cell as stripped text, None where it is missing; 201.0 and 201 are one text.

    Examples
    --------
    >>> cell_text(201.0), cell_text(" n/a "), cell_text("None")
    ('201', None, 'None')
    """
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, float | np.floating) and (math.isnan(cell) or cell.is_integer()):
        return None if math.isnan(cell) else str(int(cell))
    if isinstance(cell, bool | np.bool_):
        return str(int(cell))
    if isinstance(cell, date):  # pandas' timestamps are dates too
        return cell.isoformat()[:10]
    text = str(cell).strip()
    return None if text.casefold() in MISSING else text


def number_of(text: str, decimal_comma: bool = False) -> float | None:
    """Return the finite number that a cell says, None where it says something else.

    Examples
    --------
    >>> number_of("12.5"), number_of("12,5"), number_of("12,5", decimal_comma=True)
    (12.5, None, 12.5)
    """
    plain = text.replace("\u2212", "-")
    if decimal_comma and re.fullmatch(r"[+-]?\d*,\d+", plain):
        plain = plain.replace(",", ".")
    try:
        value = float(plain.replace("_", "?"))  # Python alone reads 1_000 as a number
    except ValueError:
        return None
    return value if math.isfinite(value) else None


# How a column writes its numbers: decimal commas, thousands, percent signs, leading zeros.

Mark = Literal[".", ","]
"""What stands before the decimals; the other one may divide thousands."""

_BLANKS = "\u00a0\u202f'’ "
"""These divide thousands, too, whatever stands before the decimals."""

_WHOLE = re.compile(r"[+-]?\d+([eE][+-]?\d+)?")
_CODE = re.compile(r"0\d+|[+-]?\d{16,}")
_MARKS: tuple[Mark, Mark] = (".", ",")


def _pattern(mark: Mark) -> re.Pattern[str]:
    other = "," if mark == "." else "."
    whole = rf"[1-9]\d{{0,2}}([{other}{_BLANKS}]\d{{3}})+|\d*"
    return re.compile(rf"[+-]?(?=[{mark}]?\d)({whole})([{mark}]\d*)?([eE][+-]?\d+)?")


_NUMBER = {mark: _pattern(mark) for mark in _MARKS}


@dataclass(frozen=True)
class Notation:
    """How the different cells of a column can be read as numbers.

    Attributes
    ----------
    plain : dict of str to str
        Each cell without apostrophe, percent sign and typographic minus.
    marks : frozenset of {".", ","}
        The decimal marks with which every cell is a number; none where one cell is no number.
    marked : bool
        Whether a point or a comma stands in some cell.
    code : bool
        Whether leading zeros, or more digits than a number keeps, make it a column of codes.
    percent, apostrophe : bool
        Whether cells had one.
    """

    plain: dict[str, str]
    marks: frozenset[Mark]
    marked: bool = False
    code: bool = False
    percent: bool = False
    apostrophe: bool = False

    def numbers(self, mark: Mark) -> dict[str, float]:
        """Return the number that each cell says with a decimal mark."""
        drop = str.maketrans("", "", _BLANKS + ("," if mark == "." else "."))
        return {
            cell: float(text.translate(drop).replace(mark, "."))
            for cell, text in self.plain.items()
        }


def notation_of(cells: Iterable[str]) -> Notation:
    """Find out how the different known cells of a column write numbers, if they are numbers.

    Examples
    --------
    >>> notation_of(["12,5", "1.204,0"]).marks
    frozenset({','})
    >>> notation_of(["35 %", "40%"]).numbers(".")
    {'35 %': 35.0, '40%': 40.0}
    >>> notation_of(["007", "012"]).code, sorted(notation_of(["1,234"]).marks)
    (True, [',', '.'])
    >>> notation_of(["12.5", "LBBB"]).marks
    frozenset()
    """
    plain: dict[str, str] = {}
    marks: frozenset[Mark] = frozenset(_MARKS)
    n_percent, apostrophe, code, marked = 0, False, False, False
    for cell in cells:
        text = cell.replace("\u2212", "-")
        if text.startswith("'") and not text.endswith("'"):
            apostrophe, text = True, text[1:]
        if text.endswith("%"):
            n_percent, text = n_percent + 1, text[:-1].rstrip()
        plain[cell] = text
        code = code or _CODE.fullmatch(text) is not None
        if not _WHOLE.fullmatch(text):
            marks = frozenset(mark for mark in marks if _NUMBER[mark].fullmatch(text))
            marked = marked or "," in text or "." in text
        if not marks:
            break
    if n_percent not in (0, len(plain)):
        marks = frozenset()
    return Notation(plain, marks, marked, code, n_percent > 0, apostrophe)


def mark_of(notation: Notation, different: Sequence[str], evidence: Mark | None) -> Mark | None:
    """Return the decimal mark of a column, None where it is no number or could be either.

    `different` are its cells; `evidence` is what a comma before three digits is in its table.

    Examples
    --------
    >>> mark_of(notation_of(["1,234"]), ["1,234"], None) is None
    True
    """
    if not different:
        return evidence or "."
    if not notation.marks:
        return None
    if len(notation.marks) == 1:
        return next(iter(notation.marks))
    if not any("," in cell for cell in different):
        return None if notation.marked and evidence == "," else "."
    return None if any("." in cell for cell in different) else evidence


# Cells that a spreadsheet would compute: marked as text where tables are written, and read so.
#
# A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, which may
# fetch and run things. Ids, names of columns and labels come from whoever made the data. An
# apostrophe before such a text is what spreadsheets themselves put there to say that it is text. A
# text that begins with apostrophes before such a sign gets one more, so that taking one away
# always gives back what was there.

_SIGN = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_ACTS, _MARKED = re.compile(f"'*{_SIGN}"), re.compile(f"'+{_SIGN}")
_N = r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?"
_PLAIN_NUMBER = re.compile(rf"{_N} ?%?(?: [(\[]{_N}(?:(?: to |, |; ){_N})? ?%?[)\]])?")
"""A number, or one with its interval or share in brackets: nothing in it can act."""


def as_text(value: Any) -> Any:
    """Return a cell as it is written: a text that a spreadsheet would compute gets an apostrophe.

    Numbers, and texts that are numbers, stay. A carriage return becomes a line feed.

    Examples
    --------
    >>> as_text("=1+1"), as_text("-0.5"), as_text(-0.5), as_text("-0.50 (-0.71 to 0.02)")
    ("'=1+1", '-0.5', -0.5, '-0.50 (-0.71 to 0.02)')
    >>> as_text("'=1"), as_text("'t was"), as_text("P-1")
    ("''=1", "'t was", 'P-1')
    """
    if not isinstance(value, str):
        return value
    if "\r" in value:  # writers do not quote it, and readers begin a new row there
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{value}" if _ACTS.match(value) and not _PLAIN_NUMBER.fullmatch(value) else value


def as_it_was(text: Any) -> Any:
    """Return what a cell said before `as_text`.

    Examples
    --------
    >>> [as_it_was(as_text(item)) for item in ("=1", "'=1", "''@x", "-1", "it's", None)]
    ['=1', "'=1", "''@x", '-1', "it's", None]
    """
    return text[1:] if isinstance(text, str) and _MARKED.match(text) else text


def texts(cells: Iterable[Any]) -> list[Any]:
    """Return a row of cells as they are written."""
    return [as_text(cell) for cell in cells]


def as_they_were(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row by column as it was before it was written."""
    return {as_it_was(name): as_it_was(value) for name, value in row.items()}


def write_rows(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a head and rows as CSV in which no text is computed, whole or not at all."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(texts(columns))
        writer.writerows(map(texts, rows))


def write_table(frame: pd.DataFrame, path: Path, *, index: bool = False, digits: str = "") -> None:
    """Write a table as CSV in which no text is computed, whole or not at all.

    Parameters
    ----------
    frame : DataFrame
    path : Path
    index : bool
        Whether the index is a column, too.
    digits : str
        How numbers are written (``"%.6g"``); empty writes all digits.
    """
    whole = frame.reset_index() if index else frame
    if index and frame.index.nlevels == 1 and frame.index.name is None:
        whole = whole.rename(columns={whole.columns[0]: ""})
    with replacing(path) as temporary:
        _changed(whole, as_text).to_csv(temporary, index=False, float_format=digits or None)


def table_as_it_was(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table that was read as text as it was before it was written."""
    return _changed(frame, as_it_was)


def _changed(frame: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    """Return a table with every text changed; each different text is looked at once."""
    made = frame.copy(deep=False)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            continue
        different = {item for item in column if isinstance(item, str)}
        other = {item: new for item in different if (new := change(item)) != item}
        if other:
            new = [other.get(item, item) if isinstance(item, str) else item for item in column]
            made.isetitem(place, pd.array(new, dtype=object))
    made.columns = pd.Index([change(item) for item in frame.columns], name=frame.columns.name)
    return made
