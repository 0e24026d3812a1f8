"""What is wrong with a cohort table: one problem a cell, all of them told together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cardio_core.errors import DataError

_TOLD = 3


@dataclass(frozen=True)
class Problem:
    """One thing to mend in a cohort table.

    Attributes
    ----------
    says : str
        What was expected, what was found and what to do, without the cell's content.
    row : int or None
        As a spreadsheet counts: the header is row 1.
    column : str
        Empty where the whole row, or the whole file, is meant.
    cell : str
        What stood there. No error message and no log shows it; `cardio data check` does, to whom
        the table belongs.
    """

    says: str
    row: int | None = None
    column: str = ""
    cell: str = ""

    @property
    def place(self) -> str:
        """``"row 3, column 'age_y'"``."""
        parts = [f"row {self.row}" if self.row else "", f"column {self.column!r}"]
        return ", ".join(part for part in parts[: 1 + bool(self.column)] if part)

    def line(self) -> str:
        """Return the problem with its place."""
        return f"{self.place}: {self.says}" if self.place else self.says

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


class CohortTableError(DataError):
    """A cohort table that cannot be used as it is, with everything that is wrong with it.

    Examples
    --------
    >>> found = [Problem("expected a number, found text", 3, "age_y")]
    >>> str(CohortTableError("cohort.csv", found))
    "cohort.csv, row 3, column 'age_y': expected a number, found text"
    """

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        told = [problem.line() for problem in self.problems[:_TOLD]]
        if len(self.problems) == 1:
            first = self.problems[0]
            super().__init__(f"{name}{', ' if first.place else ': '}{told[0]}")
            return
        more = len(self.problems) - len(told)
        rest = f"; and {more} more" if more else ""
        super().__init__(
            f"{name} has {len(self.problems)} problems. {'; '.join(told)}{rest}. "
            f"cardio data check lists all {len(self.problems)}"
        )
