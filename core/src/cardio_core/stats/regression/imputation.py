"""Chained equations: missing values drawn from what the other columns say, several times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import binary_outcome
from cardio_core.stats.foundation.design import AS_THEY_STAND, Coding, terms_of
from cardio_core.stats.foundation.validate import Bools, Floats, Ints

N_DONORS = 5
N_ROUNDS = 10
MIN_KNOWN = 10
"""Fewer known values than this tell too little to draw the others from."""


def imputed_tables(
    table: pd.DataFrame,
    target: str,
    features: Sequence[str],
    *,
    m: int = 20,
    event: str | None = None,
    coding: Coding = AS_THEY_STAND,
    seed: int = 0,
) -> Iterator[pd.DataFrame]:
    """Yield the table m times, each with the missing values of `features` drawn anew.

    Parameters
    ----------
    table : DataFrame
        One row a patient. Rows without the outcome are left out: they say nothing of it.
    target, features, event, coding
        As for :func:`~cardio_core.stats.regression.logistic.fit_logistic`. The outcome is among
        what values are drawn from: without it, what is imputed would know nothing of it, and
        every association be too weak.
    m : int
        Number of completed tables, at least 2.
    seed : int

    Raises
    ------
    DataError
        A column with fewer than ten known values, or none; m below 2.

    Notes
    -----
    Chained equations with predictive mean matching, ten rounds: each incomplete column is regressed
    on all others and the outcome where it is known, coefficients are drawn from their posterior,
    and a missing value is copied from one of the five rows whose predictions come closest. Levels
    of a category are copied in the same way, by the predictions of all its levels. Only values that
    occur are ever drawn. Values are taken as missing at random given the columns.

    References
    ----------
    van Buuren S, Groothuis-Oudshoorn K. J Stat Softw 2011;45(3). White IR, Royston P, Wood AM.
    Stat Med 2011;30:377. Little RJA. J Bus Econ Stat 1988;6:287 (predictive mean matching).

    Examples
    --------
    >>> t = pd.DataFrame({"y": [0, 1] * 20, "a": [None, *range(39)], "b": range(40)})
    >>> first, second = imputed_tables(t, "y", ["a", "b"], m=2)
    >>> bool(first["a"].notna().all()), first["a"][0] in range(39)
    (True, True)
    """
    if m < 2:
        raise DataError(f"imputation: expected at least 2 completed tables, found {m}; give 20")
    outcome, _ = binary_outcome(table, target, event)
    known = table[~np.isnan(outcome)].reset_index(drop=True)
    truth = outcome[~np.isnan(outcome)]
    blocks = {name: terms_of(known, name, coding)[0] for name in features}
    missing: dict[str, Bools] = {
        name: np.asarray(np.isnan(block).any(axis=1)) for name, block in blocks.items()
    }
    for name, own in missing.items():
        if own.any() and (~own).sum() < MIN_KNOWN:
            raise DataError(
                f"column {name!r}: expected at least {MIN_KNOWN} known values to draw the others "
                f"from, found {int((~own).sum())} of {len(own)}; leave it out"
            )
    rng = np.random.default_rng(seed)
    for _ in range(m):
        donors = _chained(blocks, missing, truth, rng)
        made = known.copy()
        for name, rows in donors.items():
            made[name] = known[name].to_numpy()[rows]
        yield made


def _chained(
    blocks: dict[str, Floats], missing: dict[str, Bools], truth: Floats, rng: np.random.Generator
) -> dict[str, Ints]:
    """Return, for each incomplete column, the row that every row's value is taken from."""
    some = [name for name, own in missing.items() if own.any()]
    incomplete = sorted(some, key=lambda name: int(missing[name].sum()))
    donors: dict[str, Ints] = {}
    filled: dict[str, Floats] = {}
    for name, block in blocks.items():
        rows = np.arange(len(truth))
        if missing[name].any():
            rows[missing[name]] = rng.choice(np.flatnonzero(~missing[name]), missing[name].sum())
            donors[name] = rows
        filled[name] = block[rows]
    for _ in range(N_ROUNDS):
        for name in incomplete:
            others = [filled[other] for other in blocks if other != name]
            x = np.column_stack([np.ones(len(truth)), truth, *others])
            taken = _matched(x, blocks[name], missing[name], rng)
            donors[name][missing[name]] = taken
            filled[name] = blocks[name][donors[name]]
    return donors


def _matched(x: Floats, block: Floats, missing: Bools, rng: np.random.Generator) -> Ints:
    """Return a row to copy for each missing one: one of those whose predictions are closest."""
    spread = x.std(axis=0)
    scaled = x / np.where(spread > 0, spread, 1.0)
    own, wanted = scaled[~missing], scaled[missing]
    gram = own.T @ own
    covariance = np.linalg.inv(gram + 1e-5 * np.diag(np.diag(gram)))
    values = block[~missing]
    beta = covariance @ own.T @ values
    df = max(len(own) - own.shape[1], 1)
    root = np.linalg.cholesky((covariance + covariance.T) / 2)
    here, there = np.empty((len(own), values.shape[1])), np.empty((len(wanted), values.shape[1]))
    for k in range(values.shape[1]):
        residual = values[:, k] - own @ beta[:, k]
        sigma = np.sqrt(residual @ residual / rng.chisquare(df))
        drawn = beta[:, k] + sigma * (root @ rng.normal(size=len(beta)))
        predicted = own @ beta[:, k]
        scale = predicted.std() or 1.0
        here[:, k], there[:, k] = predicted / scale, wanted @ drawn / scale
    donors: Ints = np.flatnonzero(~missing)[_near(here, there, rng)].astype(np.int64)
    return donors


def _near(here: Floats, there: Floats, rng: np.random.Generator) -> Ints:
    """Return one of the five rows of `here` closest to each of `there`.

    Rows that are predicted alike are equally close: chance says which of them count.
    """
    alike, group, n_alike = np.unique(
        here.round(9), axis=0, return_inverse=True, return_counts=True
    )
    n_groups = min(N_DONORS, len(alike))
    _, near = cKDTree(alike).query(there, k=np.arange(1, n_groups + 1))
    place = rng.integers(min(N_DONORS, len(here)), size=len(there))
    which = (place[:, None] >= n_alike[near].cumsum(axis=1)).sum(axis=1)
    chosen = near[np.arange(len(there)), which]
    members = np.argsort(group.ravel(), kind="stable")
    first = np.cumsum(n_alike) - n_alike
    own = (rng.random(len(there)) * n_alike[chosen]).astype(np.int64)
    return np.asarray(members[first[chosen] + own], dtype=np.int64)
