"""The folds of a fusion, which all of its members share: new ones, or the sites of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cardio_core.io.run_artifact import SPLITS, SplitRecords
from cardio_core.splits import SplitPlan, plan_folds
from cardio_core.studies.fused.joining import Joined
from cardio_core.studies.fused.members import Member
from cardio_core.types.plans import Nested

LEAST_FOLDS, FOLDS = 2, 10
"""Of the weights: a few numbers are fitted in no time."""
OTHERWISE_DRAWN = 1_000_003
"""Added to the seed, so that no fold of a fusion is drawn as one of its members was."""


@dataclass(frozen=True)
class Folds:
    """Who is tested where.

    Attributes
    ----------
    of : DataFrame of str
        Indexed by patient, a column a repeat (0, 1, ...): the name of the fold that tests him.
    same : bool
        Whether these are the members' own: sites.
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

    All patients are divided anew, as often as the member whose folds were drawn most often; linked
    patients stay together, and the outcome is balanced. Only where all members left out one site
    after the other, the fusion leaves out the same sites.

    Notes
    -----
    Stacking on the members' own folds would flatter: the weights that test a fold would be fitted
    on scores of models every one of which was trained on the very patients that are tested, and
    the tested scores come from models trained on the very patients that the weights are fitted on.
    Folds of its own cut across both. In pure noise (100 patients, 5 folds, 150 seeds, weights that
    cannot be negative) the mean AUC is 0.505 on the members' folds and 0.488 on others.
    """
    sites = {_plan_of(one) for one in joined.members} == {"sites"}
    found = split_alike(joined) if sites else None
    if found is not None:
        k = found[0].nunique()
        return Folds(
            found, True, "sites",
            f"As its members, the fusion is tested at each of {k} sites with weights of the "
            "others.",
        )  # fmt: skip
    y = joined.patients["y"]
    k = max(LEAST_FOLDS, min(FOLDS, int(y.sum()), int((1 - y).sum())))
    repeats = max(one.n_repeats for one in joined.members)
    table = joined.patients.reset_index(names="patient_id")
    table.index = pd.Index(table["patient_id"], name="sample_id")
    made: SplitPlan = plan_folds(
        Nested(k, repeats), table, y.to_numpy(), protocol="honest", name="nested",
        seed=seed + OTHERWISE_DRAWN,
    )  # fmt: skip
    of = pd.DataFrame(index=table.index.rename("patient_id"), columns=range(repeats), dtype=object)
    for fold in made.folds:
        of.iloc[fold.test, fold.repeat] = fold.name
    again = f", {repeats} times" if repeats > 1 else ""
    return Folds(
        of, False, "nested",
        f"All patients were divided into {k} folds{again}, which cut across those of the runs.",
    )  # fmt: skip


def split_alike(joined: Joined) -> pd.DataFrame | None:
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


def _plan_of(member: Member) -> str | None:
    """Return the plan of a member's honest protocol, None where it keeps no folds."""
    kept = SPLITS.read_or(member.run / "splits.json", SplitRecords()).protocols.get("honest")
    return None if kept is None else kept.plan


def _number(name: str) -> int:
    return int(name.rpartition("f")[2])
