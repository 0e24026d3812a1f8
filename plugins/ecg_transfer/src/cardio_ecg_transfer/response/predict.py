"""Predict for `crt_response`: the probability of response, or the asked outcome, of everybody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions
from cardio_ecg_transfer.response.classical import (
    KERNELS,
    kernel_vectors,
    score_estimator,
    score_rule,
    vectors_of,
)
from cardio_ecg_transfer.response.models import RECIPES, Recipe
from cardio_ecg_transfer.response.patients import all_measured, by_patient, measured, patients_of
from cardio_ecg_transfer.shared.config import PredictBlock
from cardio_ecg_transfer.signal.measurements.measure import TITLES


def predict(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score the patients with the fitted model.

    The measurements stand beside the scores as named columns, for tables in `evaluate`.
    """
    recipe = RECIPES[str(ctx.model)]
    if recipe.kind == "network":
        from cardio_ecg_transfer.response.by_network import network_scores  # torch only if needed

        scores = network_scores(model, features, config, ctx)
    elif recipe.kind == "rule":
        scores = score_rule(features, recipe)
    elif recipe.kind == "deep_features":
        from cardio_ecg_transfer.response.by_network import opened_vectors

        scores = score_estimator(model, opened_vectors(model, features, ctx), ctx)
    elif recipe.kind == "kernels":
        vectors = kernel_vectors(features, **model.read_json(KERNELS))
        scores = score_estimator(model, vectors, ctx)
    else:
        scores = score_estimator(model, vectors_of(features, recipe), ctx)
    block = features["measurements"]
    values = all_measured(features)
    columns = {
        name: Column(values[:, place], unit)
        for place, (name, unit) in enumerate(zip(block.names, block.units, strict=True))
    }
    return Predictions(
        patients_of(features),
        {ctx.task.targets[0].name: scores},
        "patient",
        columns,
        withheld(features, recipe),
    )


def withheld(features: FeatureSet, recipe: Recipe) -> dict[str, str]:
    """Return why this model is not asked, by patient; the others are left out.

    A model on a few measurements needs those alone. Any other looks at twelve leads, each in its
    place; all but networks need their potentials, too.
    """
    patients = patients_of(features)
    if recipe.columns:
        values = measured(features, recipe.columns)
        return {
            patient: f"{_listed(lacking)} cannot be measured in this ECG"
            for patient, row in zip(patients, values, strict=True)
            if (lacking := [TITLES[c].rstrip("?") for c in np.array(recipe.columns)[np.isnan(row)]])
        }
    block = features["in_place"]
    usable = block.in_units() > 0
    if recipe.kind not in ("network", "deep_features"):
        beats_mv = features["median_beat"].in_units()
        usable &= np.isfinite(beats_mv).all(axis=2)
    whole = by_patient(features, np.asarray(usable.all(axis=1), np.float64))
    some = by_patient(features, usable.astype(np.float64))
    return {
        patient: f"this model looks at twelve leads, and {_unfit(block.names, row)}"
        for patient, ready, row in zip(patients, whole, some, strict=True)
        if ready == 0
    }


def _unfit(names: tuple[str, ...], usable: NDArray[np.float64]) -> str:
    leads = [name for name, share in zip(names, usable, strict=True) if share < 1]
    if len(leads) == len(names):
        return "none can be used"
    return f"{_listed(leads)} cannot be used"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
