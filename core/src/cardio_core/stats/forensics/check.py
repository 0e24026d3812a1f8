"""What every check is made of: numbers as printed, its fields, and what it finds."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf

from cardio_core.types.estimate import Estimate

_NUMBER = re.compile(r"^(<\s*)?[-+]?\d*\.?\d+$")
Verdict = Literal["impossible", "unlikely", "not reproduced", "note", "agrees"]
VERDICTS: tuple[Verdict, ...] = ("impossible", "unlikely", "not reproduced", "note", "agrees")
"""From the gravest to none."""
ACCUSING: tuple[Verdict, ...] = VERDICTS[:3]
UNLIKELY = 0.01
"""A number is called unlikely below this probability: a paper prints many, and one in twenty of
them would be called so by chance at the usual level."""


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
    verdict : {"impossible", "unlikely", "not reproduced", "note", "agrees"}
        Not all of the numbers can be right; they can, with the stated probability under a stated
        model; they do not follow from what is printed; they are in order and mean something that
        the reader should know; they agree.
    sentence : str
        One or two sentences with the numbers.
    estimates : tuple of Estimate
    by_hand : str
        The arithmetic, to be done again; never empty with one of the first three verdicts.
    """

    verdict: Verdict
    sentence: str
    estimates: tuple[Estimate, ...] = ()
    by_hand: str = ""


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
        What we make of it; added to the sentence as our reading.
    cause : str
        What it has in common with other findings of the paper; they are told as one.
    explained : str
        Where the paper itself says why the numbers differ; the finding is then in order.
    no_more_than : {"unlikely", "not reproduced", "note"}, optional
        The gravest verdict that what is printed allows; `because` says why.
    """

    name: str
    where: str = ""
    because: str = ""
    cause: str = ""
    explained: str = ""
    no_more_than: Literal["unlikely", "not reproduced", "note"] | None = None

    @abstractmethod
    def find(self) -> Finding:
        """Do the arithmetic and say what it shows."""

    def judged(self) -> Finding:
        """Return the finding, no graver than the paper's own words and ours allow."""
        found = self.find()
        if found.verdict == "agrees":
            return found
        if self.explained:
            words = f"{found.sentence} The paper explains it: {self.explained}"
            return replace(found, verdict="agrees", sentence=words, by_hand="")
        if self.no_more_than is not None:
            kept = max(found.verdict, self.no_more_than, key=VERDICTS.index)
            return replace(found, verdict=kept)
        return found
