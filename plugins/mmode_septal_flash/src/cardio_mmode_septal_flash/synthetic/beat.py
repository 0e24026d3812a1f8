"""When things happen in a beat, and how far the walls go: courses in time.

Times are in ms after the R peak; inward is towards the left ventricle's cavity.

References
----------
Weissler, Harris, Schoenfeld, Circulation 1968;37:149-159 (electromechanical systole, 546 ms less
2.1 ms a beat/min). De Boeck et al., Eur J Heart Fail 2008;10:281-290 (septal deformation in left
bundle branch block: early inward motion, rebound in ejection).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MITRAL_OPENS_AFTER_MS = 75.0
_FALL_MS = 240.0


@dataclass(frozen=True)
class Beat:
    """The clock of a beat.

    Attributes
    ----------
    hr_bpm : float
        Heart rate.
    mvc_ms, avo_ms : float
        Mitral valve closure and aortic valve opening.
    """

    hr_bpm: float
    mvc_ms: float
    avo_ms: float

    @property
    def rr_ms(self) -> float:
        """Interval from one R peak to the next."""
        return 60_000.0 / self.hr_bpm

    @property
    def avc_ms(self) -> float:
        """Aortic valve closure, by Weissler's regression.

        Examples
        --------
        >>> Beat(70.0, 35.0, 110.0).avc_ms
        399.0
        """
        return 546.0 - 2.1 * self.hr_bpm

    def since_r(self, time_ms: ArrayLike, first_r_ms: float) -> NDArray[np.float64]:
        """Return the time since the last R peak, R peaks being equally spaced.

        Examples
        --------
        >>> Beat(60.0, 35.0, 110.0).since_r([0.0, 40.0, 1050.0], first_r_ms=40.0).tolist()
        [960.0, 0.0, 10.0]
        """
        return np.mod(np.asarray(time_ms, dtype=np.float64) - first_r_ms, self.rr_ms)

    def mitral_opening(self, since_r_ms: ArrayLike) -> NDArray[np.float64]:
        """Return how far the mitral leaflets are open, 0 to 1: E wave, diastasis and A wave."""
        t, rr = np.asarray(since_r_ms, dtype=np.float64), self.rr_ms
        opens = min(self.avc_ms + _MITRAL_OPENS_AFTER_MS, 0.85 * rr)
        e_wave = _bump(t, opens, min(opens + 200.0, rr + self.mvc_ms))
        early, late = rr - 130.0, rr + self.mvc_ms
        a_wave = 0.8 * np.maximum(_bump(t, early, late), _bump(t + rr, early, late))
        between = 0.35 * _rise(t, opens, opens + 60.0) * (1.0 - _rise(t, rr - 20.0, rr))
        return np.maximum(np.maximum(e_wave, a_wave), between)

    def atrial_kick(self, since_r_ms: ArrayLike) -> NDArray[np.float64]:
        """Return the course of the base's pull towards the atria before the R peak, 0 to 1."""
        t = np.asarray(since_r_ms, dtype=np.float64)
        return _bump(t, max(self.rr_ms - 170.0, 0.75 * self.rr_ms), self.rr_ms)

    def contraction(self, since_r_ms: ArrayLike, onset_ms: float) -> NDArray[np.float64]:
        """Return the course of systolic motion: 0, monotone to 1 at valve closure, back to 0."""
        t = np.asarray(since_r_ms, dtype=np.float64)
        back = min(self.avc_ms + _FALL_MS, self.rr_ms - 5.0)
        return _rise(t, onset_ms, self.avc_ms) - _rise(t, self.avc_ms, back)


@dataclass(frozen=True)
class SeptalMotion:
    """What the septum does, at the point where the M-mode's line crosses it.

    Attributes
    ----------
    flash_mm : float
        Inward excursion of the septal flash; 0 is none.
    onset_ms, duration_ms : float
        When it begins, and how long it takes in and out.
    rebound_mm : float
        Outward excursion from its end to aortic valve closure.
    systolic_mm, systolic_onset_ms : float
        Monotone inward motion until aortic valve closure, and when it begins.
    """

    flash_mm: float
    onset_ms: float
    duration_ms: float
    rebound_mm: float
    systolic_mm: float
    systolic_onset_ms: float

    @property
    def end_ms(self) -> float:
        """When the flash is over."""
        return self.onset_ms + self.duration_ms

    def inward_mm(self, since_r_ms: ArrayLike, beat: Beat) -> NDArray[np.float64]:
        """Return the inward displacement in mm at times since the R peak.

        Examples
        --------
        >>> flash = SeptalMotion(4.0, 20.0, 80.0, 1.5, 0.0, 30.0)
        >>> beat = Beat(70.0, 35.0, 110.0)  # aortic valve closure at 399 ms
        >>> flash.inward_mm([0.0, 60.0, 100.0, 249.5, 399.0], beat).round(3).tolist()
        [0.0, 4.0, 0.0, -1.5, 0.0]
        """
        t = np.asarray(since_r_ms, dtype=np.float64)
        return (
            self.flash_mm * _bump(t, self.onset_ms, self.end_ms)
            - self.rebound_mm * _bump(t, self.end_ms, beat.avc_ms)
            + self.systolic_mm * beat.contraction(t, self.systolic_onset_ms)
        )


def ecg_mv(since_r_ms: ArrayLike, beat: Beat) -> NDArray[np.float64]:
    """Return a plain ECG: P wave, QRS complex and T wave as Gaussians."""
    t = np.asarray(since_r_ms, dtype=np.float64)
    waves = (
        (0.12, -150.0, 22.0), (-0.1, -22.0, 7.0), (1.0, 0.0, 9.0), (-0.2, 24.0, 9.0),
        (0.28, 0.68 * beat.avc_ms, 42.0),
    )  # fmt: skip
    trace = np.zeros(t.shape)
    for height_mv, at_ms, width_ms in waves:
        for turn in (-beat.rr_ms, 0.0, beat.rr_ms):
            trace += height_mv * np.exp(-0.5 * ((t - at_ms + turn) / width_ms) ** 2)
    return trace


def _bump(t: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    """Return a squared sine from 0 over 1 to 0."""
    share = np.clip((t - begin) / (end - begin), 0.0, 1.0)
    return np.asarray(np.sin(np.pi * share) ** 2, dtype=np.float64)


def _rise(t: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    """Return a smooth step from 0 to 1."""
    share = np.clip((t - begin) / (end - begin), 0.0, 1.0)
    return np.asarray(np.sin(0.5 * np.pi * share) ** 2, dtype=np.float64)
