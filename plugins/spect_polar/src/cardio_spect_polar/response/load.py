"""Load for `crt_response`: gated studies of a cohort table, with an outcome from its volumes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cardio_core.api import (
    Cohort,
    CohortTable,
    ConfigError,
    Context,
    DataError,
    Note,
    SampleSet,
    Targets,
)
from cardio_spect_polar.readers.studies import GatedFiles, find_gated, read_gated, rest_of_stress
from cardio_spect_polar.response.config import LoadBlock
from cardio_spect_polar.response.patients import CLINICAL, clinical_values

COLUMN = "path_spect"
Wanted = Literal["rest", "stress", "any"]


@dataclass(frozen=True)
class Study:
    """One gated study that was chosen: its id, its files, its row of the sample table."""

    recording_id: str
    files: GatedFiles
    row: dict[str, object]


def study_of_state(groups: Iterable[GatedFiles], state: Wanted) -> GatedFiles:
    """Return the study of the wanted state; of any state, rest before one that does not say.

    Raises
    ------
    DataError
        If there is none.
    """
    found = list(groups)
    for wanted in ("rest", None, "stress") if state == "any" else (state,):
        for group in found:
            if group.state == wanted:
                return group
    raise DataError(_none_of(found, state))


def of_state(
    groups: Sequence[GatedFiles], state: Wanted, where: str
) -> tuple[list[GatedFiles], tuple[str, ...]]:
    """Return the studies of the wanted state, and in words what was left out or taken on trust.

    A study that does not say its state is taken as the wanted one.

    Raises
    ------
    DataError
        If there is none; `where` names the place.
    """
    silent = [group for group in groups if group.state is None]
    taken = [group for group in groups if state == "any" or group.state in (state, None)]
    if not taken:
        raise DataError(f"{where}: {_none_of(groups, state)}")
    if state == "any":
        return taken, ()
    others = len(groups) - len(taken)
    notes = [f"Not at {state}, and left out (load.state): {_several(others)}."] if others else []
    if silent:
        notes.append(f"Taken as {state} (load.state), for the file does not say: "
                    f"{_several(len(silent))}.")  # fmt: skip
    return [replace(group, state=group.state or state) for group in taken], tuple(notes)


def single_files(found: Sequence[GatedFiles]) -> list[Study]:
    """Number studies without a table, each a patient of its own."""
    return _numbered(found, {})


def paired_files(found: Sequence[GatedFiles]) -> list[Study]:
    """Number studies without a table; rest and stress of one patient are that patient's."""
    return _numbered(found, rest_of_stress(found))


def paired_rows(rows: pd.DataFrame, state: Wanted, ctx: Context) -> list[Study]:
    """Return every study of the wanted state that a table names.

    Rest and stress of one patient at one time are a pair, unless there are several of either. A row
    of which nothing can be used is quarantined.
    """
    found: list[tuple[str, str, Any, GatedFiles]] = []
    for study_id, row in rows.iterrows():
        if not row[COLUMN]:
            continue
        name = str(study_id)
        with ctx.reading(name, *row[COLUMN]):
            groups, _ = of_state(find_gated(row[COLUMN]), state, COLUMN)
            names = _names(name, groups)
            found += [
                (recording_id, name, row, group)
                for recording_id, group in zip(names, groups, strict=True)
            ]
    at: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (_, _, row, _) in enumerate(found):
        at[str(row["patient_id"]), str(CohortTable.text(row, "timepoint") or "")].append(place)
    rests = {}
    for places in at.values():
        by_state = {found[place][3].state: place for place in places}
        if len(places) == 2 and set(by_state) == {"rest", "stress"}:
            rests[by_state["stress"]] = found[by_state["rest"]][0]
    return [
        Study(
            name,
            group,
            study_row(
                name,
                str(row["patient_id"]),
                row,
                group,
                study_id=study_id,
                rest=rests.get(place, ""),
            ),
        )
        for place, (name, study_id, row, group) in enumerate(found)
    ]


def pair_notes(studies: Sequence[Study]) -> tuple[str, ...]:
    """Say which recordings are rest and stress of one patient."""
    pairs = [
        f"{study.row['rest_of_pair']} and {study.recording_id}"
        for study in studies
        if study.row["rest_of_pair"]
    ]
    if not pairs:
        return ()
    shown = ", ".join(pairs[:8]) + (f" and {len(pairs) - 8} more" if len(pairs) > 8 else "")
    return (f"Rest and stress of one patient: recordings {shown}.",)


def study_row(
    recording_id: str,
    patient: str,
    row: pd.Series[Any],
    files: GatedFiles | None = None,
    *,
    study_id: str = "",
    rest: str = "",
) -> dict[str, object]:
    """Return a recording's row of the sample table: identity, and what its features may use.

    The digest of the sidecar tells the cache that an operator's limits or a voxel size changed. It
    stands here and not among the recording's files, because patients may have equal sidecars.
    `rest` names the rest study that a stress study is paired with, where it is only measured.
    """
    names = (name for name, _ in CLINICAL)
    return {
        "recording_id": recording_id,
        "study_id": study_id or recording_id,
        "patient_id": patient,
        **{name: CohortTable.text(row, name) for name in ("subject_link", "site_id", "scanner_id")},
        "sidecar": _digest(files.sidecar) if files else "",
        "rest_of_pair": rest,
        **(clinical_values(row) if len(row) else dict.fromkeys(names, float("nan"))),
    }


