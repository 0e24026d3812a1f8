"""Predict for `crt_response`: the probability of response of every patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions
from cardio_ecg_transfer.networks.patient_net import PatientNet
from cardio_ecg_transfer.response.bags import bags_of
from cardio_ecg_transfer.response.classical import (
    deep_vectors,
    score_classifier,
    score_rule,
    vectors_of,
)
from cardio_ecg_transfer.response.models import RECIPES
from cardio_ecg_transfer.response.patients import all_measured, patients_of
from cardio_ecg_transfer.shared.config import PredictBlock

LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 in 64 bits."""


def predict(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score the patients with the fitted model.

    The measurements stand beside the scores as named columns, for tables in `evaluate`.
    """
    recipe = RECIPES[str(ctx.model)]
    if recipe.kind == "network":
        scores = _network_scores(model, features, config, ctx)
    elif recipe.kind == "rule":
        scores = score_rule(features, recipe)
    elif recipe.kind == "deep_features":
        n_beats = int(model.read_json("model.json")["n_beats_scored"])
        vectors = deep_vectors(open_patient_net(model), features, n_beats, ctx)
        scores = score_classifier(model, vectors)
    else:
        scores = score_classifier(model, vectors_of(features, recipe))
    block = features["measurements"]
    values = all_measured(features)
    columns = {
        name: Column(values[:, place], unit)
        for place, (name, unit) in enumerate(zip(block.names, block.units, strict=True))
    }
    return Predictions(
        patients_of(features), {ctx.task.targets[0].name: scores}, "patient", columns
    )


def open_patient_net(model: ModelArtifact) -> PatientNet:
    """Return the fitted network in evaluation mode."""
    network = PatientNet(**model.read_json("model.json")["network"])
    model.load_network(network)
    return network.eval()


def _network_scores(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> NDArray[np.float64]:
    about = model.read_json("model.json")
    bags, _ = bags_of(features, n_drawn=int(about["n_beats_scored"]), side=bool(about["side"]))
    # A patient is a bag of pictures; the batch is stated in pictures.
    batch = max(1, config.batch_size // (12 * bags.n_drawn))
    logits = ctx.score_with(open_patient_net(model), bags, batch_size=batch)
    bounded = np.clip(np.asarray(logits, np.float64), -LARGEST_LOGIT, LARGEST_LOGIT)
    return np.asarray(1 / (1 + np.exp(-bounded)), np.float64)
