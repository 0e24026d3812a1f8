"""Copies of a data folder with fewer patients, or with the same ones in another order."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

ID_COLUMNS = ("patient_id", "study_id", "recording_id")
_TABLES = ("cohort.csv", "cohort.parquet")

Rows = list[list[str]]


def copy_without(
    data: Path,
    target: Path,
    *,
    ids: Collection[str],
    files: Collection[Path],
    recordings: Collection[Path],
) -> None:
    """Copy a data folder, leaving out some people.

    Rows of any table that carry one of `ids` (of patients, studies, recordings) in a column of ids
    are left out, and `files`, with the rows that name one. `recordings` are every recording's
    files, which are no tables even where they are CSV files.
    """
    gone = {file.relative_to(data) for file in files if file.is_relative_to(data)}
    names = {name for file in gone for name in _names_of(file)}

    def left(header: list[str], rows: Rows) -> Rows:
        keys = [n for n, name in enumerate(header) if name in ID_COLUMNS]
        return [
            row
            for row in rows
            if {row[n] for n in keys if n < len(row)}.isdisjoint(ids)
            and {part.strip() for cell in row for part in cell.split(";")}.isdisjoint(names)
        ]

    def ignore(folder: str, inside: list[str]) -> list[str]:
        return [name for name in inside if (Path(folder) / name).relative_to(data) in gone]

    shutil.copytree(data, target, ignore=ignore)
    untouched = {file.relative_to(data) for file in recordings if file.is_relative_to(data)}
    for table in target.rglob("*.csv"):
        if table.relative_to(target) not in untouched:
            _rewrite(table, left)
    _rewrite_parquet(
        target, lambda rows: [n for n, one in enumerate(rows["patient_id"]) if str(one) not in ids]
    )


def copy_reordered(data: Path, target: Path) -> None:
    """Copy a data folder with the patients of its cohort table in reverse order."""
    shutil.copytree(data, target)

    def turned(header: list[str], rows: Rows) -> Rows:
        key = header.index("patient_id")
        return [rows[n] for n in _backwards([row[key] for row in rows])]

    table = target / _TABLES[0]
    if table.is_file():
        _rewrite(table, turned)
    _rewrite_parquet(target, lambda rows: _backwards(list(rows["patient_id"])))


def has_cohort_table(data: Path) -> bool:
    """Whether a folder holds a table that says whose the recordings are."""
    return any((data / name).is_file() for name in _TABLES)


def _backwards(patients: Sequence[str]) -> list[int]:
    """Return positions with the last patient first.

    Studies of one patient stay in their order, in which the first may have a meaning.

    Examples
    --------
    >>> _backwards(["a", "b", "b", "c"])
    [3, 1, 2, 0]
    """
    place = {one: n for n, one in enumerate(dict.fromkeys(patients))}
    return sorted(range(len(patients)), key=lambda n: -place[patients[n]])


def _names_of(file: Path) -> Iterable[str]:
    """Return how a table may name a file; a bare number could be anything else.

    >>> sorted(_names_of(Path("clips/x1.avi"))), sorted(_names_of(Path("100.dat")))
    (['clips/x1', 'clips/x1.avi', 'x1', 'x1.avi'], ['100.dat'])
    """
    names = {file.as_posix(), file.name, file.with_suffix("").as_posix(), file.stem}
    return {name for name in names if not name.isdigit()}


def _rewrite(table: Path, change: Callable[[list[str], Rows], Rows]) -> None:
    """Change the rows of a CSV file, every cell as it is written there."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = [*csv.reader(file)] or [[]]
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *change(header, rows)])


def _rewrite_parquet(folder: Path, positions: Callable[[Any], list[int]]) -> None:
    table = folder / _TABLES[1]
    if table.is_file():
        import pandas as pd

        rows = pd.read_parquet(table)
        rows.iloc[positions(rows)].to_parquet(table)
