"""One cell of a table: whether a value is missing, and which number it says."""

from __future__ import annotations

import math
import re
from datetime import date

import numpy as np
import pandas as pd

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
