"""Heat maps of studies, and how each lies beside the study's own valves and septum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from cardio_mmode_septal_flash import localisation
from cardio_mmode_septal_flash.examples import Pictures
from cardio_mmode_septal_flash.localisation import Window
from cardio_mmode_septal_flash.models.heat_maps import heat_maps
from cardio_mmode_septal_flash.rows import originals, row_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_core.api import Context, FeatureSet
    from cardio_mmode_septal_flash.models.densenet import FlashDenseNet
    from cardio_mmode_septal_flash.models.heat_maps import Method

N_COLUMNS = 256
"""Maps are scored at this size, whatever their own."""

N_COARSE = 8
"""Columns of Grad-CAM++ on 256 pixels."""

RV_MM = 30.0
"""How far above the septum an M-mode begins where the features do not say."""

N_FOR_THRESHOLD = 64
_AT_ONCE = 16

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


def places_of(features: FeatureSet, ctx: Context) -> list[Place]:
    """Return the place of every sample's picture, as its row shows it.

    Valve times stand from an R peak; a cycle that was found in the motion has none, so there the
    window is unknown.
    """
    block = features["timing"]
    values = np.asarray(block.in_units(), np.float64)
    timing = {name: values[:, place] for place, name in enumerate(block.names)}
    share = row_of(ctx).cycle_share
    n_rows = features["mmode"].values.shape[1]
    found = []
    for i in range(len(features)):
        by_motion = bool(timing["cycle_from_motion"][i] > 0.5)
        mvc, avo = (float("nan") if by_motion else timing[n][i] for n in ("mvc_ms", "avo_ms"))
        duration = share * float(timing["rr_ms"][i])
        top = float(timing["first_row_mm"][i]) if "first_row_mm" in timing else -RV_MM
        # The crop takes half of the rows, too.
        bottom = top + share * n_rows * float(timing["mm_per_row"][i])
        found.append(Place(Window(float(mvc), float(avo), duration), top, bottom, by_motion))
    return found


def maps_of(network: FlashDenseNet, pictures: Pictures, method: Method) -> NDArray[np.float32]:
    """Return the heat map of every picture, shape (n, rows', columns'), each from 0 to 1."""
    parts = []
    for start in range(0, len(pictures), _AT_ONCE):
        chosen = np.arange(start, min(start + _AT_ONCE, len(pictures)))
        inputs = pictures.batch(chosen, None)["inputs"]
        parts.append(heat_maps(network, inputs, method).detach())
    return np.asarray(torch.cat(parts).numpy(), np.float32)


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
        For the temporal IoU; see `threshold_of`.
    """
    large = localisation.upsampled(heat, N_COLUMNS, N_COLUMNS)
    profile, window = localisation.temporal_profile(large), place.window
    centre = localisation.centroid_mm(large, place.top_mm, place.bottom_mm)
    return {
        "energy": localisation.energy_in_window(profile, window),
        "enrichment": localisation.enrichment(profile, window),
        "pointing_hit": localisation.points_into(profile, window),
        "temporal_iou": localisation.temporal_iou(profile, window, threshold),
        "peak_ms": localisation.peak_ms(profile, window.duration_ms),
        "distance_mm": abs(centre),
        "entropy": localisation.entropy(heat),
        "gini": localisation.gini(heat),
        "iou_bound": (
            localisation.iou_bound(window, heat.shape[1])
            if heat.shape[1] <= N_COARSE
            else float("nan")
        ),
    }


def threshold_of(
    network: FlashDenseNet,
    mean: NDArray[np.float32],
    labelled: tuple[FeatureSet, NDArray[np.int64]],
    ctx: Context,
) -> tuple[float, int]:
    """Return the temporal IoU's threshold, chosen on these studies with flash, and their number.

    Parameters
    ----------
    network : FlashDenseNet
        Fitted.
    mean : ndarray
        Mean picture of training.
    labelled : FeatureSet and labels
        Validation studies, or training studies where none validate; never tested ones.
    ctx : Context
        Row.
    """
    features, labels = labelled
    chosen = np.flatnonzero(originals(features) & (labels == 1))
    places = places_of(features.view(chosen), ctx)
    known = [i for i, place in enumerate(places) if place.window.known][:N_FOR_THRESHOLD]
    if not known:
        return 0.5, 0
    shown = features.view(chosen[known])[row_of(ctx).picture].values
    profiles = [
        localisation.temporal_profile(localisation.upsampled(heat, N_COLUMNS, N_COLUMNS))
        for heat in maps_of(network, Pictures(shown, mean), "grad_cam_pp")
    ]
    return localisation.best_threshold(profiles, [places[i].window for i in known]), len(known)
