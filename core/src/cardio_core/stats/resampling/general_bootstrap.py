"""Bootstrap of any statistic of a table, drawing rows or whole clusters of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import BootstrapInterval, bootstrapped
from cardio_core.stats.foundation.validate import (
    Bools,
    Floats,
    Ints,
    group_codes,
    require_clusters,
    same_length,
    unit_count,
)
from cardio_core.stats.resampling.draws import Units, resample, strata_of_units
from cardio_core.types.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

    Table = pd.DataFrame | np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any], ...]


def bootstrap(
    statistic: Callable[..., float],
    data: Table,
    *,
    clusters: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    interval: BootstrapInterval = "percentile",
    name: str = "statistic",
    unit: str | None = None,
) -> Estimate:
    """Return any statistic of a table with a bootstrap interval.

    Parameters
    ----------
    statistic : callable
        From resampled data, of the same type as `data` (a tuple is unpacked into arguments), to a
        number. NaN or a DataError says that a resample does not define it.
    data : DataFrame, ndarray, or tuple of ndarrays
        One row, or one element of each array, an observation. Rows in which anything is missing
        are left out.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then drawn.
    strata : array-like, shape (n,), optional
        Units are drawn within each stratum, which keeps its size. A cluster lies in one stratum.
    n_resamples, seed : int
    level : float
    interval : {"percentile", "bca"}
        ``"bca"`` computes the statistic once more for every unit left out.
    name : str
        What the statistic is, in snake case.
    unit : str, optional
        What is drawn: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    Estimate
        `extra` holds ``se`` (the SD of the replicates), ``n_rows`` and ``n_redrawn``.

    Raises
    ------
    DataError
        The statistic is undefined on the data, or on most resamples; fewer than five clusters.

    Notes
    -----
    For AUCs use :func:`bootstrap_auc`, for ratios of sums (sensitivity, F1, Brier)
    :func:`bootstrap_sums`: both are a hundred times as fast.

    Examples
    --------
    >>> qrs_ms = np.array([118.0, 124, 131, 140, 142, 155, 160, 171])
    >>> found = bootstrap(np.median, qrs_ms, name="median_qrs", seed=3)
    >>> found.value, found.low, found.high
    (141.0, 124.5, 157.5)
    """
    columns = data if isinstance(data, tuple) else (data,)
    unit_codes = None if clusters is None else group_codes(clusters, "clusters")
    stratum_codes = None if strata is None else group_codes(strata, "strata")
    lengths = {f"data {i}": np.empty(len(c)) for i, c in enumerate(columns)}
    n_rows = same_length(**lengths, clusters=unit_codes, strata=stratum_codes)
    known = _complete(columns, unit_codes, stratum_codes)
    rows = np.flatnonzero(known)
    if rows.size == 0:
        raise DataError(f"{name}: expected complete rows, found none of {n_rows}")
    unit = unit or ("row" if clusters is None else "patient")
    unit_of_row = np.arange(rows.size)
    if unit_codes is not None:
        unit_of_row = np.unique(unit_codes[rows], return_inverse=True)[1]
        require_clusters(int(unit_of_row.max()) + 1, unit)
    n_units = int(unit_of_row.max()) + 1
    groups = None if stratum_codes is None else strata_of_units(stratum_codes[rows], unit_of_row)

    def evaluate(counts: Floats) -> float:
        taken = np.repeat(rows, counts[unit_of_row].astype(np.int64))
        try:
            return float(statistic(*(_take(column, taken) for column in columns)))
        except DataError:
            return np.nan

    value = evaluate(np.ones(n_units))
    if np.isnan(value):
        raise DataError(f"{name}: undefined on the {rows.size} complete rows; nothing to resample")
    drawn = resample(
        lambda counts: np.array([[evaluate(row)] for row in counts]),
        Units(n_units, groups),
        n_resamples,
        seed,
    )
    jackknife = None
    if interval == "bca":
        left_out = np.array([evaluate(row) for row in 1 - np.eye(n_units)])
        jackknife = left_out[~np.isnan(left_out)]
    replicates = drawn.values[:, 0]
    estimate = Estimate(
        name,
        value,
        **unit_count(n_units, None, unit),
        n_dropped=n_rows - rows.size,
        note="" if np.ptp(replicates) > 0 else "every resample gives the same value",
    )
    return bootstrapped(
        estimate,
        replicates,
        level,
        seed,
        n_resamples,
        jackknife=jackknife,
        within="" if strata is None else ", stratified",
        n_rows=rows.size,
        n_redrawn=drawn.n_redrawn,
    )


def _complete(columns: tuple[Any, ...], *codes: Ints | None) -> Bools:
    import pandas as pd

    known = np.ones(len(columns[0]), dtype=bool)
    for column in columns:
        missing = np.asarray(pd.isna(column))
        known &= ~missing.reshape(len(known), -1).any(axis=1)
    for code in codes:
        if code is not None:
            known &= code >= 0
    return known


def _take(column: Any, rows: Ints) -> Any:
    return column.iloc[rows] if hasattr(column, "iloc") else column[rows]
