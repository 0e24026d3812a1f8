"""What `cardio measure` writes while it measures: the tables, the mapping, the account of files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cardio_core.runner.accounts import FILES, account, summed, write_files
from cardio_core.runner.measuring.recording import Line, unjudged
from cardio_core.runner.measuring.table import REASON, GrowingTable, cells_of, heads_of, json_of
from cardio_core.runner.measuring.together import by_study, used_of
from cardio_core.types.notes import Exclusion
from cardio_core.types.samples import Cohort

TABLE = "measurements.csv"
LOOPS = "recordings.csv"
"""The same by recording, where a study is measured in several."""

_MOST_NAMED = 8
"""Measurements that a sentence names."""


@dataclass
class Summary:
    """What became of a request: where it lies, and how many could be measured.

    `of` says of what: recordings, or studies of several recordings.

    `found` says of each measurement whether any line has it.

    `other_tasks` names tasks of the plugin that measure something else, for when nothing could be.
    """

    out: Path
    plugin: str
    task: str
    n_recordings: int = 0
    n_measured: int = 0
    n_flagged: int = 0
    first_reason: str = ""
    other_tasks: str = ""
    notes: tuple[str, ...] = ()
    of: str = "recording"
    files: str = ""
    found: dict[str, bool] = field(default_factory=dict)

    @property
    def not_found(self) -> str:
        """A sentence on the measurements that no line has; empty where each was found."""
        absent = [title for title, is_found in self.found.items() if not is_found]
        more = f" and {len(absent) - _MOST_NAMED} more" if len(absent) > _MOST_NAMED else ""
        named = "; ".join(absent[:_MOST_NAMED])
        said = f"Found in no {self.of}, so that the column is empty: {named}{more}"
        return said if absent else ""


def holds_measurements(out: Path) -> bool:
    """Whether a folder holds the measurements of anything; what only says why not does not count.

    A table that cannot be read is somebody's, too.
    """
    if not (out / TABLE).exists():
        return False
    try:
        with (out / TABLE).open(encoding="utf-8", newline="") as file:
            return any(not row.get(REASON) for row in csv.DictReader(file))
    except (OSError, UnicodeError, csv.Error):
        return True


class Written:
    """Takes the lines of one patient after the other, and keeps nothing but counts and reasons.

    Parameters
    ----------
    out : Path
        The folder of the results.
    mapping : Path or None
        Where to write which id is which file.
    cohort : Cohort
        What is measured.
    summary : Summary
        Its counts are those of the lines of ``measurements.csv``.
    on_line : callable or None
        Takes each of these lines as JSON has it.
    recording : str
        What the plugin calls one of its recordings.
    """

    def __init__(
        self,
        out: Path,
        mapping: Path | None,
        cohort: Cohort,
        summary: Summary,
        on_line: Callable[[dict[str, Any]], None] | None,
        recording: str,
    ) -> None:
        self._recording = recording
        samples = cohort.samples.table
        studies = samples["study_id"].astype(str)
        # Where each recording is a study, a line of either would say the same twice.
        self.several = cohort.together and bool(studies.duplicated().any())
        unit = "study_id" if self.several else "recording_id"
        # Only a table or a header knows whose recording it is; else a number stands for both.
        self._with_patient = bool(samples["patient_id"].astype(str).ne(samples[unit]).any())
        self._cohort, self._out, self._summary, self._on_line = cohort, out, summary, on_line
        self._numbers = {one.path: number for number, one in enumerate(cohort.seen, start=1)}
        self._table = GrowingTable(out / TABLE)
        self._loops = GrowingTable(out / LOOPS) if self.several else None
        self._mapping = None if mapping is None else GrowingTable(mapping)
        if mapping is not None:
            mapping.unlink(missing_ok=True)
        self._first_with: dict[str, str] = {}
        self._refused: dict[str, Exclusion] = {}
        self._views: dict[str, str] = {}
        summary.of = "study" if self.several else "recording"

    def take(self, lines: Sequence[Line]) -> None:
        """Write the recordings of one patient."""
        lines = [self._flagged(line) for line in lines]
        for line in lines:
            self._views[line.recording_id] = line.view
            self._map(line)
        if self._loops is None:
            for line in lines:
                self._add(line, None)
                if line.reason:
                    self._refused[line.recording_id] = Exclusion(line.excluded, line.reason)
            return
        for study, members in by_study(lines):
            self._add(study, members)
            used = used_of(members)
            for one in members:
                self._loops.add(cells_of(one, with_patient=self._with_patient), heads_of(one))
                if one not in used:
                    why = one.reason or _unjudged(one)
                    self._refused[one.recording_id] = Exclusion(one.excluded, why)

    def account(self) -> str:
        """Write ``files.csv``, and return all files in one sentence; empty where it says nothing.

        Files that are no recordings go to the mapping, too.
        """
        lines = account(self._cohort, self._refused, self._views)
        if not lines:
            return ""
        write_files(self._out / FILES, lines)
        if self._mapping is not None:
            for line in (line for line in lines if not line.recording):
                row = {"id": "", "file": str(line.path), "number": str(line.number)}
                self._mapping.add(row)
        return summed(lines, self._recording)

    def _add(self, line: Line, members: Sequence[Line] | None) -> None:
        self._table.add(
            cells_of(line, with_patient=self._with_patient, with_recordings=members is not None),
            heads_of(line),
        )
        for one in line.measured:
            known = self._summary.found.get(one.title, False)
            self._summary.found[one.title] = known or one.value is not None
        self._summary.n_recordings += 1
        self._summary.n_measured += not line.reason
        self._summary.n_flagged += bool(line.flags)
        self._summary.first_reason = self._summary.first_reason or line.reason
        if self._on_line is not None:
            self._on_line(json_of(line, with_patient=self._with_patient, members=members))

    def _map(self, line: Line) -> None:
        if self._mapping is None:
            return
        number = next((self._numbers[file] for file in line.files if file in self._numbers), "")
        files = ";".join(map(str, line.files))
        self._mapping.add({"id": line.recording_id, "file": files, "number": str(number)})

    def _flagged(self, line: Line) -> Line:
        """Flag a recording one of whose files was there before."""
        known = (self._first_with[one] for one in line.digests if one in self._first_with)
        other = next(known, None)
        for one in line.digests:
            self._first_with.setdefault(one, line.recording_id)
        if other is None or other == line.recording_id:
            return line
        return replace(line, flags=(*line.flags, f"the same file as recording {other}"))


def _unjudged(line: Line) -> str:
    """Return why a recording cannot be judged."""
    return next(map(unjudged, line.verdict.reasons), "cannot be judged")
