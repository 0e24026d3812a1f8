"""Everything the sampled wall says: maps, indices and segments of one study."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.phase.cycle.harmonics import Harmonic, first_harmonic
from cardio_spect_polar.phase.cycle.uncertainty import phase_uncertainty
from cardio_spect_polar.phase.indices.delays import lateral_delay_deg, latest_viable_deg
from cardio_spect_polar.phase.indices.dyssynchrony import INDEX_UNITS, PhaseIndices, phase_indices
from cardio_spect_polar.phase.indices.perfusion import (
    VIABLE_PCT,
    perfusion_pct,
    scar_pct,
    thickening_pct,
)
from cardio_spect_polar.phase.indices.regions import region_indices, segment_thickening
from cardio_spect_polar.phase.sampling.off_wall import beyond_wall
from cardio_spect_polar.phase.ventricle.wall import WallGeometry
from cardio_spect_polar.polar.raster import polar_grid, raster
from cardio_spect_polar.polar.segments import segment_means, segments_of

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
