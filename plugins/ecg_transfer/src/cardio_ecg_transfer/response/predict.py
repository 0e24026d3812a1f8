"""Predict for `crt_response`: the probability of response, or the asked outcome, of everybody."""

from __future__ import annotations

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions
from cardio_ecg_transfer.response.classical import (
    KERNELS,
    kernel_vectors,
    score_estimator,
    score_rule,
    vectors_of,
)
from cardio_ecg_transfer.response.models import RECIPES
from cardio_ecg_transfer.response.patients import all_measured, patients_of
from cardio_ecg_transfer.response.withheld import withheld
from cardio_ecg_transfer.shared.config import PredictBlock


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
