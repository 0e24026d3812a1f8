"""How a heat map lies beside its study's own valves and septum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import FeatureSet
from cardio_mmode_septal_flash.localisation import measures
from cardio_mmode_septal_flash.localisation.measures import Window

N_COLUMNS = 256
"""Maps are scored at this size, whatever their own."""

N_COARSE = 8
"""Columns of Grad-CAM++ on 256 pixels."""

RV_MM = 30.0
"""How far above the septum an M-mode begins where the features do not say."""

SCORES = {
    "energy": "share of the map's energy in [MVC, AVO]",
    "enrichment": "energy over area of [MVC, AVO]",
    "pointing_hit": "peak within 20 ms of [MVC, AVO]",
    "temporal_iou": "overlap in time with [MVC, AVO]",
    "peak_ms": "peak after R, ms",
    "distance_mm": "centre of the energy from the septum, mm",
    "entropy": "entropy, 1 flat",
    "gini": "Gini index, 0 flat",
}
"""Every score and what it is."""


@dataclass(frozen=True)
class Place:
    """Where a study's picture lies in time and along the scan line.

    Attributes
    ----------
    window : Window
        MVC to AVO; unknown where no file says or where the cycle was found in the motion.
    top_mm, bottom_mm : float
        First and last row from the septum at R, towards the left ventricle.
    by_motion : bool
        Whether the cycle was found in the motion.
    """

    window: Window
    top_mm: float
    bottom_mm: float
    by_motion: bool = False


def places_of(features: FeatureSet, cycle_share: float) -> list[Place]:
    """Return the place of every sample's picture, which spans a share of the cycle from R.

    Valve times stand from an R peak; a cycle that was found in the motion has none, so there the
    window is unknown.
    """
    block = features["timing"]
    values = np.asarray(block.in_units(), np.float64)
    timing = {name: values[:, place] for place, name in enumerate(block.names)}
    n_rows = features["mmode"].values.shape[1]
    found = []
    for i in range(len(features)):
        by_motion = bool(timing["cycle_from_motion"][i] > 0.5)
        mvc, avo = (float("nan") if by_motion else timing[n][i] for n in ("mvc_ms", "avo_ms"))
        duration = cycle_share * float(timing["rr_ms"][i])
        top = float(timing["first_row_mm"][i]) if "first_row_mm" in timing else -RV_MM
        # The crop takes half of the rows, too.
        bottom = top + cycle_share * n_rows * float(timing["mm_per_row"][i])
        found.append(Place(Window(float(mvc), float(avo), duration), top, bottom, by_motion))
    return found


def scores_of(heat: NDArray[np.floating], place: Place, threshold: float) -> dict[str, float]:
    """Return every score of `SCORES`, and ``iou_bound``; NaN where it is undefined.

    One hot cell bounds what a map can reach only where a cell is about as long as the window; on a
    map of more than `N_COARSE` columns several make it up, so there the bound is NaN.

    Parameters
    ----------
    heat : ndarray, shape (rows', columns')
        Of one study.
    place : Place
        Of the same study.
    threshold : float
        For the temporal IoU; chosen on others.
    """
    large = measures.upsampled(heat, N_COLUMNS, N_COLUMNS)
    profile, window = measures.temporal_profile(large), place.window
    centre = measures.centroid_mm(large, place.top_mm, place.bottom_mm)
    return {
        "energy": measures.energy_in_window(profile, window),
        "enrichment": measures.enrichment(profile, window),
        "pointing_hit": measures.points_into(profile, window),
        "temporal_iou": measures.temporal_iou(profile, window, threshold),
        "peak_ms": measures.peak_ms(profile, window.duration_ms),
        "distance_mm": abs(centre),
        "entropy": measures.entropy(heat),
        "gini": measures.gini(heat),
        "iou_bound": (
            measures.iou_bound(window, heat.shape[1]) if heat.shape[1] <= N_COARSE else float("nan")
        ),
    }
