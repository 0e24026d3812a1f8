"""Axes in the frontal plane: of any vector, and of the P and T waves of a median beat."""

from __future__ import annotations

import numpy as np

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.p_and_t import WaveBounds
from cardio_ecg_transfer.signal.delineation.qrs_bounds import QrsBounds

_LEVEL_MS = (-16.0, -2.0)  # before the QRS's onset
_ST_MS = 60.0
_LEADS = ("I", "aVF")


def frontal_axis_deg(lead_i: float, lead_avf: float) -> float:
    """Return the direction of a frontal vector from its size in I and aVF.

    Parameters
    ----------
    lead_i, lead_avf : float
        Net area (or net height) of the QRS, in the same unit.

    Returns
    -------
    float
        Degrees, above -180 to 180. In Einthoven's triangle a vector projects on aVF at √3/2 of its
        size in the scale of I, hence the factor.

    Examples
    --------
    >>> [round(frontal_axis_deg(*sizes)) for sizes in ((1, 0), (0, 1), (1, -(3**0.5) / 2))]
    [0, 90, -45]
    """
    return float(np.degrees(np.arctan2(lead_avf * 2 / np.sqrt(3), lead_i)))


def p_axis_deg(beat: MedianBeat, p_wave: WaveBounds | None) -> float:
    """Return the axis of the P wave's area above the line from its onset to its end.

    Parameters
    ----------
    beat : MedianBeat
        Without I and aVF the axis is NaN.
    p_wave : WaveBounds or None
        Without one, too.
    """
    if p_wave is None or not set(_LEADS) <= set(beat.leads):
        return float("nan")
    rows = beat.rows(_LEADS)[:, beat.index(p_wave.on_ms) : beat.index(p_wave.off_ms) + 1]
    chord = np.linspace(rows[:, 0], rows[:, -1], rows.shape[1], axis=1)
    return frontal_axis_deg(*(rows - chord).sum(axis=1))


def t_axis_deg(beat: MedianBeat, qrs: QrsBounds, t_wave: WaveBounds | None) -> float:
    """Return the axis of the area from 60 ms behind the QRS to the end of T.

    Parameters
    ----------
    beat : MedianBeat
        Without I and aVF the axis is NaN.
    qrs : QrsBounds
        Its QRS; the level before it is zero.
    t_wave : WaveBounds or None
        Without one, too.

    Examples
    --------
    A T wave that I and aVF see alike: in Einthoven's triangle at 49 degrees.

    >>> ms = np.arange(-200, 280) * 2.0
    >>> rows_mv = np.tile(0.3 * np.exp(-0.5 * ((ms - 300) / 40) ** 2), (2, 1)).astype(np.float32)
    >>> beat = MedianBeat(rows_mv, 500.0, 200, ("I", "aVF"), 9, 0, 0.8, 0 * rows_mv)
    >>> round(t_axis_deg(beat, QrsBounds(-40.0, 40.0), WaveBounds(np.nan, 300.0, 400.0)))
    49
    """
    if t_wave is None or not set(_LEADS) <= set(beat.leads):
        return float("nan")
    rows = beat.rows(_LEADS)
    first, last = (beat.index(qrs.on_ms + edge) for edge in _LEVEL_MS)
    level = rows[:, first : last + 1].mean(axis=1, keepdims=True)
    begin, end = beat.index(qrs.off_ms + _ST_MS), beat.index(t_wave.off_ms)
    return frontal_axis_deg(*(rows[:, begin : end + 1] - level).sum(axis=1))
