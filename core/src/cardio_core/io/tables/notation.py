"""How a column writes its numbers: decimal commas, thousands, percent signs, leading zeros."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

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
