"""The folds of a fusion: those of its members where all were split alike, else new ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cardio_core.splits import SplitPlan, plan_folds
from cardio_core.studies.fused.joining import Joined
from cardio_core.studies.fused.members import Member
from cardio_core.types.plans import Nested

LEAST_FOLDS = 2
OTHERWISE = 5
"""Folds where most members tested in one part alone (a holdout)."""


@dataclass(frozen=True)
class Folds:
    """Who is tested where.

    Attributes
    ----------
    of : DataFrame of str
        Indexed by patient, a column a repeat (0, 1, ...): the name of the fold that tests him.
    same : bool
        Whether these are the members' own folds.
    plan : str
        The plan's name.
    said : str
        How they came about, in a sentence.
    """

    of: pd.DataFrame
    same: bool
    plan: str
    said: str

    @property
    def names(self) -> list[tuple[int, str]]:
        """Repeat and name of every fold, in order."""
        return [
            (int(repeat), name)
            for repeat in self.of.columns
            for name in sorted(self.of[repeat].unique(), key=_number)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the form of one protocol in splits.json."""
        return {
            "protocol": "honest", "plan": self.plan, "unit": "patient", "declared_overlap": None,
            "folds": [
                {
                    "name": name,
                    "train": sorted(self.of.index[self.of[repeat] != name]),
                    "test": sorted(self.of.index[self.of[repeat] == name]),
                }
                for repeat, name in self.names
            ],
        }  # fmt: skip


def shared_folds(joined: Joined, *, seed: int) -> Folds:
    """Return the folds in which a fusion is cross-validated.

    Where every member tested every patient whom it shares with another one in the fold of the same
    name, as often, these are the folds. Else all patients are divided anew, as often as the member
    whose folds were drawn most often and into as many folds as most members have; linked patients
    stay together, and the outcome is balanced.
    """
    found = _members_own(joined)
    if found is not None:
        plan = str(_split_of(joined.members[0]).get("plan") or "nested")
        k = len(set(found[0]))
        return Folds(
            found, True, plan,
            f"All members were run on the same {k} folds, and the fusion is cross-validated on "
            "them.",
        )  # fmt: skip
    k = Counter(_n_folds(one) for one in joined.members).most_common(1)[0][0]
    repeats = max(one.n_repeats for one in joined.members)
    k = k if k >= LEAST_FOLDS else OTHERWISE
    table = joined.patients.reset_index(names="patient_id")
    table.index = pd.Index(table["patient_id"], name="sample_id")
    made: SplitPlan = plan_folds(
        Nested(k, repeats), table, table["y"].to_numpy(), protocol="honest", name="nested",
        seed=seed,
    )  # fmt: skip
    of = pd.DataFrame(index=table.index.rename("patient_id"), columns=range(repeats), dtype=object)
    for fold in made.folds:
        of.iloc[fold.test, fold.repeat] = fold.name
    again = f", drawn {repeats} times" if repeats > 1 else ""
    return Folds(
        of, False, "nested",
        f"The members were split differently, so all patients were divided anew into {k} folds"
        f"{again}.",
    )  # fmt: skip


def _members_own(joined: Joined) -> pd.DataFrame | None:
    """Return the members' own folds, None where they differ, or part people who are linked."""
    repeats = {one.n_repeats for one in joined.members}
    if len(repeats) > 1:
        return None
    own = [
        one.rows.pivot_table(index="patient_id", columns="repeat", values="fold", aggfunc="first")
        for one in joined.members
    ]
    found = own[0]
    for other in own[1:]:
        both = found.index.intersection(other.index)
        if not found.loc[both].equals(other.loc[both]):
            return None
        found = pd.concat([found, other.drop(index=both)])
    found = found.loc[joined.patients.index]
    if found.isna().any(axis=None) or (found.nunique() < LEAST_FOLDS).any():
        return None
    people = found.groupby(joined.patients["subject_id"])
    if (people.min() != people.max()).any(axis=None):
        return None
    return found.set_axis(range(len(found.columns)), axis=1)


def _split_of(member: Member) -> dict[str, Any]:
    from cardio_core.io.atomic import read_json

    path = member.run / "splits.json"
    if not path.is_file():
        return {}
    found: dict[str, Any] = read_json(path).get("protocols", {}).get("honest") or {}
    return found


def _n_folds(member: Member) -> int:
    return int(
        member.rows.loc[member.rows["repeat"] == member.rows["repeat"].min(), "fold"].nunique()
    )


def _number(name: str) -> int:
    return int(name.rpartition("f")[2])
