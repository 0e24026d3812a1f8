"""One-to-one matching of found events to reference events in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.errors import DataError

# A distance that equals the tolerance counts as a match although t = n / rate is rounded.
_ROUNDING_S = 1e-9


def match_events(
    reference_s: ArrayLike, found_s: ArrayLike, tolerance_s: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair reference events with found events, each used at most once.

    Among all pairings whose members lie no further apart than the tolerance, the one with the most
    pairs is taken; among those, the one with the smallest sum of distances. Pairs never cross in
    time: on a line, uncrossing two pairs never lengthens them.

    Parameters
    ----------
    reference_s : array_like, shape (n_reference,)
        Times of the reference events in seconds, ascending. May be empty. No NaN.
    found_s : array_like, shape (n_found,)
        Times of the found events in seconds, ascending. May be empty. No NaN.
    tolerance_s : float
        Largest distance of a pair in seconds, inclusive; 0 or more.

    Returns
    -------
    reference_index, found_index : ndarray of int64, shape (n_pairs,)
        ``reference_s[reference_index[k]]`` is paired with ``found_s[found_index[k]]``. Both ascend.
        References that are not listed are missed; found events that are not listed are false.

    Raises
    ------
    DataError
        If times are not one-dimensional, not finite or not ascending, or the tolerance is negative.

    Notes
    -----
    ANSI/AAMI EC57 compares beats one to one within 150 ms; its ``bxb`` pairs greedily from left to
    right. The optimum taken here pairs at least as many.

    Examples
    --------
    >>> reference, found = match_events([1.0, 2.0, 3.0], [1.1, 2.9, 3.05, 7.0], 0.15)
    >>> reference.tolist(), found.tolist()
    ([0, 2], [0, 2])
    """
    reference = _ascending(reference_s, "reference_s")
    found = _ascending(found_s, "found_s")
    if not tolerance_s >= 0:
        raise DataError(f"match_events: expected tolerance_s of 0 or more, found {tolerance_s}")
    reach_s = tolerance_s + _ROUNDING_S
    first = np.searchsorted(found, reference - reach_s, side="left")
    last = np.searchsorted(found, reference + reach_s, side="right")
    n_rivals = np.searchsorted(reference, found + reach_s, side="right") - np.searchsorted(
        reference, found - reach_s, side="left"
    )

    partner = np.full(reference.size, -1, dtype=np.int64)
    lonely = last - first == 1
    lonely[lonely] = n_rivals[first[lonely]] == 1
    partner[lonely] = first[lonely]
    contested = np.flatnonzero(~lonely & (last > first))
    if contested.size:
        # Each pair is worth one, less a share so small that no sum of shares reaches one.
        share = 1.0 / (reach_s * (contested.size + 1))
        partner[contested] = _best_chain(
            reference[contested], found, first[contested], last[contested], share
        )
    matched = np.flatnonzero(partner >= 0)
    return matched, partner[matched]


def _ascending(times_s: ArrayLike, name: str) -> NDArray[np.float64]:
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise DataError(
            f"match_events: expected {name} as finite ascending times in one dimension, "
            f"found shape {times.shape}; sort them and drop NaN"
        )
    return times


def _best_chain(
    reference: NDArray[np.float64],
    found: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    share: float,
) -> NDArray[np.int64]:
    """Heaviest non-crossing pairing, by dynamic programming over the references.

    ``value[j]`` is the best worth of the references so far with the found events before ``j``. The
    windows from ``first`` to ``last`` only move to the right, so entries beyond ``reached`` have
    not been written yet and all equal ``value[reached]``.
    """
    value = np.zeros(found.size + 1)
    reached = 0
    choices: list[NDArray[np.int64]] = []
    for time, low, high in zip(reference, first, last, strict=True):
        value[reached + 1 : high + 1] = value[reached]
        reached = high
        worth = value[low:high] + 1.0 - share * np.abs(found[low:high] - time)
        paired = np.maximum.accumulate(worth)
        partner = np.maximum.accumulate(np.where(worth == paired, np.arange(low, high), -1))
        unpaired = value[low + 1 : high + 1]
        choices.append(np.where(paired > unpaired, partner, -1))
        np.maximum(paired, unpaired, out=unpaired)

    chain = np.full(reference.size, -1, dtype=np.int64)
    end = found.size
    for k in range(reference.size - 1, -1, -1):
        if end > first[k]:
            chain[k] = choices[k][min(last[k], end) - 1 - first[k]]
            end = end if chain[k] < 0 else chain[k]
    return chain
