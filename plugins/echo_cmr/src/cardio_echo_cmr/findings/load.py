"""Load: echo loops by study, paired with their CMR, from a table, a folder or files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.api import Cohort, CohortTable, ConfigError, Context, DataError, Note, SampleSet
from cardio_echo_cmr.findings.config import LoadBlock
from cardio_echo_cmr.findings.labels import (
    hidden,
    known_outcome,
    outcome_sentence,
    require_a_study,
    require_named_views,
    targets_of,
    unsupported_models,
)
from cardio_echo_cmr.findings.tasks import OF_THE_ECHO, VIEW
from cardio_echo_cmr.readers import echonet_folder as echonet
from cardio_echo_cmr.readers.table_studies import studies_of_table, study_of_row
from cardio_echo_cmr.studies import (
    Clip,
    EchoStudy,
    one_row_an_echo,
    open_clip,
    pair_with_cmr,
    samples_table,
)
from cardio_echo_cmr.views.names import UNKNOWN
from cardio_ultrasound import (
    FileSeen,
    accounted,
    facts_of_loop,
    nothing_in,
    read_export,
    stated_for,
)


def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find echo loops, pair their studies with CMRs, and label them.

    An input is a cohort table, or a folder with one, that names clips in `path_echo_a4c`, `_a2c`,
    `_plax`, `_other`, or in `path_echo` where nobody named the view. Or it is a folder in
    EchoNet's layout: its videos are A4C; with a ``cohort.csv`` beside ``FileList.csv`` whose
    `study_id` is the FileName it has CMR labels, without one it serves predict mode only. There an
    input may also be a file, or a folder as a scanner exports it: its loops are grouped into
    studies by what their headers say, and those are numbered.

    Returns
    -------
    Cohort
        One row a clip. Targets are by study, for `view` by recording; the core makes those of an
        outcome of the user's own. Left out by design are studies too far from their CMR, where a
        task asks what that finds.

    Raises
    ------
    ConfigError
        A table without the columns that the task needs, or a folder that cannot label it.
    DataError
        No loop, no study at the timepoint or near enough to its CMR, loops of one view only where
        views are to be told apart, or ids of studies that would give two loops one id.
    """
    found = _all_found(config, ctx)
    studies, numbered = _named([study for part in found for study in part.studies], ctx)
    notes = [*numbered, *(note for part in found for note in part.notes)]
    _require_ids_of_their_own(studies)
    at, elsewhen = _at_timepoint(studies, config.timepoint)
    with_cmr = ctx.mode == "fit" and ctx.task.name not in OF_THE_ECHO
    paired = pair_with_cmr(at, config.max_days_to_cmr) if with_cmr else one_row_an_echo(at)
    kept = list(paired.kept)
    excluded = elsewhen | paired.left_out
    require_a_study(studies, kept, excluded)
    with_views = config.views == "table" and ctx.task.name != VIEW.name
    if with_views and ctx.mode == "fit":
        require_named_views(kept)
    # Nobody has tested a view that the table leaves open: only for new patients it is predicted.
    unnamed = UNKNOWN if ctx.mode == "fit" else ""
    table = hidden(samples_table(kept, with_views=with_views, unnamed=unnamed), ctx)
    clips = tuple(clip for study in kept for clip in study.clips)
    facts = {}
    if ctx.mode == "predict":
        clips = tuple(_with_facts(clip, config, ctx) for clip in clips)
        facts = dict(zip(table.index, (clip.stated.facts for clip in clips), strict=True))
        given = zip(clips, table["view_given"], strict=True)
        table["view_given"] = [clip.stated.view or named for clip, named in given]
    clinical = _clinical(found, kept)
    targets, unsupported = None, {}
    if ctx.mode == "fit":
        if ctx.outcome is None:
            targets, about = targets_of(clinical, kept, config, ctx)
            notes += Note.each("cohort", about)
        if with_cmr:
            notes += Note.each("pairing", paired.notes)
        labels = known_outcome(clinical, ctx) if targets is None else targets.table
        named = np.array([clip.view for clip in clips], dtype=np.str_)
        unsupported = unsupported_models(table, named, labels, ctx, config)
    return Cohort(
        SampleSet.opening(table, clips, open_clip),
        {name: clip.paths for name, clip in zip(table.index, clips, strict=True)},
        targets,
        clinical if ctx.mode == "fit" else None,
        notes=tuple(dict.fromkeys(notes)),
        unsupported=unsupported,
        outcome="" if targets is None else outcome_sentence(ctx.task, config),
        excluded=excluded,
        seen=_seen(found, kept),
        together=True,
        facts=facts,
    )


