"""TRIPOD+AI and CLAIM: what a run answers of each item, and what is left for the authors."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.io.atomic import write_text
from cardio_core.io.run_artifact import RunArtifact
from cardio_core.io.tables.formula import texts
from cardio_core.report.told.checklist_items import CLAIM, TRIPOD_AI, Item
from cardio_core.report.told.evidence import evidence

ANSWERED, PARTLY, AUTHORS = "answered", "in part", "for the authors"

_TITLES = {
    "tripod_ai": "TRIPOD+AI (Collins GS et al. BMJ 2024;385:e078378)",
    "claim": "CLAIM 2024 (Tejani AS et al. Radiol Artif Intell 2024;6:e240300)",
}

CHECKLISTS = frozenset(_TITLES)
"""Names of the checklists, and of the tables that they are written to."""


@dataclass(frozen=True)
class Line:
    """One item: its number, what it asks in our own words, whether and how it is answered."""

    number: str
    asks: str
    status: str
    answer: str


@dataclass(frozen=True)
class Checklist:
    """A checklist filled in; `counted` says how much of it a run answers."""

    name: str
    title: str
    lines: tuple[Line, ...]

    @property
    def counted(self) -> str:
        """How many items are answered, and how many in part."""
        n, partly = (sum(line.status == s for line in self.lines) for s in (ANSWERED, PARTLY))
        return f"{n} of {len(self.lines)} answered by this page, {partly} in part"


def checklists(files: RunArtifact) -> tuple[Checklist, ...]:
    """Return both checklists of a run; an item that nothing is known of is left to the authors."""
    known = evidence(files)
    made = []
    for name, items in (("tripod_ai", TRIPOD_AI), ("claim", CLAIM)):
        made.append(Checklist(name, _TITLES[name], tuple(_line(item, known) for item in items)))
    return tuple(made)


def write_checklists(run: Path, made: Sequence[Checklist]) -> None:
    """Write each checklist as ``tables/NAME.csv``."""
    for one in made:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["item", "asks", "status", "answer"])
        rows.writerows(
            texts([line.number, line.asks, line.status, line.answer]) for line in one.lines
        )
        path = run / "tables" / f"{one.name}.csv"
        path.parent.mkdir(exist_ok=True)
        write_text(path, text.getvalue())


def _line(item: Item, known: dict[str, str]) -> Line:
    told = [known[key] for key in item.told if key in known]
    if not told:
        return Line(item.number, item.asks, AUTHORS, "")
    whole = not item.rest and len(told) == len(item.told)
    answer = " ".join(f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in told)
    rest = f" For the authors: {item.rest}." if item.rest else ""
    return Line(item.number, item.asks, ANSWERED if whole else PARTLY, answer + rest)
