"""What `cardio measure` writes while it measures: the tables, the mapping, the account of files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.io.hashing import digest
from cardio_core.io.run_schema import FileSchema
from cardio_core.registry import Plugin
from cardio_core.report.measurements import (
    COLUMNS,
    Column,
    Measured,
    measured_of,
    n_samples_of,
    of_several,
    plain,
    with_words,
    write_columns,
)
from cardio_core.runner.inputs import write_mapping
from cardio_core.runner.prepare import (
    FILES,
    FileLine,
    account,
    digests_of,
    make_patient,
    summed,
    write_files,
)
from cardio_core.runner.setup import opened
from cardio_core.types.features import FeatureSet, flags_of, verdicts_of
from cardio_core.types.notes import Exclusion, Verdict
from cardio_core.types.redaction import without_names
from cardio_core.types.samples import Cohort, SampleSet
from cardio_stats.cells import write_rows
from cardio_stats.errors import CardioError, Code, DataError
from cardio_stats.files import SafeName, file_in, write_json

if TYPE_CHECKING:
    from cardio_core.report.measured import Sheet

# One patient's recordings, measured in a worker: a line for each, and a sheet.

NOTHING = "nothing in it can be measured: no sample was made of it"


@dataclass(frozen=True)
class Line:
    """What is said of one recording.

    Attributes
    ----------
    recording_id, patient_id : str
        The cohort table's own, or running numbers.
    files : tuple of Path
        Behind it; they go to `--mapping` alone.
    measured : tuple of Measured
        Empty where there is a `reason`.
    n_samples : int
        On how many samples (beats, clips) the measurements stand.
    flags : tuple of str
        What a reader should know, in words.
    reason : str
        Why nothing could be measured; empty where something was.
    excluded : Code
        What programs go by of that reason.
    sheet : str
        Name of the sheet's file; empty without one.
    digests : tuple of str
        SHA-256 of its own files.
    study_id : str
        The study that it is of.
    shows : str
        What it shows, where its features say so (`PluginInfo.shows`).
    verdict : Verdict
        Whether it can be judged.
    n_recordings : int
        On how many recordings it stands, where it speaks for a study.
    """

    recording_id: str
    patient_id: str
    files: tuple[Path, ...]
    measured: tuple[Measured, ...] = ()
    n_samples: int = 0
    flags: tuple[str, ...] = ()
    reason: str = ""
    sheet: str = ""
    digests: tuple[str, ...] = field(default=(), repr=False)
    study_id: str = ""
    shows: str = ""
    verdict: Verdict = field(default_factory=Verdict)
    n_recordings: int = 1
    excluded: Code = "unusable"


LINES = FileSchema("what was measured of a patient", tuple[Line, ...])


@dataclass(frozen=True)
class Job:
    """Everything a worker needs to measure one patient's recordings.

    `number` is its place among the jobs, from 0; `files` are all files of each recording,
    `own_files` those that no other patient's can equal, `sheets` is the folder of the sheets, None
    where there are to be none, and `names` are those of each recording's sheet. `folder` is the
    folder of what is measured already.
    """

    number: int
    plugin: str
    config: RunConfig
    ctx: Context
    samples: SampleSet
    files: Mapping[str, tuple[Path, ...]]
    own_files: Mapping[str, tuple[Path, ...]]
    sheets: Path | None
    names: Mapping[str, SafeName]
    folder: Path


@dataclass(frozen=True)
class Done:
    """The lines of one job, under its number."""

    number: int
    lines: tuple[Line, ...]


def measure_patient(job: Job, device: Any = None) -> Done:
    """Measure every recording of one patient, unless that was done before they were stopped."""
    known: dict[str, Mapping[Path, str]] = {}
    for name, of in job.files.items():
        try:
            known[name] = digests_of(of)
        except DataError:  # opening it fails, too, and says why
            known[name] = {}
    place = job.folder / SafeName(
        digest([[name, *of.values()] for name, of in known.items()]), ".json"
    )
    lines = _measured_before(job, place)
    if lines is None:
        lines = _measured(job, known, device)
        write_json(place, [asdict(replace(line, files=())) for line in lines])
    return Done(job.number, lines)


def _measured_before(job: Job, place: Path) -> tuple[Line, ...] | None:
    """Return the lines that were kept of a patient; None where something lacks."""
    lines: tuple[Line, ...] = LINES.read_or(place, ())
    if job.sheets is not None and not all(
        (job.sheets / job.names[line.recording_id]).is_file() for line in lines if line.sheet
    ):
        return None
    found = tuple(replace(line, files=job.files[line.recording_id]) for line in lines)
    return found or None


def _measured(job: Job, known: Mapping[str, Mapping[Path, str]], device: Any) -> tuple[Line, ...]:
    """Measure every recording of one patient; what cannot be measured says why."""
    plugin = opened(job.plugin)
    failed = ""
    reasons: dict[str, Exclusion] = {}
    made = None
    try:
        made = make_patient(plugin, job.config, job.ctx.replace(device=device), job.samples, ())
        reasons = {row.recording_id: row.exclusion for row in made.quarantined}
    except CardioError as error:  # a hook that breaks on one file must not cost the others
        failed = str(error)
    lines = []
    for position, name in enumerate(map(str, job.samples.table["recording_id"])):
        about = {
            "recording_id": name,
            "patient_id": str(job.samples.table["patient_id"].iloc[position]),
            "study_id": str(job.samples.table["study_id"].iloc[position]),
            "files": job.files[name],
            "digests": tuple(known[name][f] for f in job.own_files[name] if f in known[name]),
        }
        features = None if made is None else _rows_of(made.features, name)
        if made is None or made.features is None or features is None or name in reasons:
            why = reasons.get(name) or Exclusion(text=failed or NOTHING)
            text = without_names(why.text, job.files[name])
            lines.append(Line(**about, reason=text, excluded=why.code))  # type: ignore[arg-type]
            continue
        verdict = verdicts_of(features.table).get(name, Verdict())
        flags = _in_words(flags_of(features.table).get(name, []), verdict)
        flags = [without_names(flag, job.files[name]) for flag in flags]
        features = with_words(features, plugin.info.words)
        measured = measured_of(features)
        sheet = ""
        if job.sheets is not None:
            preprocessed = made.samples
            from cardio_core.report.measured import Sheet  # matplotlib, for sheets alone

            item = Sheet(f"{plugin.info.name} {plugin.version}", name, tuple(measured), flags)
            patient = with_words(made.features, plugin.info.words)
            shown = {"features": features, "patient": patient}
            sheet, problem = _draw(plugin, job, job.sheets, position, preprocessed, shown, item)
            flags += [problem] if problem else []
        lines.append(
            Line(
                **about,  # type: ignore[arg-type]
                measured=tuple(measured),
                n_samples=n_samples_of(features),
                flags=tuple(dict.fromkeys(flags)),
                sheet=sheet,
                shows=_shown_in(features.table, plugin.info.shows),
                verdict=Verdict(
                    tuple(without_names(why, job.files[name]) for why in verdict.reasons)
                ),
            )
        )
    return tuple(lines)


def _rows_of(features: FeatureSet | None, recording_id: str) -> FeatureSet | None:
    """Return the samples of one recording; None where there is none."""
    if features is None:
        return None
    rows = np.flatnonzero(features.table["recording_id"].astype(str) == recording_id)
    return features.view(rows) if rows.size else None


def _shown_in(table: pd.DataFrame, column: str) -> str:
    """Return what the samples of one recording show; empty where they do not say it."""
    return next(iter(table[column].dropna().astype(str)), "") if column in table.columns else ""


def _in_words(flags: Sequence[str], verdict: Verdict) -> list[str]:
    """Return flags as a person reads them; what the reason against a verdict repeats is left out.

    Examples
    --------
    >>> _in_words(["too slow", "dim"], Verdict(("too slow",)))
    ['dim', 'cannot be judged: too slow']
    """
    others = [flag for flag in flags if flag not in verdict.reasons]
    return [*others, *map(unjudged, verdict.reasons)]


def unjudged(reason: str) -> str:
    """Return a reason against a verdict as a person reads it."""
    return f"cannot be judged: {reason}"


def _draw(
    plugin: Plugin,
    job: Job,
    folder: Path,
    position: int,
    preprocessed: SampleSet | None,
    shown: Mapping[str, FeatureSet],
    sheet: Sheet,
) -> tuple[str, str]:
    """Write one recording's sheet; return its file's name, and what went wrong."""
    from cardio_core.report.measured import write_sheet

    samples = None if preprocessed is None else _samples_of(preprocessed, sheet.recording_id)
    arguments: dict[str, Any] = {"samples": samples, **shown}
    try:
        arguments["recording"] = job.samples.values[position]
        own = plugin.sheet(job.ctx.task)
    except CardioError as error:
        return "", f"no sheet: {without_names(str(error), job.files[sheet.recording_id])}"
    file = file_in(folder.parent, folder.name, job.names[sheet.recording_id])
    problem = write_sheet(file, sheet, own, arguments)
    return file.name, without_names(problem, job.files[sheet.recording_id])


def _samples_of(preprocessed: SampleSet, recording_id: str) -> SampleSet:
    rows = np.flatnonzero(preprocessed.table["recording_id"].astype(str) == recording_id)
    if rows.size and rows[-1] - rows[0] + 1 == rows.size:
        return preprocessed.take(slice(int(rows[0]), int(rows[-1]) + 1))
    return preprocessed.take(rows)


# `measurements.csv`: one line a recording.

ID, PATIENT, RECORDINGS, SAMPLES, FLAGS, REASON, SHEET = COLUMNS
_LAST = (SAMPLES, FLAGS, REASON, SHEET)
_QUARTILES = {"q1": "lower quartile", "q3": "upper quartile"}


def write_lines(path: Path, rows: Iterable[tuple[Mapping[str, str], Sequence[Column]]]) -> None:
    """Write a CSV, and beside it what each column is (`measurements.write_columns`).

    A row has its cells by column, and the columns of what was measured. Columns that are empty in
    every row are left out, but those of what was measured.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "made.csv"
    >>> qrs = Column("qrs_ms", "QRS", "ms", "number")
    >>> rows = [({"id": "1", "reason": "too short"}, ()), ({"id": "2", "qrs_ms": "112"}, (qrs,))]
    >>> write_lines(path, rows)
    >>> print(path.read_text())
    id,qrs_ms,reason
    1,,too short
    2,112,
    <BLANKLINE>
    >>> print(path.with_name("made_columns.csv").read_text())
    column,title,unit,values,difference_of,late,early
    id,"Recording, or study",,text,,,
    qrs_ms,QRS,ms,number,,,
    reason,Why it was not measured,,text,,,
    <BLANKLINE>
    """
    about: dict[str, Column] = dict(COLUMNS)
    columns: list[str] = []
    cells = []
    for row, measured in rows:
        cells.append(row)
        of_measured = {column.name: column for column in measured}
        about |= of_measured
        place = 0
        for name, value in row.items():
            if name in columns:
                place = columns.index(name) + 1
            elif value or name in of_measured:
                # Beside what stands before it in the line: quartiles beside their median.
                columns.insert(place, name)
                place += 1
    columns.sort(key=lambda name: _LAST.index(name) if name in _LAST else -1)
    write_columns(path, [about[name] for name in columns])
    write_rows(path, columns, ([row.get(name, "") for name in columns] for row in cells))


def columns_of(line: Line) -> list[Column]:
    """Return the columns of what was to be measured, found or not, and of quartiles."""
    found = []
    for measurement in line.measured:
        column = measurement.column
        found.append(column)
        if measurement.quartiles is not None:
            found += [
                replace(
                    column,
                    name=f"{measurement.name}_{short}",
                    title=f"{measurement.title}, {words}",
                    difference=None,
                )
                for short, words in _QUARTILES.items()
            ]
    return found


def cells_of(line: Line, *, with_patient: bool, with_recordings: bool = False) -> dict[str, str]:
    """Return a line as cells of the CSV by column.

    `with_patient` adds the patient's id, which a cohort table or a header knows, `with_recordings`
    on how many recordings a study stands.
    """
    cells = {ID: line.recording_id} | ({PATIENT: line.patient_id} if with_patient else {})
    cells |= {RECORDINGS: str(line.n_recordings)} if with_recordings else {}
    for measurement in line.measured:
        cells[measurement.name] = measurement.text
        for short, value in zip(_QUARTILES, measurement.quartiles or (), strict=False):
            cells[f"{measurement.name}_{short}"] = plain(value)
    return cells | {
        SAMPLES: str(line.n_samples) if _differ_by_sample(line) else "",
        FLAGS: "; ".join(line.flags),
        REASON: line.reason,
        SHEET: f"sheets/{line.sheet}" if line.sheet else "",
    }


def _differ_by_sample(line: Line) -> bool:
    """Where all samples say the same, the recording was measured, not they."""
    by_sample = line.n_samples != line.n_recordings or line.n_recordings == 1
    return by_sample and any(measurement.quartiles for measurement in line.measured)


def json_of(
    line: Line, *, with_patient: bool, members: Sequence[Line] | None = None
) -> dict[str, Any]:
    """Return a line as JSON has it; `members` are the recordings that a study stands on."""
    values: dict[str, Any] = {}
    for measurement in line.measured:
        about: dict[str, Any] = {
            "title": measurement.title,
            "value": measurement.value,
            "unit": measurement.unit,
        }
        if measurement.levels:
            about["value"] = measurement.text or None
        elif measurement.yes_no:
            about["value"] = None if measurement.value is None else measurement.value > 0.5
        if measurement.quartiles is not None:
            about["quartiles"] = list(measurement.quartiles)
        values[measurement.name] = about
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
            "recordings": [json_of(member, with_patient=False) for member in members],
        }
    )


# One line a study: the median of what its recordings measured, and how they differ.


def by_study(lines: Iterable[Line]) -> Iterator[tuple[Line, tuple[Line, ...]]]:
    """Yield a line for each study, and the lines of the recordings that it stands on."""
    of_study: dict[str, list[Line]] = {}
    for line in lines:
        of_study.setdefault(line.study_id, []).append(line)
    for own in of_study.values():
        yield combined(own), tuple(own)


def combined(lines: Sequence[Line]) -> Line:
    """Return what a study's recordings say together.

    Those that cannot be judged do not count where another can. Each measurement is the median of
    the recordings' own, its quartiles are theirs; a flag that only some bear says how many.

    Parameters
    ----------
    lines : sequence of Line
        Of one study. A single one is returned as it is.

    Examples
    --------
    >>> peaks = [(Measured("peak_mm", "Peak", "mm", float(value)),) for value in (1, 2, 6)]
    >>> made = [Line(f"1-{n}", "1", (), peak, study_id="1") for n, peak in enumerate(peaks)]
    >>> one = combined(made)
    >>> one.recording_id, one.measured[0].value, one.measured[0].quartiles, one.n_recordings
    ('1', 2.0, (1.5, 4.0), 3)
    """
    if len(lines) == 1 and lines[0].recording_id == lines[0].study_id:
        return lines[0]
    first = lines[0]
    files = tuple(file for line in lines for file in line.files)
    about = replace(first, recording_id=first.study_id, files=files, digests=())
    measured = [line for line in lines if not line.reason]
    if not measured:
        n = len(lines)
        many = f"none of its {n} recordings can be used; the first: " if n > 1 else ""
        return replace(about, reason=f"{many}{first.reason}", n_recordings=0)
    used = used_of(lines)
    shown = min(used, key=lambda line: len(line.flags))
    return replace(
        about,
        measured=used[0].measured if len(used) == 1 else tuple(_medians(used)),
        n_samples=sum(line.n_samples for line in used),
        flags=_flags(used),
        reason="",
        sheet=shown.sheet,
        verdict=used[0].verdict,
        n_recordings=len(used),
    )


def used_of(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that a study stands on: those that can be judged, else all measured."""
    measured = [line for line in lines if not line.reason]
    return [measurement for measurement in measured if not measurement.verdict.withheld] or measured


