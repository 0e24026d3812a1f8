"""The P wave before a median beat's QRS and the T wave behind it, over all leads at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds, spatial_velocity

# Thresholds for P waves were set on PTB-XL's 353 recordings and the odd records of LUDB: their
# report on those is in-sample. Heights are relative to the QRS's, so that gains change nothing.
_SMOOTHING_MS = 8.0
_MARGIN_MS = 6.0  # between P and QRS
_P_WITHIN_MS = 340.0  # before the QRS
_P_HALF_MS = 80.0
_MIN_P = 0.015  # of the QRS's height
_SHORTEST_P_MS = 40.0
_MIN_PROMINENCE = 0.5  # of a P wave's height
_MIN_OF_ERROR = 2.5  # standard errors of the median beat; f waves have up to 2 of them
_P_TURN = 0.95  # of the steepest slopes on both sides of a peak: 1 is a flank, no peak
_P_FLANKS = 0.15  # gentler over steeper
_TURN_WITHIN_MS = 14.0  # the slowest point of a bifid wave is not its highest
_P_FOOT = (0.4, 0.45)  # of the steepest slope, before and behind the peak
_P_CALM_MS = 28.0  # at the foot: the saddle of a bifid wave is shorter

_T_FROM_MS = 50.0  # behind the QRS
_LATEST_T_PEAK = 0.6  # of the RR interval
_T_FALL_MS = 130.0
_PHASE_WITHIN_MS = 120.0  # of a T wave; a U wave comes later
_SECOND_PHASE = 0.4  # of the first
READ_QTC_MS = (350.0, 485.0)
"""Shortest and longest that LUDB's readers mark in 100 records (Fridericia): where T would end
sooner, its second phase is the end, if that comes within."""

_MIN_T = 0.012  # of the QRS's height
_MIN_T_OF_ERROR = 3.0  # standard errors of the median beat; the flattest that readers mark has 4.7
_BEHIND_TANGENT_MS = 14.0  # readers of LUDB (odd records) mark the end so much later


@dataclass(frozen=True)
class WaveBounds:
    """A P or T wave, in ms relative to R; `on_ms` of a T wave is NaN."""

    on_ms: float
    peak_ms: float
    off_ms: float


def find_t(beat: MedianBeat, qrs: QrsBounds) -> WaveBounds | None:
    """Find the T wave's peak and end on the root mean square of all leads.

    Parameters
    ----------
    beat : MedianBeat
        Any leads.
    qrs : QrsBounds
        Its QRS.

    Returns
    -------
    WaveBounds or None
        The end lies 14 ms behind where the tangent to the steepest descent meets the lowest level
        after it, as readers mark it. None where no T wave of 1.2 % of the QRS's height stands out,
        or none of three standard errors of the median beat.

    References
    ----------
    Lepeschkin E, Surawicz B. The measurement of the Q-T interval of the electrocardiogram.
    Circulation 1952; 6: 378-388 (tangent).
    """
    size_mv = _size(beat, level_at=beat.index(qrs.on_ms - _MARGIN_MS))
    latest_ms = min(_LATEST_T_PEAK * beat.rr_s * 1000, float(beat.time_ms[-1]) - 60.0)
    first, last = beat.index(qrs.off_ms + _T_FROM_MS), beat.index(latest_ms)
    if last - first < 3:
        return None
    error_mv = np.sqrt((beat.error_mv[:, first : last + 1].astype(np.float64) ** 2).mean())
    least_mv = max(_MIN_T * _qrs_height(size_mv, beat, qrs), _MIN_T_OF_ERROR * error_mv)
    peak = first + int(size_mv[first : last + 1].argmax())
    found = None if peak == first else _t_ending(beat, size_mv, peak, least_mv)
    to_qtc = 1.0 / np.cbrt(beat.rr_s)
    if found is not None and (found.off_ms - qrs.on_ms) * to_qtc < READ_QTC_MS[0]:
        later = _last_phase(size_mv[: last + 1], peak, beat.rate_hz)
        second = _t_ending(beat, size_mv, later, least_mv) if later > peak else None
        if second is not None and (second.off_ms - qrs.on_ms) * to_qtc <= READ_QTC_MS[1]:
            return second
    return found


def _t_ending(
    beat: MedianBeat, size_mv: NDArray[np.float64], peak: int, least_mv: float
) -> WaveBounds | None:
    """Return the T wave that falls from this peak; None where it falls by too little."""
    fall = size_mv[peak : beat.index(beat.time_ms[peak] + _T_FALL_MS) + 1]
    floor = fall.min()
    if fall[0] - floor < least_mv:
        return None
    steepest = int(np.gradient(fall)[: fall.argmin() + 1].argmin())
    slope = np.gradient(fall)[steepest]
    off = peak + steepest + (floor - fall[steepest]) / slope
    off_ms = (off - beat.r_index) * 1000.0 / beat.rate_hz + _BEHIND_TANGENT_MS
    return WaveBounds(np.nan, float(beat.time_ms[peak]), float(off_ms))


def find_p(beat: MedianBeat, qrs: QrsBounds, t_wave: WaveBounds | None) -> WaveBounds | None:
    """Find the P wave before the QRS on the root mean square of all leads.

    Parameters
    ----------
    beat : MedianBeat
        Any leads.
    qrs : QrsBounds
        Its QRS.
    t_wave : WaveBounds or None
        Its T wave: the beat before had it one RR interval earlier, where no P wave is looked for.

    Returns
    -------
    WaveBounds or None
        Onset and end where the spatial velocity has fallen to a share of the wave's steepest slope
        on that side, and stays there for 28 ms. None where no wave of 1.5 % of the QRS's height
        that all beats share has a peak of its own:
        atrial fibrillation, pacing, junctional rhythm, a P wave hidden in the T wave before it.
    """
    begin_ms = max(qrs.on_ms - _P_WITHIN_MS, float(beat.time_ms[0]))
    if t_wave is not None:
        tangent_ms = t_wave.off_ms - _BEHIND_TANGENT_MS
        begin_ms = max(begin_ms, tangent_ms - beat.rr_s * 1000)
    first, last = beat.index(begin_ms), beat.index(qrs.on_ms - _MARGIN_MS)
    if last - first < round(0.05 * beat.rate_hz):
        return None
    height_mv = _above_line(beat, first, last)
    peak = int(height_mv.argmax())
    left, right = height_mv[: peak + 1].min(), height_mv[peak:].min()
    prominence = height_mv[peak] - max(left, right)
    least_mv = _MIN_P * _qrs_height(_size(beat, first), beat, qrs)
    if height_mv[peak] < least_mv or prominence < _MIN_PROMINENCE * height_mv[peak]:
        return None
    error_mv = np.sqrt((beat.error_mv[:, first : last + 1].astype(np.float64) ** 2).mean())
    velocity = spatial_velocity(beat, _SMOOTHING_MS)
    reach = round(_P_HALF_MS * beat.rate_hz / 1000)
    centre = first + peak
    before = velocity[max(first, centre - reach) : centre + 1][::-1]
    behind = velocity[centre : min(last, centre + reach) + 1]
    if height_mv[peak] < _MIN_OF_ERROR * error_mv or not _turns(before, behind, beat.rate_hz):
        return None
    step_ms = 1000.0 / beat.rate_hz
    at_ms = float(beat.time_ms[centre])
    on_ms = at_ms - _foot(before, _P_FOOT[0], beat.rate_hz) * step_ms
    off_ms = at_ms + _foot(behind, _P_FOOT[1], beat.rate_hz) * step_ms
    return WaveBounds(on_ms, at_ms, off_ms) if off_ms - on_ms >= _SHORTEST_P_MS else None


def _last_phase(size_mv: NDArray[np.float64], peak: int, rate_hz: float) -> int:
    """Go on to the second phase of a T wave that turns over, or follows a depressed ST segment."""
    reach = size_mv[peak : peak + round(_PHASE_WITHIN_MS * rate_hz / 1000) + 1]
    risen = reach - np.minimum.accumulate(reach)
    second = int(risen.argmax())
    enough = risen[second] >= _SECOND_PHASE * (reach[0] - reach[: second + 1].min())
    inside = 0 < second < reach.size - 1
    return peak + second if inside and enough and risen[second] > 0 else peak


def _qrs_height(size_mv: NDArray[np.float64], beat: MedianBeat, qrs: QrsBounds) -> float:
    return float(size_mv[beat.index(qrs.on_ms) : beat.index(qrs.off_ms) + 1].max())


def _size(beat: MedianBeat, level_at: int) -> NDArray[np.float64]:
    """Return the root mean square over leads of the distance from the level at one sample."""
    smooth = gaussian_filter1d(beat.signal_mv, _SMOOTHING_MS * beat.rate_hz / 1000, axis=1)
    return np.asarray(
        np.sqrt(((smooth - smooth[:, level_at, None]) ** 2).mean(axis=0)), dtype=np.float64
    )


def _above_line(beat: MedianBeat, first: int, last: int) -> NDArray[np.float64]:
    """Return the root mean square over leads of the distance from the window's chord."""
    inside = beat.signal_mv[:, first : last + 1].astype(np.float64)
    smooth = gaussian_filter1d(inside, _SMOOTHING_MS * beat.rate_hz / 1000, axis=1)
    along = np.linspace(0.0, 1.0, smooth.shape[1])
    chord = smooth[:, :1] + (smooth[:, -1:] - smooth[:, :1]) * along
    return np.asarray(np.sqrt(((smooth - chord) ** 2).mean(axis=0)))


