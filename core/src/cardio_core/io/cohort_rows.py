"""What every `load` does with a cohort table: find it, keep the baseline, read a cell as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

BASELINE = "baseline"

NUMBERED = (
    "New recordings are numbered in the order in which they were given, those of a folder by the "
    "names of their files."
)
"""Note of a `predict` without a cohort table: names of files can hold the names of people."""

_TABLES = (".csv", ".parquet", ".pq")
_NAMES = ("cohort.csv", "cohort.parquet")


def find_cohort_table(path: Path) -> Path | None:
    r"""Return the cohort table that a path is, or that lies in a folder; None if there is none.

    A CSV is one if its first line has the column `patient_id`.

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
    if path.suffix.lower() not in _TABLES or not path.is_file():
        return None
    if path.suffix.lower() != ".csv":
        return path
    with path.open(encoding="utf-8", errors="replace") as file:
        return path if "patient_id" in file.readline() else None


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
