"""What differs between stress and rest of one patient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.polar.segment_names import TERRITORIES

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

REPEATS = {
    "reliable_psd_deg": 4.5, "reliable_pbw_deg": 12.0, "psd_deg": 4.9, "pbw_deg": 18.0,
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
    volumes = [float(one.get("volume_ml", np.nan)) for one in (stress, rest)]
    found["tid_ratio"] = volumes[0] / volumes[1] if volumes[1] > 0 else np.nan
    return found
