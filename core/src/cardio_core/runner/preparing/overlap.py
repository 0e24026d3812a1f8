"""The certificate of overlap: what stands on both sides of a fold, counted once the folds are made.

The guards raise on overlaps that no protocol declares; here everything is counted again, and what
no guard can know is looked for: one signal under two patients, in files that differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cardio_core.runner.checking.fingerprints import same_signals
from cardio_core.runner.preparing.arms import Arm
from cardio_core.runner.progress.words import several
from cardio_core.types.notes import Note, NoteKind

TABLE, PAIRS = "overlap", "overlap-pairs"
"""Names of the tables: what was counted, and the recordings of one signal under two patients."""


@dataclass(frozen=True)
class Certificate:
    """What was looked for on both sides of the folds, and found.

    Attributes
    ----------
    table : DataFrame
        One row a protocol and kind: protocol, kind, compared, without, on both sides.
    pairs : DataFrame
        Recordings of different people that hold one signal: recording, other, patient, other
        patient.
    sentences : mapping of str to str
        By protocol.
    notes : tuple of Note
        What the reader must act on.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    sentences: Mapping[str, str]
    notes: tuple[Note, ...]


def certify(arms: Sequence[Arm]) -> Certificate:
    """Count patients, linked persons, files and signals on both sides of every fold.

    Parameters
    ----------
    arms : sequence of Arm
        The protocols of a run; their cohort is one.
    """
    twins = _pairs(arms[0])
    rows, sentences = [], {}
    for arm in arms:
        found = _counted(arm, twins)
        rows += [{"protocol": arm.protocol, **row} for row in found]
        sentences[str(arm.protocol)] = _sentence(arm, found)
    notes: tuple[Note, ...] = ()
    if len(twins):
        text = (
            f"{several(len(twins), 'pair')} of recordings of different patients hold one signal, "
            "in another format or gain; are they one person? Link them with subject_link in the "
            f"cohort table, or remove one (tables/{PAIRS}.csv)."
        )
        notes = (Note(NoteKind.COHORT, text),)
    return Certificate(pd.DataFrame(rows), twins, sentences, notes)


def _pairs(arm: Arm) -> pd.DataFrame:
    table = arm.prepared.features.table.drop_duplicates("recording_id")
    names = table["recording_id"].astype(str)
    patient = dict(zip(names, table["patient_id"].astype(str), strict=True))
    person = dict(zip(names, table["subject_id"].astype(str), strict=True))
    prints = {name: one for name, one in arm.prepared.fingerprints.items() if name in person}
    found = [
        (one, other, patient[one], patient[other])
        for one, other in same_signals(prints)
        if person[one] != person[other]
    ]
    return pd.DataFrame(found, columns=["recording", "other recording", "patient", "other patient"])


def _counted(arm: Arm, twins: pd.DataFrame) -> list[dict[str, Any]]:
    table = arm.prepared.features.table
    recordings = table["recording_id"].astype(str)
    digests = arm.prepared.digests.own_files
    prints = arm.prepared.fingerprints
    both: dict[str, set[Any]] = {"patients": set(), "persons": set(), "files": set()}
    straddling: set[int] = set()
    columns = {"patients": table["patient_id"].astype(str), "persons": table["subject_id"]}
    for fold in arm.plan.folds:
        for kind, column in columns.items():
            both[kind] |= set(column.iloc[fold.train]) & set(column.iloc[fold.test])
        train, test = (set(recordings.iloc[side]) for side in (fold.train, fold.test))
        both["files"] |= _files(digests, train) & _files(digests, test)
        for number, (one, other) in enumerate(
            zip(twins["recording"], twins["other recording"], strict=True)
        ):
            if (one in train and other in test) or (other in train and one in test):
                straddling.add(number)
    there = set(recordings)
    known = sum(bool(digests.get(one)) for one in there)
    printed = sum(bool(prints.get(one)) for one in there)
    n = len(there)
    return [
        _row("patients, by id", columns["patients"].nunique(), 0, len(both["patients"])),
        _row("persons, linked ids taken as one", table["subject_id"].nunique(), 0,
             len(both["persons"])),
        _row("files, by SHA-256", known, n - known, len(both["files"])),
        _row("signals, copied in another format or gain", printed, n - printed, len(straddling)),
    ]  # fmt: skip


def _row(kind: str, compared: int, without: int, found: int) -> dict[str, Any]:
    return {
        "what may stand on both sides": kind, "compared": int(compared), "without": int(without),
        "on both sides": int(found),
    }  # fmt: skip


def _files(digests: Mapping[str, Sequence[str]], recordings: set[str]) -> set[str]:
    return {one for name in recordings for one in digests.get(name, ())}


def _sentence(arm: Arm, rows: Sequence[Mapping[str, Any]]) -> str:
    patients, persons, _, signals = rows
    folds = several(len(arm.plan.folds), "fold")
    missing = int(signals["without"])
    compared = (
        f"{several(patients['compared'], 'patient')}, {several(persons['compared'], 'person')}, "
        f"{several(signals['compared'], 'signal')} compared"
        + (f"; {several(missing, 'recording')} without a fingerprint" if missing else "")
    )
    if not any(row["on both sides"] for row in rows):
        return (
            f"Counted again over {folds}, no patient, linked person, file or copied signal stands "
            f"on both sides ({compared}). A copy that was cut or filtered would not be known."
        )
    found = ", ".join(
        several(int(row["on both sides"]), noun)
        for row, noun in zip(rows, ("patient", "person", "file", "copied signal"), strict=True)
        if row["on both sides"]
    )
    return f"Counted again over {folds}, on both sides stand: {found} ({compared})."
