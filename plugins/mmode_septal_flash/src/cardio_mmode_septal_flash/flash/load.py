"""Load: apical loops from a cohort table, a folder or files, with septum, R peaks and labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.api import Cohort, CohortTable, Context, DataError, SampleSet, Targets
from cardio_core.ultrasound import find_loops, sidecar_of
from cardio_mmode_septal_flash.flash.config import LoadBlock
from cardio_mmode_septal_flash.flash.models import LOOPS, PATHS, R_PEAKS, SEPTUM, is_flash
from cardio_mmode_septal_flash.readers.loop import LoopFiles, open_loop

LABEL = "sf_label"
IDS = ("recording_id", "study_id", "patient_id")
TEXTS = ("subject_link", "site_id", "scanner_id", "timepoint")
EVENTS = ("mvc_ms", "avo_ms")

SEPTUM_SUFFIX = ".septum.json"
"""A septum beside ``a.dcm`` is ``a.septum.json``."""

_SILENT = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".npy")


def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find apical four-chamber loops.

    A cohort table names them in `path_echo_a4c`, their septum in `path_septum`, R peaks in
    `path_rpeaks`, and the reader's answer in `sf_label`, unless an outcome of the user's own is
    predicted. In predict mode an input may also be a file, or a folder of them; those are numbered.
    A septum that nothing names is looked for beside its loop, as
    ``<name of the loop>.septum.json``. In predict mode ``--septum FILE`` and ``--rpeaks FILE`` come
    before all of these.

    Returns
    -------
    Cohort
        Targets by study; none where the core makes them of the user's outcome. The table carries
        `timepoint`, and `mvc_ms` and `avo_ms` after the R peak (NaN where unknown).

    Raises
    ------
    ConfigError
        A table without a column of loops or, where flash is to be learnt, of labels.
    DataError
        No loop, or in fit mode no cohort table.
    """
    found = [_found(path, config, ctx) for path in ctx.inputs]
    entries = [replace(one, files=_given(one.files, ctx)) for part, _ in found for one in part]
    notes: list[str] = []
    if any(not entry.about["study_id"] for entry in entries):
        entries, notes = _numbered(entries), [CohortTable.NUMBERED]
    kept = [entry for entry in entries if _at(entry, config.timepoint)]
    left_out = tuple(e.about["recording_id"] for e in entries if not _at(e, config.timepoint))
    table = pd.DataFrame([e.about for e in kept], columns=[*IDS, *TEXTS, *EVENTS])
    table.index = pd.Index(table["recording_id"], name="sample_id")
    named = {entry.about["study_id"] for entry in entries}
    tables = [table.rows for _, table in found if table is not None]
    silent = tuple(str(one) for rows in tables for one in rows.index if str(one) not in named)
    excluded = {f"not at {config.timepoint}": left_out, "no loop is named": silent}
    targets, clinical = None, None
    labelled = _needs_labels(ctx)
    if ctx.mode == "fit":
        clinical = pd.concat([named.rows for _, named in found if named is not None])
    if clinical is not None and labelled:
        labels = clinical[[LABEL]].astype("Float64").astype(float)
        labels.columns = [ctx.task.targets[0].name]
        targets = Targets("study", labels[labels.index.isin(table["study_id"])])
    return Cohort(
        SampleSet.opening(table, [entry.files for entry in kept], open_loop),
        {entry.about["recording_id"]: entry.files.paths for entry in kept},
        targets,
        clinical,
        notes=tuple(notes),
        outcome="septal flash as a reader saw it in the loop." if labelled else "",
        excluded={why: ids for why, ids in excluded.items() if ids},
    )


def _needs_labels(ctx: Context) -> bool:
    return ctx.mode == "fit" and is_flash(ctx)


@dataclass(frozen=True)
class _Entry:
    """One loop: its files, and its ids and what else the table says of it by column."""

    files: LoopFiles
    about: dict[str, Any]


