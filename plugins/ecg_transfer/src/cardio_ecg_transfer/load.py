"""Load: find recordings in a folder, a cohort table or single files, and their annotations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardio_core.api import (
    NUMBERED,
    Cohort,
    ConfigError,
    DataError,
    Opened,
    Quarantined,
    SampleSet,
    Targets,
    find_cohort_table,
    read_cohort_table,
    text_of,
)
from cardio_ecg_transfer.mitbih import AAMI_OF_SYMBOL, PACED, SUBJECT_LINK
from cardio_ecg_transfer.readers import read_ecg, read_wfdb_annotations

if TYPE_CHECKING:
    from cardio_core.api import Context
    from cardio_ecg_transfer.config import LoadBlock
    from cardio_ecg_transfer.signal.ecg import Ecg

RECORDINGS = {".dcm", ".xml", ".edf", ".bdf", ".csv"}
"""Suffixes of recordings beside WFDB's; BDF among them so that it is quarantined by name."""


@dataclass(frozen=True)
class Entry:
    """One recording that was found: its id, its file, and whose it is.

    `named` says that a cohort table gave the ids, not the file's name.
    """

    recording_id: str
    path: Path
    patient_id: str
    study_id: str
    subject_link: str | None = None
    site_id: str | None = None
    named: bool = False


def load_recordings(config: LoadBlock, ctx: Context) -> Cohort:
    """Find the recordings under the context's inputs and, in fit mode, their beats.

    A folder is taken as an MIT-BIH folder: every ``.hea`` is a recording of a patient of the same
    name, unless a ``cohort.csv`` beside it says whose it is. A ``.csv`` or ``.parquet`` with a
    column `path_ecg` is a cohort table. Anything else is one recording.
    """
    entries = [entry for path in ctx.inputs for entry in _entries(path)]
    entries, excluded = _left_out(entries, config)
    notes: list[str] = []
    if ctx.mode == "predict":
        entries, notes = _numbered(entries)
    usable, quarantined, events, stretches = [], [], [], []
    for entry in entries:
        try:
            if ctx.mode == "fit":
                _check_annotated(entry.path, config)
                beats, stretch = beat_events(entry.path, entry.recording_id, config.max_s)
                events.append(beats)
                stretches.append(stretch)
        except DataError as error:
            quarantined.append(Quarantined(entry.recording_id, "load", str(error)))
            continue
        usable.append(entry)
    opener = partial(open_ecg, min_s=config.min_s, max_s=config.max_s)
    samples = SampleSet(_table(usable), Opened(tuple(e.path for e in usable), opener))
    targets = None
    if ctx.mode == "fit":
        targets = Targets("event", _joined(events), _joined(stretches))
    return Cohort(
        samples,
        {entry.recording_id: files_of(entry.path) for entry in usable},
        targets,
        quarantined=tuple(quarantined),
        notes=tuple(notes),
        excluded=excluded,
    )


def open_ecg(path: Path, *, min_s: float, max_s: float | None) -> Ecg:
    """Read one recording, or its first seconds."""
    ecg = read_ecg(path, min_duration_s=min_s)
    if max_s is None:
        return ecg
    return replace(ecg, signal_mv=ecg.signal_mv[:, : round(max_s * ecg.rate_hz)])


