"""Which file became which: the one file that ties new names to old ones."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.io.atomic import replacing
from cardio_core.io.tables.formula import texts
from cardio_core.ultrasound.deidentify.header import Source

_COLUMNS = ("source", "patient_id", "name", "patient", "reason")


@dataclass(frozen=True, repr=False)
class Job:
    """One file: its place in the order of paths, who it is about, and what it will be called."""

    place: int
    path: Path
    source: Source
    patient: str
    number: int

    @property
    def name(self) -> str:
        """The new name, without suffix."""
        return f"{self.patient}_{self.number:02d}"


def write_mapping(
    path: Path,
    root: Path,
    jobs: Sequence[tuple[Job, str | None]],
    others: Sequence[tuple[Path, str]] = (),
) -> None:
    """Write a CSV with a row for every file; only its owner may read it.

    Columns are source (from `root`, the folder or file that was searched), patient_id (the header's
    own), name (empty where the file was set aside), patient, and reason: why a job was set aside.
    `others` are files that are no loops, with what they are.
    """
    folder = root if root.is_dir() else root.parent
    with replacing(path) as temporary:
        temporary.touch(mode=0o600)
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for job, reason in jobs:
                new = "" if reason else job.name
                row = (job.path.relative_to(folder), job.source.patient_id, new, job.patient)
                writer.writerow(texts(map(str, (*row, reason or ""))))
            for other, kind in others:
                place = str(other.relative_to(folder))
                writer.writerow(texts([place, "", "", "", f"no loop: {kind}"]))
