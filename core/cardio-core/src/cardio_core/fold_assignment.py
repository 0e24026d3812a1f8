"""Split plans made concrete: who is trained on, who is tested, and the guards that raise.

Patients are grouped by person: ids that `subject_link` joins are one subject and never straddle a
fold. A plan that lets a subject stand on both sides must declare it, and only `paper` may use one.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError, DataError, LeakageError
from cardio_core.types.plans import (
    Fixed,
    Holdout,
    Nested,
    Plan,
    RandomSamples,
    Resubstitution,
    Sites,
)

# How each split plan divides labelled samples into training and test.


def divide(
    plan: Plan, table: pd.DataFrame, strata: Array, seed: int
) -> list[tuple[int, int, Array, Array]]:
    """Return (repeat, fold, training positions, test positions) of a plan.

    Parameters
    ----------
    plan : Plan
    table : DataFrame
        Of labelled samples, with `subject_id`, and what the plan asks for.
    strata : ndarray of int
        What folds are stratified by.
    seed : int
    """
    everyone = np.arange(len(table))
    if isinstance(plan, Resubstitution):
        return [(0, 0, everyone, everyone)]
    if isinstance(plan, Fixed):
        return [(0, 0, *_listed(plan, table))]
    if isinstance(plan, Sites):
        return [(0, i, *parts) for i, parts in enumerate(_by_site(table))]
    if isinstance(plan, RandomSamples):
        return _random_samples(plan, strata, seed)
    if isinstance(plan, Holdout):
        k = max(2, round(1 / plan.test_share))
        return [(0, 0, *_grouped(table, strata, k, seed)[0])]
    return [
        (repeat, index, train, test)
        for repeat in range(plan.repeats)
        for index, (train, test) in enumerate(_grouped(table, strata, plan.k, seed + repeat))
    ]


def _random_samples(
    plan: RandomSamples, strata: Array, seed: int
) -> list[tuple[int, int, Array, Array]]:
    """Split samples whoever they belong to; each of k parts counts as a repeat."""
    from sklearn.model_selection import StratifiedKFold, train_test_split

    counts = np.bincount(strata)
    # A class of fewer samples than parts cannot be stratified; they go where the shuffle puts them.
    by = np.where(counts[strata] < max(plan.k, 2), counts.argmax(), strata)
    if plan.k > 1:
        parts = StratifiedKFold(plan.k, shuffle=True, random_state=seed).split(by, by)
        return [(part, 0, train, test) for part, (train, test) in enumerate(parts)]
    train, test = train_test_split(
        np.arange(len(strata)), test_size=plan.test_share, random_state=seed, stratify=by
    )
    return [(0, 0, np.sort(train), np.sort(test))]


def _grouped(table: pd.DataFrame, strata: Array, k: int, seed: int) -> list[tuple[Array, Array]]:
    from sklearn.model_selection import StratifiedGroupKFold

    subjects = table["subject_id"].to_numpy()
    n_subjects = len(np.unique(subjects))
    if n_subjects < k:
        raise DataError(
            f"{k} folds need at least {k} labelled patients, found {n_subjects}; take fewer folds",
            code="too_few",
        )
    if np.bincount(strata).max() < k:  # nothing can be stratified: patients go by the shuffle
        strata = np.zeros_like(strata)
    splitter = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer members than folds is the rule in small cohorts; folds without it
        # are seen in the per-fold counts of the report.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(np.zeros(len(table)), strata, subjects))


def _by_site(table: pd.DataFrame) -> list[tuple[Array, Array]]:
    """Return training and test positions, one fold a site, in the order of their names."""
    if "site_id" not in table.columns or table["site_id"].isna().any():
        raise DataError(
            "plan sites: expected a site_id for every patient, found none for some; fill in the "
            "cohort table or choose another plan",
            code="missing",
        )
    home = table.groupby("subject_id")["site_id"].first()
    site = table["subject_id"].map(home).to_numpy(str)
    names = sorted(set(site))
    if len(names) < 2:
        raise DataError(
            f"plan sites: expected two sites or more, found {len(names)}; choose another plan",
            code="too_few",
        )
    return [(np.flatnonzero(site != name), np.flatnonzero(site == name)) for name in names]


def _listed(plan: Fixed, table: pd.DataFrame) -> tuple[Array, Array]:
    patients = table["patient_id"]
    train = np.flatnonzero(patients.isin(plan.train))
    test = np.flatnonzero(patients.isin(plan.test))
    for side, found in (("training", train), ("test", test)):
        if not found.size:
            raise DataError(
                f"none of the {side} patients that the plan lists is in the cohort; "
                "choose the plan nested or holdout for these data"
            )
    return train, test


def with_unlabelled(train: Array, unlabelled: Array, test: Array, table: pd.DataFrame) -> Array:
    """Add unlabelled samples to training, except those of a tested subject."""
    tested = set(table["subject_id"].iloc[test])
    extra = [p for p in unlabelled if table["subject_id"].iloc[p] not in tested]
    return np.sort(np.concatenate([train, np.asarray(extra, dtype=int)]))


def strata_of(y: Array) -> Array:
    """Return integer strata; -1 for missing, quartiles for numbers of many values."""
    series = pd.Series(y)
    if pd.api.types.is_numeric_dtype(series) and series.nunique() > 10:
        series = pd.qcut(series, 4, duplicates="drop").astype(object)
    return np.asarray(pd.factorize(series, sort=True)[0])


Array = np.ndarray[Any, Any]
NO_LABEL = "no sample carries a label, so nothing can be tested; check the targets"


@dataclass(frozen=True)
class Fold:
    """One outer fold: positions in the sample table, never the samples themselves."""

    repeat: int
    index: int
    train: Array
    test: Array

    @property
    def name(self) -> str:
        """``"r0-f3"``: repeat 0, fold 3."""
        return f"r{self.repeat}-f{self.index}"


@dataclass(frozen=True)
class SplitPlan:
    """All outer folds of one protocol.

    Attributes
    ----------
    protocol, plan : str
        ``"honest"`` or ``"paper"``; the plan's name.
    unit : {"patient", "sample"}
        What was split.
    folds : tuple of Fold
        In the order in which they run.
    overlap : str or None
        The declared reason why subjects stand on both sides; None if they do not.
    """

    protocol: str
    plan: str
    unit: str
    folds: tuple[Fold, ...]
    overlap: str | None = None

    def to_dict(self, table: pd.DataFrame) -> dict[str, Any]:
        """Return the JSON form with ids: patients, or samples where the plan is not by patient."""
        ids = table["patient_id"] if self.unit == "patient" else table.index.to_series()
        return {
            "protocol": self.protocol,
            "plan": self.plan,
            "unit": self.unit,
            "declared_overlap": self.overlap,
            "folds": [
                {
                    "name": fold.name,
                    "train": sorted(ids.iloc[fold.train].unique()),
                    "test": sorted(ids.iloc[fold.test].unique()),
                }
                for fold in self.folds
            ],
        }


def link_subjects(table: pd.DataFrame) -> pd.Series[str]:
    """Return the subject of each row: linked patients share one.

    Parameters
    ----------
    table : DataFrame
        With `patient_id` and, optionally, `subject_link`: any token that the ids of one person
        share (another patient's id, a registry number). NA links nothing.

    Returns
    -------
    Series of str, aligned with the table
        The smallest patient id among those linked.

    Examples
    --------
    >>> ids, links = ["201", "202", "100"], ["201", "201", None]
    >>> list(link_subjects(pd.DataFrame({"patient_id": ids, "subject_link": links})))
    ['201', '201', '100']
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    patients = table["patient_id"].astype(str)
    if "subject_link" not in table.columns:
        return patients
    linked = table["subject_link"].notna()
    tokens = table.loc[linked, "subject_link"].astype(str)
    tokens = tokens.where(tokens.isin(patients), "link:" + tokens)
    nodes, names = pd.factorize(pd.concat([patients, tokens]))
    start, end = nodes[: len(patients)], nodes[len(patients) :]
    edges = coo_array(
        (np.ones(len(end)), (start[linked.to_numpy()], end)), shape=(len(names), len(names))
    )
    persons = connected_components(edges, directed=False)[1][start]
    return patients.groupby(persons).transform("min")


def plan_folds(
    plan: Plan,
    table: pd.DataFrame,
    y: Array,
    *,
    protocol: str,
    name: str,
    seed: int,
) -> SplitPlan:
    """Make a plan's folds over a sample table and check them.

    Parameters
    ----------
    plan : Plan
        What to make.
    table : DataFrame, one row a sample, indexed by sample_id
        With `subject_id` and `patient_id`.
    y : ndarray, shape (n_samples,)
        Labels to stratify by; NA rows are unlabelled and never tested.
    protocol, name : str
        The protocol that runs it; the plan's name.
    seed : int
        Shuffles.

    Raises
    ------
    LeakageError
        If a subject stands on both sides without a declared overlap, or `honest` is given a plan
        that declares one.
    DataError
        If there are fewer labelled subjects than folds.
    """
    strata = strata_of(y)
    labelled = np.flatnonzero(strata >= 0)
    unlabelled = np.flatnonzero(strata < 0)
    if isinstance(plan, Fixed):
        # Who is on neither list is left out, labelled or not.
        unlabelled = unlabelled[table["patient_id"].iloc[unlabelled].isin(plan.train)]
    if labelled.size == 0:
        raise DataError(NO_LABEL)
    unit = "sample" if isinstance(plan, RandomSamples) else "patient"
    folds = [
        Fold(
            repeat,
            index,
            with_unlabelled(labelled[train], unlabelled, labelled[test], table),
            labelled[test],
        )
        for repeat, index, train, test in divide(plan, table.iloc[labelled], strata[labelled], seed)
    ]
    made = SplitPlan(protocol, name, unit, tuple(folds), plan.overlap)
    guard(made, table)
    return made


def same_folds(stored: Mapping[str, Any], table: pd.DataFrame, y: Array) -> SplitPlan:
    """Make the folds of an earlier run again, on this run's samples.

    Parameters
    ----------
    stored : mapping
        One protocol of its ``splits.json`` (`SplitPlan.to_dict`).
    table : DataFrame
        As for `plan_folds`.
    y : ndarray, shape (n_samples,)
        This run's labels: whoever has none is trained on where he was, and never tested.

    Raises
    ------
    DataError
        If a fold has no labelled sample to test.
    LeakageError
        As for `plan_folds`: subjects may be linked here that were not linked there.
    """
    ids = table["patient_id"] if stored["unit"] == "patient" else table.index.to_series()
    labelled = strata_of(y) >= 0
    folds = []
    for fold in stored["folds"]:
        named = re.fullmatch(r"r(\d{1,6})-f(\d{1,6})", fold["name"], re.ASCII)
        if named is None:
            raise DataError.unusable(
                "splits.json", "folds called r0-f0, r0-f1 and so on", "another name",
                "put back a whole copy of the earlier run", code="damaged")  # fmt: skip
        repeat, index = int(named[1]), int(named[2])
        test = np.flatnonzero(ids.isin(fold["test"]).to_numpy() & labelled)
        if not test.size:
            raise DataError(
                f"fold {fold['name']} of the earlier run has nobody with a label to test here; "
                "run the earlier task with fewer folds"
            )
        folds.append(Fold(repeat, index, np.flatnonzero(ids.isin(fold["train"])), test))
    made = SplitPlan(
        stored["protocol"],
        stored["plan"],
        stored["unit"],
        tuple(folds),
        stored["declared_overlap"] or None,
    )
    guard(made, table)
    return made


def guard(made: SplitPlan, table: pd.DataFrame) -> None:
    """Raise on every overlap of subjects that is not declared, and on any at all in `honest`."""
    for fold in made.folds:
        shared = set(table["subject_id"].iloc[fold.train]) & set(
            table["subject_id"].iloc[fold.test]
        )
        if not shared:
            continue
        who = f"{len(shared)} subject(s) ({', '.join(sorted(shared)[:3])})"
        if made.protocol == "honest":
            raise LeakageError(
                f"plan {made.plan!r} fold {fold.name}: {who} stand in training and in test; "
                "the honest protocol never allows it, use the plan under `paper` or another plan"
            )
        if made.overlap is None:
            raise LeakageError(
                f"plan {made.plan!r} fold {fold.name}: {who} stand in training and in test, "
                "which the plan does not declare; divide by patient, or declare the overlap"
            )


def guard_duplicates(digests: Mapping[str, Sequence[str]], subjects: Mapping[str, str]) -> None:
    """Raise if the same file stands under two subjects.

    Parameters
    ----------
    digests : mapping of recording_id to sequence of str
        SHA-256 of each recording's own files; a JSON beside it may be everybody's.
    subjects : mapping of recording_id to str
        Whose recording it is.
    """
    owner: dict[str, str] = {}
    for recording, hashes in digests.items():
        for digest in hashes:
            other = owner.setdefault(digest, recording)
            if subjects[other] != subjects[recording]:
                raise LeakageError(
                    f"recordings {other!r} and {recording!r} hold an identical file under two "
                    "patients; link them with subject_link in the cohort table or remove one"
                )


def inner_folds(
    table: pd.DataFrame, y: Array, *, k: int, share: float, unit: str, seed: int
) -> list[tuple[Array, Array]]:
    """Return (fit, validate) positions of the inner folds; k = 1 is one validation split."""
    strata = strata_of(y)
    labelled, unlabelled = np.flatnonzero(strata >= 0), np.flatnonzero(strata < 0)
    plan: Plan
    if unit == "sample":
        plan = RandomSamples(overlap="inner", test_share=share)
    else:
        plan = Holdout(share) if k == 1 else Nested(k)
    inside = table.iloc[labelled]
    return [
        (with_unlabelled(labelled[fit], unlabelled, labelled[val], table), labelled[val])
        for _, _, fit, val in divide(plan, inside, strata[labelled], seed)
    ]


def find_plan(block: Any, plans: Mapping[str, Plan], patients: Collection[str]) -> tuple[str, Plan]:
    """Return the name and the plan that a protocol block asks for, given who is in the cohort.

    A fixed plan none of whose patients is there gives way to `block.otherwise`, if it names one.

    Raises
    ------
    ConfigError
        If the task declares no such plan.
    """
    known = {
        "nested": Nested(block.k, block.repeats),
        "holdout": Holdout(block.test_share),
        "sites": Sites(),
        **plans,
    }
    for name in (block.plan, block.otherwise):
        if name is not None and name not in known:
            raise ConfigError(
                f"no split plan {name!r}; this task knows {', '.join(known)}", code="unknown"
            )
    plan = known[block.plan]
    listed = {*plan.train, *plan.test} if isinstance(plan, Fixed) else set()
    if listed and block.otherwise and not listed & set(patients):
        return block.otherwise, known[block.otherwise]
    return block.plan, plan
