"""Predict: the probability of every class for every beat."""

from __future__ import annotations

import numpy as np

from cardio_core.api import Context, FeatureSet, ModelArtifact, Predictions, ScoringBlock
from cardio_ecg_transfer.beats.evidence import score_evidence
from cardio_ecg_transfer.beats.examples import Beats, side_features
from cardio_ecg_transfer.beats.models import EVIDENCE
from cardio_ecg_transfer.networks.resnet import BeatResNet


def open_network(model: ModelArtifact) -> BeatResNet:
    """Return the fitted network in evaluation mode."""
    network = BeatResNet(**model.read_json("model.json")["network"])
    model.load_network(network)
    return network.eval()


def beats_of(model: ModelArtifact, features: FeatureSet) -> Beats:
    """Return the beats as this model takes them, without classes."""
    about = model.read_json("model.json")
    side = side_features(features, rhythm=about["rhythm"], loudness=about["loudness"])
    return Beats(features["pictures"].values, side)


def predict(
    model: ModelArtifact, features: FeatureSet, config: ScoringBlock, ctx: Context
) -> Predictions:
    """Score every beat of the given patients."""
    target = ctx.task.targets[0].name
    if ctx.model == EVIDENCE:
        return Predictions(tuple(features.table.index), {target: score_evidence(model, features)})
    beats = beats_of(model, features)
    logits = ctx.score_with(open_network(model), beats, batch_size=config.batch_size)
    logits = logits.astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = {target: odds / odds.sum(axis=1, keepdims=True)}
    return Predictions(tuple(features.table.index), scores)
