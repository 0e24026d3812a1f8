"""Members side by side: whose patients they share, and whether they speak of one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.splits import link_subjects
from cardio_core.studies.fused.members import Member, renamed
from cardio_core.types.info import Target

FEWEST_SHARED = 10
"""Patients whom a member must share with another one: below, nothing tells that ids are the same
people's."""


@dataclass(frozen=True)
class Joined:
    """All patients of all members.

    Attributes
    ----------
    members : tuple of Member
        Their outcomes are told alike.
    target : Target
        The first member's.
    patients : DataFrame
        Indexed by patient_id, sorted: subject_id (people linked in any member share one), y (0 or
        1), and a column of bool a label, whether that member scored the patient.
    notes : tuple of str
    """

    members: tuple[Member, ...]
    target: Target
    patients: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """The members' names, in the order in which they were given."""
        return [one.label for one in self.members]

    @property
    def has(self) -> pd.DataFrame:
        """Who has a score of which member."""
        return self.patients[self.labels]


def join(members: Sequence[Member]) -> Joined:
    """Join members by patient.

    Raises
    ------
    DataError
        A member that shares fewer than ten patients with the others, patients whose outcome is
        told differently, or fewer than two patients of either outcome.
    """
    target = members[0].target
    alike = tuple(renamed(one, target) for one in members)
    truths = {one.label: one.truth for one in alike}
    _require_shared(truths)
    for one, other in combinations(alike, 2):
        _require_one_truth(one, other)
    everyone = pd.concat(truths.values())
    y = everyone[~everyone.index.duplicated()].sort_index()
    n_events = int(y.sum())
    if min(n_events, len(y) - n_events) < 2:
        raise DataError(
            f"fuse: of {len(y)} patients {n_events} have {target.outcome}; at least 2 of either "
            "kind are needed"
        )
    patients = pd.DataFrame({"subject_id": _people(alike).reindex(y.index), "y": y})
    for label, own in truths.items():
        patients[label] = patients.index.isin(own.index)
    return Joined(alike, target, patients, tuple(_notes(members)))


def _require_shared(truths: dict[str, pd.Series]) -> None:
    for label, own in truths.items():
        others = {who for name, one in truths.items() if name != label for who in one.index}
        shared = len(others & set(own.index))
        if shared < FEWEST_SHARED:
            counts = ", ".join(f"{name} {len(one)}" for name, one in truths.items())
            raise DataError(
                f"fuse: {label} shares {shared} patients with the other runs (patients: {counts}), "
                f"fewer than {FEWEST_SHARED}; do their patients carry the same ids?"
            )


def _require_one_truth(one: Member, other: Member) -> None:
    both = one.truth.index.intersection(other.truth.index)
    differ = int((one.truth[both] != other.truth[both]).sum())
    if differ:
        raise DataError(
            f"{one.label} and {other.label}: {differ} of {len(both)} shared patients have another "
            f"outcome in one ({_event(one)}) than in the other ({_event(other)}); fuse runs of one "
            "outcome (--outcome)"
        )


def _event(member: Member) -> str:
    return f"{member.target.name} = {member.target.classes[1]}"


def _people(members: Sequence[Member]) -> pd.Series:
    """Return the person behind each patient id: whom one member links, all do."""
    pairs = pd.concat([one.rows[["patient_id", "subject_id"]] for one in members])
    pairs = pairs.drop_duplicates().rename(columns={"subject_id": "subject_link"})
    people = link_subjects(pairs)
    return pd.Series(people.to_numpy(), pairs["patient_id"].to_numpy()).groupby(level=0).first()


def _notes(members: Sequence[Member]) -> list[str]:
    notes = []
    first = members[0]
    for one in members[1:]:
        if (one.target.name, one.target.classes) != (first.target.name, first.target.classes):
            notes.append(
                f"The outcome is {_event(first)} in {first.label} and {_event(one)} in "
                f"{one.label}; every shared patient has the same in both."
            )
    for one in members:
        n = int((one.rows["n_units"] > 1).groupby(one.rows["patient_id"]).any().sum())
        if n:
            notes.append(
                f"{one.label}: {n} patients have several predictions; the mean of their log odds "
                "is the patient's score."
            )
    return notes
