"""The flow of patients as a reader is shown it: stations, what left between, who was tested."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cardio_core.errors import DataError
from cardio_core.report.run_files import RunFiles
from cardio_core.report.words import count, counted

KINDS = {
    "no_recording": "No recording named",
    "left_out": "Left out by design",
    "unreadable": "Could not be used",
    "in_training": "Had been in training",
    "without_outcome": "Outcome not known",
}
"""Why something left, in words; the words of the next station are `AFTER`."""

AFTER = {
    "no_recording": "With a recording",
    "left_out": "Chosen",
    "unreadable": "Usable",
    "in_training": "New to the run",
    "without_outcome": "With known outcome",
}


_SETTING = re.compile(r" \([a-z_]+(?:\.[a-z_]+)+(?:=[^)]*)?\)")


@dataclass(frozen=True)
class Box:
    """One box of the diagram: a heading, and lines below it; `aside` leaves the main way."""

    heading: str
    lines: tuple[str, ...]
    aside: bool = False


@dataclass(frozen=True)
class Flow:
    """The diagram from top to bottom, and what a reader should know of it in sentences."""

    boxes: tuple[Box, ...]
    notes: tuple[str, ...] = ()


def flow(files: RunFiles) -> Flow | None:
    """Return the diagram of a run, None of one that was made before the flow was counted.

    Every station is the one before less what left between them, in patients and in recordings; the
    last is held against what the run itself counted as used.
    """
    told: Mapping[str, Any] = files.manifest.get("flow") or {}
    stations = list(told.get("stations") or [])
    if not stations:
        return None
    first, *left, used = stations
    boxes = [Box(_found(told), (_sizes(first), *_without(first)))]
    n_patients, n_recordings = int(first["patients"]), int(first["recordings"])
    for kind in dict.fromkeys(str(one["kind"]) for one in left):
        own = [one for one in left if one["kind"] == kind]
        n_patients -= sum(int(one["patients"]) for one in own)
        n_recordings -= sum(int(one["recordings"]) for one in own)
        boxes.append(Box(KINDS[kind], tuple(map(_why, own)), aside=True))
        boxes.append(Box(AFTER[kind], (_both(n_patients, n_recordings),)))
    if (n_patients, n_recordings) != (int(used["patients"]), int(used["recordings"])):
        raise DataError.unusable(
            "manifest.json",
            "a flow whose stations add up to what was used",
            "others",
            "put back a whole copy of the run, or make it again",
        )
    boxes += _branch(told)
    samples = int(told.get("samples") or 0)
    if samples and samples != n_recordings:
        copies = int(told.get("copies") or 0)
        more = (f"and {count(copies)} altered copies, for training only",) if copies else ()
        boxes.append(Box("Samples made of them", (counted(samples, "sample"), *more)))
    boxes += [_protocol(name, one) for name, one in (told.get("protocols") or {}).items()]
    return Flow(tuple(boxes), _notes(told))


def _found(told: Mapping[str, Any]) -> str:
    return "Found in the cohort table" if told.get("from_table") else "Found"


def _sizes(station: Mapping[str, Any]) -> str:
    return _both(int(station["patients"]), int(station["recordings"]))


def _both(patients: int, recordings: int) -> str:
    return f"{counted(patients, 'patient')}, {counted(recordings, 'recording')}"


def _without(station: Mapping[str, Any]) -> Sequence[str]:
    rows = int(station["entries"]) - int(station["recordings"])
    return (f"{counted(rows, 'row')} without a recording",) if rows else ()


def _why(station: Mapping[str, Any]) -> str:
    """Say how many left and why; a patient stays where another of his recordings does."""
    rows = int(station["entries"]) - int(station["recordings"])
    what = counted(rows, "row") if rows else counted(int(station["recordings"]), "recording")
    who = f"{counted(int(station['patients']), 'patient')}, {what}"
    return who if station["kind"] == "without_outcome" else f"{who}: {reason_of(station)}"


def reason_of(station: Mapping[str, Any]) -> str:
    """Return why something left, without the name of the setting that said so.

    Examples
    --------
    >>> reason_of({"reason": "baseline LVESV below 20 mL (load.min_lvesv_ml)"})
    'baseline LVESV below 20 mL'
    """
    return _SETTING.sub("", str(station["reason"]))


def _branch(told: Mapping[str, Any]) -> list[Box]:
    aside = told.get("unlabelled") or {}
    if not aside.get("train") or not aside.get("patients"):
        return []
    who = _both(int(aside["patients"]), int(aside["recordings"]))
    return [
        Box("Training without outcome", (f"{who} of those without outcome; never tested",), True)
    ]


def _protocol(name: str, told: Mapping[str, Any]) -> Box:
    patients = told.get("patients") or {}
    recordings = told.get("recordings") or {}
    lines = [_both(int(patients.get("tested", 0)), int(recordings.get("tested", 0)))]
    if patients.get("trained_only"):
        lines.append(f"{counted(int(patients['trained_only']), 'patient')} trained on only")
    if patients.get("neither"):
        lines.append(f"{counted(int(patients['neither']), 'patient')} on neither side")
    return Box(f"Tested, {name} protocol", tuple(lines))


def _notes(told: Mapping[str, Any]) -> tuple[str, ...]:
    identical, linked = int(told.get("identical") or 0), int(told.get("linked") or 0)
    notes = []
    if linked:
        notes.append(f"Patients are persons: {counted(linked, 'further id')} of theirs are linked.")
    if identical:
        are = "recording is a file that" if identical == 1 else "recordings are files that"
        notes.append(f"{identical} {are} another recording of the same person is, too.")
    return tuple(notes)
