"""Phases by wall and by coronary territory, scar by territory, thickening by segment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.cycle.harmonics import first_harmonic
from cardio_spect_polar.phase.indices.dyssynchrony import phase_indices
from cardio_spect_polar.phase.indices.perfusion import scar_pct, thickening_pct
from cardio_spect_polar.polar.segment_names import TERRITORIES, WALLS
from cardio_spect_polar.polar.segments import N_SEGMENTS

_PHASES = {"mean_deg": "deg", "psd_deg": "deg", "pbw_deg": "deg"}

REGION_UNITS = (
    {f"{wall}_{index}": unit for wall in WALLS for index, unit in _PHASES.items()}
    | {f"{artery}_{index}": unit for artery in TERRITORIES for index, unit in _PHASES.items()}
    | {f"{artery}_scar_pct": "%" for artery in TERRITORIES}
)
"""Unit of each index of a region, in their order."""


def region_indices(
    phase_deg: NDArray[np.float64],
    perfusion: NDArray[np.float64],
    segments: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Return mean phase, phase SD and bandwidth of each region, and scar of each territory.

    Parameters
    ----------
    phase_deg, perfusion : ndarray, shape (n_rings, n_rays)
        Of the samples: degrees, and percent.
    segments : ndarray of int, shape (n_rings, n_rays)
        1 to 17.
    weights : ndarray, shape (n_rings, n_rays), optional
        What each sample counts.

    Returns
    -------
    dict of str to float
        By the names of `REGION_UNITS`; NaN where fewer than two samples of a region have a phase.

    Examples
    --------
    >>> segments = np.array([[5, 5, 3, 3]])
    >>> phase, perfusion = np.array([[150.0, 170, 90, 110]]), np.array([[80.0, 90, 40, 60]])
    >>> found = region_indices(phase, perfusion, segments)
    >>> round(found["lateral_mean_deg"], 6), round(found["rca_mean_deg"], 6), found["rca_scar_pct"]
    (160.0, 100.0, 50.0)
    """
    found: dict[str, float] = {}
    for name, numbers in (WALLS | TERRITORIES).items():
        inside = np.isin(segments, numbers)
        some = None if weights is None else weights[inside]
        found |= _phases(name, phase_deg[inside], some)
        if name in TERRITORIES:
            found[f"{name}_scar_pct"] = scar_pct(perfusion[inside], weights=some)
    return {name: found[name] for name in REGION_UNITS}


def _phases(
    name: str, phase: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> dict[str, float]:
    counts = np.isfinite(phase) if weights is None else np.isfinite(phase) & (weights > 0)
    if counts.sum() < 2:
        return {f"{name}_{index}": math.nan for index in _PHASES}
    indices = phase_indices(phase, weights=weights)
    return {f"{name}_{index}": float(getattr(indices, index)) for index in _PHASES}


def segment_thickening(
    curves: NDArray[np.float64],
    segments: NDArray[np.int64],
    weights: NDArray[np.float64],
    whole_deg: float,
) -> NDArray[np.float64]:
    """Return systolic thickening of each segment in percent, from the mean of its curves.

    The mean curve, and not the mean of the samples' thickening, because noise makes every sample's
    amplitude larger.

    Parameters
    ----------
    curves : ndarray, shape (n_slots, n_rings, n_rays)
        Counts.
    segments : ndarray of int, shape (n_rings, n_rays)
        1 to 17.
    weights : ndarray, shape (n_rings, n_rays)
        Of the samples in a segment's mean.
    whole_deg : float
        When the whole wall thickens most; a segment more than 90 degrees from it thins, and its
        number is negative.

    Returns
    -------
    ndarray, shape (17,)
        NaN where a segment holds no sample.
    """
    member = segments.ravel() == np.arange(1, N_SEGMENTS + 1)[:, None]
    share = np.where(member, weights.ravel(), 0.0)
    total = share.sum(axis=1)
    mean = np.full((len(curves), N_SEGMENTS), np.nan)
    there = total > 0
    mean[:, there] = curves.reshape(len(curves), -1) @ share[there].T / total[there]
    harmonic = first_harmonic(mean)
    opposed = np.cos(np.radians(harmonic.phase_deg - whole_deg)) < 0
    return thickening_pct(harmonic.mean, harmonic.amplitude, opposed)
