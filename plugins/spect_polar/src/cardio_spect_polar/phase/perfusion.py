"""Perfusion, scar, thickening, summed scores, and the difference between rest and stress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter

from cardio_core.api import DataError
from cardio_spect_polar.polar.segment_names import TERRITORIES

VIABLE_PCT = 50.0
"""Samples below are scar."""


def perfusion_pct(curves: ArrayLike) -> NDArray[np.float64]:
    """Return the uptake of each sample as a share of the best perfused wall.

    Parameters
    ----------
    curves : array-like, shape (n_slots, n_rings, n_rays)
        Counts.

    Returns
    -------
    ndarray, shape (n_rings, n_rays)
        Percent. 100 is the 99th percentile of the map smoothed over 3 x 3 samples, so a single
        hot voxel sets no scale; noise may lift a sample above 100.

    Raises
    ------
    DataError
        If no sample holds counts.

    Examples
    --------
    >>> curves = np.full((8, 10, 40), 60.0)
    >>> curves[:, 3, 7] = 30
    >>> perfusion_pct(curves)[3, 6:8]
    array([100.,  50.])
    """
    values = np.asarray(curves, np.float64)
    if values.ndim != 3:
        raise DataError(
            f"perfusion: expected curves (slots, rings, rays), found shape {values.shape}"
        )
    total = values.sum(axis=0)
    smooth = uniform_filter(total, 3, mode=("nearest", "wrap"))
    best = float(np.percentile(smooth, 99))
    if not best > 0:
        raise DataError(
            "perfusion: expected counts in the wall, found none; is the left ventricle in the "
            "field of view?"
        )
    return np.asarray(100 * total / best)


def scar_pct(perfusion: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """Return the share of the wall whose perfusion is below 50 %, in percent.

    Parameters
    ----------
    perfusion : array-like
        Percent, as `perfusion_pct` gives it; NaN is left out.
    weights : array-like, optional
        Of the same shape, wall area for example; samples count alike by default.

    Examples
    --------
    >>> scar_pct([100.0, 80.0, 50.0, 49.0])
    25.0
    """
    percent = np.ravel(np.asarray(perfusion, np.float64))
    weight = np.ones(percent.shape) if weights is None else np.ravel(np.asarray(weights, float))
    known = np.isfinite(percent)
    if not weight[known].sum() > 0:
        return float("nan")
    return float(100 * np.average(percent[known] < VIABLE_PCT, weights=weight[known]))


def thickening_pct(
    mean: ArrayLike, amplitude: ArrayLike, opposed: ArrayLike = False
) -> NDArray[np.float64]:
    """Return systolic wall thickening, 2A / (mean - A), in percent.

    Parameters
    ----------
    mean, amplitude : array-like
        Of the first harmonic, in counts: the curve runs from mean - A to mean + A.
    opposed : array-like of bool
        Where the sample thins while the ventricle thickens: it loses 2A of mean + A, and the
        number is negative.

    Returns
    -------
    ndarray
        NaN where mean - A is not positive.

    Notes
    -----
    Counts follow thickness through the partial-volume effect alone, so the number understates
    thickening of thick walls.

    Examples
    --------
    >>> thickening_pct(110.0, 10.0)
    array(20.)
    >>> thickening_pct(110.0, 10.0, opposed=True).round(1)
    np.float64(-16.7)
    """
    middle, wave = np.asarray(mean, np.float64), np.asarray(amplitude, np.float64)
    wave = np.where(np.asarray(opposed), -wave, wave)
    before = middle - wave
    blank = np.full(np.shape(before), np.nan)
    return np.asarray(np.divide(200 * wave, before, out=blank, where=middle > np.abs(wave)))


N_SEGMENTS = 17


class SegmentLimit(Protocol):
    """Below which perfusion a segment has which score; see `summed_score`."""

    @property
    def segment(self) -> int:
        """1 to 17."""

    @property
    def state(self) -> Literal["rest", "stress", "any"]:
        """At which it holds."""

    @property
    def sex(self) -> Literal["men", "women", "any"]:
        """Of whom."""

    @property
    def cutoffs_pct(self) -> tuple[float, float, float, float]:
        """Perfusion below which the score is 1, 2, 3 and 4."""


def summed_score(
    perfusion_pct: NDArray[np.floating],
    limits: Sequence[SegmentLimit],
    *,
    at_stress: float,
    male: float,
) -> float:
    """Add up the scores of the segments, 0 (normal) to 4 (absent) each.

    Parameters
    ----------
    perfusion_pct : ndarray, shape (17,)
        Of each AHA segment, in percent of the study's best wall; NaN where unknown.
    limits : sequence of SegmentLimit
        Those of the study's own state and the patient's own sex come before those of any.
    at_stress, male : float
        1 or 0; NaN where that is not known, and then only limits of any state or sex serve.

    Returns
    -------
    float
        0 to 68; NaN where a segment has no perfusion or no limit.

    Examples
    --------
    >>> from collections import namedtuple
    >>> Limit = namedtuple("Limit", "segment state sex cutoffs_pct")
    >>> limits = [Limit(n, "any", "any", (70.0, 60.0, 50.0, 10.0)) for n in range(1, 18)]
    >>> perfusion = np.full(17, 85.0)
    >>> perfusion[3], perfusion[9] = 65.0, 40.0
    >>> summed_score(perfusion, limits, at_stress=1.0, male=float("nan"))
    4.0
    >>> summed_score(perfusion, limits[1:], at_stress=1.0, male=float("nan"))
    nan
    """
    state = {1.0: "stress", 0.0: "rest"}.get(at_stress)
    sex = {1.0: "men", 0.0: "women"}.get(male)
    total = 0.0
    for segment, perfusion in enumerate(np.asarray(perfusion_pct, np.float64), start=1):
        matching = [
            limit
            for limit in limits
            if limit.segment == segment
            and limit.state in (state, "any")
            and limit.sex in (sex, "any")
        ]
        if not matching or not np.isfinite(perfusion):
            return float("nan")
        chosen = max(matching, key=lambda limit: (limit.state != "any", limit.sex != "any"))
        total += sum(perfusion < cutoff for cutoff in chosen.cutoffs_pct)
    return float(total)


CHANGED = {
    "psd_deg": "deg", "pbw_deg": "deg", "lvedv_spect_ml": "mL", "lvesv_spect_ml": "mL",
    "lvef_spect_pct": "%", "reliable_psd_deg": "deg", "reliable_pbw_deg": "deg",
    "summed_score": "1",
}  # fmt: skip
"""Indices whose difference is given, with their units."""

CHANGE_UNITS = (
    {f"{name}_change": unit for name, unit in CHANGED.items()}
    | {f"{artery}_perfusion_change_pct": "%" for artery in TERRITORIES}
    | {"tid_ratio": "1"}
)
"""Unit of each difference, in their order."""

CHANGE_OF = {f"{name}_change": name for name in CHANGED} | {
    f"{artery}_perfusion_change_pct": "" for artery in TERRITORIES
}
"""Index that differs; empty for perfusion, which is no measurement in one study."""

REPEATS = {
    "reliable_psd_deg": 4.0, "reliable_pbw_deg": 12.0, "psd_deg": 3.8, "pbw_deg": 16.0,
    "lvef_spect_pct": 2.6, "lvedv_spect_ml": 16.0, "lvesv_spect_ml": 13.0, "perfusion_pct": 1.7,
    "tid_ratio": 0.058,
}  # fmt: skip
"""Within which 95 % of two studies of one heart agree, by names of `CHANGED`; of the ratio, how far
from 1. Forty digital hearts, nothing but counts (60 to 200 a voxel), place and tilt changed; people
differ by more from one study to the next."""


def change_from_rest(
    stress: Mapping[str, float],
    rest: Mapping[str, float],
    stress_perfusion: NDArray[np.floating],
    rest_perfusion: NDArray[np.floating],
) -> dict[str, float]:
    """Return stress minus rest.

    Parameters
    ----------
    stress, rest : mapping of str to float
        Indices by name; NaN where there is none. ``volume_ml`` is the cavity's mean over the cycle,
        ``summed_score`` that of perfusion.
    stress_perfusion, rest_perfusion : ndarray, shape (17,)
        Perfusion of each AHA segment in percent of the study's own largest; NaN where unknown.

    Returns
    -------
    dict of str to float
        By the names of `CHANGE_UNITS`; of perfusion the mean over the segments of a coronary
        territory that both studies show. Below 0 where stress is lower: a defect that rest has not.
        ``tid_ratio``, transient ischaemic dilatation, is the ratio of the cavities' mean volumes.

    Examples
    --------
    >>> found = change_from_rest({"psd_deg": 24.0}, {"psd_deg": 18.0}, np.full(17, 70.0),
    ...                          np.full(17, 85.0))
    >>> found["psd_deg_change"], found["lad_perfusion_change_pct"], found["pbw_deg_change"]
    (6.0, -15.0, nan)
    """
    found = {
        f"{name}_change": float(stress.get(name, np.nan)) - float(rest.get(name, np.nan))
        for name in CHANGED
    }
    difference = np.asarray(stress_perfusion, np.float64) - np.asarray(rest_perfusion, np.float64)
    for artery, numbers in TERRITORIES.items():
        of_artery = difference[np.array(numbers) - 1]
        known = of_artery[np.isfinite(of_artery)]
        found[f"{artery}_perfusion_change_pct"] = float(known.mean()) if known.size else np.nan
    volumes = [float(study.get("volume_ml", np.nan)) for study in (stress, rest)]
    found["tid_ratio"] = volumes[0] / volumes[1] if volumes[1] > 0 else np.nan
    return found
