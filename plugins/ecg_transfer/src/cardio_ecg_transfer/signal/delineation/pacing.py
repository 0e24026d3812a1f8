"""Pacemaker spikes in a median beat: found, and bridged before anything is delineated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, median_filter

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat

_WIDTH_MS = 15.0  # no wave of the heart is narrower
_SMOOTHING_MS = 4.0
_NEAR_MS = 6.0
_SHARPER = 3.0  # times the slope that is left after the low-pass
_STANDS_OUT = 0.3  # of the change that the steepest part of the QRS makes in 4 ms
_BEFORE_MS, _BEHIND_MS = 12.0, 20.0  # what a spike and its tail take


def without_spikes(beat: MedianBeat) -> tuple[MedianBeat, tuple[float, ...]]:
    """Bridge pacemaker spikes by straight lines.

    Parameters
    ----------
    beat : MedianBeat
        Any leads.

    Returns
    -------
    MedianBeat
        The same object where there is no spike.
    tuple of float
        When they come, in ms from R. A spike that the recorder's own filter took away is not
        found.

    Examples
    --------
    >>> ms = np.arange(-200, 280) * 2.0
    >>> paced_mv = (np.exp(-0.5 * (ms / 30) ** 2) + 2.0 * (abs(ms + 90) < 1.5))[None]
    >>> beat = MedianBeat(paced_mv.astype(np.float32), 500.0, 200, ("II",), 9, 0, 0.8, 0 * paced_mv)
    >>> without_spikes(beat)[1]
    (-90.0,)
    """
    rows_mv = beat.signal_mv.astype(np.float64)
    per_ms = beat.rate_hz / 1000
    step = np.sqrt((np.diff(rows_mv, axis=1, append=rows_mv[:, -1:]) ** 2).mean(axis=0)) * per_ms
    slope = gaussian_filter1d(rows_mv, _SMOOTHING_MS * per_ms, axis=1, order=1) * per_ms
    near_by = 2 * round(_NEAR_MS * per_ms) + 1  # the slope of a peak itself is none
    smooth = maximum_filter1d(np.sqrt((slope**2).mean(axis=0)), near_by)
    width = round(_WIDTH_MS * per_ms) | 1
    rest = rows_mv - median_filter(rows_mv, size=(1, width), mode="nearest")
    size = np.sqrt((rest**2).mean(axis=0))
    near = (size > _STANDS_OUT * smooth.max() * _SMOOTHING_MS) & (size > 0)
    hit = np.flatnonzero((step > _SHARPER * smooth) & near)
    if not hit.size:
        return beat, ()
    bad = _around(hit, rows_mv.shape[1], per_ms)
    place = np.arange(rows_mv.shape[1])
    bridged = np.stack([np.interp(place, place[~bad], row[~bad]) for row in rows_mv])
    first = hit[np.diff(hit, prepend=-rows_mv.shape[1]) > _BEHIND_MS * per_ms]
    peaks = [at + int(size[at : at + round(_BEFORE_MS * per_ms)].argmax()) for at in first]
    return (
        replace(beat, signal_mv=bridged.astype(np.float32)),
        tuple(float(beat.time_ms[at]) for at in peaks),
    )


def _around(hit: NDArray[np.intp], n_samples: int, per_ms: float) -> NDArray[np.bool_]:
    bad = np.zeros(n_samples, dtype=bool)
    for at in hit:
        bad[max(0, at - round(_BEFORE_MS * per_ms)) : at + round(_BEHIND_MS * per_ms) + 1] = True
    bad[[0, -1]] = False  # something to hold on to
    return bad
