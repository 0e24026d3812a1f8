"""Which of the studies that were found are taken, under which ids, and which belong together."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cardio_core.api import CohortTable, Context, DataError
from cardio_spect_polar.readers.find import GatedFiles, find_gated
from cardio_spect_polar.readers.pairs import rest_of_stress
from cardio_spect_polar.response.clinical import CLINICAL, clinical_values

COLUMN = "path_spect"
Wanted = Literal["rest", "stress", "any"]


@dataclass(frozen=True)
class Study:
    """One gated study that was chosen: its id, its files, its row of the sample table."""

    recording_id: str
    files: GatedFiles
    row: dict[str, object]


def one_of_state(groups: Iterable[GatedFiles], state: Wanted) -> GatedFiles:
    """Return the study of the wanted state; of any state, rest before one that does not say.

    Raises
    ------
    DataError
        If there is none.
    """
    found = list(groups)
    for one in ("rest", None, "stress") if state == "any" else (state,):
        for group in found:
            if group.state == one:
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
    said = [f"Not at {state}, and left out (load.state): {_several(others)}."] if others else []
    if silent:
        said.append(f"Taken as {state} (load.state), for the file does not say: "
                    f"{_several(len(silent))}.")  # fmt: skip
    return [replace(group, state=group.state or state) for group in taken], tuple(said)


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
            found += [(own, name, row, group) for own, group in zip(names, groups, strict=True)]
    at: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (_, _, row, _) in enumerate(found):
        at[str(row["patient_id"]), str(CohortTable.text(row, "timepoint") or "")].append(place)
    rests = {}
    for places in at.values():
        by_state = {found[place][3].state: place for place in places}
        if len(places) == 2 and set(by_state) == {"rest", "stress"}:
            rests[by_state["stress"]] = found[by_state["rest"]][0]
    return [
        Study(own, group, study_row(own, str(row["patient_id"]), row, group, study_id=name,
                                    rest=rests.get(place, "")))
        for place, (own, name, row, group) in enumerate(found)
    ]  # fmt: skip


def told_of_pairs(studies: Sequence[Study]) -> tuple[str, ...]:
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
        own = rests.get(place, place)
        patients.setdefault(own, f"P{len(patients) + 1}" if rests else str(place + 1))
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
        f"{state}, or say that state in a JSON beside the file"
    )


def _several(n: int) -> str:
    return f"{n} stud{'y' if n == 1 else 'ies'}"
