"""RR intervals around each beat, in seconds and beside the patient's own rhythm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError

RR_FEATURES: tuple[tuple[str, str], ...] = (
    ("pre_rr_s", "s"),
    ("post_rr_s", "s"),
    ("pre_rr_to_local_median", "ratio"),
    ("post_rr_to_local_median", "ratio"),
    ("pre_rr_to_local_mean", "ratio"),
    ("post_rr_to_local_mean", "ratio"),
    ("pre_rr_to_record_median", "ratio"),
    ("post_rr_to_record_median", "ratio"),
    ("pre_rr_to_record_mean", "ratio"),
    ("post_rr_to_record_mean", "ratio"),
    ("pre_rr_to_post_rr", "ratio"),
    ("rr_irregularity_10s", "ratio"),
    ("pre_rr_deviation_10s", "MAD"),
    ("post_rr_deviation_10s", "MAD"),
    ("rr_irregularity_60s", "ratio"),
    ("pre_rr_deviation_60s", "MAD"),
    ("post_rr_deviation_60s", "MAD"),
    ("rr_irregularity_record", "ratio"),
)
"""Name and unit of each column of `rr_features`."""

TITLES = ("RR interval", *("" for _ in RR_FEATURES[1:-1]), "RR irregularity of the recording")
"""What of them is a measurement: the interval before a beat, and how much all of them scatter."""

LOCAL_S = 10.0
"""Width of the window that "local" means."""

MINUTE_S = 60.0

STEADY = 0.02
"""Share of the median RR added to a spread: a metronome's beats deviate by finite amounts."""


def rr_features(r_samples: ArrayLike, rate_hz: float) -> NDArray[np.float32]:
    """Describe the timing of every beat by the intervals before and after it.

    "Local" is within 10 s around the beat, "record" the whole recording. Both look at one patient
    only, and at beats after the one described.

    Parameters
    ----------
    r_samples : array_like of int, shape (n_beats,)
        Increasing R-peak positions; at least two.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    ndarray of float32, shape (n_beats, 18)
        Columns as in `RR_FEATURES`. The first beat has no interval before it and the last none
        after it: the local median stands in. Irregularity is the median absolute deviation
        (MAD) of a window's intervals over their median; deviation is the distance of an interval
        from that median in MADs (plus 2 % of the median).

    Raises
    ------
    DataError
        If there are fewer than two beats or they do not increase.

    Notes
    -----
    Ratios of RR intervals to a local and a recording mean were introduced for inter-patient beat
    classification by de Chazal et al., IEEE Trans Biomed Eng 2004;51:1196. Medians stand beside the
    means because either misleads somewhere: in bigeminy a mean follows the ectopic beats, and where
    most beats are premature and runs of them end in pauses, a median calls them the rule.
    Irregularity and deviation are for atrial fibrillation, where early beats mean nothing. The
    MAD holds while less than half of the intervals are ectopic; the median change between
    neighbours, where each ectopic beat spoils two, only up to a quarter.

    Examples
    --------
    >>> rr_features([0, 360, 540, 1080], 360.0)[2, :4].tolist()
    [0.5, 1.5, 0.5, 1.5]
    """
    beats = checked_r_samples(r_samples)
    rr_s = np.diff(beats) / rate_hz
    around = _intervals_around(beats, rate_hz, LOCAL_S)
    middle = np.nanmedian(around, axis=1)
    pre = np.append(middle[0], rr_s)
    post = np.append(rr_s, middle[-1])
    scales = (middle, np.nanmean(around, axis=1), np.median(rr_s), np.mean(rr_s))
    columns = [pre, post, *(rr / scale for scale in scales for rr in (pre, post)), pre / post]
    for window in (around, _intervals_around(beats, rate_hz, MINUTE_S)):
        median, spread = _median_and_mad(window)
        scale = spread + STEADY * median
        columns += [spread / median, (pre - median) / scale, (post - median) / scale]
    median, spread = _median_and_mad(rr_s[None, :])
    columns.append(np.full(beats.size, (spread / median).item()))
    return np.stack(columns, axis=1).astype(np.float32)


def _median_and_mad(
    intervals: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's median and the median absolute deviation from it, leaving out NaN."""
    median = np.nanmedian(intervals, axis=1)
    return median, np.nanmedian(np.abs(intervals - median[:, None]), axis=1)


def local_rr_s(
    r_samples: ArrayLike, rate_hz: float, *, window_s: float = LOCAL_S
) -> NDArray[np.float64]:
    """Return the median RR interval, in seconds, of a window centred on each beat.

    An interval belongs to the window if its midpoint does. Where none does (an isolated beat), the
    shorter of the beat's own two intervals is taken.

    Parameters
    ----------
    r_samples : array_like of int, shape (n_beats,)
        Increasing R-peak positions; at least two.
    rate_hz : float
        Sampling rate.
    window_s : float
        Width of the window in seconds; ten in Kachuee et al., ICHI 2018.

    Returns
    -------
    ndarray of float64, shape (n_beats,)
        Seconds, positive.

    Raises
    ------
    DataError
        If there are fewer than two beats or they do not increase.

    Examples
    --------
    >>> local_rr_s([0, 360, 720, 900, 1440], 360.0).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    around = _intervals_around(checked_r_samples(r_samples), rate_hz, window_s)
    return np.asarray(np.nanmedian(around, axis=1), dtype=np.float64)


def _intervals_around(
    beats: NDArray[np.int64], rate_hz: float, window_s: float
) -> NDArray[np.float64]:
    """Return the intervals (s) of each beat's window as rows, NaN behind the last of them."""
    time_s = beats / rate_hz
    rr_s = np.diff(time_s)
    middle_s = time_s[:-1] + rr_s / 2
    first = np.searchsorted(middle_s, time_s - window_s / 2, side="left")
    stop = np.searchsorted(middle_s, time_s + window_s / 2, side="right")
    index = first[:, None] + np.arange(max(1, int((stop - first).max())))
    inside = index < stop[:, None]
    around = np.where(inside, rr_s[np.minimum(index, rr_s.size - 1)], np.nan)
    isolated = ~inside.any(axis=1)
    own = np.minimum(np.append(np.inf, rr_s), np.append(rr_s, np.inf))
    around[isolated, 0] = own[isolated]
    return around


def checked_r_samples(r_samples: ArrayLike) -> NDArray[np.int64]:
    """Return the positions as int64 after checking that they can carry intervals.

    Raises
    ------
    DataError
        If there are fewer than two beats or they do not increase.

    Examples
    --------
    >>> checked_r_samples([10, 20]).tolist()
    [10, 20]
    """
    beats = np.asarray(r_samples, dtype=np.int64)
    if beats.ndim != 1 or beats.size < 2:
        raise DataError(
            f"RR intervals: expected at least 2 R peaks in one row, found shape {beats.shape}; "
            "leave the recording out or check its R-peak detection"
        )
    steps = np.diff(beats)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise DataError(
            f"RR intervals: expected increasing R peaks, found {beats[at]} then {beats[at + 1]} "
            f"at beat {at + 1}; sort them and drop doubles"
        )
    return beats
