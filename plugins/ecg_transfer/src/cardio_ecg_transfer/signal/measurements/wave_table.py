"""Every lead's waves as one row of numbers: what a table of measurements beside an ECG holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.delineation.qrs import QrsBounds, qrs_waves
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS

OF_A_LEAD: tuple[tuple[str, str], ...] = (
    ("q_mv", "mV"),
    ("r_mv", "mV"),
    ("s_mv", "mV"),
    ("second_r_mv", "mV"),
    ("last_mv", "mV"),
    ("last_width_ms", "ms"),
    ("n_waves", "1"),
    ("r_peak_ms", "ms"),
    ("qrs_area_uvs", "uV.s"),
    ("begin_mv", "mV"),
    ("end_mv", "mV"),
    ("j_mv", "mV"),
    ("st_mv", "mV"),
    ("t_mv", "mV"),
    ("notched", "1"),
    ("fragmented", "1"),
)
"""Name and unit of what is measured in each lead. ``second_r_mv`` is the height of an r' or R', 0
where there is none; ``last_mv`` and ``last_width_ms`` are of the last wave of the QRS, whichever it
is; ``begin_mv`` and ``end_mv`` are means over its first 30 and last 40 ms; ``st_mv`` is 60 ms after
its end; ``t_mv`` is the largest deflection between 80 and 320 ms after it."""

WAVES: tuple[tuple[str, str], ...] = tuple(
    (f"{lead.lower()}_{name}", unit) for lead in STANDARD_LEADS for name, unit in OF_A_LEAD
)
"""Name and unit of each number of `wave_table`."""

_BEGIN_MS, _END_MS, _ST_MS, _T_MS = 30.0, 40.0, 60.0, (80.0, 320.0)


def wave_table(beat: MedianBeat, qrs: QrsBounds) -> NDArray[np.float32]:
    """Measure the waves of all twelve leads.

    Parameters
    ----------
    beat : MedianBeat
        With the twelve standard leads.
    qrs : QrsBounds
        The global QRS.

    Returns
    -------
    ndarray of float32, shape (192,)
        In the order of `WAVES`. NaN throughout a lead that has no value somewhere, and for the
        time of an R wave that is not there and the width of the last wave of a flat lead.

    Raises
    ------
    DataError
        If the beat lacks a lead.

    Examples
    --------
    >>> ms = np.arange(-200, 280) * 2.0
    >>> rs_mv = 0.3 * np.exp(-0.5 * ((ms + 20) / 6) ** 2) - np.exp(-0.5 * ((ms - 10) / 9) ** 2)
    >>> twelve_mv = np.tile(rs_mv, (12, 1)).astype(np.float32)
    >>> beat = MedianBeat(twelve_mv, 500.0, 200, STANDARD_LEADS, 9, 0, 0.8, 0 * twelve_mv)
    >>> made = dict(zip((name for name, _ in WAVES), wave_table(beat, QrsBounds(-36.0, 36.0))))
    >>> [round(float(made[f"v1_{name}"]), 1) for name in ("r_mv", "s_mv", "n_waves", "last_mv")]
    [0.3, 1.0, 2.0, -1.0]
    """
    return np.concatenate([_of_lead(beat, qrs, lead) for lead in STANDARD_LEADS])


def st_levels_mv(beat: MedianBeat, qrs: QrsBounds) -> NDArray[np.float64]:
    """Measure the ST segment of the twelve leads, from the level before the QRS.

    Parameters
    ----------
    beat : MedianBeat
        With the twelve standard leads.
    qrs : QrsBounds
        Its QRS. J is the last end over all leads: before it some lead is still within the QRS.

    Returns
    -------
    ndarray, shape (12, 2)
        mV at J and 60 ms later.

    Raises
    ------
    DataError
        If the beat lacks a lead.
    """
    first_ms, last_ms = qrs.first_and_last_ms
    at = [beat.index(last_ms), beat.index(last_ms + _ST_MS)]
    return beat.levelled(STANDARD_LEADS, first_ms)[:, at]


def _of_lead(beat: MedianBeat, qrs: QrsBounds, lead: str) -> NDArray[np.float32]:
    (whole,) = beat.levelled((lead,), qrs.on_ms)
    if not np.isfinite(whole).all():
        return np.full(len(OF_A_LEAD), np.nan, np.float32)

    def part(begin_ms: float, end_ms: float) -> NDArray[np.float64]:
        """Return the lead between two times."""
        return np.asarray(whole[beat.index(begin_ms) : beat.index(end_ms) + 1])

    waves = qrs_waves(beat, qrs, lead)
    upward = [peak for peak in waves.peaks_mv if peak > 0]
    t_wave = part(qrs.off_ms + _T_MS[0], qrs.off_ms + _T_MS[1])
    values = {
        "q_mv": waves.q_mv,
        "r_mv": waves.r_mv,
        "s_mv": waves.s_mv,
        "second_r_mv": upward[-1] if len(upward) > 1 else 0.0,
        "last_mv": waves.peaks_mv[-1] if waves.peaks_mv else 0.0,
        "last_width_ms": waves.widths_ms[-1] if waves.widths_ms else np.nan,
        "n_waves": float(len(waves.peaks_mv)),
        "r_peak_ms": waves.r_peak_ms,
        "qrs_area_uvs": waves.net_area_uvs,
        "begin_mv": part(qrs.on_ms, qrs.on_ms + _BEGIN_MS).mean(),
        "end_mv": part(qrs.off_ms - _END_MS, qrs.off_ms).mean(),
        "j_mv": part(qrs.off_ms, qrs.off_ms)[0],
        "st_mv": part(qrs.off_ms + _ST_MS, qrs.off_ms + _ST_MS)[0],
        "t_mv": t_wave[np.abs(t_wave).argmax()],
        "notched": float(waves.notched),
        "fragmented": float(waves.fragmented),
    }
    return np.array([values[name] for name, _ in OF_A_LEAD], np.float32)
