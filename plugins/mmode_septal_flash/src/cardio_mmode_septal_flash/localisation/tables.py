"""What heat maps are worth over a cohort: with flash against without, and against controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import DataError, EvaluateBlock, Explanation, FeatureSet, Metric, Scope
from cardio_mmode_septal_flash.localisation import measures
from cardio_mmode_septal_flash.localisation.measures import Window
from cardio_stats import Estimate

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


KEYS = ["model", "method", "study_id"]
ENRICHED = 2.0
CONTROLS = ("random_weights", "centre_prior")


def scored_studies(explanation: Explanation, tested: pd.DataFrame) -> pd.DataFrame:
    """Return one row a model, method and study: its localisation scores beside its outcome.

    A study that several folds tested, or several random networks mapped, has the mean.

    Parameters
    ----------
    explanation : Explanation
        Whose `tested` rows are the scores.
    tested : DataFrame
        As of `flash.evaluate.judged_studies`.
    """
    mapped = explanation.tested()
    if mapped.empty:
        return mapped
    table = mapped.drop(columns=["sample_id", "patient_id"])
    means = table.groupby(KEYS, sort=False).mean(numeric_only=True).reset_index()
    about = tested[["model", "study_id", "subject_id", "y", "score", "outcome"]]
    return means.merge(about, on=["model", "study_id"], how="inner")


def localisation_tables(
    scored: pd.DataFrame, scope: Scope, config: EvaluateBlock, seed: int
) -> tuple[dict[str, pd.DataFrame], list[Metric], list[str]]:
    """Summarise the scores of all models.

    Returns
    -------
    dict of str to DataFrame
        ``localisation-studies``: the scores themselves. ``localisation``: of each model and method,
        the true positives' means with intervals that draw patients, the bound that the map's
        resolution sets to the temporal IoU, and the share enriched twofold or more; controls, which
        know of no outcome, over all studies. ``localisation-flash-or-not``: each score with flash
        against without, by Mann and Whitney.
    list of Metric
        Enrichment, and the share of true positives enriched twofold.
    list of str
    """
    if not len(scored):
        return {}, [], []
    summaries, contrasts, metrics, notes = [], [], [], []
    for (model, method), maps in scored.groupby(["model", "method"], sort=False):
        control = method in CONTROLS
        group = "all studies" if control else "true positives"
        chosen = maps if control else maps[maps["outcome"] == "true positive"]
        chosen = chosen[chosen["enrichment"].notna()]
        place = Scope(task=scope.task, target=scope.target, model=str(model),
                      subgroup=f"{group}, {method}")  # fmt: skip
        if not len(chosen):
            notes.append(
                f"Localisation of {model}, {method}: none of the {group} has a map and known valve "
                "times."
            )
        else:
            row, found = _summary(chosen, config, seed)
            summaries.append({"model": model, "method": method, "of": group} | row)
            metrics += [Metric(estimate, place) for estimate in found]
        if not control:
            contrasts += [
                {"model": model, "method": method} | row for row in _contrasts(maps, config, seed)
            ]
    tables = {"localisation-studies": scored}
    if summaries:
        tables["localisation"] = pd.DataFrame(summaries)
    if contrasts:
        tables["localisation-flash-or-not"] = pd.DataFrame(contrasts)
    return tables, metrics, notes


def _summary(
    chosen: pd.DataFrame, config: EvaluateBlock, seed: int
) -> tuple[dict[str, Any], list[Estimate]]:
    enrichment = _mean(chosen, "enrichment", config, seed)
    n_enriched = int((chosen["enrichment"] >= ENRICHED).sum())
    share = stats.proportion(
        n_enriched, len(chosen), method="clopper-pearson", level=config.level,
        name="enriched_twofold", unit="study",
    )  # fmt: skip
    row: dict[str, Any] = {
        "n": len(chosen),
        "enrichment": enrichment.value,
        "low": enrichment.low,
        "high": enrichment.high,
        "enriched_twofold": share.value,
        "twofold_low": share.low,
        "twofold_high": share.high,
    }
    for name in ("energy", "pointing_hit", "temporal_iou", "iou_bound", "distance_mm", "entropy",
                 "gini", "threshold", "correlation"):  # fmt: skip
        known = chosen[name].dropna() if name in chosen else pd.Series(dtype=float)
        row[name] = float(known.mean()) if len(known) else None
    return row, [enrichment, share]


def _mean(chosen: pd.DataFrame, name: str, config: EvaluateBlock, seed: int) -> Estimate:
    """Return the mean of a score; without an interval where there are fewer than five patients."""
    values = chosen[name].to_numpy(float)
    n_patients = chosen["subject_id"].nunique()
    if n_patients < 5:
        return stats.Estimate(
            name, float(values.mean()), method="mean", n=len(values), unit="study",
            n_patients=n_patients, note="fewer than five patients: no interval",
        )  # fmt: skip
    return stats.bootstrap(
        lambda drawn: float(np.mean(drawn)), values, patient=chosen["subject_id"].to_numpy(str),
        level=config.level, n_resamples=config.n_resamples, seed=seed, name=name,
    )  # fmt: skip


def _contrasts(maps: pd.DataFrame, config: EvaluateBlock, seed: int) -> list[dict[str, Any]]:
    rows = []
    for name, meaning in SCORES.items():
        known = maps[maps[name].notna()]
        with_flash = known.loc[known["y"] == 1, name].to_numpy(float)
        without = known.loc[known["y"] == 0, name].to_numpy(float)
        if min(len(with_flash), len(without)) == 0:
            continue
        row: dict[str, Any] = {
            "score": name,
            "what": meaning,
            "n_flash": len(with_flash),
            "median_flash": float(np.median(with_flash)),
            "n_without": len(without),
            "median_without": float(np.median(without)),
        }
        try:
            test = stats.mann_whitney(with_flash, without, unit="study")
            row |= {"superiority": test.value, "p": test.p_value}
            drawn = stats.bootstrap_auc(
                known["y"], known[name], patient=known["subject_id"], level=config.level,
                n_resamples=config.n_resamples, seed=seed,
            )  # fmt: skip
            row |= {"low": drawn.low, "high": drawn.high}
        except DataError as error:
            row["why_not"] = str(error)
        rows.append(row)
    return rows