_WITHOUT = {
    "frame_rate_hz": "a video is used with the times at which it plays, flagged; nothing else is",
    "mm_per_pixel": "times, and lengths in per cent of the septum's length",
}
"""What is made of a loop that does not say it."""


def _with_facts(clip: Clip, config: LoadBlock, ctx: Context) -> Clip:
    """Return a new clip with what its file says, or a person, and what is missing."""
    cells = ctx.stated(clip.path)
    if clip.stated.frame_rate_hz is not None:  # of the list that names it
        cells = {"frame_rate_hz": str(clip.stated.frame_rate_hz)} | dict(cells)
    found = facts_of_loop(clip.path, config, cells, view=clip.view or "looked at", without=_WITHOUT)
    return replace(clip, stated=found, view=found.view or clip.view)


@dataclass(frozen=True)
class _Found:
    """What an input holds, or several without a table together; `seen` are the files searched."""

    studies: list[EchoStudy]
    table: pd.DataFrame | None = None
    notes: tuple[Note, ...] = ()
    seen: tuple[FileSeen, ...] = ()


def _all_found(config: LoadBlock, ctx: Context) -> list[_Found]:
    """Read every input; those that no table names are one export."""
    read = {path: _found(path, config, ctx) for path in ctx.inputs}
    loose = [path for path, made in read.items() if made is None]
    found = [made for made in read.values() if made is not None]
    if not loose:
        return found
    studies = [study for made in found for study in made.studies]
    taken = {name for study in studies for name in (study.study_id, study.patient_id)}
    return [*found, _of_export(loose, taken, config)]


def _of_export(places: list[Path], taken: set[str], config: LoadBlock) -> _Found:
    export = read_export(places, taken=taken)
    if not export.studies:
        raise nothing_in(places[0], export.files)
    studies = [
        EchoStudy(
            study.study_id,
            study.patient_id,
            tuple(Clip(file, "", stated_for(file, config)) for file in study.loops),
        )
        for study in export.studies
    ]
    return _Found(studies, None, export.notes, export.files)


def _seen(found: list[_Found], kept: list[EchoStudy]) -> tuple[FileSeen, ...]:
    """Return the files that were searched, with the recordings that the run has of them."""
    names = {
        clip.path: (name, study.study_id)
        for study in kept
        for name, clip in zip(study.recording_ids, study.clips, strict=True)
    }
    return accounted((item for made in found for item in made.seen), names)


def _found(path: Path, config: LoadBlock, ctx: Context) -> _Found | None:
    """Return what a table, or a folder in EchoNet's layout, names; None for any other input."""
    folder = echonet.echonet_folder_of(path)
    table = CohortTable.find(folder or path)
    if folder is not None:
        return _from_echonet(folder, table, ctx)
    if table is not None:
        studies, seen, notes = studies_of_table(table, config)
        lacking = len(table.rows) - len(studies)
        note = f"{lacking} of {len(table.rows)} rows of {table.name} name no clip."
        notes_made = Note.each("cohort", [note if lacking else "", *notes])
        return _Found(studies, table.rows, notes_made, seen)
    if ctx.mode == "fit":
        raise DataError(
            f"{path.name}: expected a cohort table, a folder with cohort.csv, or one with "
            f"{echonet.FILE_LIST} and {echonet.VIDEOS}; found none"
        )
    return None


