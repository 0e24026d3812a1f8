"""What every `load` does with a cohort table: find it, keep the baseline, read a cell as text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.io.cohort_schema import COLUMNS, FILES_PREFIX
from cardio_core.io.cohorts.headers import near
from cardio_core.io.tables.raw import WORKBOOKS, header_of
from cardio_core.types.notes import Note, NoteKind

BASELINE = "baseline"

NUMBERED = Note(
    NoteKind.COHORT,
    "New recordings are numbered in the order in which they were given, those of a folder by the "
    "names of their files.",
)
"""Note of a `predict` without a cohort table: names of files can hold the names of people."""

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
_NAMES = ("cohort.csv", "cohort.parquet")


def shown_of(inputs: Iterable[Path]) -> str:
    """Return what outputs call the data: the usual names of tables alone, for others can tell.

    Examples
    --------
    >>> shown_of([Path("cohort.csv"), Path("MILLER/crt_of_MILLER.csv"), Path("no_such_folder")])
    'cohort.csv, a cohort table, a folder'
    """
    names = []
    for path in inputs:
        table = path if path.suffix.lower() in _TABLES else None
        table = find_cohort_table(path) or table if path.exists() else table
        kind = "a file" if path.is_file() else "a folder"
        if table is not None:
            kind = table.name if table.name in _NAMES else "a cohort table"
        names.append(kind)
    return ", ".join(dict.fromkeys(names))


def find_cohort_table(path: Path) -> Path | None:
    r"""Return the cohort table that a path is, or that lies in a folder; None if there is none.

    A text file is one if its first line has the column `patient_id`, or two others that every
    cohort table may have: then it lacks the patients, and reading it says so.

    Raises
    ------
    DataError
        If the path is a workbook.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> find_cohort_table(folder) is None
    True
    >>> _ = (folder / "cohort.csv").write_text("patient_id\nP1\n")
    >>> find_cohort_table(folder).name
    'cohort.csv'
    """
    if path.is_dir():
        return next((path / name for name in _NAMES if (path / name).is_file()), None)
    suffix = path.suffix.lower()
    if suffix in WORKBOOKS and path.is_file():
        raise DataError(
            f"{path.name}: expected a CSV or Parquet table, found a workbook; save its sheet as "
            "CSV UTF-8"
        )
    if suffix not in _TABLES or not path.is_file():
        return None
    if suffix in {".parquet", ".pq"}:
        return path
    names = header_of(path, COLUMNS)
    known = [name for name in names if name in COLUMNS or name.startswith(FILES_PREFIX)]
    like = {*known, *(name for name in names if near(name, ("patient_id",)))}
    return path if "patient_id" in names or len(like) > 1 else None


def at_baseline(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which studies are from before the treatment: `timepoint` baseline, or empty.

    Examples
    --------
    >>> at_baseline(pd.DataFrame({"timepoint": ["Baseline", None, "follow-up"]})).tolist()
    [True, True, False]
    """
    if "timepoint" not in table.columns:
        return np.ones(len(table), bool)
    timepoint = table["timepoint"].fillna(BASELINE).str.strip().str.lower()
    return timepoint.eq(BASELINE).to_numpy(bool)


def text_of(row: pd.Series[Any], name: str) -> str | None:
    """Return a cell of a cohort table as text, None where the column or the value is missing."""
    value = row.get(name)
    return None if value is None or pd.isna(value) else str(value)