def beat_events(
    path: Path, recording_id: str, max_s: float | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a record's beats with their AAMI class, and the stretches of ventricular flutter.

    Parameters
    ----------
    path : Path
        The record's header.
    recording_id : str
        Its id in the run.
    max_s : float, optional
        Events after this time are left out, in seconds.

    Returns
    -------
    beats : DataFrame
        Columns recording_id, time_s, aami_class.
    excluded : DataFrame
        Columns recording_id, start_s, end_s: from ``[`` to ``]``, in which EC57 scores no beat.

    Raises
    ------
    DataError
        If there are no annotations beside the record.
    """
    samples, symbols = read_wfdb_annotations(path)
    times = samples / _rate_of(path)
    inside = times <= (max_s or np.inf)
    names = np.array([AAMI_OF_SYMBOL.get(symbol) for symbol in symbols], dtype=object)
    beat = np.array([name is not None for name in names]) & inside
    marks = np.asarray(symbols, dtype=object)
    starts, ends = times[marks == "["], times[marks == "]"]
    ends = np.append(ends, np.full(max(0, len(starts) - len(ends)), np.inf))
    return (
        pd.DataFrame(
            {"recording_id": recording_id, "time_s": times[beat], "aami_class": names[beat]}
        ),
        pd.DataFrame(
            {"recording_id": recording_id, "start_s": starts, "end_s": ends[: len(starts)]}
        ),
    )


def _check_annotated(path: Path, config: LoadBlock) -> None:
    """Raise if a recording has no beat annotations; a damaged one with what is wrong with it."""
    if path.with_suffix(".atr").is_file():
        return
    read_ecg(path, min_duration_s=config.min_s)
    raise DataError(
        f"{path.name}: expected beat annotations ({path.stem}.atr) beside it, found none; "
        "a recording without them can be predicted, not trained on"
    )


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files behind a recording: a WFDB header brings its signals and annotations."""
    if path.suffix != ".hea":
        return (path,)
    beside = (path.with_suffix(suffix) for suffix in (".dat", ".atr"))
    return (path, *(file for file in beside if file.is_file()))


def _rate_of(path: Path) -> float:
    import wfdb

    return float(wfdb.rdheader(str(path.with_suffix(""))).fs)


def _entries(path: Path) -> list[Entry]:
    table = find_cohort_table(path)
    if table is not None:
        return _from_table(table)
    if path.is_dir():
        headers = sorted(path.glob("*.hea"))
        others = sorted(p for p in path.iterdir() if p.suffix.lower() in RECORDINGS)
        if not headers and not others:
            raise DataError(
                f"{path.name}: expected a folder of WFDB (.hea), DICOM (.dcm), MUSE XML, EDF or "
                "CSV recordings, found none; give the folder that holds them, or a cohort table"
            )
        return [_alone(file) for file in (*headers, *others)]
    return [_alone(path.with_suffix(".hea") if path.suffix in {".dat", ".atr"} else path)]


def _alone(path: Path) -> Entry:
    return Entry(path.stem, path, path.stem, path.stem, SUBJECT_LINK.get(path.stem))


def _from_table(path: Path) -> list[Entry]:
    table = read_cohort_table(path)
    if "path_ecg" not in table.columns:
        raise ConfigError(f"{path.name}: expected a column path_ecg, found none")
    return [
        Entry(
            recording_id,
            file,
            str(row["patient_id"]),
            study_id=str(study),
            subject_link=text_of(row, "subject_link"),
            site_id=text_of(row, "site_id"),
            named=True,
        )
        for study, row in table.iterrows()
        for recording_id, file in recordings_of(str(study), row["path_ecg"])
    ]


def recordings_of(study_id: str, cell: Iterable[Path]) -> list[tuple[str, Path]]:
    """Return the recordings behind a cell of `path_ecg`, each with its id in the run.

    A folder stands for the recordings in it; a WFDB record may be given with or without its suffix.
    The id is the study's, with a number where there are several: names of files can hold the names
    of people.
    """
    files: list[Path] = []
    for path in cell:
        if path.is_dir():
            inside = (p for p in path.iterdir() if p.suffix.lower() in {".hea", *RECORDINGS})
            files += sorted(inside)
        elif path.suffix.lower() in {"", ".dat", ".atr"}:
            files.append(path.with_suffix(".hea"))
        else:
            files.append(path)
    if len(files) == 1:
        return [(study_id, files[0])]
    return [(f"{study_id}-{n}", file) for n, file in enumerate(files, start=1)]


def _left_out(
    entries: Iterable[Entry], config: LoadBlock
) -> tuple[list[Entry], dict[str, tuple[str, ...]]]:
    """Apply `records` and `exclude`; say what was left out by the latter, and why."""
    found = list(entries)
    kept = [e for e in found if not config.records or e.recording_id in config.records]
    dropped = tuple(e.recording_id for e in kept if e.recording_id in config.exclude)
    kept = [e for e in kept if e.recording_id not in config.exclude]
    why = "paced beats, as EC57 says" if set(dropped) <= set(PACED) else "load.exclude"
    return kept, {why: dropped} if dropped else {}


def _numbered(entries: list[Entry]) -> tuple[list[Entry], list[str]]:
    """Give new recordings running numbers: names of files can hold the names of people."""
    if all(entry.named for entry in entries):
        return entries, []
    numbered = [
        entry
        if entry.named
        else replace(entry, recording_id=str(n), patient_id=str(n), study_id=str(n))
        for n, entry in enumerate(entries, start=1)
    ]
    return numbered, [NUMBERED]


def _table(entries: list[Entry]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recording_id": [e.recording_id for e in entries],
            "study_id": [e.study_id for e in entries],
            "patient_id": [e.patient_id for e in entries],
            "subject_link": [e.subject_link for e in entries],
            "site_id": [e.site_id for e in entries],
        },
        index=pd.Index([e.recording_id for e in entries], name="sample_id"),
    )


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
