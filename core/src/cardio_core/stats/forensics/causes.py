"""Findings that one cause explains, told as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio_core.stats.forensics.check import VERDICTS, Verdict

if TYPE_CHECKING:
    from cardio_core.stats.forensics.runner import PaperFinding


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, or several with one cause.

    Attributes
    ----------
    paper : str
    cause : str
        Empty where there is one finding.
    verdict : Verdict
        The gravest of its findings.
    findings : tuple of PaperFinding
    """

    paper: str
    cause: str
    verdict: Verdict
    findings: tuple[PaperFinding, ...]


def told(findings: Iterable[PaperFinding]) -> list[Told]:
    """Put findings of one paper and cause together, in the order of their first.

    What is in order stays by itself: nothing needs to explain it.
    """
    groups: dict[tuple[str, str], list[PaperFinding]] = {}
    for i, found in enumerate(findings):
        own = not found.cause or found.finding.verdict == "agrees"
        groups.setdefault((found.paper, f"\0{i}" if own else found.cause), []).append(found)
    return [
        Told(
            paper,
            members[0].cause if len(members) > 1 else "",
            min((each.finding.verdict for each in members), key=VERDICTS.index),
            tuple(members),
        )
        for (paper, _), members in groups.items()
    ]
