"""Which segment thickens last, which of those a lead could reach, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from cardio_spect_polar.phase.cycle.uncertainty import PhaseUncertainty
from cardio_spect_polar.phase.indices.perfusion import VIABLE_PCT
from cardio_spect_polar.polar.angles import signed_deg
from cardio_spect_polar.polar.segment_names import LEAD_TARGETS
from cardio_spect_polar.polar.segments import N_SEGMENTS

METHOD_DEG = 3.0
"""What blur, sampling and the base add to a segment's error where no noise is left."""

ALSO_LATE_DEG = 10.0
"""Segments so little earlier than the latest are recommended beside it (Zhou et al. 2018)."""

_GRID = np.linspace(-6.0, 6.0, 241)


@dataclass(frozen=True)
class Latest:
    """The latest of some segments.

    Attributes
    ----------
    segment : int
        1 to 17; 0 where there is none.
    delay_deg : float
        Its phase beyond the circular mean of all viable segments, [-180, 180). Absolute phases
        depend on the convention (peak or onset), this does not.
    sure_pct : float
        How probable it is that this one is the latest of them, given the errors of all.
    next_segment : int
        The runner-up; 0 where there is none.
    ahead_deg : float
        By how much the latest is later than the runner-up.
    """

    segment: int
    delay_deg: float
    sure_pct: float
    next_segment: int
    ahead_deg: float


NONE = Latest(0, math.nan, math.nan, 0, math.nan)


def latest_segment(
    phase_deg: ArrayLike,
    perfusion: ArrayLike,
    error_deg: ArrayLike,
    *,
    of: Sequence[int] = tuple(range(1, N_SEGMENTS + 1)),
    viable: bool = False,
) -> Latest:
    """Return the segment that thickens last.

    Parameters
    ----------
    phase_deg : array-like, shape (17,)
        Degrees; NaN is left out.
    perfusion : array-like, shape (17,)
        Percent; a segment is viable from 50 on.
    error_deg : array-like, shape (17,)
        Standard errors of the phases, as `segment_errors` gives them.
    of : sequence of int
        Among which segments, 1 to 17; `LEAD_TARGETS` for those that a lead could reach.
    viable : bool
        Whether scar is left out.

    Notes
    -----
    ``sure_pct`` takes the errors as normal and independent, and integrates over where the phase of
    the segment may be that of all others being earlier. Two that are equally late share it.

    Examples
    --------
    >>> phases = np.full(17, 120.0)
    >>> phases[[4, 5]] = [200, 180]
    >>> perfusion = np.full(17, 80.0)
    >>> perfusion[4] = 30
    >>> found = latest_segment(phases, perfusion, np.full(17, 4.0), viable=True)
    >>> found.segment, found.next_segment, found.ahead_deg, round(found.sure_pct)
    (6, 1, 60.0, 100)
    """
    phase, percent = np.asarray(phase_deg, np.float64), np.asarray(perfusion, np.float64)
    alive = np.isfinite(phase) & (percent >= VIABLE_PCT)
    candidates = alive if viable else np.isfinite(phase)
    asked = np.isin(np.arange(1, N_SEGMENTS + 1), of)
    numbers = np.flatnonzero(candidates & asked) + 1
    if not numbers.size:
        return NONE
    everybody = phase[alive] if alive.any() else phase[candidates]
    late = signed_deg(phase[numbers - 1] - _mean_deg(everybody))
    order = np.argsort(-np.round(late, 9), kind="stable")
    first = int(order[0])
    chance = _chance_of_latest(late, np.asarray(error_deg, np.float64)[numbers - 1])
    second = int(order[1]) if len(order) > 1 else None
    return Latest(
        segment=int(numbers[first]),
        delay_deg=float(late[first]),
        sure_pct=100 * float(chance[first]),
        next_segment=0 if second is None else int(numbers[second]),
        ahead_deg=math.nan if second is None else float(late[first] - late[second]),
    )


