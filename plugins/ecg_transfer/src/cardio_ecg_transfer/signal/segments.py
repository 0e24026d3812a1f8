"""One segment of an ECG for every beat, 1.2 RR long, by two anchors; and 10-s windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


Anchor = Literal["paper", "honest", "window_10s"]

RR_LIMITS_S = (0.3, 2.0)
"""RR intervals that a segment's length is made from; shorter or longer ones are clipped."""

SEGMENT_RR = 1.2
"""Length of a segment in RR intervals, but for the window."""

# Begin and length of a segment: in units of the local RR interval, but in seconds for the window.
_SPAN: dict[Anchor, tuple[float, float]] = {
    "paper": (0.0, SEGMENT_RR),
    "honest": (-0.35, SEGMENT_RR),
    "window_10s": (-5.0, 10.0),
}


@dataclass(frozen=True)
class BeatSegments:
    """The segments of one recording, and where they come from.

    Attributes
    ----------
    segments_mv : ndarray of float32, shape (n_beats, n_leads, context + n_samples + context)
        Millivolt. Sample `context` is the segment's first; behind its `length` stand zeros, or,
        where there is context, the recording for `context` samples and then zeros.
    beat : ndarray of int64, shape (n_beats,)
        Which of the given R peaks each segment belongs to (edge beats are missing).
    start : ndarray of int64, shape (n_beats,)
        First sample of each segment in the recording.
    length : ndarray of int64, shape (n_beats,)
        Samples in each segment.
    context : int
        Samples of the recording kept before and behind each segment.
    rr : ndarray of float32, shape (n_beats, 18)
        The columns of `cardio_ecg_transfer.signal.rr_features.RR_FEATURES`.
    """

    segments_mv: NDArray[np.float32]
    beat: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    context: int
    rr: NDArray[np.float32]


def segment_beats(
    signal_mv: NDArray[np.floating],
    r_samples: ArrayLike,
    rate_hz: float,
    *,
    anchor: Anchor = "honest",
    context: int = 0,
) -> BeatSegments:
    """Cut one segment per beat out of every lead of a recording.

    With T the median RR interval within 10 s around the beat, ``paper`` is [R, R + 1.2 T),
    ``honest`` is [R - .35 T, R + .85 T), and ``window_10s`` is [R - 5 s, R + 5 s).

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Millivolt; NaN where there is no valid sample.
    r_samples : array_like of int, shape (n_beats,)
        Increasing R-peak positions; at least two.
    rate_hz : float
        Sampling rate.
    anchor : {"paper", "honest", "window_10s"}
        Where a segment lies; see above.
    context : int
        Samples to keep before and behind each segment, for a window that reaches over its edges
        (`SpectrogramSettings.context_samples`). Outside the recording the context is zero.

    Returns
    -------
    BeatSegments
        Beats whose segment leaves the recording, or holds a NaN in any lead, are left out.

    Raises
    ------
    DataError
        If the signal is not two-dimensional, the R peaks are fewer than two, do not increase, or
        lie outside the recording.

    Notes
    -----
    The paper gives no anchor; "1.2 RR" matches Kachuee et al., ICHI 2018, where a segment starts at
    the R peak and is padded with zeros. Starting there loses the P wave and the onset of a wide
    QRS, hence ``honest``.

    Examples
    --------
    >>> ecg_mv = np.zeros((2, 3600), dtype=np.float32)
    >>> cut = segment_beats(ecg_mv, np.arange(90, 3600, 360), 360.0, anchor="honest")
    >>> cut.segments_mv.shape, int(cut.start[0]), int(cut.length[0])
    ((8, 2, 864), 324, 432)
    """
    beats = checked_r_samples(r_samples)
    n_samples = _n_samples_in(signal_mv, beats)
    local = local_rr_s(beats, rate_hz)
    start, length = _spans(beats, local, rate_hz, anchor)
    kept = (start >= 0) & (start + length <= n_samples)
    kept &= _free_of_nan(signal_mv, start, start + length)
    beat = np.flatnonzero(kept)
    longest_s = _SPAN[anchor][1] * (1.0 if anchor == "window_10s" else RR_LIMITS_S[1])
    return BeatSegments(
        segments_mv=_cut(
            signal_mv, start[beat], length[beat], round(longest_s * rate_hz), context=context
        ),
        beat=beat,
        start=start[beat],
        length=length[beat],
        context=context,
        rr=rr_features(beats, rate_hz)[beat],
    )


