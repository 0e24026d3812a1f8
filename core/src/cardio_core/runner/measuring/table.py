"""`measurements.csv`: one line a recording, written as soon as it is known."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from cardio_core.io.atomic import replacing
from cardio_core.io.tables.formula import named_texts, texts
from cardio_core.report.measured.values import plain
from cardio_core.runner.measuring.recording import Line

ID, PATIENT, RECORDINGS, SAMPLES, FLAGS, REASON, SHEET = (
    "id", "patient", "recordings", "samples", "flags", "not measured because", "sheet",
)  # fmt: skip
_LAST = (SAMPLES, FLAGS, REASON, SHEET)


class GrowingTable:
    """A CSV file to which lines are added, and columns when a line brings new ones.

    What is there is read and written again only when a column is new: with the first recording that
    is measured, as a rule. Nothing of the lines is kept in memory.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "made.csv"
    >>> table = GrowingTable(path)
    >>> table.add({"id": "1", "not measured because": "too short"})
    >>> table.add({"id": "2", "QRS duration (ms)": "112"})
    >>> print(path.read_text())
    id,QRS duration (ms),not measured because
    1,,too short
    2,112,
    <BLANKLINE>
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []

    def add(self, row: Mapping[str, str], kept: Collection[str] = ()) -> None:
        """Write one line; empty cells bring no column, but those of `kept`."""
        columns = list(self.columns)
        place = 0
        for name, value in row.items():
            if name in columns:
                place = columns.index(name) + 1
            elif value or name in kept:
                # Beside what stands before it in the line: quartiles beside their median.
                columns.insert(place, name)
                place += 1
        if columns != self.columns or not self.path.exists():
            self._widen(columns)
        with self.path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
            csv.DictWriter(file, texts(self.columns), restval="", extrasaction="ignore",
                           lineterminator="\n").writerow(named_texts(row))  # fmt: skip

    def _widen(self, columns: Sequence[str]) -> None:
        first = [name for name in columns if name not in _LAST]
        last = [name for name in _LAST if name in columns]
        self.columns = [*first, *last]
        with (
            replacing(self.path) as temporary,
            temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            writer = csv.DictWriter(file, texts(self.columns), restval="", lineterminator="\n")
            writer.writeheader()
            if self.path.exists():
                with self.path.open(encoding="utf-8", newline="") as before:
                    for row in csv.DictReader(before):
                        writer.writerow(row)


def heads_of(line: Line) -> list[str]:
    """Return the columns of what was to be measured, found or not."""
    return [one.head for one in line.measured]


def cells_of(line: Line, *, with_patient: bool, with_recordings: bool = False) -> dict[str, str]:
    """Return a line as cells of the CSV by column.

    `with_patient` adds the patient's id, which a cohort table or a header knows, `with_recordings`
    on how many recordings a study stands.
    """
    cells = {ID: line.recording_id} | ({PATIENT: line.patient_id} if with_patient else {})
    cells |= {RECORDINGS: str(line.n_recordings)} if with_recordings else {}
    for one in line.measured:
        cells[one.head] = one.text
        if one.quartiles is not None:
            unit = f" ({one.unit})" if one.unit else ""
            low, high = map(plain, one.quartiles)
            cells |= {f"{one.title}, lower quartile{unit}": low,
                      f"{one.title}, upper quartile{unit}": high}  # fmt: skip
    return cells | {
        SAMPLES: str(line.n_samples) if _differ_by_sample(line) else "",
        FLAGS: "; ".join(line.flags),
        REASON: line.reason,
        SHEET: f"sheets/{line.sheet}" if line.sheet else "",
    }


def _differ_by_sample(line: Line) -> bool:
    """Where all samples say the same, the recording was measured, not they."""
    by_sample = line.n_samples != line.n_recordings or line.n_recordings == 1
    return by_sample and any(one.quartiles for one in line.measured)


def json_of(
    line: Line, *, with_patient: bool, members: Sequence[Line] | None = None
) -> dict[str, Any]:
    """Return a line as JSON has it; `members` are the recordings that a study stands on."""
    values: dict[str, Any] = {}
    for one in line.measured:
        about: dict[str, Any] = {"value": one.value, "unit": one.unit}
        if one.yes_no:
            about["value"] = None if one.value is None else one.value > 0.5
        if one.quartiles is not None:
            about["quartiles"] = list(one.quartiles)
        values[one.title] = about
    return {
        "id": line.recording_id,
        **({"patient": line.patient_id} if with_patient else {}),
        "measurements": values,
        "n_samples": line.n_samples,
        "flags": list(line.flags),
        "reason": line.reason or None,
        "sheet": f"sheets/{line.sheet}" if line.sheet else None,
    } | (
        {}
        if members is None
        else {
            "n_recordings": line.n_recordings,
            "recordings": [json_of(one, with_patient=False) for one in members],
        }
    )
