"""When things happen in a beat; phases are shares of the interval from R peak to R peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SYSTOLE_ENDS = 0.35
"""Where motion is at its most."""

_KICK = 0.06


@dataclass(frozen=True)
class Beat:
    """The clock of a loop.

    Attributes
    ----------
    hr_bpm : float
        Heart rate.
    first_r_ms : float
        From the first frame to the first R peak.
    """

    hr_bpm: float
    first_r_ms: float = 0.0

    @property
    def rr_ms(self) -> float:
        """Interval from one R peak to the next."""
        return 60_000.0 / self.hr_bpm

    def phase(self, time_ms: ArrayLike) -> NDArray[np.float64]:
        """Return the phase, 0 at an R peak and below 1.

        Examples
        --------
        >>> Beat(60.0, 100.0).phase([100.0, 600.0, 0.0]).tolist()
        [0.0, 0.5, 0.9]
        """
        since = np.asarray(time_ms, dtype=np.float64) - self.first_r_ms
        return np.asarray(np.mod(since, self.rr_ms) / self.rr_ms)

    def r_times_ms(self, length_ms: float) -> list[float]:
        """Return the R peaks of a loop of a length, from its first frame."""
        first = self.first_r_ms % self.rr_ms
        return [float(time) for time in np.arange(first, length_ms, self.rr_ms)]


def contraction(phase: ArrayLike) -> NDArray[np.float64]:
    """Return the course of systole: 0, 1 at its end, back to 0, a little below in atrial systole.

    Examples
    --------
    >>> contraction([0.0, 0.35, 0.7]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    at = np.asarray(phase, dtype=np.float64)
    course = _rise(at, 0.02, SYSTOLE_ENDS) - _rise(at, SYSTOLE_ENDS + 0.02, 0.62)
    return np.asarray(course - _KICK * _bump(at, 0.82, 1.0))


def inflow(phase: ArrayLike) -> NDArray[np.float64]:
    """Return how far the mitral and tricuspid valves are open: E wave, diastasis and A wave."""
    at = np.asarray(phase, dtype=np.float64)
    between = 0.35 * _rise(at, 0.44, 0.5) * (1.0 - _rise(at, 0.94, 1.0))
    waves = np.maximum(_bump(at, 0.42, 0.64), 0.8 * _bump(at, 0.80, 1.0))
    return np.maximum(waves, between)


def outflow(phase: ArrayLike) -> NDArray[np.float64]:
    """Return how far the aortic valve is open."""
    at = np.asarray(phase, dtype=np.float64)
    return _rise(at, 0.05, 0.09) - _rise(at, 0.34, 0.38)


def ecg_mv(phase: ArrayLike) -> NDArray[np.float64]:
    """Return a plain ECG: P wave, QRS complex and T wave as Gaussians."""
    at = np.asarray(phase, dtype=np.float64)
    waves = ((0.12, -0.16, 0.025), (-0.1, -0.025, 0.008), (1.0, 0.0, 0.01), (-0.2, 0.026, 0.01),
             (0.28, 0.3, 0.045))  # fmt: skip
    trace = np.zeros(at.shape)
    for height_mv, middle, width in waves:
        for turn in (-1.0, 0.0, 1.0):
            trace += height_mv * np.exp(-0.5 * ((at - middle + turn) / width) ** 2)
    return trace


def _bump(at: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    """Return a squared sine from 0 over 1 to 0."""
    return np.asarray(np.sin(np.pi * np.clip((at - begin) / (end - begin), 0.0, 1.0)) ** 2)


def _rise(at: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    """Return a smooth step from 0 to 1."""
    return np.asarray(np.sin(0.5 * np.pi * np.clip((at - begin) / (end - begin), 0.0, 1.0)) ** 2)