def _turns(before: NDArray[np.float64], behind: NDArray[np.float64], rate_hz: float) -> bool:
    """Tell a peak, slow between two steep flanks, from the end of another wave's flank."""
    near = round(_TURN_WITHIN_MS * rate_hz / 1000) + 1
    slowest = min(before[:near].min(), behind[:near].min())
    gentler, steeper = sorted((before.max(), behind.max()))
    return bool(slowest < _P_TURN * gentler and gentler > _P_FLANKS * steeper)


def _foot(outwards: NDArray[np.float64], share: float, rate_hz: float) -> float:
    """Return how many samples from a wave's peak its slope has come to rest."""
    steepest = int(outwards.argmax())
    level = share * outwards[steepest]
    behind = outwards[steepest:] < level
    n_calm = min(max(2, round(_P_CALM_MS * rate_hz / 1000)), behind.size)
    calm = np.lib.stride_tricks.sliding_window_view(behind, n_calm).all(axis=1)
    if not calm.any():
        # The wave may run into the next: where its last calm begins, if it has any.
        last = behind.size - int((~behind)[::-1].argmax())
        return float(steepest + min(last, behind.size - 1))
    at = steepest + int(calm.argmax())
    if at == 0:
        return 0.0
    high, low = outwards[at - 1], outwards[at]
    return float(at - 1 + (high - level) / max(high - low, 1e-12))
