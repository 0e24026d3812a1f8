"""Which id is which file: written only where somebody asks for it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cardio_core.io.atomic import replacing
from cardio_core.io.tables.formula import texts
from cardio_core.types.samples import Cohort, Quarantined


def write_mapping(path: Path, cohort: Cohort, quarantined: Iterable[Quarantined]) -> None:
    """Write a CSV with the columns id and file; several files of one recording have ``;`` between.

    Where files were searched, `number` is the place of each in the account of files, and those that
    are no recording have a line without id.

    Parameters
    ----------
    path : Path
        The CSV.
    cohort : Cohort
        What was found.
    quarantined : iterable of Quarantined
        What was set aside, with its files where they are known.
    """
    files = {name: tuple(cohort.files[name]) for name in cohort.samples.table.index.astype(str)}
    for row in quarantined:
        files.setdefault(row.recording_id, row.files)
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        numbers = {one.path: number for number, one in enumerate(cohort.seen, start=1)}
        rows = [(name, ";".join(map(str, of)), _number(of, numbers)) for name, of in files.items()]
        others = (one.path for one in cohort.seen if not one.recording_id)
        rows += [("", str(path), str(numbers[path])) for path in others]
        n_columns = 3 if numbers else 2
        writer.writerow(("id", "file", "number")[:n_columns])
        writer.writerows(texts(row[:n_columns]) for row in rows)


def _number(files: Sequence[Path], numbers: Mapping[Path, int]) -> str:
    return next((str(numbers[file]) for file in files if file in numbers), "")
