"""Everything the sampled wall says: maps, indices and segments of one study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_spect_polar.phase.curves import beyond_wall
from cardio_spect_polar.phase.cycle import Harmonic, first_harmonic, phase_uncertainty
from cardio_spect_polar.phase.dyssynchrony import INDEX_UNITS, PhaseIndices, phase_indices
from cardio_spect_polar.phase.geometry import WallGeometry
from cardio_spect_polar.phase.perfusion import VIABLE_PCT, perfusion_pct, scar_pct, thickening_pct
from cardio_spect_polar.polar.maps import (
    LATERAL,
    N_SEGMENTS,
    SEPTAL,
    polar_grid,
    raster,
    segment_means,
    segments_of,
    signed_deg,
)
from cardio_spect_polar.polar.segment_names import LEAD_TARGETS, TERRITORIES, WALLS


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


Weighting = Literal["samples", "area", "pixels"]

_RELIABLE = ("psd_deg", "pbw_deg", "entropy", "circular_sd_deg")

SUMMARY_UNITS = (
    {f"reliable_{name}": INDEX_UNITS[name] for name in _RELIABLE}
    | {name: unit for name, unit in INDEX_UNITS.items() if name != "n"}
    | {"unreliable_pct": "%", "delay_deg": "deg", "latest_viable_deg": "deg", "scar_pct": "%"}
)
"""Unit of each index of a summary, in their order: first those that repeat best. In 19 patients the
phase SD of reliable samples differed between rest and stress by 3.3 degrees in the median."""


@dataclass(frozen=True)
class WallSummary:
    """One study in numbers.

    Attributes
    ----------
    phase, perfusion, thickening : ndarray of float32
        Polar maps, (24, 72) or (128, 128) with NaN outside: degrees [0, 360), %, %. Where a ray
        ends before the others (`beyond_wall`), phase and thickening go on as they are at its end.
        Thickening is negative where the phase lies more than 90 degrees from the whole wall's.
    indices : dict of str to float
        By name; `SUMMARY_UNITS` holds the units. Names that begin with ``reliable_`` leave out
        samples whose amplitude is below twice its error or whose perfusion is below 50 %; NaN
        where fewer than two remain. ``unreliable_pct`` is their share. Samples beyond the wall
        have no phase and no part in either.
    regions : dict of str to float
        Indices of each wall and coronary territory, by the names of `REGION_UNITS`.
    segment_phase, segment_perfusion, segment_thickening : ndarray, shape (17,)
        Circular means in degrees, means in %, and thickening of the mean curves in %. NaN where a
        segment holds no sample.
    sample_phase : ndarray, shape (n_rings, n_rays)
        Of the samples themselves, for the figures; NaN where a ray lies beyond its wall.
    """

    phase: NDArray[np.float32]
    perfusion: NDArray[np.float32]
    thickening: NDArray[np.float32]
    indices: dict[str, float]
    regions: dict[str, float]
    segment_phase: NDArray[np.float64]
    segment_perfusion: NDArray[np.float64]
    segment_thickening: NDArray[np.float64]
    sample_phase: NDArray[np.float64]


def summarise(
    curves: NDArray[np.float64],
    geometry: WallGeometry,
    *,
    n_harmonics: Literal[1, 3] = 1,
    convention: Literal["peak", "onset"] = "peak",
    weighting: Weighting = "samples",
    form: Literal["grid", "raster"] = "grid",
) -> WallSummary:
    """Return maps, indices and segment values of one study.

    Parameters
    ----------
    curves : ndarray, shape (n_slots, n_rings, n_rays)
        Counts of a `SampledWall`, gating already corrected; at least 6 slots.
    geometry : WallGeometry
        Where they were taken.
    n_harmonics : {1, 3}
        Three find the onset from three harmonics; phases of the peak are the first's in both.
    convention : {"peak", "onset"}
        Phase of the largest thickening, or of its onset (with one harmonic, 90 degrees
        earlier). Spread does not change between them with one harmonic.
    weighting : {"samples", "area", "pixels"}
        What counts in indices and scar: each sample alike, its wall area, or its area of the
        polar map.
    form : {"grid", "raster"}
        24 x 72 polar grid, or 128 x 128 picture.

    Raises
    ------
    DataError
        Too few slots, no counts, or flat curves.
    """
    harmonic = first_harmonic(curves, n_harmonics)
    uncertainty = phase_uncertainty(curves)
    beyond = beyond_wall(curves, geometry.arc)
    phase = np.where(beyond, np.nan, _phase(harmonic, convention))
    perfusion = perfusion_pct(curves)
    wave = harmonic.amplitude * np.exp(1j * np.radians(np.nan_to_num(harmonic.phase_deg)))
    whole = wave[~beyond].sum()
    opposed = np.real(wave * np.conj(whole)) < 0
    thickening = thickening_pct(harmonic.mean, harmonic.amplitude, opposed)
    weights = sample_weights(geometry, weighting)

    found = phase_indices(
        phase, weights=weights, sigma_deg=uncertainty.sigma_deg, doubt_deg=uncertainty.doubt_deg
    )
    indices = {key: value for key, value in asdict(found).items() if key != "n"}
    trusted = ~uncertainty.weak(harmonic.amplitude) & (perfusion >= VIABLE_PCT)
    indices |= _reliable_indices(np.where(trusted, phase, np.nan), weights)
    indices["unreliable_pct"] = 100 * float(np.mean(~trusted[~beyond]))

    angle = np.arange(phase.shape[1]) * 360 / phase.shape[1]
    segments = segments_of(geometry.arc[:, None], angle)
    area = geometry.area_mm2
    segment_phase = segment_means(phase, segments, weights=area, circular=True)
    segment_perfusion = segment_means(perfusion, segments, weights=area)
    indices["delay_deg"] = lateral_delay_deg(segment_phase)
    indices["latest_viable_deg"] = latest_viable_deg(segment_phase, segment_perfusion)
    indices["scar_pct"] = scar_pct(perfusion, weights=weights)

    draw_map = polar_grid if form == "grid" else raster
    drawn = np.stack([perfusion, _carried_on(thickening, beyond)])
    others = draw_map(drawn, geometry.arc).astype(np.float32)
    # float32 rounds 359.99999999 up to 360.
    circle = draw_map(_carried_on(phase, beyond), geometry.arc, circular=True).astype(
        np.float32
    ) % np.float32(360)
    return WallSummary(
        phase=circle,
        perfusion=others[0],
        thickening=others[1],
        indices={key: indices[key] for key in SUMMARY_UNITS},
        regions=region_indices(phase, perfusion, segments, weights),
        segment_phase=segment_phase,
        segment_perfusion=segment_perfusion,
        segment_thickening=segment_thickening(
            curves, segments, np.where(beyond, 0.0, area), float(np.degrees(np.angle(whole)))
        ),
        sample_phase=phase,
    )


def spread_of(
    curves: NDArray[np.float64],
    geometry: WallGeometry,
    *,
    n_harmonics: Literal[1, 3] = 1,
    convention: Literal["peak", "onset"] = "peak",
    weighting: Weighting = "samples",
) -> PhaseIndices:
    """Return the indices of the whole wall alone, as `summarise` finds them, without its maps.

    Raises
    ------
    DataError
        Too few slots, or flat curves.
    """
    phase = _phase(first_harmonic(curves, n_harmonics), convention)
    phase = np.where(beyond_wall(curves, geometry.arc), np.nan, phase)
    return phase_indices(phase, weights=sample_weights(geometry, weighting))


def _carried_on(values: NDArray[np.float64], beyond: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give samples beyond the wall the value at its end: a map has no holes at its rim."""
    last = np.where(beyond, 0, np.arange(len(values))[:, None]).max(axis=0)
    return np.where(beyond, np.take_along_axis(values, last[None], axis=0), values)


