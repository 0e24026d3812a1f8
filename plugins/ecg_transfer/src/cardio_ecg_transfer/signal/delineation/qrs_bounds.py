"""Where the QRS begins and ends: over all leads at once, in each lead, and how sure that is.

How fast the leads move, each in units of its own steepest slope and noise, says at every moment
how likely a reader would call it QRS; the limits are where that falls below one half, outwards
from R. The weights were fitted to human marks (`limit_weights`), and no unit is in them: neither
the gain of a recording nor that of one lead moves a limit.

Readers mark the median one of twelve leads there. Guidelines mean another QRS, from the first onset
to the last end over the leads, which is about 17 ms longer: the global one lies further out on the
same curve, where readers set the second earliest onset and the second latest end of twelve.

References
----------
CSE Working Party. Recommendations for measurement standards in quantitative
electrocardiography. Eur Heart J 1985; 6: 815-825 (global onset and end).
Laguna P, Jané R, Caminal P. Automatic detection of wave boundaries in multilead ECG signals.
Comput Biomed Res 1994; 27: 45-60 (slopes relative to the QRS's steepest, outwards from it).
Kalyakulina AI et al. LUDB: a new open-access validation tool for electrocardiogram delineation
algorithms. IEEE Access 2020; 8: 186181-186190 (the human marks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.delineation import limit_weights as fitted
from cardio_ecg_transfer.signal.delineation.limit_features import features, lead_slopes
from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat

SMOOTHING_MS = 4.0
"""Standard deviation of the Gaussian low-pass of `spatial_velocity`: -6 dB at 47 Hz."""

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

_CAPTURED_MS = 60.0  # from a spike to R at least: one that comes later falls into a conducted QRS
_BEHIND_SPIKE_MS = 16.0  # what a spike and its tail hide
_STEP_MS = 2.0
_REACH_MS = (-200.0, 230.0)
_FAST = 0.4  # of the steepest common slope: parts of a QRS, and never of P or T
_FAST_WITHIN_MS = (-130.0, 150.0)
_RIGHT_LEAD = "V1"
_CALM_MS = 16.0  # of "no QRS" end it
_GLOBAL_FAR_MS = 45.0  # from the median lead's limit: a neighbouring wave, no QRS
_ONE_LEAD_FAR_MS = 60.0  # from the common limit: noise of that lead, not its QRS
_FALLBACK_SLOPE = (0.06, 0.13)  # of the steepest common slope, before and behind
_FALLBACK_SMOOTHING_MS = 8.0
_PEAK_MS = (-60.0, 80.0)
_LIMB_BASIS = ("I", "II")
_FOLLOWING = ("III", "aVR", "aVL", "aVF")


@dataclass(frozen=True)
class QrsBounds:
    """The QRS of a median beat.

    Attributes
    ----------
    on_ms, off_ms : float
        Onset and end in the median lead, relative to R.
    on_lead, off_lead : str
        The lead whose own limit lies nearest to the global one; "" where that is not known.
    flags : tuple of str
        What makes a limit doubtful, in words.
    leads_ms : ndarray of float, shape (n_leads, 2), or None
        Onset and end in each lead of the beat; NaN where a lead has no signal, or no limit.
    global_ms : (float, float) or None
        As `first_and_last_ms`; None where these are `on_ms` and `off_ms`.
    """

    on_ms: float
    off_ms: float
    on_lead: str = ""
    off_lead: str = ""
    flags: tuple[str, ...] = ()
    leads_ms: NDArray[np.float64] | None = None
    global_ms: tuple[float, float] | None = None

    def with_silent(self, n: int) -> QrsBounds:
        """Return the limits with `n` further leads that have none."""
        if self.leads_ms is None:
            return self
        return replace(
            self, leads_ms=np.pad(self.leads_ms, ((0, n), (0, 0)), constant_values=np.nan)
        )

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


def delineate_qrs(beat: MedianBeat, *, by_lead: bool = True) -> QrsBounds:
    """Find the QRS's limits over all leads, and in each.

    Parameters
    ----------
    beat : MedianBeat
        Any leads, at 250 Hz or more (see `filters.resample`). Pacemaker spikes bridged, and
        named in `MedianBeat.spikes_ms`: no QRS begins before the spike that paces it.
    by_lead : bool, optional
        Whether each lead is delineated, too.

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
    Where the limits are no QRS (longer than 220 ms, shorter than 40) a share of the steepest
    common slope decides, with a flag; if that is none either, the flag says so.

    Examples
    --------
    >>> from cardio_ecg_transfer.signal.delineation.median_beat import median_beat
    >>> time_s = np.arange(5000) / 500
    >>> ecg_mv = np.exp(-0.5 * (((time_s % 1) - 0.5) / 0.012) ** 2)
    >>> beat = median_beat([ecg_mv], 500.0, np.arange(250, 5000, 500), ("II",))
    >>> qrs = delineate_qrs(beat)
    >>> 60 < qrs.qrs_ms < 105, qrs.on_lead
    (True, 'II')
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
    slopes = lead_slopes(beat)
    few = slopes.shape[1] < FEW_LEADS
    own = _limits_by_lead(beat, slopes) if by_lead or few else None
    if few and own is not None:
        on_ms, off_ms = first_ms, last_ms = _extremes(own[_leading(beat, moves)])
    else:
        (on_ms, first_ms), (off_ms, last_ms) = (_limits(beat, slopes, side) for side in (0, 1))
    hidden = [at_ms + _BEHIND_SPIKE_MS for at_ms in beat.spikes_ms if at_ms <= -_CAPTURED_MS]
    on_ms, first_ms = max([on_ms, *hidden]), max([first_ms, *hidden])
    flags: tuple[str, ...] = ()
    if not SHORTEST_QRS_MS <= off_ms - on_ms <= LONGEST_QRS_MS:
        on_ms, off_ms, more = _by_velocity(beat, on_ms, off_ms)
        flags += more
    # Where the leads do not come to rest, or the limits are of another kind, one pair is both.
    reaches = max(on_ms - first_ms, last_ms - off_ms) <= _GLOBAL_FAR_MS
    whole = (first_ms, last_ms) if reaches and not flags else None
    if own is None:
        return QrsBounds(on_ms, off_ms, flags=flags, global_ms=whole)
    own = _in_place(own, (on_ms, off_ms), beat)
    names = [
        beat.leads[int(np.nanargmin(np.abs(own[:, side] - at)))] if np.isfinite(own[:, side]).any()
        else ""
        for side, at in enumerate((on_ms, off_ms))
    ]  # fmt: skip
    return QrsBounds(on_ms, off_ms, names[0], names[1], flags, own, whole)