def _found(path: Path, config: LoadBlock, ctx: Context) -> tuple[list[_Entry], CohortTable | None]:
    """Return the loops that one input holds, and the table that names them."""
    table = CohortTable.find(path, PATHS)
    if table is not None:
        table.require(LOOPS, *((LABEL,) if _needs_labels(ctx) else ()))
        return [
            _Entry(files, dict(zip(IDS, (name, str(study), str(row["patient_id"])), strict=True))
                   | _about(row))
            for study, row in table.rows.iterrows()
            for name, files in _loops_of(str(study), row, config)
        ], table  # fmt: skip
    if ctx.mode == "fit":
        also = f" and says in {LABEL} who has a septal flash" if _needs_labels(ctx) else ""
        raise DataError(
            f"{path.name}: expected a cohort table, or a folder with cohort.csv, that names loops "
            f"in {LOOPS}{also}; found none"
        )
    files = find_loops(path)
    if not files:
        raise DataError(
            f"{path.name}: expected ultrasound loops (DICOM, AVI, MP4, NPY, NPZ, HDF5), found "
            "none; give the folder that holds them, or a file"
        )
    nothing = dict.fromkeys(IDS, "") | dict.fromkeys(TEXTS) | dict.fromkeys(EVENTS, float("nan"))
    return [_Entry(_files(file, None, None, config), nothing) for file in files], None


def _loops_of(study_id: str, row: pd.Series[Any], config: LoadBlock) -> list[tuple[str, LoopFiles]]:
    """Return the loops behind a row, each with its id in the run and the files that belong to it.

    Names of files can hold the names of people, so the id is the study's.
    """
    loops = [file for path in row[LOOPS] for file in _inside(path)]
    cells = {name: tuple(row.get(name, ()) or ()) for name in (SEPTUM, R_PEAKS)}
    made = []
    for number, loop in enumerate(loops):
        septum, r_peaks = (_partner(cells[name], number, loops) for name in (SEPTUM, R_PEAKS))
        name = study_id if len(loops) == 1 else f"{study_id}-{number + 1}"
        made.append((name, _files(loop, septum, r_peaks, config)))
    return made


def _inside(path: Path) -> tuple[Path, ...]:
    return find_loops(path) if path.is_dir() else (path,)


def _partner(cell: tuple[Path, ...], number: int, loops: list[Path]) -> Path | None:
    """Return the file of a cell that belongs to a loop: of the same name, else the same place."""
    # What follows the loop's name are suffixes; a number would belong to another dotted name.
    own = re.compile(re.escape(sidecar_of(loops[number]).stem) + r"(\.[^.\d][^.]*)*")
    of_name = [path for path in cell if own.fullmatch(path.name)]
    if of_name:
        return of_name[0]
    return cell[number] if len(cell) == len(loops) else None


def _files(loop: Path, septum: Path | None, r_peaks: Path | None, config: LoadBlock) -> LoopFiles:
    beside = sidecar_of(loop).with_suffix(SEPTUM_SUFFIX)
    silent = loop.suffix.lower() in _SILENT
    return LoopFiles(
        loop,
        septum or (beside if beside.is_file() else None),
        r_peaks,
        config.frame_rate_hz if silent else None,
    )


def _given(files: LoopFiles, ctx: Context) -> LoopFiles:
    """Put what the command line gives beside the one loop before what was found."""
    return replace(
        files,
        septum=ctx.beside("septum") or files.septum,
        r_peaks=ctx.beside("rpeaks") or files.r_peaks,
    )


def _about(row: pd.Series[Any]) -> dict[str, Any]:
    texts: dict[str, Any] = {name: CohortTable.text(row, name) for name in TEXTS}
    return texts | {name: float(row.get(name, float("nan"))) for name in EVENTS}


def _at(entry: _Entry, timepoint: str) -> bool:
    said = (entry.about["timepoint"] or "baseline").strip().lower()
    return timepoint in ("any", said)


def _numbered(entries: list[_Entry]) -> list[_Entry]:
    """Give loops without a table running numbers: names of files can hold the names of people."""
    return [
        entry
        if entry.about["study_id"]
        else replace(entry, about=entry.about | dict.fromkeys(IDS, str(n)))
        for n, entry in enumerate(entries, start=1)
    ]
