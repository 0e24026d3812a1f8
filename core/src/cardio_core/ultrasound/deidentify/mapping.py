"""Which file became which: the one file that ties new names to old ones."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cardio_core.io.atomic import replacing
from cardio_core.ultrasound.deidentify.header import Source

_COLUMNS = ("source", "patient_id", "name", "patient", "reason")


class Job(Protocol):
    """A file, who it is about, and its new name."""

    @property
    def path(self) -> Path:
        """The source."""

    @property
    def source(self) -> Source:
        """What its header says."""

    @property
    def patient(self) -> str:
        """The running number."""

    @property
    def name(self) -> str:
        """The new name, without suffix."""


def write_mapping(path: Path, root: Path, jobs: Sequence[tuple[Job, str | None]]) -> None:
    """Write a CSV with a row for every file; only its owner may read it.

    Parameters
    ----------
    path : Path
        Columns source (from `root`), patient_id (the header's own), name (empty where the file was
        set aside), patient, and reason.
    root : Path
        The folder that was searched, or one file.
    jobs : sequence of tuple
        A job, and why it was set aside, or None.
    """
    folder = root if root.is_dir() else root.parent
    with replacing(path) as temporary:
        temporary.touch(mode=0o600)
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for job, reason in jobs:
                new = "" if reason else job.name
                row = (job.path.relative_to(folder), job.source.patient_id, new, job.patient)
                writer.writerow((*row, reason or ""))