def spatial_velocity(beat: MedianBeat, smoothing_ms: float = SMOOTHING_MS) -> NDArray[np.float64]:
    """Measure how fast the potentials move: root mean square over leads of their slopes.

    Parameters
    ----------
    beat : MedianBeat
        Where I and II are among its leads, III and the augmented ones, which follow from them,
        have no say.
    smoothing_ms : float, optional
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
    one = slopes.shape[1] == 1
    weights = (
        (fitted.ONE_LEAD_ONSET, fitted.ONE_LEAD_END)
        if one
        else (fitted.ALL_LEADS_ONSET, fitted.ALL_LEADS_END)
    )[side]
    away = int(np.sign(_REACH_MS[side]))
    at_ms = np.arange(_last_fast_ms(beat, slopes, side), _REACH_MS[side], away * _STEP_MS)
    if not at_ms.size:
        return np.nan, np.nan
    made = features(slopes, beat.time_ms, at_ms)
    odds = weights[0] + made @ np.asarray(weights[1:])
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
    first, last = (beat.index(edge) for edge in _FAST_WITHIN_MS)
    peak = together[beat.index(_PEAK_MS[0]) : beat.index(_PEAK_MS[1]) + 1].max()
    fast = first + np.flatnonzero(together[first : last + 1] > _FAST * peak)
    if not fast.size:
        return 0.0
    at_ms = float(beat.time_ms[fast[0 if side == 0 else -1]])
    return min(at_ms, 0.0) if side == 0 else max(at_ms, 0.0)


def _limits_by_lead(beat: MedianBeat, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array(
        [
            [_limits(beat, slopes[:, [lead]], side)[0] for side in (0, 1)]
            for lead in range(slopes.shape[1])
        ]
    )


def _leading(beat: MedianBeat, moves: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the leads with a signal that do not follow from I and II, where these are there."""
    leads = [lead for lead, alive in zip(beat.leads, moves, strict=True) if alive]
    follows = set(_FOLLOWING) if set(_LIMB_BASIS) <= set(leads) else set()
    return np.array([lead not in follows for lead in leads])


def _extremes(own: NDArray[np.float64]) -> tuple[float, float]:
    if np.isnan(own).all(axis=0).any():
        return np.nan, np.nan
    return float(np.nanmin(own[:, 0])), float(np.nanmax(own[:, 1]))


def _in_place(
    own: NDArray[np.float64], limits_ms: tuple[float, float], beat: MedianBeat
) -> NDArray[np.float64]:
    """Give each lead its row again, NaN where it is flat or far from the common limits."""
    inner = beat.signal_mv[:, beat.index(_REACH_MS[0]) : beat.index(_REACH_MS[1]) + 1]
    size = np.ptp(inner, axis=1)
    rows = np.full((len(beat.leads), 2), np.nan)
    alive = np.flatnonzero(size > 0)
    if alive.size == len(own):
        rows[alive] = own
    rows[np.abs(rows - np.asarray(limits_ms)) > _ONE_LEAD_FAR_MS] = np.nan
    return rows


def _by_velocity(
    beat: MedianBeat, on_ms: float, off_ms: float
) -> tuple[float, float, tuple[str, ...]]:
    """Take the limits from a share of the steepest common slope; say so, and what they are."""
    velocity = spatial_velocity(beat, _FALLBACK_SMOOTHING_MS)
    peak = velocity[beat.index(_PEAK_MS[0]) : beat.index(_PEAK_MS[1]) + 1].max()
    found = []
    for side, reach_ms in enumerate(_REACH_MS):
        first, last = sorted((beat.index(0.0), beat.index(reach_ms)))
        outwards = velocity[first : last + 1][:: -1 if side == 0 else 1]
        fast = np.flatnonzero(outwards > 0.3 * peak)
        rest = outwards[fast[-1] :] < _FALLBACK_SLOPE[side] * peak if fast.size else outwards < 0
        if not rest.any():
            where = "behind" if side else "before"
            raise DataError(
                f"QRS: expected a calm stretch {where} it, found none within {abs(reach_ms):g} ms "
                "of R; use a cleaner recording"
            )
        steps = int(fast[-1] + rest.argmax()) * (1 if side else -1)
        found.append(float(steps * 1000.0 / beat.rate_hz))
    if SHORTEST_QRS_MS <= found[1] - found[0] <= LONGEST_QRS_MS:
        return found[0], found[1], ("QRS limits by slope alone",)
    if np.isfinite(off_ms - on_ms):
        found = [on_ms, off_ms]
    return found[0], found[1], (f"QRS of {found[1] - found[0]:.0f} ms is not plausible",)