def _digest(sidecar: Path) -> str:
    return hashlib.sha256(sidecar.read_bytes()).hexdigest() if sidecar.is_file() else ""


def _numbered(found: Sequence[GatedFiles], rests: dict[int, int]) -> list[Study]:
    """Patients have numbers of their own as soon as one of them has two studies."""
    patients: dict[int, str] = {}
    for place in range(len(found)):
        rest_of = rests.get(place, place)
        patients.setdefault(rest_of, f"P{len(patients) + 1}" if rests else str(place + 1))
    empty = pd.Series(dtype=object)
    return [
        Study(
            str(place + 1),
            group,
            study_row(
                str(place + 1),
                patients[rests.get(place, place)],
                empty,
                group,
                rest=str(rests[place] + 1) if place in rests else "",
            ),
        )
        for place, group in enumerate(found)
    ]


def _names(study_id: str, groups: Sequence[GatedFiles]) -> list[str]:
    """Return an id for each study of a row: by state where that tells them apart."""
    states = [group.state or "" for group in groups]
    if len(groups) == 1:
        return [study_id]
    if len(set(states)) == len(states) and all(states):
        return [f"{study_id}-{state}" for state in states]
    return [f"{study_id}-{n}" for n in range(1, len(groups) + 1)]


def _none_of(groups: Sequence[GatedFiles], state: Wanted) -> str:
    if not groups:
        return (
            "expected gated short-axis slices (DICOM NM images or NIfTI), found none; export the "
            "gated short-axis series of the study as DICOM"
        )
    states = ", ".join(sorted({group.state or "one that does not say" for group in groups}))
    return (
        f"expected a gated study at {state}, as load.state says, found {states}; give one at "
        f"{state}, or state it in a JSON next to the file"
    )


def _several(n: int) -> str:
    return f"{n} stud{'y' if n == 1 else 'ies'}"


AGAIN = "a further study of a patient who has one"
UNNAMED = "no gated study is named"


