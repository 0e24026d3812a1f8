"""The septum's motion in all beats of a loop: their median, their spread, and the usual one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_mmode_septal_flash.motion.excursion import MEASURES, SeptalMotion

OF_A_PEAK = frozenset(("onset_ms", "peak_ms", "duration_ms"))
"""Measures that only a beat with an early peak has."""

_SAME_MM = 1e-3
_FITS = 0.7


@dataclass(frozen=True, eq=False)
class BeatsMotion:
    """What the septum does in the measured beats of a loop.

    Attributes
    ----------
    beats : tuple of SeptalMotion
        In the order of time; at least one.
    rr_ms : tuple of float
        Length of each.
    """

    beats: tuple[SeptalMotion, ...]
    rr_ms: tuple[float, ...]

    def of(self, name: str) -> NDArray[np.float64]:
        """Return one measure by beat, shape (n_beats,).

        Onset, time and duration are NaN in beats without an early peak.
        """
        values = np.array([getattr(one, name) for one in self.beats], dtype=np.float64)
        if name in OF_A_PEAK:
            values[[one.excursion_mm == 0 for one in self.beats]] = np.nan
        return values

    def median(self, name: str) -> float:
        """Return the median over the beats; NaN for the times of a peak that the median has not.

        Examples
        --------
        >>> trace = np.zeros(100, np.float32)
        >>> flash = SeptalMotion(trace, 4.0, 20.0, 60.0, 80.0, 1.0, 5.0, 9.0, 0.9)
        >>> none = SeptalMotion(trace, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 8.0, 0.9)
        >>> three = BeatsMotion((flash, none, flash), (800.0, 810.0, 790.0))
        >>> three.median("excursion_mm"), three.median("peak_ms"), three.usual
        (4.0, 60.0, 0)
        >>> BeatsMotion((none, none, flash), three.rr_ms).median("peak_ms")
        nan
        """
        values = self.of(name)
        if name in OF_A_PEAK and self.median("excursion_mm") == 0:
            return float("nan")
        return float(np.nanmedian(values))

    def measures(self) -> NDArray[np.float32]:
        """Return the medians in the order of `MEASURES`; 0 for the times of no peak."""
        medians = [self.median(name) for name, _ in MEASURES]
        return np.nan_to_num(np.array(medians, dtype=np.float32))

    def sd(self, name: str) -> float:
        """Return the SD between beats (n - 1); NaN where fewer than two have the measure."""
        known = self.of(name)
        known = known[np.isfinite(known)]
        return float(known.std(ddof=1)) if known.size > 1 else float("nan")

    def limits(self, name: str) -> tuple[float, float]:
        """Return the lowest and the highest of the beats; NaN where fewer than two have it."""
        known = self.of(name)
        known = known[np.isfinite(known)]
        return (float(known.min()), float(known.max())) if known.size > 1 else (float("nan"),) * 2

    @property
    def usual(self) -> int:
        """The beat that stands for all: its early peak lies nearest the median.

        Of those equally near, as of two beats or where none has a peak, the one whose excursion
        over the cycle does, and of those the one that could be followed best.
        """
        return min(range(len(self.beats)), key=self._from_the_median)

    def _from_the_median(self, place: int) -> tuple[float, float, float]:
        away = (
            abs(float(self.of(name)[place]) - self.median(name))
            for name in ("excursion_mm", "range_mm")
        )
        near, then = (round(mm / _SAME_MM) * _SAME_MM for mm in away)
        return near, then, -self.beats[place].fit

    def course(self, n_times: int = 200) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the median course: times in ms after R up to the shortest beat, and mm.

        Beats are laid onto each other by the time after R, not by their share of the cycle: when
        a flash is does not stretch with diastole.
        """
        at_ms = np.linspace(0.0, min(self.rr_ms), n_times, endpoint=False)
        courses = [
            np.interp(at_ms, np.arange(one.trace_mm.size) * (rr / one.trace_mm.size), one.trace_mm)
            for one, rr in zip(self.beats, self.rr_ms, strict=True)
        ]
        return at_ms, np.asarray(np.median(courses, axis=0), dtype=np.float64)


def trust_of_motion(motion: BeatsMotion) -> float:
    """Return from 0 to 1 how far what was followed moves as one wall: how alike its columns are.

    Examples
    --------
    >>> still = SeptalMotion(np.zeros(100, np.float32), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.35)
    >>> trust_of_motion(BeatsMotion((still,), (800.0,)))
    0.5
    """
    return float(np.clip(motion.median("fit") / _FITS, 0.0, 1.0))
