"""Cells that a spreadsheet would compute: marked as text where tables are written, and read so.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, which may
fetch and run things. Ids, names of columns and labels come from whoever made the data. An
apostrophe before such a text is what spreadsheets themselves put there to say that it is text. A
text that begins with apostrophes before such a sign gets one more, so that taking one away always
gives back what was there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

_SIGN = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_ACTS, _MARKED = re.compile(f"'*{_SIGN}"), re.compile(f"'+{_SIGN}")
_N = r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?"
_NUMBER = re.compile(rf"{_N} ?%?(?: [(\[]{_N}(?:(?: to |, |; ){_N})? ?%?[)\]])?")
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
    return f"'{value}" if _ACTS.match(value) and not _NUMBER.fullmatch(value) else value


def as_it_was(text: Any) -> Any:
    """Return what a cell said before `as_text`.

    Examples
    --------
    >>> [as_it_was(as_text(one)) for one in ("=1", "'=1", "''@x", "-1", "it's", None)]
    ['=1', "'=1", "''@x", '-1', "it's", None]
    """
    return text[1:] if isinstance(text, str) and _MARKED.match(text) else text


def texts(cells: Iterable[Any]) -> list[Any]:
    """Return a row of cells as they are written."""
    return [as_text(one) for one in cells]


def named_texts(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row by column as it is written."""
    return {as_text(name): as_text(one) for name, one in row.items()}


def as_they_were(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row by column as it was before it was written."""
    return {as_it_was(name): as_it_was(one) for name, one in row.items()}


def write_table(frame: pd.DataFrame, path: Path, *, index: bool = False, digits: str = "") -> None:
    """Write a table as CSV in which no text is computed.

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
    _changed(whole, as_text).to_csv(path, index=False, float_format=digits or None)


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
        different = {one for one in column if isinstance(one, str)}
        other = {one: new for one in different if (new := change(one)) != one}
        if other:
            new = [other.get(one, one) if isinstance(one, str) else one for one in column]
            made.isetitem(place, pd.array(new, dtype=object))
    made.columns = pd.Index([change(one) for one in frame.columns], name=frame.columns.name)
    return made
