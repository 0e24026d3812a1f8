"""Labels of a study from what the CMR gave by segment of the AHA model."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import ConfigError

N_SEGMENTS = 17

SEGMENTS_OF_VIEW = {
    "a4c": (3, 6, 9, 12, 14, 16, 17),
    "a2c": (1, 4, 7, 10, 13, 15, 17),
    "plax": (2, 5, 8, 11),
}
"""Segments of the AHA model that a view shows; together they are all seventeen."""


def any_positive(
    segments: NDArray[np.float64], numbers: Collection[int] = range(1, N_SEGMENTS + 1)
) -> NDArray[np.float64]:
    """Return whether any of some segments has a finding.

    Parameters
    ----------
    segments : ndarray of float, shape (n_studies, 17)
        1 a finding, 0 none, NaN not judged.
    numbers : collection of int
        Segments that count, 1 to 17.

    Returns
    -------
    ndarray of float, shape (n_studies,)
        1 where one of them has it, 0 where all are judged and none has, NaN where none has and
        not all are judged.

    Examples
    --------
    >>> one = np.zeros((1, 17))
    >>> one[0, [4, 11]] = 1.0, np.nan           # a finding in segment 5; 12 is not judged
    >>> [float(any_positive(one, SEGMENTS_OF_VIEW[view])[0]) for view in SEGMENTS_OF_VIEW]
    [nan, 0.0, 1.0]
    >>> float(any_positive(one)[0])
    1.0
    """
    chosen = segments[:, [number - 1 for number in numbers]]
    found = (chosen == 1).any(axis=1)
    open_ = np.isnan(chosen).any(axis=1)
    return np.where(found, 1.0, np.where(open_, np.nan, 0.0))


def segment_labels(table: pd.DataFrame, finding: str) -> pd.DataFrame:
    """Return a finding anywhere, and in the segments of each view.

    Parameters
    ----------
    table : DataFrame
        A cohort table with columns ``wma_seg_01`` to ``17``, say; a missing one is not judged.
    finding : {"wma", "lge"}

    Returns
    -------
    DataFrame
        Indexed like the table, columns finding, ``finding_a4c``, ``finding_a2c`` and
        ``finding_plax``; 1, 0 or NaN, as of `any_positive`.

    Raises
    ------
    ConfigError
        The table has none of the columns.
    """
    names = [f"{finding}_seg_{number:02d}" for number in range(1, N_SEGMENTS + 1)]
    if not set(names) & set(table.columns):
        raise ConfigError(
            f"{finding}: expected columns {names[0]} to {names[-1][-2:]} in the cohort table, "
            "found none; add the segments of the CMR report"
        )
    # Float64 first: whole numbers with NA cannot become NumPy floats at once.
    segments = table.reindex(columns=names).astype("Float64").to_numpy(float, na_value=np.nan)
    made = {finding: any_positive(segments)}
    made |= {
        f"{finding}_{view}": any_positive(segments, numbers)
        for view, numbers in SEGMENTS_OF_VIEW.items()
    }
    return pd.DataFrame(made, index=table.index)


def unjudged_note(labels: pd.DataFrame) -> str:
    """Say how many studies have no label, by target, and which cells give them one.

    Parameters
    ----------
    labels : DataFrame
        Of `segment_labels`.

    Examples
    --------
    >>> unjudged_note(pd.DataFrame({"wma": [1.0, 0.0], "wma_plax": [None, 1.0]}))
    'Without a label, because segments were not judged and no other is positive: wma_plax 1 of 2. \
Set their empty cells to 0 or 1: wma_plax needs wma_seg_02, 05, 08, 11.'
    """
    lost = labels.isna().sum()
    short = {str(name): int(n) for name, n in lost.items() if n}
    if not short:
        return ""
    finding = str(labels.columns[0])
    listed = ", ".join(f"{name} {n} of {len(labels)}" for name, n in short.items())
    needed = "; ".join(
        f"{name} needs {finding}_seg_{_numbers(name.removeprefix(finding).lstrip('_'))}"
        for name in short
    )
    return (
        f"Without a label, because segments were not judged and no other is positive: {listed}. "
        f"Set their empty cells to 0 or 1: {needed}."
    )


def _numbers(view: str) -> str:
    """Return the segments of a view, or of all, as they end the names of columns."""
    if view not in SEGMENTS_OF_VIEW:
        return f"01 to {N_SEGMENTS}"
    return ", ".join(f"{number:02d}" for number in SEGMENTS_OF_VIEW[view])