def _from_echonet(folder: Path, table: CohortTable | None, ctx: Context) -> _Found:
    found = echonet.read_echonet_folder(folder)
    if table is not None:
        rows = table.rows
        bare = [study_of_row(str(name), row, ()) for name, row in rows.iterrows()]
        listed = echonet.of_table(found, rows)
        studies = echonet.with_cohort_table(listed, bare, table.name)
        lacking = len(rows) - len(studies)
        note = f"{lacking} of {len(rows)} rows of {table.name} have no usable video."
        notes = Note.each(
            "cohort", [echonet.NOTE, note if lacking else "", listed.others_note(found, table.name)]
        )
        ids = {echonet.stem_of(str(name)): str(name) for name in rows.index}
        for item in listed.unusable:
            ctx.quarantine(ids[item.name], item.reason)
        return _Found(studies, rows, notes)
    if ctx.mode == "fit" and ctx.task.name != VIEW.name:
        lacks, what = "CMR labels", "the CMR's columns"
        if ctx.task.name in OF_THE_ECHO:
            lacks, what = "an outcome", "its column"
        raise ConfigError(
            f"{folder.name}: expected {lacks}, found LVEF only; put a cohort.csv next to "
            f"{echonet.FILE_LIST} with study_id = FileName, patient_id and {what}, and "
            "take views from it with load.views=table and needs.view.skip=true"
        )
    _set_aside(found, ctx)
    return _Found(echonet.echonet_studies(found), None, Note.each("cohort", [echonet.NOTE]))


def _set_aside(found: echonet.EchoNetFolder, ctx: Context) -> None:
    """Quarantine what cannot be used, numbered: names of files can hold the names of people."""
    for number, video in enumerate(found.unusable, start=1):
        ctx.quarantine(f"unusable-{number}", video.reason)


def _named(studies: list[EchoStudy], ctx: Context) -> tuple[list[EchoStudy], list[Note]]:
    """Give studies without a table running numbers: names of files can hold names of people."""
    if all(study.study_id for study in studies):
        return studies, []
    # Beside a table, a number must not be anybody's id: two people would become one.
    taken = {name for study in studies for name in (study.study_id, study.patient_id)}
    numbers = (str(n) for n in count(1) if str(n) not in taken)
    made = [
        study if study.study_id else replace(study, study_id=name, patient_id=name)
        for study, name in ((item, "" if item.study_id else next(numbers)) for item in studies)
    ]
    listed = f"Videos of {echonet.FILE_LIST} are numbered in its order, each a patient."
    return made, [CohortTable.NUMBERED if ctx.mode == "predict" else Note("cohort", listed)]


def _require_ids_of_their_own(studies: list[EchoStudy]) -> None:
    n_loops = Counter(name for study in studies for name in study.recording_ids)
    twice = next((name for name, n in n_loops.items() if n > 1), None)
    if twice is not None:
        raise DataError(
            f"study_id: expected one id for each loop (ID, or ID-1, ID-2 where "
            f"a study has several), found {twice!r} for two; name one of the studies otherwise"
        )


def _at_timepoint(
    studies: list[EchoStudy], timepoint: str
) -> tuple[list[EchoStudy], dict[str, tuple[str, ...]]]:
    kept: list[EchoStudy] = []
    others: list[EchoStudy] = []
    for study in studies:
        at = (study.texts.get("timepoint") or "baseline").strip().lower()
        (kept if timepoint in ("any", at) else others).append(study)
    left_out = tuple(name for study in others for name in study.recording_ids)
    return kept, {f"not at {timepoint}": left_out} if left_out else {}


def _clinical(found: list[_Found], kept: list[EchoStudy]) -> pd.DataFrame | None:
    """Return the rows of the tables whose studies are kept; None where there is no table."""
    tables = [part.table for part in found if part.table is not None]
    if not tables:
        return None
    table = pd.concat(tables)
    return table[table.index.isin([study.study_id for study in kept])]
