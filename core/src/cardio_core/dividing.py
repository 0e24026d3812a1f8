"""How each split plan divides labelled samples into training and test."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.types.plans import (
    Fixed,
    Holdout,
    Plan,
    RandomSamples,
    Resubstitution,
    Sites,
)

Array = np.ndarray[Any, Any]


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
        raise DataError(f"{k} folds need at least {k} labelled patients, found {n_subjects}")
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
            "cohort table or choose another plan"
        )
    home = table.groupby("subject_id")["site_id"].first()
    site = table["subject_id"].map(home).to_numpy(str)
    names = sorted(set(site))
    if len(names) < 2:
        raise DataError(
            f"plan sites: expected two sites or more, found {len(names)}; choose another plan"
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
