"""The P wave before a median beat's QRS and the T wave behind it, over all leads at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds, spatial_velocity

# Thresholds for P waves were set on PTB-XL's 353 recordings: their report on those is in-sample.
_SMOOTHING_MS = 8.0
_MARGIN_MS = 6.0  # between P and QRS
_P_WITHIN_MS = 340.0  # before the QRS
_P_HALF_MS = 80.0
_MIN_P_MV = 0.02
_MIN_PROMINENCE = 0.5  # of a P wave's height
_MIN_OF_ERROR = 2.5  # standard errors of the median beat; f waves have up to 2 of them
_P_TURN = 0.95  # of the steepest slopes on both sides of a peak: 1 is a flank, no peak
_P_FLANKS = 0.15  # gentler over steeper
_TURN_WITHIN_MS = 14.0  # the slowest point of a bifid wave is not its highest
_P_FOOT = 0.3  # of the steepest slope on either side: 2.3 standard deviations of a Gaussian

_T_FROM_MS = 50.0  # behind the QRS
_LATEST_T_PEAK = 0.6  # of the RR interval
_T_FALL_MS = 130.0
_MIN_T_MV = 0.03


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
        The end is where the tangent to the steepest descent meets the lowest level behind it.
        None where no T wave of 0.03 mV stands out.

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
    peak = first + int(size_mv[first : last + 1].argmax())
    fall = size_mv[peak : beat.index(beat.time_ms[peak] + _T_FALL_MS) + 1]
    floor = fall.min()
    if peak == first or fall[0] - floor < _MIN_T_MV:
        return None
    steepest = int(np.gradient(fall)[: fall.argmin() + 1].argmin())
    slope = np.gradient(fall)[steepest]
    off = peak + steepest + (floor - fall[steepest]) / slope
    step_ms = 1000.0 / beat.rate_hz
    return WaveBounds(np.nan, float(beat.time_ms[peak]), float((off - beat.r_index) * step_ms))


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
        Onset and end where the spatial velocity has fallen to 0.3 of the wave's steepest slope on
        that side. None where no wave of 0.02 mV that all beats share has a peak of its own:
        atrial fibrillation, pacing, junctional rhythm, a P wave hidden in the T wave before it.
    """
    begin_ms = max(qrs.on_ms - _P_WITHIN_MS, float(beat.time_ms[0]))
    if t_wave is not None:
        begin_ms = max(begin_ms, t_wave.off_ms - beat.rr_s * 1000)
    first, last = beat.index(begin_ms), beat.index(qrs.on_ms - _MARGIN_MS)
    if last - first < round(0.05 * beat.rate_hz):
        return None
    height_mv = _above_line(beat, first, last)
    peak = int(height_mv.argmax())
    left, right = height_mv[: peak + 1].min(), height_mv[peak:].min()
    prominence = height_mv[peak] - max(left, right)
    if height_mv[peak] < _MIN_P_MV or prominence < _MIN_PROMINENCE * height_mv[peak]:
        return None
    error_mv = np.sqrt((beat.error_mv[:, first : last + 1].astype(np.float64) ** 2).mean())
    velocity = spatial_velocity(beat, _SMOOTHING_MS)
    reach = round(_P_HALF_MS * beat.rate_hz / 1000)
    centre = first + peak
    before = velocity[max(first, centre - reach) : centre + 1][::-1]
    behind = velocity[centre : min(last, centre + reach) + 1]
    if height_mv[peak] < _MIN_OF_ERROR * error_mv or not _turns(before, behind, beat.rate_hz):
        return None
    on, off = centre - _foot(before), centre + _foot(behind)
    return WaveBounds(
        float(beat.time_ms[on]), float(beat.time_ms[centre]), float(beat.time_ms[off])
    )


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


def _foot(outwards: NDArray[np.float64]) -> int:
    """Return how many samples from a wave's peak its slope has come to rest."""
    steepest = int(outwards.argmax())
    calm = outwards[steepest:] < _P_FOOT * outwards[steepest]
    return steepest + int(calm.argmax()) if calm.any() else outwards.size - 1
