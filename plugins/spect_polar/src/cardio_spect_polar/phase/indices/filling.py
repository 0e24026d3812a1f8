"""The cavity's volume over the cycle, and how fast it empties and fills."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_TIMES = 32
"""Times of a volume curve, whatever the gates."""

MANY_GATES = 16
"""From so many gates on a fourth harmonic is above the noise; fewer flatten fast filling."""

_N_FINE = 512


@dataclass(frozen=True)
class Filling:
    """Rates of the volume curve; all NaN where the RR interval is not known.

    Attributes
    ----------
    peak_filling_rate_edv_s, peak_ejection_rate_edv_s : float
        End-diastolic volumes a second, both positive.
    time_to_peak_filling_ms : float
        From end-systole, the smallest volume, to the fastest filling.
    """

    peak_filling_rate_edv_s: float
    time_to_peak_filling_ms: float
    peak_ejection_rate_edv_s: float


FILLING_UNITS = {
    "peak_filling_rate_edv_s": "EDV/s", "time_to_peak_filling_ms": "ms",
    "peak_ejection_rate_edv_s": "EDV/s",
}  # fmt: skip
"""Unit of each rate, in their order."""


def volume_curve(gated_ml: ArrayLike, n_times: int = N_TIMES) -> NDArray[np.float64]:
    """Return the volume at equal times of the cycle, smooth, from the volumes of the gates.

    Parameters
    ----------
    gated_ml : array-like, shape (n_slots,)
        Volume in each gate, the first of which begins at the R wave.
    n_times : int
        Time k is (k + 1/2) / n_times of the cycle.

    Returns
    -------
    ndarray, shape (n_times,)
        Of three harmonics, two of six gates; what each gate's duration averages is undone. It is
        the curve whose extremes are the end-diastolic and the end-systolic volume.

    Examples
    --------
    >>> times = (np.arange(32) + 0.5) / 32
    >>> gates = 100 + 40 * np.sinc(1 / 8) * np.cos(2 * np.pi * (np.arange(8) + 0.5) / 8)
    >>> bool(np.allclose(volume_curve(gates), 100 + 40 * np.cos(2 * np.pi * times)))
    True
    """
    return _course(np.asarray(gated_ml, np.float64), n_times, 3)[0]


def filling(gated_ml: ArrayLike, edv_ml: float, rr_ms: float | None) -> Filling:
    """Return the peak rates of filling and ejection.

    Parameters
    ----------
    gated_ml : array-like, shape (n_slots,)
        Volume in each gate, the first of which begins at the R wave.
    edv_ml : float
        The volume by which rates are divided.
    rr_ms : float or None
        RR interval that the gates divide.

    Notes
    -----
    The slope is of three harmonics, four from 16 gates on. Gates and harmonics flatten fast
    filling: where it lasts a quarter of the cycle, 8 gates lose 11 % of its peak and 16 gates 6 %;
    at a fifth 19 and 14 %, at 15 % of the cycle 32 and 26 %.

    Examples
    --------
    >>> gates = 100 + 40 * np.sinc(1 / 8) * np.cos(2 * np.pi * (np.arange(8) + 0.5) / 8)
    >>> found = filling(gates, 140.0, 1000.0)
    >>> round(found.peak_filling_rate_edv_s, 2), round(found.time_to_peak_filling_ms)
    (1.8, 250)
    """
    if rr_ms is None or not edv_ml > 0:
        return Filling(math.nan, math.nan, math.nan)
    gates = np.asarray(gated_ml, np.float64)
    volume, slope = _course(gates, _N_FINE, 3 if len(gates) < MANY_GATES else 4)
    systole = int(volume.argmin())
    # From end-systole on, so that the course ends with the next ejection.
    after = np.roll(slope, -systole)
    fastest = int(after.argmax())
    per_s = 1000.0 / (edv_ml * rr_ms)
    return Filling(
        peak_filling_rate_edv_s=float(after[fastest] * per_s),
        time_to_peak_filling_ms=fastest / _N_FINE * rr_ms,
        peak_ejection_rate_edv_s=float(-slope.min() * per_s),
    )


def _course(
    gated_ml: NDArray[np.float64], n_times: int, most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return volume and its slope per cycle at equal times, of so many harmonics at most."""
    n_slots = len(gated_ml)
    # Of a harmonic with two gates a period only half is seen.
    order = np.arange(min(most, (n_slots - 1) // 2) + 1)
    waves = np.fft.rfft(gated_ml)[: len(order)] / n_slots
    middle = np.exp(-1j * np.pi * order / n_slots)
    waves = np.where(order > 0, 2, 1) * waves * middle / np.sinc(order / n_slots)
    turns = np.exp(2j * np.pi * np.outer((np.arange(n_times) + 0.5) / n_times, order))
    return (turns @ waves).real, (turns @ (2j * np.pi * order * waves)).real
