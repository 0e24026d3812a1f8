"""Load: apical loops from a cohort table, a folder or files, with septum, R peaks and labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.api import Cohort, CohortTable, Context, DataError, Note, SampleSet, Targets
from cardio_mmode_septal_flash.flash.config import LoadBlock
from cardio_mmode_septal_flash.flash.models import (
    A4C,
    LOOPS,
    PATHS,
    R_PEAKS,
    SEPTUM,
    UNNAMED,
    VIEW_STATED,
    is_flash,
)
from cardio_mmode_septal_flash.readers.loop import LoopFiles, open_loop
from cardio_ultrasound import (
    FileSeen,
    accounted,
    facts_of_loop,
    ids_of_loops,
    loops_of_cell,
    nothing_in,
    read_export,
    sidecar_of,
    stated_for,
    strangers,
)

LABEL = "sf_label"
IDS = ("recording_id", "study_id", "patient_id")
TEXTS = ("subject_link", "site_id", "scanner_id", "timepoint")
EVENTS = ("mvc_ms", "avo_ms")

SEPTUM_SUFFIX = ".septum.json"
"""A septum beside ``a.dcm`` is ``a.septum.json``."""

_WITHOUT = {
    "frame_rate_hz": "a video is measured with the times at which it plays, and gets no verdict; "
    "nothing else is measured",
    "mm_per_pixel": "times, and lengths in per cent of the septum's length in place of mm",
}
"""What is made of a loop that does not say it."""


def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find apical four-chamber loops.

    A cohort table names them in `path_echo_a4c`, or among other views in `path_echo`, their septum
    in `path_septum`, R peaks in `path_rpeaks`, and the reader's answer in `sf_label`, unless an
    outcome of the user's own is predicted. In predict mode an input may also be a file, or a folder
    as a scanner exports it: its loops are grouped into studies by what their headers say, and those
    are numbered. A septum that nothing names is looked for beside its loop, as
    ``<name of the loop>.septum.json``. In predict mode ``--septum FILE`` and ``--rpeaks FILE`` come
    before all of these.

    Returns
    -------
    Cohort
        Targets by study; none where the core makes them of the user's outcome. The table carries
        `timepoint`, `view_stated` (``a4c`` of loops that a table names one by one, or of all where
        `load.view` says so), and `mvc_ms` and `avo_ms` after the R peak (NaN where unknown).

    Raises
    ------
    ConfigError
        A table without a column of loops or, where flash is to be learnt, of labels.
    DataError
        No loop, or in fit mode no cohort table.
    """
    found = _all_found(config, ctx)
    entries = [replace(e, files=_given(e.files, ctx)) for part in found for e in part.entries]
    kept = [entry for entry in entries if _at(entry, config.timepoint)]
    left_out = tuple(e.about["recording_id"] for e in entries if not _at(e, config.timepoint))
    table = pd.DataFrame([e.about for e in kept], columns=[*IDS, *TEXTS, *EVENTS, VIEW_STATED])
    table.index = pd.Index(table["recording_id"], name="sample_id")
    facts = {}
    if ctx.mode == "predict":
        kept = [_with_facts(entry, config, ctx) for entry in kept]
        facts = {e.about["recording_id"]: e.files.stated.facts for e in kept}
        table[VIEW_STATED] = [e.files.stated.view or e.about[VIEW_STATED] for e in kept]
    if config.view == A4C:
        table[VIEW_STATED] = A4C
    named = {entry.about["study_id"] for entry in entries}
    tables = [part.table.rows for part in found if part.table is not None]
    silent = tuple(str(item) for rows in tables for item in rows.index if str(item) not in named)
    excluded = {f"not at {config.timepoint}": left_out, "no loop is named": silent}
    targets, clinical = None, None
    labelled = _needs_labels(ctx)
    if ctx.mode == "fit":
        clinical = pd.concat(tables)
    if clinical is not None and labelled:
        labels = clinical[[LABEL]].astype("Float64").astype(float)
        labels.columns = [ctx.task.targets[0].name]
        targets = Targets("study", labels[labels.index.isin(table["study_id"])])
    return Cohort(
        SampleSet.opening(table, [entry.files for entry in kept], open_loop),
        {entry.about["recording_id"]: entry.files.paths for entry in kept},
        targets,
        clinical,
        notes=tuple(note for part in found for note in part.notes),
        outcome="septal flash as a reader saw it in the loop." if labelled else "",
        excluded={why: ids for why, ids in excluded.items() if ids},
        seen=_seen(found, kept),
        together=True,
        facts=facts,
    )


def _with_facts(entry: _Entry, config: LoadBlock, ctx: Context) -> _Entry:
    """Return a new loop with what its file says, or a person, and what is missing."""
    path = entry.files.loop
    how = A4C if A4C in (config.view, entry.about[VIEW_STATED]) else "looked at"
    stated = facts_of_loop(path, config, ctx.stated(path), view=how, without=_WITHOUT)
    return replace(entry, files=replace(entry.files, stated=stated))


def _needs_labels(ctx: Context) -> bool:
    return ctx.mode == "fit" and is_flash(ctx)


@dataclass(frozen=True)
class _Entry:
    """One loop: its files, and its ids and what else the table says of it by column."""

    files: LoopFiles
    about: dict[str, Any]


@dataclass(frozen=True)
class _Found:
    """What an input holds, or several without a table together; `seen` are the files searched."""

    entries: list[_Entry]
    table: CohortTable | None = None
    notes: tuple[Note, ...] = ()
    seen: tuple[FileSeen, ...] = ()


