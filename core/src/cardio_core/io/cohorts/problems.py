"""A cohort table that cannot be used, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from cardio_core.errors import DataError
from cardio_core.io.tables.raw import Problem

_TOLD = 3


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
