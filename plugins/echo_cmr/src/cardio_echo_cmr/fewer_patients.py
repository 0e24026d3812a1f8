"""Training on some of the patients only: the points of a learning curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardio_echo_cmr.rows import codes_of

if TYPE_CHECKING:
    from cardio_core.api import Context, FeatureSet, Targets


def some_patients(
    features: FeatureSet, targets: Targets, n_patients: int | None, ctx: Context
) -> FeatureSet:
    """Return the samples of some patients, the same for all rows of a fold.

    Parameters
    ----------
    features : FeatureSet
        Of the training patients.
    targets : Targets
        The task's first target is spread among the chosen as among all.
    n_patients : int or None
        How many; None, or more than there are, takes all. Fewer patients are always among more:
        a curve never changes its patients, it only adds some.
    ctx : Context
        Seed and fold.
    """
    patients = features.table["patient_id"].to_numpy(str)
    names, owner = np.unique(patients, return_inverse=True)
    if n_patients is None or n_patients >= len(names):
        return features
    codes = codes_of(features, targets, ctx.task.targets[0])
    stratum = np.full(len(names), -1.0)
    np.maximum.at(stratum, owner, np.nan_to_num(codes, nan=-1.0))
    rng = ctx.replace(model=None).rng("fewer patients")
    turn = np.empty(len(names))
    for value in np.unique(stratum):
        own = rng.permutation(np.flatnonzero(stratum == value))
        # Places between 0 and 1: at any cut each stratum has given its share.
        turn[own] = (np.arange(own.size) + 0.5) / own.size
    chosen = np.argsort(turn, kind="stable")[:n_patients]
    return features.view(np.flatnonzero(np.isin(owner, chosen)))