def lead_targets(phase_deg: ArrayLike, perfusion: ArrayLike) -> tuple[int, ...]:
    """Return the latest viable segment that a lead can reach, and all within 10 degrees of it.

    Parameters
    ----------
    phase_deg, perfusion : array-like, shape (17,)
        Degrees, and percent.

    Returns
    -------
    tuple of int
        Latest first; empty where no such segment is viable.

    Examples
    --------
    >>> phases = np.full(17, 120.0)
    >>> phases[[4, 5, 8]] = [171, 180, 220]
    >>> lead_targets(phases, np.full(17, 80.0))
    (6, 5)
    """
    phase, percent = np.asarray(phase_deg, np.float64), np.asarray(perfusion, np.float64)
    found = latest_segment(phase, percent, np.ones(N_SEGMENTS), of=LEAD_TARGETS, viable=True)
    if not found.segment:
        return ()
    earlier = {
        number: float(signed_deg(phase[found.segment - 1] - phase[number - 1]))
        for number in LEAD_TARGETS
        if percent[number - 1] >= VIABLE_PCT and np.isfinite(phase[number - 1])
    }
    near = [number for number, by in earlier.items() if by <= ALSO_LATE_DEG]
    return tuple(sorted(near, key=lambda number: (earlier[number], number)))


def segment_errors(
    curves: NDArray[np.float64],
    uncertainty: PhaseUncertainty,
    segments: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the standard error of each segment's mean phase.

    Parameters
    ----------
    curves : ndarray, shape (n_slots, n_rings, n_rays)
        Counts.
    uncertainty : PhaseUncertainty
        Of the same samples.
    segments : ndarray of int, shape (n_rings, n_rays)
        1 to 17.
    weights : ndarray, shape (n_rings, n_rays)
        Of the samples in a segment's mean.

    Returns
    -------
    ndarray, shape (17,)
        Degrees; NaN where a segment holds no sample.

    Notes
    -----
    Errors of neighbouring samples are alike: voxels are larger than their distance, and
    reconstruction filters. By how much that raises the error of a mean shows in what two harmonics
    leave over: the mean of a segment's curves is as much noisier than independent samples would
    make it, pooled over all segments. `METHOD_DEG` is added, because without noise phases are not
    free of error.
    """
    n_slots = len(curves)
    spectrum = np.fft.rfft(curves, axis=0)
    spectrum[:3] = 0
    left = np.fft.irfft(spectrum, n_slots, axis=0)
    member = segments.ravel() == np.arange(1, N_SEGMENTS + 1)[:, None]
    share = np.where(member, weights.ravel(), 0.0)
    total = share.sum(axis=1, keepdims=True)
    share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    n_samples = member.sum(axis=1)
    together = ((left.reshape(n_slots, -1) @ share.T) ** 2).sum(axis=0) / (n_slots - 5)
    alone = share**2 @ uncertainty.noise.ravel() ** 2
    apart = float(n_samples @ alone)
    alike = max(1.0, float(n_samples @ together) / apart) if apart > 0 else 1.0
    variance = alike * (share**2 @ uncertainty.sigma_deg.ravel() ** 2)
    return np.where(n_samples > 0, np.sqrt(variance + METHOD_DEG**2), np.nan)


def _chance_of_latest(
    late_deg: NDArray[np.float64], error_deg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the probability that each of some normal variables is the largest."""
    at = late_deg[:, None] + error_deg[:, None] * _GRID
    below = ndtr((at[:, :, None] - late_deg) / error_deg)
    below[np.arange(len(late_deg)), :, np.arange(len(late_deg))] = 1.0
    density = np.exp(-(_GRID**2) / 2)
    return np.asarray(below.prod(axis=2) @ density / density.sum())


def _mean_deg(phase: NDArray[np.float64]) -> float:
    return float(np.degrees(np.angle(np.exp(1j * np.radians(phase)).sum())))
