"""All that is measured of a beat to tell ectopic from own, as columns with names and units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ectopy.p_waves import p_waves
from cardio_ecg_transfer.signal.ectopy.shapes import (
    Shapes,
    complexes,
    group_shapes,
    own_kind,
    windows,
)
from cardio_ecg_transfer.signal.filters import band_pass

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


RARE = 0.004
"""Share of the beats below which a group of shapes is rare."""

HISS = 0.3
COMPANY = 0.05
EARLY = -0.35
SMALL = -0.5

_ECG_HZ = (0.3, 40.0)
_SMOOTH_HZ = (0.5, 20.0)
_DRIFT_HZ = (0.05, 1.0)
_TINY = 1e-3
_HISS_S, _LOUD_S, _DRIFT_S = 0.5, 0.6, 0.7  # to either side of R
_BEFORE_S = (0.35, 0.08)  # the complex: from and to
_NEAR = 5  # beats to either side


def noise(
    signal_mv: NDArray[np.floating],
    r_samples: NDArray[np.int64],
    shapes: Shapes,
    own: NDArray[np.bool_],
    rate_hz: float,
) -> dict[str, NDArray[np.floating]]:
    """Describe how much louder the surroundings of each beat are than the recording's usual ones.

    Returns
    -------
    dict of str to ndarray, shape (n_beats,)
        Logarithms beside the recording's median: ``hiss`` (above 40 Hz within half a second;
        loudest lead, ``_least`` quietest, ``_near`` mean of eleven beats), ``loud`` (all within
        0.6 s), ``restless`` (range of what comes before the complex), ``drift`` (of the baseline);
        ``rare_near``: share of rare shapes among eleven beats.
    """
    half = round(_HISS_S * rate_hz)
    hissing = windows(signal_mv - band_pass(signal_mv, rate_hz, _ECG_HZ), r_samples, half, half)
    hiss = _against_median(np.sqrt((hissing**2).mean(axis=2)))
    wide = round(_LOUD_S * rate_hz)
    loud = _against_median(windows(signal_mv, r_samples, wide, wide).std(axis=2))
    smooth = band_pass(signal_mv, rate_hz, _SMOOTH_HZ)
    begin, end = (round(reach * rate_hz) for reach in _BEFORE_S)
    before = windows(smooth, r_samples, begin, -end)
    restless = _against_median(np.ptp(before, axis=2), own)
    reach = round(_DRIFT_S * rate_hz)
    slow = windows(band_pass(signal_mv, rate_hz, _DRIFT_HZ), r_samples, reach, reach)
    drift = _against_median(np.abs(np.diff(slow, axis=2)).max(axis=2))
    share = np.bincount(shapes.group) / len(shapes.group)
    return {
        "hiss": hiss.max(axis=1),
        "hiss_least": hiss.min(axis=1),
        "hiss_near": _smoothed(hiss.max(axis=1), _NEAR),
        "loud": loud.max(axis=1),
        "loud_least": loud.min(axis=1),
        "restless": restless.max(axis=1),
        "restless_least": restless.min(axis=1),
        "restless_near": _smoothed(restless.max(axis=1), _NEAR),
        "drift": drift.max(axis=1),
        "rare_near": _smoothed((share[shapes.group] < RARE).astype(float), _NEAR),
    }


def unreadable(evidence: dict[str, NDArray[np.floating]]) -> NDArray[np.bool_]:
    """Say which detections lie in noise: no beat there can be named.

    All of: a shape that the recording hardly knows, in the company of other rare shapes, with more
    hiss than usual; and a detection that comes too close to its neighbour, or is much smaller than
    the patient's beats. The limits were set on DS1, where 120 of 136 detections without a beat
    fall under them, and 60 of 44,000 normal and 32 of 3,800 ventricular beats.
    """
    early = np.minimum(evidence["rr_to_near"], evidence["next_to_near"]) < EARLY
    return np.asarray(
        (evidence["group_share"] < np.log(RARE))
        & (evidence["hiss"] > HISS)
        & (evidence["rare_near"] > COMPANY)
        & (early | (evidence["size:0"] < SMALL))
    )


def _against_median(
    levels: NDArray[np.floating], usual: NDArray[np.bool_] | None = None
) -> NDArray[np.floating]:
    """Return the logarithm of levels (n_beats, n_leads) beside each lead's median."""
    chosen = levels if usual is None else levels[usual]
    middle = np.maximum(np.median(chosen, axis=0), 1e-6)
    return np.asarray(np.log(levels / middle + _TINY))


def _smoothed(values: NDArray[np.floating], reach: int) -> NDArray[np.floating]:
    window = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.convolve(np.pad(values, reach, mode="edge"), window, "valid")


BY_GROUP = ("rr_to_near", "pair_to_near", "rr_to_next", "p_cosine_z", "width", "own_cosine")
"""Of these, the median of a beat's group stands beside its own value: wide beats that come in time
are no ectopic ones."""

SECONDS = ("shift_s", "width", "w90", "half_width", "group_width")
_UNREADABLE = "unreadable"


def beat_evidence(
    signal_mv: NDArray[np.floating], r_samples: NDArray[np.int64], rate_hz: float
) -> dict[str, NDArray[np.float32]]:
    """Measure every beat of one recording, beside that recording and nobody else's.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Potentials in millivolt; NaN where missing.
    r_samples : ndarray of int64, shape (n_beats,)
        Increasing R peaks, three or more.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    dict of str to ndarray of float32, shape (n_beats,)
        The columns of `timing`, `p_waves`, `complexes` and `noise`, those of `BY_GROUP` as medians
        of the beat's group (``group_...``), and ``unreadable`` (1 or 0). Finite.
    """
    signal = np.nan_to_num(np.asarray(signal_mv, dtype=np.float64))
    shapes = group_shapes(signal, r_samples, rate_hz)
    own = own_kind(shapes)
    made: dict[str, NDArray[np.floating]] = dict(timing(r_samples / rate_hz, own))
    made |= p_waves(signal, r_samples, shapes, own, made["rr_to_near"], rate_hz)
    made |= complexes(signal, r_samples, shapes, rate_hz)
    made |= noise(signal, r_samples, shapes, own, rate_hz)
    groups = range(len(shapes.templates_mv))
    for name in BY_GROUP:
        medians = np.array([np.median(made[name][shapes.group == group]) for group in groups])
        made[f"group_{name}"] = medians[shapes.group]
    made[_UNREADABLE] = unreadable(made).astype(np.float32)
    return {
        name: np.nan_to_num(np.asarray(value, np.float32), posinf=10.0, neginf=-10.0)
        for name, value in made.items()
    }


def unit_of(name: str) -> str:
    """Return the unit of a column; most are pure numbers."""
    return "s" if name.partition(":")[0] in SECONDS else "1"
