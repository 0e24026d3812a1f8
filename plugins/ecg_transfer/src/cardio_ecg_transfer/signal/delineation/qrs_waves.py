"""The waves of one lead's QRS: q, R, S, R', their heights and times, notches and slurs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds

MIN_WAVE = 0.05
"""Smallest q, r or s that counts in a criterion, in units of the leads' median height: 0.05 mV of a
usual QRS of 1 mV. CSE's smallest wave, 0.02 mV, is noise here."""

_BASELINE_MS = (-16.0, -2.0)  # before the QRS's onset
_SMOOTHING_MS = 4.0
_NOTCH_FROM_MS = 40.0  # Strauss 2011: a notch begins after the first 40 ms
_NOTCH_HEIGHT = 0.25  # of the largest deflection, on its own side of the baseline
_TURN = 0.05
_TAIL_MS, _TAIL = 20.0, 0.3  # one lead's last wave may end behind the limit of all
_SLOW = 0.7  # of the slopes on either side
_FAST = 0.15  # of the QRS's steepest slope


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
    low, high = (beat.index(qrs.on_ms + edge) for edge in _BASELINE_MS)
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
    low, high = (beat.index(qrs.on_ms + edge) for edge in _BASELINE_MS)
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
        beside = min(slope[edge:low].max(), slope[low:stop].max())
        if slope[low] < _SLOW * beside and beside > _FAST * steepest:
            n_slow += bool(high[low] and late[low])
            edge = low
    return n_slow >= 2
