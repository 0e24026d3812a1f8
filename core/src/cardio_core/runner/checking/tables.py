"""The cohort tables of a check: bad cells, wrong paths, and which row a study stands in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.io.cohort_rows import find_cohort_table
from cardio_core.io.cohort_table import existing_paths, inspect_cohort_table
from cardio_core.runner.checking.findings import Finding

_SUFFIXES = ("", ".hea", ".dat", ".atr")


@dataclass(frozen=True)
class TablePart:
    """What the tables among some inputs hold.

    `numbers` is the row in the file of each study, `bad_paths` the studies with a path that leads
    nowhere, whose recordings need not be told again.
    """

    names: tuple[str, ...]
    rows: pd.DataFrame | None
    numbers: Mapping[str, int]
    findings: tuple[Finding, ...]
    bad_paths: frozenset[str]


def look_at_tables(inputs: Iterable[Path], paths: tuple[str, ...]) -> TablePart:
    """Read every cohort table as far as it can be read.

    Raises
    ------
    DataError
        If one cannot be read at all.
    """
    files = [file for path in inputs if (file := find_cohort_table(path)) is not None]
    findings: list[Finding] = []
    rows: list[pd.DataFrame] = []
    numbers: dict[str, int] = {}
    bad: set[str] = set()
    for path in files:
        table = inspect_cohort_table(path, paths)
        findings += [
            Finding("stops", "table", one.says, one.row, one.column, cell=one.cell)
            for one in table.problems
        ]
        rows.append(table.rows)
        numbers |= table.numbers
        for column in (name for name in paths if name in table.rows.columns):
            wrong = _wrong_paths(table.rows[column], table.numbers, path.parent)
            findings += wrong
            bad |= {one.who for one in wrong}
    return TablePart(
        tuple(path.name for path in files),
        pd.concat(rows) if rows else None,
        numbers,
        tuple(findings),
        frozenset(bad),
    )


def _wrong_paths(cells: pd.Series, numbers: Mapping[str, int], folder: Path) -> list[Finding]:
    findings = []
    for study, cell in cells.items():
        for path in cell:
            if any(path.with_suffix(suffix).exists() for suffix in _SUFFIXES if not path.suffix):
                continue  # a WFDB record may be named without its suffix
            try:
                existing_paths((path,))
            except DataError as error:
                shown = path.relative_to(folder) if path.is_relative_to(folder) else path
                findings.append(
                    Finding("set aside", "path", str(error), numbers.get(str(study)),
                            str(cells.name), str(study), str(shown))
                )  # fmt: skip
    return findings
