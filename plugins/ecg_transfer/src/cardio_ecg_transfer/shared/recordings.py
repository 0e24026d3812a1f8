"""The recordings behind a folder, a cohort table or a file: which, whose, and how they open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.api import Cohort, CohortTable, Context, DataError, SampleSet
from cardio_ecg_transfer.readers import is_recording, read_ecg
from cardio_ecg_transfer.readers.mitbih import SUBJECT_LINK
from cardio_ecg_transfer.shared.config import RecordingsBlock
from cardio_ecg_transfer.signal.ecg import Ecg

COLUMNS = ("recording_id", "study_id", "patient_id", "subject_link", "site_id", "path")


def recordings_under(paths: Iterable[Path]) -> pd.DataFrame:
    """Return the recordings under some inputs, one row each.

    A folder is taken as an MIT-BIH folder: every recording in it is of a patient of the same name,
    unless a ``cohort.csv`` beside them says whose it is. A ``.csv`` or ``.parquet`` with a column
    `patient_id` is a cohort table. Anything else is one recording.

    Returns
    -------
    DataFrame
        `COLUMNS`, and `named`: whether a cohort table gave the ids, not the file's name.
    """
    rows: list[dict[str, Any]] = []
    for path in paths:
        table = CohortTable.find(path)
        found = _files_at(path) if table is None else recordings_of_table(table)
        rows += [row | {"named": table is not None} for row in found]
    return pd.DataFrame(rows, columns=[*COLUMNS, "named"])


def recordings_of_table(
    table: CohortTable, about: Callable[[pd.Series], dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Return the recordings that a cohort table names, each with `COLUMNS` as keys.

    `about` adds what else a row of the table says of its recordings.
    """
    table.require("path_ecg")
    return [
        {
            "recording_id": recording_id,
            "study_id": str(study),
            "patient_id": str(row["patient_id"]),
            "subject_link": table.text(row, "subject_link"),
            "site_id": table.text(row, "site_id"),
            "path": file,
        }
        | (about(row) if about else {})
        for study, row in table.rows.iterrows()
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
            inside = (p for p in path.iterdir() if p.suffix.lower() == ".hea" or is_recording(p))
            files += sorted(inside)
        elif path.suffix.lower() in {"", ".dat", ".atr"}:
            files.append(path.with_suffix(".hea"))
        else:
            files.append(path)
    if len(files) == 1:
        return [(study_id, files[0])]
    return [(f"{study_id}-{n}", file) for n, file in enumerate(files, start=1)]


EXCLUDED = "left out by name (load.exclude)"
NOT_CHOSEN = "not among those that were chosen (load.records)"


def without_excluded(
    recordings: pd.DataFrame, config: RecordingsBlock
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Apply `records` and `exclude`; return also what each of them left out, by reason."""
    names = recordings["recording_id"]
    wanted = names.isin(config.records) if config.records else pd.Series(True, index=names.index)
    out = wanted & names.isin(config.exclude)
    left_out = {
        NOT_CHOSEN: tuple(names[~wanted].astype(str)),
        EXCLUDED: tuple(names[out].astype(str)),
    }
    return recordings[wanted & ~out].copy(), {why: ids for why, ids in left_out.items() if ids}


def opening(
    recordings: pd.DataFrame, config: RecordingsBlock
) -> tuple[SampleSet, dict[str, tuple[Path, ...]]]:
    """Return the recordings as samples that are opened on demand, and the files behind each."""
    table = recordings.drop(columns=["path", "named"], errors="ignore")
    table.index = pd.Index(table["recording_id"], name="sample_id")
    opener = partial(
        open_ecg,
        min_s=config.min_s,
        max_s=config.max_s,
        rate_hz=config.rate_hz,
        unit=config.unit,
    )
    paths = tuple(recordings["path"])
    files = {name: files_of(path) for name, path in zip(table.index, paths, strict=True)}
    return SampleSet.opening(table, paths, opener), files


def new_recordings(config: RecordingsBlock, ctx: Context) -> Cohort:
    """Return the cohort of a `predict`, without targets.

    Where no cohort table gives ids, recordings get running numbers: names of files can hold the
    names of people.
    """
    recordings, dropped = without_excluded(recordings_under(ctx.inputs), config)
    named = recordings["named"].astype(bool)
    numbers = np.arange(1, len(recordings) + 1).astype(str).astype(object)
    for column in ("recording_id", "patient_id", "study_id"):
        recordings[column] = recordings[column].where(named, numbers)
    samples, files = opening(recordings, config)
    return Cohort(
        samples,
        files,
        notes=() if named.all() else (CohortTable.NUMBERED,),
        excluded=dropped,
    )


def open_ecg(
    path: Path, *, min_s: float, max_s: float | None, rate_hz: float | None, unit: str | None
) -> Ecg:
    """Read one recording, or its first seconds."""
    ecg = read_ecg(path, min_duration_s=min_s, rate_hz=rate_hz, unit=unit)
    if max_s is None:
        return ecg
    return replace(ecg, signal_mv=ecg.signal_mv[:, : round(max_s * ecg.rate_hz)])


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files behind a recording: a WFDB header brings its signals and annotations."""
    if path.suffix != ".hea":
        return (path,)
    siblings = (path.with_suffix(suffix) for suffix in (".dat", ".atr"))
    return (path, *(file for file in siblings if file.is_file()))


def _files_at(path: Path) -> list[dict[str, Any]]:
    if not path.is_dir():
        files = [path.with_suffix(".hea") if path.suffix in {".dat", ".atr"} else path]
    else:
        others = sorted(filter(is_recording, path.iterdir()))
        files = [*sorted(path.glob("*.hea")), *others]
        if not files:
            raise DataError(
                f"{path.name}: expected a folder of WFDB (.hea), DICOM (.dcm), XML, EDF, SCP, "
                "MFER, ISHNE, Kardia or CSV recordings, found none; give the folder that holds "
                "them, or a cohort table"
            )
    return [
        {
            **dict.fromkeys(("recording_id", "study_id", "patient_id"), file.stem),
            "subject_link": SUBJECT_LINK.get(file.stem),
            "site_id": None,
            "path": file,
        }
        for file in files
    ]