def _phase(harmonic: Harmonic, convention: Literal["peak", "onset"]) -> NDArray[np.float64]:
    return harmonic.phase_deg if convention == "peak" else harmonic.onset_deg


def sample_weights(geometry: WallGeometry, weighting: Weighting) -> NDArray[np.float64] | None:
    """Return what each sample counts, shape (n_rings, n_rays); None where all count alike.

    Parameters
    ----------
    geometry : WallGeometry
    weighting : {"samples", "area", "pixels"}
        ``pixels`` is the area of the polar map between the borders halfway to the next rings.
    """
    if weighting == "samples":
        return None
    if weighting == "area":
        return geometry.area_mm2
    arc = geometry.arc
    borders = np.concatenate([[0.0], (arc[1:] + arc[:-1]) / 2, [max(1.0, float(arc[-1]))]])
    rays = geometry.area_mm2.shape[1]
    return np.repeat(np.diff(borders**2)[:, None] / rays, rays, axis=1)


def _reliable_indices(
    phase: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> dict[str, float]:
    if np.isfinite(phase).sum() < 2:
        return {f"reliable_{name}": math.nan for name in _RELIABLE}
    found = asdict(phase_indices(phase, weights=weights))
    return {f"reliable_{name}": found[name] for name in _RELIABLE}
