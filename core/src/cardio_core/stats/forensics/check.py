"""What every check of published numbers is made of, and what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from cardio_core.types.estimate import Estimate

Verdict = Literal["contradiction", "doubt", "agrees", "note"]


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
