"""What every check is made of: numbers as printed, its fields, and what it finds."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf

from cardio_core.types.estimate import Estimate

_NUMBER = re.compile(r"^(<\s*)?[-+]?\d*\.?\d+$")
Verdict = Literal["contradiction", "doubt", "agrees", "note"]


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


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    verdict : {"contradiction", "doubt", "agrees", "note"}
        The numbers cannot all be right; they can, but do not show what they are taken to show;
        they agree; or they agree and mean something that the reader should know.
    sentence : str
        One or two sentences with the numbers.
    estimates : tuple of Estimate
    """

    verdict: Verdict
    sentence: str
    estimates: tuple[Estimate, ...] = ()


class Part(BaseModel):
    """A group of fields inside a check."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(Part, ABC):
    """One check of printed numbers; each kind is one class.

    Attributes
    ----------
    name : str
        What the numbers are about: "QRS duration", "ResNet-50".
    where : str
        Where they are printed: "Table 1", "abstract".
    because : str
        What the reader should make of it; added to the sentence.
    """

    name: str
    where: str = ""
    because: str = ""

    @abstractmethod
    def find(self) -> Finding:
        """Do the arithmetic and say what it shows."""
