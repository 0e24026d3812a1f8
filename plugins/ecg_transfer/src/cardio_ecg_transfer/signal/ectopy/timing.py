"""When each beat comes, beside the sinus intervals around it rather than the record's mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SINUS = {"near": (15, 0.5), "near_long": (45, 0.9), "far_long": (60, 0.8)}
"""Sinus intervals: how many intervals to either side, and which quantile of them.

A median is right while most beats are sinus beats; where premature beats are the rule, the long
intervals are the sinus node's.
"""

NEIGHBOURS = 5
REACH = 150
SMOOTH = 30
_FEWEST = 8
_LONG = 0.95  # quantile of the intervals that stands for the long ones
_CHANGE_REACH = 40
_LIMIT = np.log(6.0)


def timing(times_s: Floats, own: NDArray[np.bool_]) -> dict[str, Floats]:
    """Describe when each beat comes, in logarithms of ratios of intervals.

    Parameters
    ----------
    times_s : ndarray, shape (n_beats,)
        Increasing times of all beats of a recording, three or more.
    own : ndarray of bool, shape (n_beats,)
        Whether a beat's complex is of the patient's own kind. Sinus intervals are those from an own
        beat to the next that do not follow a foreign one.

    Returns
    -------
    dict of str to ndarray, shape (n_beats,)
        ``rr_to_X``: the interval before a beat beside X (sinus intervals as in `SINUS`; the
        recording's ``mean``, ``median`` and long intervals ``q95``; the intervals just before,
        ``last``, ``last5`` (longest), ``last8`` and ``next8`` (medians), and ``next``).
        ``next_to_near``, ``pair_to_near`` (0: a full compensatory pause), those of the neighbours
        (``previous_``, ``following_``), ``since_own`` (from the last own beat), whether the
        neighbours are foreign, ``change`` (median change of neighbouring intervals around), and
        ``unlike``: how far the nearest pairs of intervals are from a beat's pair, around it.
        Fibrillation never repeats itself; bigeminy and pauses do.

    Examples
    --------
    >>> early = np.cumsum([1.0, 1.0, 1.0, 1.0, 0.6, 1.4, 1.0, 1.0, 1.0, 1.0, 1.0])
    >>> made = timing(early, np.ones(11, bool))
    >>> made["rr_to_near"].round(2)[3:7].tolist(), made["pair_to_near"].round(2)[4].item()
    ([0.0, -0.51, 0.34, 0.0], 0.0)
    """
    rr = np.diff(times_s)
    median = float(np.median(rr))
    pre, post = np.append(median, rr), np.append(rr, median)
    log_pre = np.log(pre)
    bases = _sinus_intervals(times_s, own)
    made = {f"rr_to_{name}": np.log(pre / base) for name, base in bases.items()}
    made["rr_to_mean"] = np.log(pre / rr.mean())
    made["rr_to_median"] = np.log(pre / median)
    made["rr_to_q95"] = np.log(pre / np.quantile(rr, _LONG))
    made["rr_to_last"] = log_pre - _shifted(log_pre, 1)
    made["rr_to_last5"] = log_pre - np.max([_shifted(log_pre, k) for k in range(1, 6)], axis=0)
    made["rr_to_last8"] = log_pre - np.median([_shifted(log_pre, k) for k in range(1, 9)], axis=0)
    made["rr_to_next8"] = log_pre - np.median([_shifted(log_pre, -k) for k in range(1, 9)], axis=0)
    made["rr_to_next"] = np.log(pre / post)
    made["next_to_near"] = np.log(post / bases["near"])
    made["pair_to_near"] = np.log((pre + post) / (2 * bases["near"]))
    made["previous_rr_to_near"] = _shifted(made["rr_to_near"], 1)
    made["following_next_to_near"] = _shifted(made["next_to_near"], -1)
    last_own = np.append(-1, np.maximum.accumulate(np.where(own, np.arange(own.size), -1))[:-1])
    since = np.where(last_own >= 0, times_s - times_s[np.maximum(last_own, 0)], bases["near"])
    made["since_own"] = np.log(since / bases["near"])
    foreign = (~own).astype(float)
    made["previous_foreign"] = _shifted(foreign, 1)
    made["next_foreign"] = _shifted(foreign, -1)
    made["change"] = _change(log_pre, own)
    made["unlike"] = _unlike(log_pre)
    return {name: np.clip(value, -_LIMIT, _LIMIT) for name, value in made.items()}


def _sinus_intervals(times_s: Floats, own: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return each beat's sinus intervals in seconds, by the names of `SINUS`."""
    rr, middle = np.diff(times_s), (times_s[1:] + times_s[:-1]) / 2
    sinus = own[1:] & own[:-1]
    sinus[1:] &= own[:-2]
    if sinus.sum() < _FEWEST:
        sinus[:] = True
    rr, middle = rr[sinus], middle[sinus]
    place = np.searchsorted(middle, times_s)
    found = {}
    for name, (reach, quantile) in SINUS.items():
        windows = _around(rr, reach)
        at = np.quantile(windows, quantile, axis=1)
        found[name] = at[np.minimum(place, len(rr) - 1)]
    return found


def _around(values: Floats, reach: int) -> Floats:
    """Return the 2 * reach + 1 values around each, fewer at the ends: mirrored."""
    reach = min(reach, len(values) - 1)
    padded = np.pad(values, reach, mode="reflect") if reach else values
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def _shifted(values: Floats, by: int) -> Floats:
    """Return the value of the beat that comes `by` beats before; the ends take the median."""
    out = np.full_like(values, np.median(values))
    if abs(by) >= len(values):
        return out
    if by > 0:
        out[by:] = values[:-by]
    else:
        out[:by] = values[-by:]
    return out


def _change(log_rr: Floats, own: NDArray[np.bool_]) -> Floats:
    """Return the median change between neighbouring intervals of own beats, 40 to either side."""
    change = np.abs(np.diff(log_rr, prepend=log_rr[0]))
    known = own & np.append(True, own[:-1])
    if not known.any():
        known[:] = True
    # What is not known takes its neighbours' value, so that no window is empty.
    filled = np.interp(np.arange(own.size), np.flatnonzero(known), change[known])
    return np.asarray(np.median(_around(filled, _CHANGE_REACH), axis=1))


def _unlike(log_rr: Floats) -> Floats:
    """Return how far each pair of intervals is from its fifth-nearest like, median around."""
    pairs = np.stack([log_rr, np.append(log_rr[1:], log_rr[-1])])
    reach = min(REACH, len(log_rr) - 1)
    around = np.stack([_around(row, reach) for row in pairs])
    far = np.abs(around - pairs[:, :, None]).max(axis=0)
    nearest = np.partition(far, min(NEIGHBOURS, far.shape[1] - 1), axis=1)
    # The nearest is the pair itself.
    fifth = nearest[:, min(NEIGHBOURS, far.shape[1] - 1)]
    return np.asarray(np.median(_around(fifth, SMOOTH), axis=1))
