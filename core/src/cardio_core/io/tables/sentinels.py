"""Numbers that stand for a missing value: 999 in a column of QRS durations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_USUAL = (-9999, -999, -99, -9, -8, -7, 9, 88, 99, 888, 999, 8888, 9999, 99999)


def sentinels_of(values: NDArray[np.float64]) -> list[str]:
    """Name the usual codes of missing values that lie far from all other values of a column.

    Far is further from the nearest other value than those lie apart from each other.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN is missing.

    Examples
    --------
    >>> sentinels_of(np.array([120.0, 135, 180, 999, 999]))
    ['999 occurs 2 times, far from the rest (120 to 180); if it means missing: --missing 999']
    >>> sentinels_of(np.array([0.0, 1, 1, 9]))
    ['9 occurs once, far from the rest (0 to 1); if it means missing: --missing 9']
    >>> sentinels_of(np.array([60.0, 85, 99]))
    []
    """
    known = values[~np.isnan(values)]
    coded = np.isin(known, _USUAL)
    if not coded.any() or coded.all():
        return []
    low, high = float(known[~coded].min()), float(known[~coded].max())
    if not high - low >= 1:
        return []
    found = []
    for code in np.unique(known[coded]):
        if max(low - code, code - high) > high - low:
            count = int((known == code).sum())
            times = "once" if count == 1 else f"{count} times"
            found.append(
                f"{code:g} occurs {times}, far from the rest ({low:g} to {high:g}); if it means "
                f"missing: --missing {code:g}"
            )
    return found