def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find one gated study a patient and, in fit mode, who responded.

    A cohort table (or a folder with ``cohort.csv``) names the studies in `path_spect`: files, or
    folders of them. Of the rows before implantation the first with a usable study of the wanted
    state is taken. In predict mode single files and folders will do. Where nothing but measuring is
    asked (predict mode without a protocol), every study of the wanted state is taken, follow-up
    too, and stress is paired with rest.

    Raises
    ------
    ConfigError
        If a cohort table has no column `path_spect`; if an operator's limits of one study are
        given with several.
    DataError
        If in fit mode nothing tells who responded.
    """
    tables = [CohortTable.find(path) for path in ctx.inputs]
    if ctx.mode == "predict" and not all(tables):
        return _new_patients(ctx, config)
    if ctx.mode == "predict" and ctx.protocol is None:
        return _measured(tables, config, ctx)
    if not all(tables):
        raise DataError(
            f"{ctx.inputs[tables.index(None)].name}: expected a cohort table, or a folder with "
            "cohort.csv, found neither; nothing else says who has the outcome"
        )
    table = pd.concat([_baseline(part) for part in tables if part is not None])
    excluded = _excluded(table, config) if ctx.mode == "fit" else {}
    left_out = {study for ids in excluded.values() for study in ids}
    table = table[~table.index.astype(str).isin(left_out)]
    studies, again = _studies_of(table, config, ctx)
    excluded |= again
    if ctx.mode == "predict":
        return _cohort(studies, config, table, notes=Note.each("cohort", _unknown(studies, ctx)))
    if ctx.outcome is not None:
        return _cohort(studies, config, table, excluded=excluded)
    targets, outcome = _targets(table, config)
    return _cohort(studies, config, table, targets, outcome=outcome, excluded=excluded)


def _new_patients(ctx: Context, config: LoadBlock) -> Cohort:
    names = ", ".join(path.name for path in ctx.inputs)
    found, texts = of_state(find_gated(ctx.inputs), config.state, names)
    studies = paired_files(found) if ctx.protocol is None else single_files(found)
    further = Note.each("cohort", [*pair_notes(studies), *_unknown(studies, ctx)])
    notes = (*Note.each("cohort", texts), CohortTable.NUMBERED, *further)
    return _cohort(studies, config, None, notes=notes)


def _measured(tables: Sequence[CohortTable | None], config: LoadBlock, ctx: Context) -> Cohort:
    known = [table for table in tables if table is not None]
    for table in known:
        table.require(COLUMN)
    rows = pd.concat([table.rows for table in known])
    studies = paired_rows(rows, config.state, ctx)
    return _cohort(studies, config, rows, notes=Note.each("cohort", pair_notes(studies)))


def _unknown(studies: Sequence[Study], ctx: Context) -> tuple[str, ...]:
    """Say which clinical variables no new patient has: a median in their place is a guess.

    Without a protocol there is no model to predict with: the studies are only measured.
    """
    if ctx.protocol is None:
        return ()
    rows = pd.DataFrame([study.row for study in studies], columns=list(_CLINICAL_NAMES))
    missing = [name for name in _CLINICAL_NAMES if rows[name].isna().all()]
    if not missing or not studies:
        return ()
    which = "any clinical variable" if len(missing) == len(_CLINICAL_NAMES) else ", ".join(missing)
    return (
        f"No new patient has {which}: models that use them put the training patients' median in "
        "their place; give a cohort table to fill them in.",
    )


def _cohort(
    studies: Sequence[Study],
    config: LoadBlock,
    table: pd.DataFrame | None,
    targets: Targets | None = None,
    *,
    notes: tuple[Note, ...] = (),
    outcome: str = "",
    excluded: dict[str, tuple[str, ...]] | None = None,
) -> Cohort:
    if len(studies) > 1 and (config.base_mm, config.apex_mm) != (None, None):
        raise ConfigError(
            "--base and --apex (load.base_mm, load.apex_mm): expected the one study whose limits "
            f"they are, found {len(studies)}; give one at a time, or write base_mm and apex_mm "
            "into a JSON next to each"
        )
    index = pd.Index([study.recording_id for study in studies], name="sample_id")
    columns = [*study_row("", "", pd.Series(dtype=object))]
    samples = pd.DataFrame([study.row for study in studies], index=index, columns=columns)
    opener = partial(
        read_gated,
        voxel_mm=config.voxel_mm,
        min_slots=config.min_slots,
        max_drop_off=config.max_drop_off,
        max_rejected=config.max_rejected,
        base_mm=config.base_mm,
        apex_mm=config.apex_mm,
        long_axis=config.long_axis,
    )
    return Cohort(
        SampleSet.opening(samples, [study.files for study in studies], opener),
        {study.recording_id: study.files.files for study in studies},
        targets,
        table,
        notes=notes,
        outcome=outcome,
        excluded=excluded or {},
    )


def _baseline(table: CohortTable) -> pd.DataFrame:
    table.require(COLUMN)
    return table.at_baseline().rows


def _excluded(table: pd.DataFrame, config: LoadBlock) -> dict[str, tuple[str, ...]]:
    """Return the studies of those whom the outlier rule leaves out, by reason."""
    if config.min_lvesv_ml is None or "lvesv_bl_ml" not in table.columns:
        return {}
    small = table["lvesv_bl_ml"] < config.min_lvesv_ml
    theirs = table["patient_id"].isin(table.loc[small, "patient_id"])
    why = f"baseline LVESV below {config.min_lvesv_ml:g} mL (load.min_lvesv_ml)"
    return {why: tuple(table.index[theirs].astype(str))} if theirs.any() else {}


def _studies_of(
    table: pd.DataFrame, config: LoadBlock, ctx: Context
) -> tuple[list[Study], dict[str, tuple[str, ...]]]:
    """Return one study a patient, and by reason the ids of those that are not looked at.

    The studies of a patient of whom none can be used are quarantined.
    """
    studies: dict[str, Study] = {}
    refused: list[tuple[str, str, str, tuple[Path, ...]]] = []
    left_out: dict[str, list[str]] = {AGAIN: [], UNNAMED: []}
    for study_id, row in table.iterrows():
        patient = str(row["patient_id"])
        if not row[COLUMN] or patient in studies:
            left_out[AGAIN if row[COLUMN] else UNNAMED].append(str(study_id))
            continue
        try:
            chosen = study_of_state(find_gated(row[COLUMN]), config.state)
        except DataError as error:
            refused.append((patient, str(study_id), str(error), row[COLUMN]))
            continue
        name = str(study_id)
        studies[patient] = Study(name, chosen, study_row(name, patient, row, chosen))
    for patient, name, reason, files in refused:
        if patient in studies:
            left_out[AGAIN].append(name)
        else:
            ctx.quarantine(name, reason, *files)
    return list(studies.values()), {why: tuple(ids) for why, ids in left_out.items() if ids}


_CLINICAL_NAMES = tuple(name for name, _ in CLINICAL)


def _targets(table: pd.DataFrame, config: LoadBlock) -> tuple[Targets, str]:
    outcome = CohortTable(COLUMN, table).outcome(
        config.outcome,
        died_or_transplanted=config.died_or_transplanted,
        window_days=config.window_days,
    )
    by_patient = outcome.values.groupby(table["patient_id"].astype(str), sort=False).first()
    note = f"{config.outcome} ({outcome.outcome.title}), computed from the table: {outcome.text()}."
    return Targets("patient", by_patient.rename("response").to_frame()), note
