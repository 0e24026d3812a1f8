"""The QRS complex of a median beat: where it begins and ends, and its waves lead by lead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.delineation.median_beat import LEVEL_MS, MedianBeat
from cardio_ecg_transfer.signal.fitted import fitted

# What the fitted weights stand on (benchmarks/ecg_limits_fit.py): chosen with them, on the odd
# records of LUDB, and not to be changed without fitting again.
SMOOTHINGS_MS = (4.0, 8.0, 14.0)
SHARES = (0.3, 0.55, 0.82, 0.91)
"""Of the leads, in the order of their slopes: one lead, however bad, is not among them."""

SHIFTS_MS = (-40.0, -20.0, 20.0, 40.0)

_SCALE_MS, _SLOW_MS = 6.0, 25.0
_ST_MS = 60.0  # later, the ST segment's slope; 50 to 80 did equally well on LUDB's odd records
_QRS_WITHIN_MS = (-130.0, 150.0)  # wherever R lies in it
_NOISE_MS = (-300.0, -60.0)
_CALM_SHARE = 0.3  # of the time before the QRS, P wave or not
_NOISE_SPREADS = 4.0
_FLOOR = 0.005


def lead_slopes(beat: MedianBeat, *, from_st: bool = False) -> NDArray[np.float64]:
    """Measure each lead's slopes relative to its steepest and to its noise.

    Parameters
    ----------
    beat : MedianBeat
        Any leads, pacemaker spikes bridged (`signal.pacing`).
    from_st : bool, optional
        Subtract the slope 60 ms later: behind the QRS the potentials follow the ST segment, which
        need not be level.

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
    first, last = (beat.index(edge) for edge in _QRS_WITHIN_MS)
    steepest = size[:, first : last + 1].max(axis=1)
    noise = np.quantile(
        size[:, beat.index(_NOISE_MS[0]) : beat.index(_NOISE_MS[1])], _CALM_SHARE, axis=1
    )
    alive = steepest > 1e-9 * max(float(steepest.max()), 1e-300)
    scale = (steepest + _NOISE_SPREADS * noise)[alive, None]
    later = np.arange(rows_mv.shape[1]) + round(_ST_MS * per_ms)
    st_segment = from_st * slow[alive][:, np.minimum(later, rows_mv.shape[1] - 1)]
    slopes = [
        np.abs(gaussian_filter1d(rows_mv[alive], width * per_ms, axis=1, order=1) - st_segment)
        / scale
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
    nearby = curves[[1, 5, 9, 13]]
    first, last = time_ms[0], time_ms[-1]
    columns = [np.interp(at_ms, time_ms, curve) for curve in curves]
    for shift in SHIFTS_MS:
        moved = np.clip(at_ms + shift, first, last)
        columns += [np.interp(moved, time_ms, curve) for curve in nearby]
    return np.stack(columns, axis=1)


def _ranked(kind: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `SHARES` of the leads at every moment, faster than numpy's own quantile."""
    ordered = np.sort(kind, axis=0)
    place = np.asarray(SHARES) * (len(ordered) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    share = (place - below)[:, None]
    return np.asarray(ordered[below] * (1 - share) + ordered[above] * share)


MIN_RATE_HZ = 250.0
LONGEST_QRS_MS = 220.0
SHORTEST_QRS_MS = 40.0

FEW_LEADS = 8
"""Below, the limits are the first onset and the last end of the leads themselves."""

_GLOBAL_ODDS = (-3.0, -3.5)
"""Logarithms of the odds at onset and end of the global QRS; in the median lead they are even. They
are without bias against the second earliest and second latest mark on LUDB's odd records. A mark
that one lead alone has is most often a slip: to meet it as well, one in five normal ECGs of PTB-XL
would be 120 ms wide or more."""

# How the odds are searched: set by eye on the odd records of LUDB and on PTB-XL.
_CAPTURED_MS = 60.0  # from a spike to R at least: one that comes later falls into a conducted QRS
_BEHIND_SPIKE_MS = 16.0  # what a spike and its tail hide
_STEP_MS = 2.0
_REACH_MS = (-200.0, 230.0)
_FAST = 0.4  # of the steepest common slope: parts of a QRS, and never of P or T
_RIGHT_LEAD = "V1"
_CALM_MS = 16.0  # of "no QRS" end it
_GLOBAL_FAR_MS = 45.0  # from the median lead's limit: a neighbouring wave, no QRS
_LIMB_BASIS = ("I", "II")
_FOLLOWING = ("III", "aVR", "aVL", "aVF")


@dataclass(frozen=True)
class QrsBounds:
    """The QRS of a median beat.

    Attributes
    ----------
    on_ms, off_ms : float
        Onset and end in the median lead, relative to R.
    flags : tuple of str
        What makes a limit doubtful, in words.
    global_ms : (float, float) or None
        As `first_and_last_ms`; None where these are `on_ms` and `off_ms`.
    """

    on_ms: float
    off_ms: float
    flags: tuple[str, ...] = ()
    global_ms: tuple[float, float] | None = None

    @property
    def qrs_ms(self) -> float:
        """Duration in the median lead."""
        return self.off_ms - self.on_ms

    @property
    def first_and_last_ms(self) -> tuple[float, float]:
        """First onset and last end over all leads, relative to R."""
        return self.global_ms or (self.on_ms, self.off_ms)

    @property
    def qrs_global_ms(self) -> float:
        """Duration over all leads, which the limits of guidelines are meant for."""
        first, last = self.first_and_last_ms
        return last - first


def delineate_qrs(beat: MedianBeat) -> QrsBounds:
    """Find the QRS's limits over all leads.

    Parameters
    ----------
    beat : MedianBeat
        Any leads, at 250 Hz or more (see `filters.resample`). Pacemaker spikes bridged, and
        named in `MedianBeat.spikes_ms`: no QRS begins before the spike that paces it.

    Returns
    -------
    QrsBounds
        Interpolated between samples. Of eight leads or more the limits are common ones, made for
        what readers mark in the median one of twelve leads, and the global ones for what they mark
        first and last, so that one bad lead has no say; of fewer leads both are the first onset
        and the last end.

    Raises
    ------
    DataError
        If nothing moves, the potentials never come to rest before or behind the QRS, or the rate
        is too low.

    Notes
    -----
    Limits of no plausible QRS (longer than 220 ms, shorter than 40) are kept, with a flag.

    Examples
    --------
    >>> from cardio_ecg_transfer.signal.delineation.median_beat import median_beat
    >>> time_s = np.arange(5000) / 500
    >>> ecg_mv = np.exp(-0.5 * (((time_s % 1) - 0.5) / 0.012) ** 2)
    >>> beat = median_beat([ecg_mv], 500.0, np.arange(250, 5000, 500), ("II",))
    >>> 60 < delineate_qrs(beat).qrs_ms < 105
    True
    """
    if beat.rate_hz < MIN_RATE_HZ:
        raise DataError(
            f"QRS: expected {MIN_RATE_HZ:g} Hz or more, found {beat.rate_hz:g} Hz; resample first"
        )
    inner = beat.signal_mv[:, beat.index(_REACH_MS[0]) : beat.index(_REACH_MS[1]) + 1]
    moves = np.ptp(inner, axis=1) > 0
    if not moves.any():
        raise DataError(
            "QRS: expected a complex around R, found a flat beat; leave the recording out"
        )
    if moves.sum() < FEW_LEADS:
        on_ms, off_ms = first_ms, last_ms = _extremes(beat, moves)
    else:
        on_ms, first_ms = _limits(beat, lead_slopes(beat), 0)
        off_ms, last_ms = _limits(beat, lead_slopes(beat, from_st=True), 1)
    hidden = [at_ms + _BEHIND_SPIKE_MS for at_ms in beat.spikes_ms if at_ms <= -_CAPTURED_MS]
    on_ms, first_ms = max([on_ms, *hidden]), max([first_ms, *hidden])
    qrs_ms = off_ms - on_ms
    if not np.isfinite(qrs_ms):
        raise DataError(
            "QRS: expected a quiet stretch before and after it, found none within "
            f"{-_REACH_MS[0]:g} and {_REACH_MS[1]:g} ms of R; use a cleaner recording"
        )
    flags = (
        ()
        if SHORTEST_QRS_MS <= qrs_ms <= LONGEST_QRS_MS
        else (f"QRS of {qrs_ms:.0f} ms is not plausible",)
    )
    # Where the leads do not come to rest, or the limits are of another kind, one pair is both.
    reaches = max(on_ms - first_ms, last_ms - off_ms) <= _GLOBAL_FAR_MS
    return QrsBounds(on_ms, off_ms, flags, (first_ms, last_ms) if reaches and not flags else None)


def spatial_velocity(beat: MedianBeat, smoothing_ms: float) -> NDArray[np.float64]:
    """Measure how fast the potentials move: root mean square over leads of their slopes.

    Parameters
    ----------
    beat : MedianBeat
        Where I and II are among its leads, III and the augmented ones, which follow from them,
        have no say.
    smoothing_ms : float
        Standard deviation of the Gaussian low-pass.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        mV/ms, 0 or more.
    """
    leads = beat.leads
    if set(_LIMB_BASIS) <= set(leads):
        leads = tuple(lead for lead in leads if lead not in _FOLLOWING)
    per_ms = beat.rate_hz / 1000
    slope = gaussian_filter1d(beat.rows(leads), smoothing_ms * per_ms, axis=1, order=1) * per_ms
    return np.asarray(np.sqrt((slope**2).mean(axis=0)))


def _limits(beat: MedianBeat, slopes: NDArray[np.float64], side: int) -> tuple[float, float]:
    """Return where the QRS of these leads begins (0) or ends (1); NaN if it never does.

    First in the median one of the leads, then in all but one of them.
    """
    which = "one lead" if slopes.shape[1] == 1 else "all leads"
    weights = fitted("limits")[f"{which}, {('onset', 'end')[side]}"]
    away = int(np.sign(_REACH_MS[side]))
    at_ms = np.arange(_last_fast_ms(beat, slopes, side), _REACH_MS[side], away * _STEP_MS)
    if not at_ms.size:
        return np.nan, np.nan
    made = features(slopes, beat.time_ms, at_ms)
    odds = weights[0] + made @ weights[1:]
    return _falls_below(0.0, odds, at_ms), _falls_below(_GLOBAL_ODDS[side], odds, at_ms)


def _falls_below(level: float, odds: NDArray[np.float64], at_ms: NDArray[np.float64]) -> float:
    """Return when the odds fall below a level and stay there; NaN if they never do."""
    odds = odds - level
    n_calm = round(_CALM_MS / _STEP_MS)
    calm = np.lib.stride_tricks.sliding_window_view(odds < 0, n_calm).all(axis=1)
    if not calm.any():
        return np.nan
    at = int(calm.argmax())
    if at == 0:
        return float(at_ms[0])
    share = odds[at - 1] / (odds[at - 1] - odds[at])
    return float(at_ms[at - 1] + share * (at_ms[at] - at_ms[at - 1]))


def _last_fast_ms(beat: MedianBeat, slopes: NDArray[np.float64], side: int) -> float:
    """Return the outermost moment of fast change: blocks rest in mid-QRS, too."""
    together = np.sort(slopes[0], axis=0)[-min(2, slopes.shape[1])]
    if side and slopes.shape[1] == len(beat.leads) and _RIGHT_LEAD in beat.leads:
        # The late R' of right bundle branch block may show there alone.
        together = np.maximum(together, slopes[0, beat.leads.index(_RIGHT_LEAD)])
    first, last = (beat.index(edge) for edge in _QRS_WITHIN_MS)
    inside = together[first : last + 1]
    fast = first + np.flatnonzero(inside > _FAST * inside.max())
    if not fast.size:
        return 0.0
    at_ms = float(beat.time_ms[fast[0 if side == 0 else -1]])
    return min(at_ms, 0.0) if side == 0 else max(at_ms, 0.0)


def _extremes(beat: MedianBeat, moves: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the first onset and the last end of single leads; NaN where none has one.

    Leads that follow from I and II have no say where these are there.
    """
    leads = [lead for lead, alive in zip(beat.leads, moves, strict=True) if alive]
    if set(_LIMB_BASIS) <= set(leads):
        leads = [lead for lead in leads if lead not in _FOLLOWING]
    found = np.full((2, len(leads)), np.nan)
    for place, lead in enumerate(leads):
        signal_mv = beat.signal_mv[[beat.leads.index(lead)]]
        slopes = lead_slopes(replace(beat, signal_mv=signal_mv))
        found[:, place] = [_limits(beat, slopes, side)[0] for side in (0, 1)]
    known = np.isfinite(found)
    if not known.any(axis=1).all():
        return np.nan, np.nan
    return float(found[0, known[0]].min()), float(found[1, known[1]].max())


MIN_WAVE = 0.05
"""Smallest q, r or s that counts in a criterion, in units of the leads' median height: 0.05 mV of a
usual QRS of 1 mV. CSE's smallest wave, 0.02 mV, is noise here."""

# Of waves and notches: set on synthetic complexes and the LBBB and RBBB of PTB-XL.
_SMOOTHING_MS = 4.0
_NOTCH_FROM_MS = 40.0  # Strauss 2011: a notch begins after the first 40 ms
_NOTCH_HEIGHT = 0.25  # of the largest deflection, on its own side of the baseline
_TURN = 0.05
_TAIL_MS, _TAIL = 20.0, 0.3  # one lead's last wave may end behind the limit of all
_SLOW = 0.7  # of the slopes on either side
_FAST_OF_WAVE = 0.15  # of the QRS's steepest slope


@dataclass(frozen=True)
class QrsWaves:
    """The QRS of one lead.

    Attributes
    ----------
    peaks_mv : tuple of float
        Height of each wave of `MIN_WAVE` or more, in their order, negative downwards: an rS complex
        is ``(0.2, -1.1)``, a QS complex ``(-1.3,)``. Empty where the lead shows no QRS.
    peaks_ms : tuple of float
        Times of these peaks from the global QRS onset.
    widths_ms : tuple of float
        How long each wave stays on its side of the baseline; the last one, up to 20 ms longer than
        the global QRS, while it keeps 0.3 of its height.
    net_area_uvs : float
        Integral over the QRS.
    notched : bool
        Whether a notch or slur breaks the main wave after the first 40 ms.
    fragmented : bool
        Whether the complex turns back within a wave, by a twentieth of its height, or has four
        waves or more: RSR'S', a notched R or S.
    """

    peaks_mv: tuple[float, ...]
    peaks_ms: tuple[float, ...]
    widths_ms: tuple[float, ...]
    net_area_uvs: float
    notched: bool
    fragmented: bool = False

    @property
    def r_mv(self) -> float:
        """Tallest upward wave, 0 if there is none."""
        return max((peak for peak in self.peaks_mv if peak > 0), default=0.0)

    @property
    def s_mv(self) -> float:
        """Depth of the deepest downward wave behind the first upward one (of QS itself)."""
        first_r = next((i for i, peak in enumerate(self.peaks_mv) if peak > 0), 0)
        return max((-peak for peak in self.peaks_mv[first_r:] if peak < 0), default=0.0)

    @property
    def q_mv(self) -> float:
        """Depth of a downward wave that begins the complex, 0 if it begins upwards."""
        return -self.peaks_mv[0] if self.peaks_mv and self.peaks_mv[0] < 0 else 0.0

    @property
    def r_peak_ms(self) -> float:
        """Time from the global onset to the tallest upward peak, NaN if there is none."""
        tallest = max(zip(self.peaks_mv, self.peaks_ms, strict=True), default=(0.0, np.nan))
        return tallest[1] if tallest[0] > 0 else float("nan")

    @property
    def is_qs_or_rs(self) -> bool:
        """Whether the complex goes down, at most behind a smaller r: QS or rS."""
        signs = tuple(peak > 0 for peak in self.peaks_mv)
        return signs == (False,) or (signs == (True, False) and self.s_mv > self.r_mv)


def qrs_waves(beat: MedianBeat, qrs: QrsBounds, lead: str) -> QrsWaves:
    """Take one lead's QRS apart at its crossings of the baseline.

    Parameters
    ----------
    beat : MedianBeat
        With the lead.
    qrs : QrsBounds
        The global QRS.
    lead : str
        Which.

    Raises
    ------
    DataError
        If the beat lacks the lead.

    Examples
    --------
    >>> ms = np.arange(-200, 280) * 2.0
    >>> rs_mv = 0.3 * np.exp(-0.5 * ((ms + 20) / 6) ** 2) - np.exp(-0.5 * ((ms - 10) / 9) ** 2)
    >>> rs_mv = rs_mv[None].astype(np.float32)
    >>> beat = MedianBeat(rs_mv, 500.0, 200, ("V1",), 9, 0, 0.8, 0 * rs_mv)
    >>> waves = qrs_waves(beat, QrsBounds(-36.0, 36.0), "V1")
    >>> [round(peak, 1) for peak in waves.peaks_mv], waves.peaks_ms, waves.is_qs_or_rs
    ([0.3, -1.0], (16.0, 46.0), True)
    """
    whole = gaussian_filter1d(beat.rows((lead,))[0], _SMOOTHING_MS * beat.rate_hz / 2000)
    least_mv = MIN_WAVE * typical_height_mv(beat, qrs)
    low, high = (beat.index(qrs.on_ms + edge) for edge in LEVEL_MS)
    first, last = beat.index(qrs.on_ms), beat.index(qrs.off_ms)
    inside = whole[first : last + 1] - whole[low : high + 1].mean()
    step_ms = 1000.0 / beat.rate_hz
    runs = _runs(inside, least_mv)
    widths_ms = [(stop - start) * step_ms for start, stop in runs]
    if runs and runs[-1][1] == inside.size:
        end = last + 1 + round(_TAIL_MS / step_ms)
        tail = whole[last + 1 : end] - whole[low : high + 1].mean()
        peak_mv = inside[slice(*runs[-1])]
        high_mv = peak_mv[np.abs(peak_mv).argmax()]
        still = tail * np.sign(high_mv) >= _TAIL * abs(high_mv)
        widths_ms[-1] += (still.size if still.all() else int((~still).argmax())) * step_ms
    tops = [start + int(np.abs(inside[start:stop]).argmax()) for start, stop in runs]
    return QrsWaves(
        peaks_mv=tuple(float(inside[top]) for top in tops),
        peaks_ms=tuple(top * step_ms for top in tops),
        widths_ms=tuple(widths_ms),
        net_area_uvs=float(inside.sum() * step_ms),
        notched=_notched(inside, beat.rate_hz),
        fragmented=len(runs) > 3 or any(_turns_back(inside[slice(*run)]) for run in runs),
    )


def typical_height_mv(beat: MedianBeat, qrs: QrsBounds) -> float:
    """Return the median over leads of the largest deflection from the level before the QRS."""
    low, high = (beat.index(qrs.on_ms + edge) for edge in LEVEL_MS)
    inside = beat.signal_mv[:, beat.index(qrs.on_ms) : beat.index(qrs.off_ms) + 1]
    level = beat.signal_mv[:, low : high + 1].mean(axis=1, keepdims=True)
    return float(np.median(np.abs(inside - level).max(axis=1)))


def _runs(inside: NDArray[np.float64], least_mv: float) -> list[tuple[int, int]]:
    """Return where the curve stays on one side of zero, for the waves that are large enough.

    Two such waves of the same sign are one where only a smaller crossing parts them. A last one
    that only leads to a raised or lowered ST segment is none: in left bundle branch block it would
    make an r' of every QS in V1.
    """
    turns = np.flatnonzero(np.diff(np.signbit(inside))) + 1
    edges = [0, *turns.tolist(), inside.size]
    runs: list[tuple[int, int]] = []
    for start, stop in pairwise(edges):
        if np.abs(inside[start:stop]).max() < least_mv:
            continue
        if runs and (inside[runs[-1][0]] > 0) == (inside[start] > 0):
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    end_mv = abs(inside[-1])
    if runs and end_mv >= least_mv:
        last_mv = np.abs(inside[slice(*runs[-1])]).max()
        if last_mv - end_mv < least_mv:
            runs.pop()
    return runs


def _turns_back(wave: NDArray[np.float64]) -> bool:
    """Tell whether a wave falls and rises again by 5 % of its height before it ends."""
    size = np.abs(wave)
    top = int(size.argmax())
    drop = 0.0
    for flank in (size[: top + 1][::-1], size[top:]):
        drop = max(drop, float((flank - np.minimum.accumulate(flank)).max()))
    return drop > _TURN * float(size[top])


def _notched(inside: NDArray[np.float64], rate_hz: float) -> bool:
    """Tell whether the main wave slows down twice or more after the first 40 ms.

    A smooth wave comes to rest once, at its peak. A slur adds one slow point on a flank, a notch
    two. Slow is a minimum of the slope's size well below the maxima on either side of it.
    """
    slope = np.abs(np.gradient(gaussian_filter1d(inside, _SMOOTHING_MS * rate_hz / 2000)))
    steepest = slope.max()
    main = np.sign(inside[np.abs(inside).argmax()])
    high = inside * main >= _NOTCH_HEIGHT * np.abs(inside).max()
    late = np.arange(inside.size) >= _NOTCH_FROM_MS * rate_hz / 1000
    lows = [
        i for i in range(1, slope.size - 1) if slope[i] <= slope[i - 1] and slope[i] < slope[i + 1]
    ]
    n_slow, edge = 0, 0
    for position, low in enumerate(lows):
        stop = lows[position + 1] if position + 1 < len(lows) else slope.size
        nearby = min(slope[edge:low].max(), slope[low:stop].max())
        if slope[low] < _SLOW * nearby and nearby > _FAST_OF_WAVE * steepest:
            n_slow += bool(high[low] and late[low])
            edge = low
    return n_slow >= 2
