"""Explain `crt_response`: what each code that entered a regression does to the phase map."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardio_core.api import Case, Context, Explanation, FeatureSet, ModelArtifact, Predictions
from cardio_spect_polar.drawing import sheet
from cardio_spect_polar.drawing.polar_maps import segment_change_deg, traverse_maps
from cardio_spect_polar.drawing.words import worded
from cardio_spect_polar.polar.segment_names import SEGMENT_NAMES
from cardio_spect_polar.published.normal_limits import LIMITS
from cardio_spect_polar.response.config import ExplainBlock
from cardio_spect_polar.response.fitting import FittedCodes
from cardio_spect_polar.response.models import RECIPES, Recipe
from cardio_spect_polar.response.patients import phase_maps
from cardio_spect_polar.response.train import SCREEN, code_name

RULE = (
    "under the models with codes, of every fold, the codes that entered the regression, strongest "
    "first, from below to above their mean, each filed under the tested patient in whom it is "
    f"farthest from it and who has none yet; under the model psd, {sheet.RULE}"
)
SHEETS_MODEL, SHEETS_NEED = "psd", "qc_counts"
RASTER_SIDE = 128


def explain(
    model: ModelArtifact,
    features: FeatureSet,
    predictions: Predictions,
    config: ExplainBlock,
    ctx: Context,
) -> Explanation:
    """Draw the traverse maps of the codes that a fold's regression uses, and studies to check.

    Returns
    -------
    Explanation
        A case a code, with the maps ``low``, ``mean`` and ``high`` (degrees from the patient's own
        mean or peak) and the scores ``code`` (its number), ``r``, ``p``, ``p_max_t``, ``q`` (with
        the outcome, in training), ``mean_r`` (stability over seeds), ``share`` (of the variance)
        and ``segment:NAME`` (how much later each AHA segment contracts from the low to the high
        map, degrees). The first case of a fold also holds what was found for all its codes:
        ``all_code``, ``all_r``, ``all_p``, ``all_p_max_t``, ``all_q``, ``all_mean_r``,
        ``all_stable``. The model
        ``psd`` gives sheets of studies with their sampled wall; other models give no cases.
    """
    recipe = RECIPES[str(ctx.model)]
    if ctx.model == SHEETS_MODEL and config.n_studies and SHEETS_NEED in features.blocks:
        sheets = sheet.study_cases(features, config.n_studies, LIMITS)
        return Explanation(tuple(sheets), RULE)
    if not recipe.codes or config.n_cases == 0:
        return Explanation()
    fitted = FittedCodes.open(model.path)
    screen = model.read_json(SCREEN)
    values = fitted.codes.encode(phase_maps(features))
    away = np.abs(values - np.median(values, axis=0))
    cases: dict[str, Case] = {}
    what = worded(ctx.task.targets[0].outcome)
    for code in screen["entered"][: config.n_cases]:
        free = (str(features.table.index[i]) for i in np.argsort(-away[:, code], kind="stable"))
        sample = next((sample_id for sample_id in free if sample_id not in cases), None)
        if sample is None:  # files of cases carry the sample's id
            break
        low, mean, high = fitted.codes.along(code, config.size)
        found = _found(screen["tested"], fitted, code)
        is_grid = low.shape != (RASTER_SIDE, RASTER_SIDE)
        if is_grid:
            change = segment_change_deg(low, high)
            found |= {
                f"segment:{name}": float(degrees)
                for name, degrees in zip(SEGMENT_NAMES, change, strict=True)
                if np.isfinite(degrees)
            }
        title = _title(recipe, code, found, what)
        arrays = {"low": low, "mean": mean, "high": high} | (
            {} if cases else _about_all(screen["tested"], fitted)
        )
        cases[sample] = Case(
            sample_id=sample,
            title=title,
            caption=_caption(what, found["r"], config.size),
            group=str(code),
            arrays=arrays,
            scores=found,
            draw=traverse_maps(low, mean, high, n_sd=config.size) if is_grid else None,
        )
    return Explanation(tuple(cases.values()), RULE)


def _found(tested: dict[str, Any], fitted: FittedCodes, code: int) -> dict[str, float]:
    place = tested["code"].index(code)
    found = {"code": float(code + 1)} | {
        name: float(tested[name][place]) for name in ("r", "p", "p_max_t", "q")
    }
    if fitted.mean_r:
        found["mean_r"] = fitted.mean_r[code]
    if fitted.share:
        found["share"] = fitted.share[code]
    return found


def _about_all(tested: dict[str, Any], fitted: FittedCodes) -> dict[str, np.ndarray[Any, Any]]:
    found = {f"all_{name}": np.asarray(values, np.float64) for name, values in tested.items()}
    if fitted.mean_r:
        found["all_mean_r"] = np.array(fitted.mean_r)
        found["all_stable"] = np.array(fitted.stable)
        found["subspace_r"] = np.array([fitted.subspace_r])
    if fitted.share:
        found["all_share"] = np.array(fitted.share)
    return found


def _title(recipe: Recipe, code: int, found: dict[str, float], what: str) -> str:
    caption = f"{worded(code_name(recipe, code))}: r {found['r']:+.2f}".replace("-", "−")
    caption += f" with {what} in training patients, max-T p {found['p_max_t']:.2g}"
    return caption + (f", stability {found['mean_r']:.2f}" if "mean_r" in found else "")


def _caption(what: str, r: float, n_sd: float) -> str:
    return (
        f"The phase map as the feature goes from {n_sd:g} SD below its mean to {n_sd:g} SD above, "
        "in the patient in whom it is farthest from the mean; and how much later each segment "
        f"contracts at the high end (red). A high feature goes with {'more' if r > 0 else 'less'} "
        f"{what}."
    )