def _all_found(config: LoadBlock, ctx: Context) -> list[_Found]:
    """Read every input; those that no table names are one export."""
    read = [(path, _of_table(path, config, ctx)) for path in ctx.inputs]
    found = [made for _, made in read if made is not None]
    loose = [path for path, made in read if made is None]
    if not loose:
        return found
    # Beside a table, a number must not be anybody's id: two people would become one.
    entries = [entry for made in found for entry in made.entries]
    taken = {entry.about[name] for entry in entries for name in ("study_id", "patient_id")}
    return [*found, _of_export(loose, taken, config)]


def _of_table(path: Path, config: LoadBlock, ctx: Context) -> _Found | None:
    """Return what a cohort table names; None where an input is none."""
    table = CohortTable.find(path, PATHS)
    if table is None:
        if ctx.mode == "fit":
            also = f" and says in {LABEL} who has a septal flash" if _needs_labels(ctx) else ""
            raise DataError(
                f"{path.name}: expected a cohort table, or a folder with cohort.csv, that names "
                f"loops in {LOOPS}{also}; found none"
            )
        return None
    named = [name for name in (LOOPS, UNNAMED) if name in table.rows.columns]
    table.require(*(named or [LOOPS]), *((LABEL,) if _needs_labels(ctx) else ()))
    entries: list[_Entry] = []
    seen: list[FileSeen] = []
    notes: list[str] = []
    for study, row in table.rows.iterrows():
        cell = loops_of_cell([path for name in named for path in row[name]])
        whose = {"study_id": str(study), "patient_id": str(row["patient_id"])} | _about(row)
        for name, files in _loops_of(str(study), row, list(cell.loops), config):
            # A folder of a table holds whatever the examination did: nobody said its views.
            stated_view = A4C if files.loop in row.get(LOOPS, ()) else ""
            entries.append(_Entry(files, {"recording_id": name, VIEW_STATED: stated_view} | whose))
        seen += cell.files
        notes += strangers(str(study), cell)
    return _Found(entries, table, Note.each("cohort", notes), tuple(seen))


def _of_export(places: list[Path], taken: set[str], config: LoadBlock) -> _Found:
    export = read_export(places, taken=taken)
    if not export.studies:
        raise nothing_in(places[0], export.files)
    nothing = dict.fromkeys(TEXTS) | dict.fromkeys(EVENTS, float("nan")) | {VIEW_STATED: ""}
    entries = [
        _Entry(
            _files(loop, None, None, config),
            dict(zip(IDS, (name, study.study_id, study.patient_id), strict=True)) | nothing,
        )
        for study in export.studies
        for name, loop in zip(study.recording_ids, study.loops, strict=True)
    ]
    return _Found(entries, None, export.notes, export.files)


def _seen(found: list[_Found], kept: list[_Entry]) -> tuple[FileSeen, ...]:
    """Return the files that were searched, with the recordings that the run has of them."""
    names = {e.files.loop: (e.about["recording_id"], e.about["study_id"]) for e in kept}
    return accounted((item for made in found for item in made.seen), names)


def _loops_of(
    study_id: str, row: pd.Series[Any], loops: list[Path], config: LoadBlock
) -> list[tuple[str, LoopFiles]]:
    """Return the loops of a row, each with its id in the run and the files that belong to it."""
    cells = {name: tuple(row.get(name, ()) or ()) for name in (SEPTUM, R_PEAKS)}
    made = []
    for number, name in enumerate(ids_of_loops(study_id, len(loops))):
        septum, r_peaks = (_partner(cells[item], number, loops) for item in (SEPTUM, R_PEAKS))
        made.append((name, _files(loops[number], septum, r_peaks, config)))
    return made


def _partner(cell: tuple[Path, ...], number: int, loops: list[Path]) -> Path | None:
    """Return the file of a cell that belongs to a loop: of the same name, else the same place."""
    # What follows the loop's name are suffixes; a number would belong to another dotted name.
    same_name = re.compile(re.escape(sidecar_of(loops[number]).stem) + r"(\.[^.\d][^.]*)*")
    of_name = [path for path in cell if same_name.fullmatch(path.name)]
    if of_name:
        return of_name[0]
    return cell[number] if len(cell) == len(loops) else None


def _files(loop: Path, septum: Path | None, r_peaks: Path | None, config: LoadBlock) -> LoopFiles:
    beside = sidecar_of(loop).with_suffix(SEPTUM_SUFFIX)
    return LoopFiles(
        loop,
        septum or (beside if beside.is_file() else None),
        r_peaks,
        stated_for(loop, config),
    )


def _given(files: LoopFiles, ctx: Context) -> LoopFiles:
    """Put what the command line gives beside the one loop before what was found."""
    return replace(
        files,
        septum=ctx.option_file("septum") or files.septum,
        r_peaks=ctx.option_file("rpeaks") or files.r_peaks,
    )


def _about(row: pd.Series[Any]) -> dict[str, Any]:
    texts: dict[str, Any] = {name: CohortTable.text(row, name) for name in TEXTS}
    return texts | {name: float(row.get(name, float("nan"))) for name in EVENTS}


def _at(entry: _Entry, timepoint: str) -> bool:
    at = (entry.about["timepoint"] or "baseline").strip().lower()
    return timepoint in ("any", at)
