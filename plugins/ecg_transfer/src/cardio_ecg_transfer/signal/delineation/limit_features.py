"""What tells inside from outside of a QRS: how fast its leads move, in units of their own fastest.

Every number here is a ratio, so that a gain, of the recording or of one lead, changes nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat

SMOOTHINGS_MS = (4.0, 8.0, 14.0)
SHARES = (0.3, 0.55, 0.82, 0.91)
"""Of the leads, in the order of their slopes: one lead, however bad, is not among them."""

SHIFTS_MS = (-40.0, -20.0, 20.0, 40.0)

_SCALE_MS, _SLOW_MS = 6.0, 25.0
_STEEPEST_MS = (-100.0, 120.0)
_NOISE_MS = (-300.0, -60.0)
_CALM_SHARE = 0.3  # of the time before the QRS, P wave or not
_NOISE_SPREADS = 4.0
_FLOOR = 0.005


def lead_slopes(beat: MedianBeat) -> NDArray[np.float64]:
    """Measure each lead's slopes relative to its steepest and to its noise.

    Parameters
    ----------
    beat : MedianBeat
        Any leads, pacemaker spikes bridged (`signal.pacing`).

    Returns
    -------
    ndarray of float64, shape (n_kinds, n_leads, n_samples)
        After low-passes of 4, 8 and 14 ms, and without what is slower than 25 ms. A lead without
        a signal is left out.
    """
    rows_mv = beat.signal_mv.astype(np.float64)
    per_ms = beat.rate_hz / 1000
    fast = gaussian_filter1d(rows_mv, _SCALE_MS * per_ms, axis=1, order=1)
    slow = gaussian_filter1d(rows_mv, _SLOW_MS * per_ms, axis=1, order=1)
    size = np.abs(fast)
    steepest = size[:, beat.index(_STEEPEST_MS[0]) : beat.index(_STEEPEST_MS[1]) + 1].max(axis=1)
    noise = np.quantile(
        size[:, beat.index(_NOISE_MS[0]) : beat.index(_NOISE_MS[1])], _CALM_SHARE, axis=1
    )
    alive = steepest > 1e-9 * max(float(steepest.max()), 1e-300)
    scale = (steepest + _NOISE_SPREADS * noise)[alive, None]
    slopes = [
        np.abs(gaussian_filter1d(rows_mv[alive], width * per_ms, axis=1, order=1)) / scale
        for width in SMOOTHINGS_MS
    ]
    return np.stack([*slopes, np.abs(fast - slow)[alive] / scale])


def features(
    slopes: NDArray[np.float64], time_ms: NDArray[np.float64], at_ms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Describe moments of a beat by the leads together.

    Parameters
    ----------
    slopes : ndarray, shape (4, n_leads, n_samples)
        From `lead_slopes`; of one lead for its own limits.
    time_ms : ndarray, shape (n_samples,)
        Of the samples.
    at_ms : ndarray, shape (n_moments,)
        Which moments.

    Returns
    -------
    ndarray of float64, shape (n_moments, 31)
        Logarithms: four shares of the leads for each of three low-passes, three for what is fast,
        then some of them 20 and 40 ms earlier and later.
    """
    kinds = [_ranked(kind) for kind in slopes]
    kinds[-1] = kinds[-1][:3]
    curves = np.log(np.concatenate(kinds) + _FLOOR)
    beside = curves[[1, 5, 9, 13]]
    first, last = time_ms[0], time_ms[-1]
    columns = [np.interp(at_ms, time_ms, curve) for curve in curves]
    for shift in SHIFTS_MS:
        moved = np.clip(at_ms + shift, first, last)
        columns += [np.interp(moved, time_ms, curve) for curve in beside]
    return np.stack(columns, axis=1)


def _ranked(kind: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `SHARES` of the leads at every moment, faster than numpy's own quantile."""
    ordered = np.sort(kind, axis=0)
    place = np.asarray(SHARES) * (len(ordered) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    share = (place - below)[:, None]
    return np.asarray(ordered[below] * (1 - share) + ordered[above] * share)
