"""What every check is made of: numbers as printed, its fields, and what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf

from cardio_stats.estimate import Estimate
from cardio_stats.forensics.formulas import Printed, printed

Verdict = Literal["impossible", "unlikely", "not reproduced", "note", "agrees"]
VERDICTS: tuple[Verdict, ...] = ("impossible", "unlikely", "not reproduced", "note", "agrees")
"""From the gravest to none."""
ACCUSING: tuple[Verdict, ...] = VERDICTS[:3]
UNLIKELY = 0.01
"""A number is called unlikely below this probability: a paper prints many, and one in twenty of
them would be called so by chance at the usual level."""


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


def compared(
    good: bool,
    otherwise: Verdict,
    sentence: str,
    *,
    estimates: tuple[Estimate, ...] = (),
    by_hand: str = "",
) -> Finding:
    """Return that numbers agree, or else a verdict and how a reader finds it by hand."""
    if good:
        return Finding("agrees", sentence, estimates)
    return Finding(otherwise, sentence, estimates, by_hand)


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
            retained = max(found.verdict, self.no_more_than, key=VERDICTS.index)
            return replace(found, verdict=retained)
        return found
