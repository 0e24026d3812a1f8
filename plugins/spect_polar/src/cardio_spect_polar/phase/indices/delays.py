"""Delays: of the free wall against the septum, and of the latest viable segment."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_spect_polar.phase.indices.perfusion import VIABLE_PCT
from cardio_spect_polar.polar.angles import signed_deg
from cardio_spect_polar.polar.segment_names import LEAD_TARGETS
from cardio_spect_polar.polar.segments import LATERAL, SEPTAL


def lateral_delay_deg(segment_phase: ArrayLike) -> float:
    """Return how much later the free wall of the left ventricle thickens than its septum.

    Parameters
    ----------
    segment_phase : array-like, shape (17,)
        Degrees; NaN is left out.

    Returns
    -------
    float
        Circular mean of segments 5, 6, 11, 12 and 16 minus that of 2, 3, 8, 9 and 14, in
        [-180, 180); NaN where either wall is unknown.

    Examples
    --------
    >>> phases = np.full(17, 120.0)
    >>> phases[[4, 5, 10, 11, 15]] = 170
    >>> round(lateral_delay_deg(phases), 6)
    50.0
    """
    phase = np.asarray(segment_phase, np.float64)
    return _apart(_mean_deg(phase, LATERAL), _mean_deg(phase, SEPTAL))


def latest_viable_deg(segment_phase: ArrayLike, perfusion: ArrayLike) -> float:
    """Return by how much the latest viable segment that a lead reaches is later than the mean.

    Which segment that is, is not said: in 19 patients it was the same at rest and at stress in 2.

    Parameters
    ----------
    segment_phase, perfusion : array-like, shape (17,)
        Degrees, NaN is left out; percent, a segment is viable from 50 on.

    Returns
    -------
    float
        Its phase beyond the circular mean of all viable segments, [-180, 180); NaN where no
        segment of `LEAD_TARGETS` is viable.

    Examples
    --------
    >>> phases = np.full(17, 120.0)
    >>> phases[[4, 7]] = [150, 190]  # segment 8 is septal
    >>> perfusion = np.full(17, 80.0)
    >>> round(latest_viable_deg(phases, perfusion), 1)
    24.9
    """
    phase, percent = np.asarray(segment_phase, np.float64), np.asarray(perfusion, np.float64)
    alive = np.isfinite(phase) & (percent >= VIABLE_PCT)
    reached = alive & np.isin(np.arange(1, len(phase) + 1), LEAD_TARGETS)
    if not reached.any():
        return math.nan
    mean = np.degrees(np.angle(np.exp(1j * np.radians(phase[alive])).sum()))
    return float(np.max(signed_deg(phase[reached] - mean)))


def _mean_deg(phase: NDArray[np.float64], numbers: Sequence[int] | NDArray[np.int64]) -> float:
    known = phase[np.asarray(numbers) - 1]
    known = known[np.isfinite(known)]
    if not known.size:
        return math.nan
    return float(np.degrees(np.angle(np.exp(1j * np.radians(known)).sum())))


def _apart(late: float, early: float) -> float:
    return float(signed_deg(late - early)) if math.isfinite(late - early) else math.nan
