"""What a check found: where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Weight = Literal["stops", "set aside", "told"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes
    ----------
    weight : {"stops", "set aside", "told"}
        What `cardio run` does with it: stops, goes on without that recording, or says it.
    kind : {"table", "path", "recording", "duplicate"}
    says : str
        What was expected, what was found, and what to do.
    row : int or None
        In the file, as a spreadsheet counts: the header is row 1.
    column : str
        Of the table; empty where the row is meant.
    who : str
        Id of the recording or the study; empty where there is none.
    cell : str
        What stood in the cell.
    """

    weight: Weight
    kind: Literal["table", "path", "recording", "duplicate"]
    says: str
    row: int | None = None
    column: str = ""
    who: str = ""
    cell: str = ""

    @property
    def place(self) -> str:
        """``"row 5, age_y"``."""
        parts = [f"row {self.row}" if self.row else "", self.column or self.who]
        return ", ".join(part for part in parts if part)

    def line(self) -> str:
        """Return the finding in one line, with the cell where it is short."""
        shown = f" ({self.cell!r})" if self.cell and len(self.cell) <= 40 else ""
        return f"{self.place}{shown}: {self.says}" if self.place else self.says

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with those that stop a run first, then by row, each once."""
    weights = {"stops": 0, "set aside": 1, "told": 2}
    once = dict.fromkeys(findings)
    return sorted(once, key=lambda one: (weights[one.weight], one.row or 0, one.who))
