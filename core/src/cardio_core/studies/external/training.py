"""Who was in training: known again by id, by file and by signal, as far as a run kept them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.errors import LeakageError
from cardio_core.io.hashing import file_digest
from cardio_core.io.kept.kind import Kind
from cardio_core.io.kept.results import COHORT, PRINTS
from cardio_core.report.words import counted, listed
from cardio_core.runner.checking.fingerprints import known_again
from cardio_core.runner.preparing.features import Prepared
from cardio_core.runner.preparing.record import RECORDINGS
from cardio_core.splits import link_subjects
from cardio_core.types.notes import Note, NoteKind

BY = ("id", "file", "signal")
"""What a patient of the training is known again by, in the order in which it is told."""


@dataclass(frozen=True)
class Training:
    """What a run kept of those it was made from; None where it kept nothing of a kind.

    Attributes
    ----------
    ids : frozenset of str or None
        Of patients, and of the persons behind linked ones.
    digests : frozenset of str or None
        SHA-256 of the recordings' own files.
    fingerprints : frozenset of str or None
        Of the recordings' signals.
    unchecked : tuple of str
        Earlier tasks whose patients are kept elsewhere.
    """

    ids: frozenset[str] | None = None
    digests: frozenset[str] | None = None
    fingerprints: frozenset[str] | None = None
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overlap:
    """Which of the new patients were in training.

    Attributes
    ----------
    by : dict of str to tuple of str
        By patient id, what each is known again by.
    recordings : frozenset of str
        All recordings of these patients.
    notes : tuple of Note
        What could be checked, and what could not.
    checked : bool
        Whether anything could.
    """

    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recordings: frozenset[str] = frozenset()
    notes: tuple[Note, ...] = ()
    checked: bool = True

    @property
    def words(self) -> str:
        """How many are known again by what: ``2 by id, 1 by file``."""
        counts = [(sum(one in by for by in self.by.values()), one) for one in BY]
        return listed([f"{n} by {one}" for n, one in counts if n])


def training_of(run: Path, needs: list[Mapping[str, str]]) -> Training:
    """Read what a run kept of its recordings, and of those of the earlier tasks that it made."""
    folders = [run, *sorted(path.parent for path in run.glob("needs/*/manifest.json"))]
    inside = {folder.name for folder in folders[1:]}
    cohorts = [
        COHORT.read(one / "cohort.json") for one in folders if (one / "cohort.json").is_file()
    ]
    prints = [PRINTS.read(one / RECORDINGS) for one in folders if (one / RECORDINGS).is_file()]
    elsewhere = tuple(str(one["task"]) for one in needs if str(one.get("task")) not in inside)
    if not cohorts:
        known = frozenset(one for part in prints for one in part["fingerprints"])
        return Training(fingerprints=known or None, unchecked=elsewhere)
    ids = {who for one in cohorts for key in ("patients", "subjects") for who in one.get(key, ())}
    return Training(
        frozenset(map(str, ids)),
        frozenset(file for one in cohorts for file in one.get("files", ())),
        frozenset(one for part in prints for one in part["fingerprints"]) if prints else None,
        elsewhere,
    )


def _read(kind: Kind, folders: Sequence[Path], name: str) -> list[Any]:
    return [kind.read(one / name) for one in folders if (one / name).is_file()]


def overlap_of(training: Training, prepared: Prepared, *, other_people: bool = False) -> Overlap:
    """Return which patients of a cohort a run was made from.

    Parameters
    ----------
    training : Training
    prepared : Prepared
        The new cohort; of a person with several ids all are known again with one of them.
    other_people : bool
        The user's word that equal ids are of different people: they are not looked at.
    """
    table = prepared.cohort.samples.table
    patients, persons = table["patient_id"].astype(str), link_subjects(table).astype(str)
    by: dict[str, set[str]] = {}

    def found(known: pd.Series, what: str) -> None:
        for person in persons[known.to_numpy(bool)].unique():
            by.setdefault(str(person), set()).add(what)

    names = table.index.to_series().astype(str)
    if training.ids and not other_people:
        found(patients.isin(training.ids) | persons.isin(training.ids), "id")
    if training.digests and training.digests & set(prepared.own_files):
        own = training.digests
        found(names.map(lambda one: not own.isdisjoint(_digests(prepared, one))), "file")
    if training.fingerprints:
        found(names.isin(known_again(prepared.fingerprints, training.fingerprints)), "signal")
    person_of = dict(zip(patients, persons, strict=True))
    everyone = {
        who: tuple(what for what in BY if what in by[person])
        for who, person in person_of.items()
        if person in by
    }
    recordings = frozenset(names[patients.isin(everyone)])
    checked = any(
        one is not None for one in (training.ids, training.digests, training.fingerprints)
    )
    notes = tuple(_notes(training, prepared, other_people))
    return Overlap(everyone, recordings, notes, checked)


def _digests(prepared: Prepared, recording: str) -> set[str]:
    return {file_digest(path) for path in prepared.cohort.own_files(recording) if path.is_file()}


def _notes(training: Training, prepared: Prepared, other_people: bool) -> Iterator[Note]:
    checked = {
        "id": training.ids is not None and not other_people,
        "file": training.digests is not None,
        "signal": training.fingerprints is not None,
    }
    done = [f"by {what}" for what, was in checked.items() if was]
    not_done = [f"by {what}" for what, was in checked.items() if not was]
    if done:
        text = f"Patients of the training were looked for {listed(done)}."
        yield Note(NoteKind.OVERLAP, text)
    if other_people:
        text = "Equal ids were said to be of different people (--other-people)."
        yield Note(NoteKind.OVERLAP_ON_TRUST, text)
        not_done = [one for one in not_done if one != "by id"]
    if not_done:
        why = "the run kept nothing to tell it by"
        text = f"Whether patients were in training is not checkable {listed(not_done)}: {why}."
        yield Note(NoteKind.OVERLAP_UNCHECKED, text)
    unknown = len(prepared.cohort.samples) - len(prepared.fingerprints)
    if checked["signal"] and unknown:
        text = f"{counted(unknown, 'recording')} hold no signal that could be compared."
        yield Note(NoteKind.OVERLAP, text)
    for task in training.unchecked:
        text = f"Patients of the earlier task {task} are kept in a run of their own: not checked."
        yield Note(NoteKind.OVERLAP_UNCHECKED, text)


def guard_overlap(overlap: Overlap, n_patients: int, run: str) -> None:
    """Refuse patients who were in training.

    Raises
    ------
    LeakageError
        With counts, and what they are known again by.
    """
    if not overlap.by:
        return
    only_ids = all(by == ("id",) for by in overlap.by.values())
    also = (
        " or, where equal ids are of different people, say so with --other-people"
        if only_ids
        else ""
    )
    raise LeakageError(
        f"--data: {len(overlap.by)} of {counted(n_patients, 'patient')} were in the training of "
        f"{run} (known again: {overlap.words}); leave them out with --overlap leave-out{also}"
    )
