"""The area under the ROC curve of several classes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.discrimination.pair_counts import RankedRows
from cardio_core.stats.foundation.intervals import bootstrapped
from cardio_core.stats.foundation.validate import (
    Floats,
    checked_level,
    group_codes,
    numeric_column,
    require_clusters,
    same_length,
    unit_count,
)
from cardio_core.stats.resampling.draws import CELLS_PER_BLOCK, Units, resample, strata_of_units
from cardio_core.types.estimate import Estimate


def multiclass_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    classes: Sequence[Hashable],
    *,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> dict[str, Estimate]:
    """Return the AUC of Hand and Till, and that of every two classes, with bootstrap intervals.

    For classes i and j, A is the mean of two AUCs among their rows: that of score i for i, and
    that of score j for j. The AUC of all classes is the mean over pairs; it does not depend on how
    common the classes are.

    Parameters
    ----------
    labels : array-like, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n, n_classes)
        A column for each class, in the order of `classes`; more is more likely that class.
    classes : sequence
        At least 3, each with rows.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then drawn. Without it rows are drawn
        within each class.
    n_resamples, seed : int
    level : float
    unit : str, optional
        What is drawn: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    dict of str to Estimate
        ``"all"``: ``multiclass_auc``; ``"A/B"`` for every two classes: ``auc`` of that pair.

    Raises
    ------
    DataError
        Fewer than three classes, a label that is none of them, a class without rows, fewer than
        five clusters.

    References
    ----------
    Hand DJ, Till RJ. Mach Learn 2001;45:171.

    Examples
    --------
    >>> y = ["I", "II", "III", "I", "II", "III"]
    >>> p = [[.6, .3, .1], [.5, .4, .1], [.1, .2, .7], [.8, .1, .1], [.5, .3, .2], [.4, .5, .1]]
    >>> found = multiclass_auc(y, p, ["I", "II", "III"])
    >>> round(found["all"].value, 4), sorted(found)
    (0.7917, ['I/II', 'I/III', 'II/III', 'all'])
    """
    names = [str(one) for one in classes]
    table = np.asarray(scores, dtype=np.float64)
    if len(names) < 3 or len(set(names)) < len(names) or table.ndim != 2:
        raise DataError(
            "multiclass AUC: expected three or more classes and a score column for each, found "
            f"{len(names)} and an array of shape {table.shape}"
        )
    truth = pd.Categorical(pd.Series(labels).astype("string"), categories=names).codes.astype(int)
    strange = pd.Series(labels)[(truth < 0) & pd.Series(labels).notna().to_numpy()]
    if len(strange):
        raise DataError(
            f"labels: expected one of {', '.join(names)}, found {strange.iloc[0]!r}; give a score "
            "column for every class"
        )
    columns = [
        numeric_column(column, f"scores of {name}")
        for name, column in zip(names, table.T, strict=True)
    ]
    codes = None if clusters is None else group_codes(clusters, "clusters")
    n_rows = same_length(labels=truth, scores=columns[0], clusters=codes)
    known = (truth >= 0) & ~np.isnan(table).any(axis=1)
    if codes is not None:
        known &= codes >= 0
        codes = np.unique(codes[known], return_inverse=True)[1].astype(np.int64)
    truth, table = truth[known].astype(np.int64), table[known]
    absent = [name for place, name in enumerate(names) if not np.any(truth == place)]
    if absent:
        raise DataError(f"labels: expected rows of every class, found none of {', '.join(absent)}")
    unit = unit or ("row" if codes is None else "patient")
    units = np.arange(truth.size) if codes is None else codes
    n_units = int(units.max()) + 1
    if codes is not None:
        require_clusters(n_units, unit)
    pairs = list(combinations(range(len(names)), 2))
    ranked = [_ranked(truth, table, units, pair) for pair in pairs]

    def areas(counts: Floats) -> Floats:
        of_pair = [(one.aucs(counts) + other.aucs(counts)) / 2 for one, other in ranked]
        return np.stack([np.mean(of_pair, axis=0), *of_pair], axis=1)

    values = areas(np.ones((1, n_units)))[0]
    strata = strata_of_units(truth, None) if codes is None else None
    drawn = resample(
        areas, Units(n_units, strata), n_resamples, seed,
        cells_per_block=max(1, CELLS_PER_BLOCK * n_units // max(n_units, truth.size)),
    )  # fmt: skip
    found = {}
    keys = ["all", *(f"{names[i]}/{names[j]}" for i, j in pairs)]
    for place, key in enumerate(keys):
        estimate = Estimate(
            "multiclass_auc" if key == "all" else "auc", float(values[place]),
            level=checked_level(level), n_dropped=n_rows - int(known.sum()),
            **unit_count(truth.size, None if codes is None else n_units, unit),
        )  # fmt: skip
        replicates = drawn.values[:, place]
        if np.ptp(replicates) == 0:
            note = f"the same in every resample of {unit}s: no interval"
            found[key] = estimate.replace(level=None, method="Hand-Till", note=note)
            continue
        made = bootstrapped(
            estimate, replicates, level, seed, n_resamples,
            within=" within classes" if codes is None else "", n_redrawn=drawn.n_redrawn,
        )  # fmt: skip
        found[key] = made.replace(method=f"Hand-Till; {made.method}")
    return found


def _ranked(
    truth: np.ndarray, table: Floats, units: np.ndarray, pair: tuple[int, int]
) -> tuple[RankedRows, RankedRows]:
    one, other = pair
    inside = (truth == one) | (truth == other)
    made = [RankedRows.of(truth[inside] == own, table[inside, own], units[inside]) for own in pair]
    return made[0], made[1]