def _medians(lines: Sequence[Line]) -> Iterator[Measured]:
    for name in dict.fromkeys(measurement.name for line in lines for measurement in line.measured):
        own = [
            measurement
            for line in lines
            for measurement in line.measured
            if measurement.name == name
        ]
        yield of_several(own[0], [item.value for item in own if item.value is not None])


def _flags(lines: Sequence[Line]) -> tuple[str, ...]:
    counts = Counter(flag for line in lines for flag in line.flags)
    n = len(lines)
    return tuple(
        flag if k == n else f"{flag} ({k} of {n} recordings)" for flag, k in counts.items()
    )


TABLE = "measurements.csv"
RECORDINGS_TABLE = "recordings.csv"
"""The same by recording, where a study is measured in several."""
UNFINISHED = "unfinished"
"""A folder of what is kept of each patient while a command is at work."""

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
        text = f"Found in no {self.of}, so that the column is empty: {named}{more}"
        return text if absent else ""


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


class Results:
    """The lines of all patients, and what is written of them.

    Parameters
    ----------
    cohort : Cohort
        What is measured.
    of_patients : iterable of sequence of Line
        The recordings of one patient after the other.
    recording : str
        What the plugin calls one of its recordings.
    """

    def __init__(
        self, cohort: Cohort, of_patients: Iterable[Sequence[Line]], recording: str
    ) -> None:
        self._cohort, self._recording = cohort, recording
        samples = cohort.samples.table
        studies = samples["study_id"].astype(str)
        # Where each recording is a study, a line of either would say the same twice.
        self.several = cohort.together and bool(studies.duplicated().any())
        unit = "study_id" if self.several else "recording_id"
        # Only a table or a header knows whose recording it is; else a number stands for both.
        self._with_patient = bool(samples["patient_id"].astype(str).ne(samples[unit]).any())
        first_with: dict[str, str] = {}
        lines = [[_flagged(line, first_with) for line in own] for own in of_patients]
        self._read = [line for own in lines for line in own]
        self._rows: list[tuple[Line, tuple[Line, ...] | None]] = [
            (line, None) for line in self._read
        ]
        if self.several:
            self._rows = [pair for own in lines for pair in by_study(own)]

    def count(self, summary: Summary) -> None:
        """Count the lines of ``measurements.csv``."""
        lines = [line for line, _ in self._rows]
        summary.of = "study" if self.several else "recording"
        summary.n_recordings = len(lines)
        summary.n_measured = sum(not line.reason for line in lines)
        summary.n_flagged = sum(bool(line.flags) for line in lines)
        summary.first_reason = next((line.reason for line in lines if line.reason), "")
        for measurement in (item for line in lines for item in line.measured):
            known = summary.found.get(measurement.title, False)
            summary.found[measurement.title] = known or measurement.value is not None

    def as_json(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of ``measurements.csv`` as JSON has them."""
        for line, members in self._rows:
            yield json_of(line, with_patient=self._with_patient, members=members)

    def write(self, out: Path, mapping: Path | None) -> str:
        """Write the tables and, where it is named, the mapping; return all files in one sentence.

        Files that are no recordings are in the mapping, too. A plugin that does not say what it saw
        has the files of its recordings accounted for, and no sentence.
        """
        write_lines(out / TABLE, (
            (cells_of(line, with_patient=self._with_patient, with_recordings=self.several),
             columns_of(line))
            for line, _ in self._rows
        ))  # fmt: skip
        if self.several:
            write_lines(out / RECORDINGS_TABLE, (
                (cells_of(line, with_patient=self._with_patient), columns_of(line))
                for line in self._read
            ))  # fmt: skip
        if mapping is not None:
            write_mapping(mapping, {line.recording_id: line.files for line in self._read},
                          self._cohort.seen)  # fmt: skip
        shows = {line.recording_id: line.shows for line in self._read}
        lines = account(self._cohort, self._refused(), shows)
        if lines:
            write_files(out / FILES, lines)
            return summed(lines, self._recording)
        read = ((line, path) for line in self._read for path in line.files)
        write_files(out / FILES, (
            FileLine(number, self._recording, "", line.recording_id, line.shows,
                     not line.reason, line.reason, path)
            for number, (line, path) in enumerate(read, start=1)
        ))  # fmt: skip
        return ""

    def _refused(self) -> dict[str, Exclusion]:
        """Return by recording why no line of the table stands on it."""
        found = {}
        for line, members in self._rows:
            for member in members or (line,):
                if member.reason or (members and member not in used_of(members)):
                    why = member.reason or next(map(unjudged, member.verdict.reasons), "")
                    found[member.recording_id] = Exclusion(member.excluded, why)
        return found


def _flagged(line: Line, first_with: dict[str, str]) -> Line:
    """Flag a recording one of whose files was there before."""
    other = next((first_with[item] for item in line.digests if item in first_with), None)
    for entry in line.digests:
        first_with.setdefault(entry, line.recording_id)
    if other is None or other == line.recording_id:
        return line
    return replace(line, flags=(*line.flags, f"the same file as recording {other}"))
