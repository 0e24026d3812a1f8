"""The baseline without a network: how far and when the septum moves inward after the R peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_mmode_septal_flash.motion.tracking import track_septum

N_TRACE = 100
"""Samples of a trace, from the R peak to one sample before the next."""

FLASH_WINDOW_MS = 180.0
"""A septal flash peaks while the QRS complex lasts or just after it, before ejection."""

_BACK_MS = 120.0
_LEAST_MM = 0.05

MEASURES = (
    ("excursion_mm", "mm"),
    ("onset_ms", "ms"),
    ("peak_ms", "ms"),
    ("duration_ms", "ms"),
    ("rebound_mm", "mm"),
    ("early_inward_mm", "mm"),
    ("range_mm", "mm"),
    ("fit", "1"),
)
"""Names and units of what `SeptalMotion.measures` holds."""


@dataclass(frozen=True, eq=False)
class SeptalMotion:
    """What the septum does in one cycle.

    Attributes
    ----------
    trace_mm : ndarray of float32, shape (100,)
        Displacement from the R peak, towards the left ventricle positive, over the cycle.
    excursion_mm : float
        Height of the early inward peak above the higher of its feet: the R peak, and the lowest
        place within 120 ms after the peak. 0 where the septum only goes on inward, or never does.
    onset_ms, peak_ms, duration_ms : float
        Of that peak; onset and duration as of a squared sine of the same width at half its height.
        0 where there is none.
    rebound_mm : float
        How far the septum goes outward beyond its place at the R peak within 400 ms after it.
    early_inward_mm : float
        Largest inward displacement within 180 ms, peak or not.
    range_mm : float
        From the innermost to the outermost place in the cycle.
    fit : float
        How alike the columns of the M-mode are once moved onto each other, -1 to 1.
    """

    trace_mm: NDArray[np.float32]
    excursion_mm: float
    onset_ms: float
    peak_ms: float
    duration_ms: float
    rebound_mm: float
    early_inward_mm: float
    range_mm: float
    fit: float

    def measures(self) -> NDArray[np.float32]:
        """Return the numbers in the order of `MEASURES`."""
        return np.array([getattr(self, name) for name, _ in MEASURES], dtype=np.float32)


def septal_motion(
    mmodes: NDArray[np.uint8], mm_per_row: float, rr_ms: float, *, from_mm: float = -30.0
) -> SeptalMotion:
    """Measure the septum's motion in the M-modes of one study.

    Parameters
    ----------
    mmodes : ndarray of uint8, shape (n_lines, n_rows, n_columns)
        On neighbouring points of the septum, with one normal. Their mean is followed: the wall is
        at the same place in all, the speckle is not.
    mm_per_row : float
        Distance of rows.
    rr_ms : float
        Length of the cycle.
    from_mm : float
        Place of row 0 along the line.

    Notes
    -----
    Displacement is that of the wall's middle along the line. No motion from column to column is
    added up, so that nothing drifts.

    Examples
    --------
    >>> row_mm = np.linspace(-30, 60, 301)[:, None]
    >>> time_ms = np.arange(400) * 2.0
    >>> flash_mm = 4 * np.sin(np.pi * np.clip((time_ms - 20) / 80, 0, 1)) ** 2
    >>> wall = np.where(np.abs(row_mm - flash_mm) < 4.5, 160, 15).astype(np.uint8)
    >>> motion = septal_motion(wall[None], 0.3, 800.0)
    >>> abs(motion.excursion_mm - 4) < 0.3, abs(motion.onset_ms - 20) < 8
    (True, True)
    """
    path = track_septum(mmodes.mean(axis=0), mm_per_row, rr_ms, from_mm=from_mm)
    inward = path.position_mm - path.position_mm[0]
    excursion, onset, peak, duration = _early_peak(path.time_ms, inward)
    at = np.arange(N_TRACE) * (rr_ms / N_TRACE)
    trace = np.interp(at, path.time_ms, inward)
    after = (path.time_ms >= peak) & (path.time_ms <= peak + 400.0)
    early = path.time_ms <= FLASH_WINDOW_MS
    return SeptalMotion(
        trace_mm=trace.astype(np.float32),
        excursion_mm=excursion,
        onset_ms=onset,
        peak_ms=peak,
        duration_ms=duration,
        rebound_mm=max(0.0, -float(inward[after].min())),
        early_inward_mm=max(0.0, float(inward[early].max())),
        range_mm=float(np.ptp(inward)),
        fit=path.fit,
    )


def _early_peak(
    time_ms: NDArray[np.float64], inward_mm: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """Return height, onset, time and duration of the highest early peak; zeros for none."""
    best = (0.0, 0.0, 0.0, 0.0)
    inner = np.flatnonzero((inward_mm[1:-1] >= inward_mm[:-2]) & (inward_mm[1:-1] > inward_mm[2:]))
    for top in inner + 1:
        at = float(time_ms[top])
        if at > FLASH_WINDOW_MS:
            break
        after = (time_ms > at) & (time_ms <= at + _BACK_MS)
        foot = max(float(inward_mm[: top + 1].min()), float(inward_mm[after].min()))
        height = float(inward_mm[top]) - foot
        if height > max(best[0], _LEAST_MM):
            best = (height, *_width(time_ms, inward_mm, int(top), foot + 0.5 * height))
    return best


def _width(
    time_ms: NDArray[np.float64], inward_mm: NDArray[np.float64], top: int, level: float
) -> tuple[float, float, float]:
    """Return onset, time and duration of a peak from where it crosses half its height."""
    before = np.flatnonzero(inward_mm[:top] < level)
    rise = float(time_ms[0])
    if before.size:
        low = int(before[-1])
        rise = float(np.interp(level, inward_mm[low : low + 2], time_ms[low : low + 2]))
    below = top + np.flatnonzero(inward_mm[top:] < level)
    fall = float(time_ms[-1])
    if below.size:
        high = int(below[0])
        pair = slice(high - 1, high + 1)
        fall = float(np.interp(level, inward_mm[pair][::-1], time_ms[pair][::-1]))
    duration = 2.0 * (fall - rise)
    return max(0.0, rise - 0.25 * duration), float(time_ms[top]), duration