def residual_segments(
    cut: BeatSegments, signal_mv: NDArray[np.floating], r_samples: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the segments less the recording's median beat, aligned at the R peaks.

    Parameters
    ----------
    cut : BeatSegments
        The beats.
    signal_mv : ndarray, shape (n_leads, n_samples)
        The recording in millivolt.
    r_samples : ndarray of int64, shape (n_peaks,)
        The R peaks that `cut.beat` counts.

    Returns
    -------
    ndarray of float32, shape of ``cut.segments_mv``
        Zero behind each segment.
    """
    before = r_samples[cut.beat] - cut.start + cut.context
    width = cut.segments_mv.shape[2]
    reach = (int(before.max(initial=0)), int((width - before).max(initial=0)))
    padded = np.pad(np.nan_to_num(signal_mv.astype(np.float32)), ((0, 0), reach))
    windows = np.lib.stride_tricks.sliding_window_view(padded, sum(reach), axis=1)
    # A window begins reach[0] before its R peak, and the padding moved that peak by reach[0].
    median_beat = np.median(windows[:, r_samples], axis=1).astype(np.float32)
    index = (reach[0] - before)[:, None] + np.arange(width)
    residual = cut.segments_mv - median_beat[:, index].transpose(1, 0, 2)
    inside = np.arange(width) < (cut.length + 2 * cut.context)[:, None]
    return np.asarray(residual * inside[:, None, :], dtype=np.float32)


def time_extent(r_place: ArrayLike) -> tuple[float, float, str]:
    """Return where pictures begin and end around R, in RR intervals.

    Parameters
    ----------
    r_place : array-like, shape (n_beats,)
        Where the R peak lies in each segment, as a share of its length.

    Examples
    --------
    >>> time_extent([0.29, 0.29, 0.3])
    (-0.35, 0.85, 'RR')
    """
    begin = -float(np.median(np.asarray(r_place, dtype=float))) * SEGMENT_RR
    # To a hundredth: the rounding of one sample must not make patients differ.
    return (round(begin, 2), round(begin + SEGMENT_RR, 2), "RR")


def _spans(
    beats: NDArray[np.int64], local: NDArray[np.float64], rate_hz: float, anchor: Anchor
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first sample and length of every beat's segment."""
    if anchor not in _SPAN:
        raise DataError(f"segment anchor: expected one of {', '.join(_SPAN)}, found {anchor!r}")
    begin, span = _SPAN[anchor]
    unit_s = np.ones_like(local) if anchor == "window_10s" else np.clip(local, *RR_LIMITS_S)
    start = beats + np.rint(begin * unit_s * rate_hz).astype(np.int64)
    length = np.rint(span * unit_s * rate_hz).astype(np.int64)
    return start, length


def _n_samples_in(signal_mv: NDArray[np.floating], beats: NDArray[np.int64]) -> int:
    """Check that the R peaks lie in the signal, and return its number of samples."""
    if signal_mv.ndim != 2:
        msg = f"segments: expected a signal (n_leads, n_samples), found shape {signal_mv.shape}"
        raise DataError(msg)
    n_samples = int(signal_mv.shape[1])
    if beats[0] < 0 or beats[-1] >= n_samples:
        raise DataError(
            f"segments: expected R peaks within 0 to {n_samples - 1}, found {beats[0]} to "
            f"{beats[-1]}; check that both have the same sampling rate"
        )
    return n_samples


def _free_of_nan(
    signal_mv: NDArray[np.floating], start: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Say which half-open spans hold no NaN in any lead."""
    n_nan = np.concatenate([[0], np.cumsum(np.isnan(signal_mv).any(axis=0))])
    start, stop = (np.clip(edge, 0, signal_mv.shape[1]) for edge in (start, stop))
    return np.asarray(n_nan[stop] == n_nan[start])


def _cut(
    signal_mv: NDArray[np.floating],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    n_samples: int,
    *,
    context: int,
) -> NDArray[np.float32]:
    """Gather all segments at once; zeros behind each segment and outside the recording."""
    n_leads = signal_mv.shape[0]
    recorded = np.nan_to_num(signal_mv.astype(np.float32))
    width = n_samples + 2 * context
    padded = np.pad(recorded, ((0, 0), (context, width)))
    segments = np.empty((start.size, n_leads, width), dtype=np.float32)
    if start.size:
        windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
        segments[:] = windows[:, start].transpose(1, 0, 2)
        behind = np.arange(width)[None, :] >= (length + 2 * context)[:, None]
        segments *= ~behind[:, None, :]
    return segments
