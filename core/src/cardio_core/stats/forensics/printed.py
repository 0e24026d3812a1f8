"""A number as it is printed: what it may have been before it was rounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf

_NUMBER = re.compile(r"^(<\s*)?[-+]?\d*\.?\d+$")


@dataclass(frozen=True, slots=True)
class Printed:
    """A rounded number and the interval of numbers that round to it.

    Attributes
    ----------
    text : str
        As printed.
    value : float
    low, high : float
        Limits before rounding, both included, since papers round halves either way.

    Examples
    --------
    >>> p = printed("0.60")
    >>> (round(p.low, 4), round(p.high, 4)), p.holds(0.604), p.holds(0.61)
    ((0.595, 0.605), True, False)
    >>> printed("<0.001").holds(0.0004)
    True
    """

    text: str
    value: float
    low: float
    high: float

    @property
    def half_step(self) -> float:
        """Half a unit of the last printed digit."""
        return (self.high - self.low) / 2

    def holds(self, number: float) -> bool:
        """Say whether `number` rounds to what is printed."""
        return self.meets(number, number)

    def meets(self, low: float, high: float) -> bool:
        """Say whether some number between `low` and `high` rounds to what is printed."""
        slack = 1e-9 * max(1.0, abs(self.value))
        return low <= self.high + slack and high >= self.low - slack

    def __str__(self) -> str:
        return self.text


def printed(text: object) -> Printed:
    """Read a number with the digits it was printed with.

    Parameters
    ----------
    text : str or int
        ``"0.60"``, ``"83"``, ``"<0.001"``: rounded to the last digit. An int is an exact count. A
        float is refused: 0.6 no longer knows that it was printed as 0.60.

    Raises
    ------
    ValueError
        Not a number, or a float; pydantic turns it into a message that names the place.
    """
    if isinstance(text, Printed):
        return text
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise ValueError(f"write the number in quotes, as it is printed; found {text!r}")
    words = str(text).strip()
    if not _NUMBER.match(words):
        raise ValueError(f"expected a number such as '0.60' or '<0.001', found {words!r}")
    if words.startswith("<"):
        limit = float(words[1:])
        return Printed(words, limit, 0.0, limit)
    decimals = len(words.split(".")[1]) if "." in words else 0
    # a count is exact; text was rounded to its last digit
    half = 0.0 if isinstance(text, int) else 0.5 * 10.0**-decimals
    value = float(words)
    return Printed(words, value, value - half, value + half)


PrintedNumber = Annotated[InstanceOf[Printed], BeforeValidator(printed)]
"""A pydantic field that takes a number as printed."""
