"""Numbers in a text, less those that are no measurement, and what a record holds of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

NO_MEASUREMENT = {
    "code, commands and output": r"```.*?```|`[^`\n]+`|^(?: {4,}|\t)\S[^\n]*",
    "comments": r"<!--.*?-->",
    "targets of links": r"\]\([^)]*\)",
    "days": r"\b\d{4}-\d\d-\d\d(?:(?:,| and| to) \d{1,2}\b(?!\s*%))*|\bNovember \d{4}",
    "citations": r"\bet\s+al\.,? \(?\d{4}\)?|\((?:19|20)\d\d\)|\b(?:19|20)\d\d; ?\d+:\d+|"
    r"\b\d+:\d+\b|\bdoi \S+|\bPMC\d+",
    "commits": r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b",
    "versions": r"\b(?:Python|API|torch|wfdb|neurokit2|PTB-XL|version|LGPL|GPL) \d+(?:\.\d+)*"
    r"(?: (?:or|and) \d+\.\d+)?|\b\d+(?:\.\d+){2,}\b",
    "numbers of tables and exit codes": r"\b(?:Tables?|Figures?) \d+(?: and \d+)?\b|"
    r"\bexit(?:s|\s+code)?(?: is| with| of)? \d+\b",
    "levels of intervals and sets": r"\b(?:90|95|99) % "
    r"(?=(?:prediction )?(?:sets?|intervals?|CI|limits)\b)",
    "names with a digit": r"(?<![\w.])(?:[^\W\d_][\w()+']*-?\d[\w+]*(?:\.\d+)*(?:/\d+)*|"
    r"\w+\(\d\+\d\)\w+-\d+|x86-64|JPEG 2000)",
    "words that begin with a digit": r"\b\d+(?:\.\d+)?(?:-[a-z]{2,}|-?D\b|st\b|nd\b|rd\b|th\b)",
    "numbers of a list": r"^\s*(?:#+ )?\d+\. ",
}
"""What is taken out of a page's text before numbers are looked for, by kind."""

_SKIP = re.compile("|".join(NO_MEASUREMENT.values()), re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(
    r"(?<![\w.])([−+-]?)((?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?)((?:\.\d+)?)((?:e[−+-]\d+)?)(?!\d)(\s?%)?"
)


class Number(NamedTuple):
    """A number as a text states it.

    Attributes
    ----------
    text : str
        As it is written.
    value : float
        Without its sign.
    sign : {"", "+", "−"}
    places : int
        Of the last digit, after the point.
    per_cent : bool
    line, column : int
        In the text; lines from 1, columns from 0.
    """

    text: str
    value: float
    sign: str
    places: int
    per_cent: bool
    line: int
    column: int

    @property
    def digits(self) -> int:
        """How many of its digits count; with few of them it is another number by chance."""
        return len(re.sub(r"\D", "", self.text).lstrip("0"))


def stated(text: str) -> Iterator[Number]:
    """Yield the numbers of a text that may be measurements.

    Examples
    --------
    >>> [one.text for one in stated("V1 on 2026-11-21: .81 (−0.2 to 1,234) in 5 %, `k=3`")]
    ['.81', '−0.2', '1,234', '5']
    """
    # What is skipped keeps its length and lines, so that lines can be told.
    blank = _SKIP.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for found in _NUMBER.finditer(blank):
        if not (found[2] or found[3]):
            continue
        yield Number(
            text="".join(found.group(1, 2, 3, 4)),
            value=_size(found),
            sign=found[1].replace("-", "−"),
            places=max(0, len(found[3]) - 1) - int(found[4][1:].replace("−", "-") or "0"),
            per_cent=bool(found[5]),
            line=blank.count("\n", 0, found.start()) + 1,
            column=found.start() - blank.rfind("\n", 0, found.start()) - 1,
        )


def _size(found: re.Match[str]) -> float:
    """Return a number of a text without its sign."""
    digits = (found[2] or "0").replace(",", "") + found[3] + found[4].replace("−", "-")
    return float(digits)


class Held:
    """Numbers that may be stated: those in texts as they stand there, others rounded as well.

    Parameters
    ----------
    values : nested values
    fewest : int
        Digits that a stated number must have to be looked for among them.
    """

    def __init__(self, values: Iterable[Any] = (), fewest: int = 0) -> None:
        self._fewest = fewest
        found = [one for value in values for one in _numbers_of(value)]
        signed = sorted({value for value, _ in found})
        exact = sorted({value for value, in_text in found if not in_text})
        self._written = {True: signed, False: sorted({abs(one) for one in signed})}
        self._exact = {True: exact, False: sorted({abs(one) for one in exact})}

    def __contains__(self, number: Number) -> bool:
        scales = (1.0, 100.0) if number.per_cent else (1.0,)
        return number.digits >= self._fewest and any(self._holds(number, scale) for scale in scales)

    def _holds(self, number: Number, scale: float) -> bool:
        sought = (-number.value if number.sign == "−" else number.value) / scale
        rounding = 0.5 * 10**-number.places / scale if number.digits > 1 else 0.0
        signed = bool(number.sign)
        return _within(self._written[signed], sought, 0.0) or _within(
            self._exact[signed], sought, rounding
        )


def _within(values: list[float], sought: float, half: float) -> bool:
    """Return whether any of the sorted values is at most `half` away."""
    half += 1e-9 * max(1.0, abs(sought))
    place = bisect_left(values, sought - half)
    return place < len(values) and values[place] <= sought + half


def _numbers_of(value: Any) -> Iterator[tuple[float, bool]]:
    """Yield every number of a nested value, and whether it stands in a text or key."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, (int, float)):
        yield float(value), False
    elif isinstance(value, str):
        for found in _NUMBER.finditer(value):
            if found[2] or found[3]:
                yield (-_size(found) if found[1] in {"−", "-"} else _size(found)), True
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from _numbers_of(key)
            yield from _numbers_of(inside)
    else:
        for inside in value:
            yield from _numbers_of(inside)
