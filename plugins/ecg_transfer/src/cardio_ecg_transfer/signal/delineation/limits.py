"""Limits of a median beat: QRS, P and T, whether P is locked, and how far noise moves them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs import QrsBounds, delineate_qrs, spatial_velocity

# Thresholds for P waves were set on PTB-XL's 353 recordings and the odd records of LUDB: their
# report on those is in-sample.
_SMOOTHING_MS = 8.0
_MARGIN_MS = 6.0  # between P and QRS
_P_WITHIN_MS = 340.0  # before the QRS
_P_HALF_MS = 80.0
_SHORTEST_P_MS = 40.0
_MIN_OF_ERROR = 2.5  # standard errors of the median beat; f waves have up to 2 of them
_P_FLANKS = 0.15  # gentler slope over steeper: less is the flank of another wave
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
        after it, as readers mark it. None where none of three standard errors of the median beat
        stands out.

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
    least_mv = _MIN_T_OF_ERROR * error_mv
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
    if fall[0] - floor <= least_mv:
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
        on that side, and stays there for 28 ms. None where no wave stands out that all beats
        share: atrial fibrillation, pacing, junctional rhythm, a P wave hidden in the T wave before
        it.
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
    error_mv = np.sqrt((beat.error_mv[:, first : last + 1].astype(np.float64) ** 2).mean())
    if height_mv[peak] <= _MIN_OF_ERROR * error_mv:
        return None
    velocity = spatial_velocity(beat, _SMOOTHING_MS)
    reach = round(_P_HALF_MS * beat.rate_hz / 1000)
    centre = first + peak
    before = velocity[max(first, centre - reach) : centre + 1][::-1]
    behind = velocity[centre : min(last, centre + reach) + 1]
    if min(before.max(), behind.max()) <= _P_FLANKS * max(before.max(), behind.max()):
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


_LOCK_SMOOTHING_MS = 6.0
_BEFORE_MS, _BEHIND_MS, _LOCK_MARGIN_MS = 25.0, 15.0, 4.0

# Set on the odd records of LUDB and 76 of PTB-XL.
ALIKE = 0.5  # correlation of one beat's P wave, all leads together, with the others' median
SURE_SHARE = 0.85  # of the beats
MIN_MEDIAN = 0.7
CERTAIN_MEDIAN = 0.9
IRREGULAR = 0.1  # scatter of RR over its median, from which a P wave has to be certain

LONGEST_PR = 0.6  # of the RR interval: a wave so early belongs to another beat, or to flutter


@dataclass(frozen=True)
class Locking:
    """How surely a P wave is locked to the QRS.

    Attributes
    ----------
    share : float
        Of the beats that show it, 0 to 1.
    median : float
        Median correlation of a beat's P wave with that of the others.
    late : bool
        Whether it begins more than 60 % of the RR interval before the QRS.
    irregular : bool
        Whether the RR intervals scatter as in fibrillation.
    """

    share: float
    median: float
    late: bool
    irregular: bool

    @property
    def locked(self) -> bool:
        """Whether there is a PR interval."""
        if self.late or self.median < MIN_MEDIAN:
            return False
        return not self.irregular or self.median >= CERTAIN_MEDIAN or self.share >= SURE_SHARE

    @property
    def reason(self) -> str:
        """Say why there is none; "" where there is one."""
        if self.locked:
            return ""
        if self.late:
            return f"the P wave begins more than {LONGEST_PR:.0%} of RR before the QRS"
        return f"{self.share:.0%} of the beats show the same P wave"


def p_locking(
    signal_mv: NDArray[np.floating],
    beat: MedianBeat,
    qrs: QrsBounds,
    p_wave: WaveBounds,
    r_samples: NDArray[np.integer],
) -> Locking:
    """Compare the P waves of single beats.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        What the median beat was made of.
    beat : MedianBeat
        With `r_samples`.
    qrs, p_wave
        Of the median beat.
    r_samples : ndarray of int
        All R peaks, for the rhythm.
    """
    per_ms = beat.rate_hz / 1000
    low = round((p_wave.on_ms - _BEFORE_MS) * per_ms)
    high = round(min(p_wave.off_ms + _BEHIND_MS, qrs.on_ms - _LOCK_MARGIN_MS) * per_ms)
    starts = beat.r_samples + low
    waves = _cut(signal_mv, starts, high - low + 1, per_ms)
    alike = np.array(
        [_correlation(wave, np.median(np.delete(waves, place, axis=0), axis=0))
         for place, wave in enumerate(waves)]
    )  # fmt: skip
    rr = np.diff(np.sort(r_samples)) / beat.rate_hz
    scatter = float(np.median(np.abs(np.diff(rr)))) / beat.rr_s if rr.size > 1 else 0.0
    return Locking(
        share=float((alike > ALIKE).mean()),
        median=float(np.median(alike)),
        late=qrs.on_ms - p_wave.on_ms > LONGEST_PR * beat.rr_s * 1000.0,
        irregular=scatter > IRREGULAR,
    )


def _cut(
    signal_mv: NDArray[np.floating], starts: NDArray[np.integer], length: int, per_ms: float
) -> NDArray[np.float64]:
    """Cut (n_beats, n_leads, length) without slopes and levels; beats over an edge are left out."""
    inside = starts[(starts >= 0) & (starts + length <= signal_mv.shape[1])]
    rows = signal_mv[:, inside[:, None] + np.arange(length)].transpose(1, 0, 2)
    smooth = gaussian_filter1d(rows.astype(np.float64), _LOCK_SMOOTHING_MS * per_ms, axis=2)
    along = np.linspace(0.0, 1.0, length)
    smooth -= smooth[:, :, :1] + (smooth[:, :, -1:] - smooth[:, :, :1]) * along
    return np.asarray(smooth - smooth.mean(axis=2, keepdims=True))


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    size = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / size) if size > 0 else 0.0


MOST_MOVED_MS = 20.0
"""By which noise may move a limit before it is doubtful."""

_NOISE_MV = 0.003
_N_READINGS = 4


@dataclass(frozen=True)
class Limits:
    """QRS, P and T wave of one beat; None where there is no wave."""

    qrs: QrsBounds
    p_wave: WaveBounds | None
    t_wave: WaveBounds | None


@dataclass(frozen=True)
class Moved:
    """Largest change of limits and intervals under noise, in ms; NaN where there is no wave."""

    on_ms: float
    off_ms: float
    qrs_ms: float
    pr_ms: float
    qt_ms: float


def find_limits(beat: MedianBeat) -> Limits:
    """Find the limits of all waves.

    Parameters
    ----------
    beat : MedianBeat
        Any leads, at 250 Hz or more.

    Raises
    ------
    DataError
        If the QRS has no limits.
    """
    qrs = delineate_qrs(beat)
    t_wave = find_t(beat, qrs)
    return Limits(qrs, find_p(beat, qrs, t_wave), t_wave)


def moves_by(beat: MedianBeat, limits: Limits) -> Moved:
    """Delineate the beat again with noise, the same noise every time.

    Parameters
    ----------
    beat : MedianBeat
        The beat.
    limits : Limits
        What was found in it; a wave that is None there is not looked at.
    """
    rng = np.random.default_rng(0)
    # What is before and behind the QRS: within it the beats' own differences are no noise.
    own_mv = np.median(beat.error_mv, axis=1, keepdims=True)
    size_mv = np.sqrt(own_mv.astype(np.float64) ** 2 + _NOISE_MV**2)
    changes: list[tuple[float, ...]] = []
    for _ in range(_N_READINGS):
        noise_mv = beat.noise(rng) * size_mv
        noisy = replace(beat, signal_mv=(beat.signal_mv + noise_mv).astype(np.float32))
        try:
            other = find_limits(noisy)
        except DataError:
            return Moved(np.inf, np.inf, np.nan, np.nan, np.nan)
        on_ms, off_ms = other.qrs.on_ms - limits.qrs.on_ms, other.qrs.off_ms - limits.qrs.off_ms
        pr_ms = qt_ms = np.nan
        if limits.p_wave is not None and other.p_wave is not None:
            pr_ms = on_ms - (other.p_wave.on_ms - limits.p_wave.on_ms)
        if limits.t_wave is not None and other.t_wave is not None:
            qt_ms = other.t_wave.off_ms - limits.t_wave.off_ms - on_ms
        changes.append((on_ms, off_ms, off_ms - on_ms, pr_ms, qt_ms))
    sizes = np.abs(np.array(changes))
    largest = np.where(np.isnan(sizes).any(axis=0), np.nan, sizes.max(axis=0))
    return Moved(*(float(item) for item in largest))
