"""Predict: the probability of every class for every beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from cardio_core.api import Predictions, load_weights
from cardio_ecg_transfer.examples import Beats, side_features
from cardio_ecg_transfer.models.resnet import BeatResNet

if TYPE_CHECKING:
    from cardio_core.api import Context, FeatureSet, ModelArtifact
    from cardio_ecg_transfer.config import PredictBlock


def open_network(model: ModelArtifact) -> BeatResNet:
    """Return the fitted network in evaluation mode."""
    network = BeatResNet(**model.read_json("model.json")["network"])
    load_weights(network, model.path / "weights.safetensors")
    return network.eval()


class TwoWays(nn.Module):
    """A network's logits, mixed with those it gives without the picture.

    What pictures tell is learnt on other hearts; what the rhythm tells holds for all. A network
    trained with picture dropout can answer without the picture, and the mean of both answers was
    better on records left out of training.
    """

    def __init__(self, network: BeatResNet, side_weight: float) -> None:
        super().__init__()
        self.network, self.side_weight = network, side_weight

    def forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return logits, shape (n, n_classes)."""
        maps = self.network.maps(inputs["images"])
        logits = self.network.head(maps, inputs["side"])
        if not (self.network.n_side and self.side_weight):
            return logits
        without = self.network.head(torch.zeros_like(maps), inputs["side"])
        return (1 - self.side_weight) * logits + self.side_weight * without


def beats_of(model: ModelArtifact, features: FeatureSet) -> Beats:
    """Return the beats as this model takes them, without classes."""
    about = model.read_json("model.json")
    side = side_features(features, rhythm=about["rhythm"], loudness=about["loudness"])
    return Beats(features["pictures"].values, side)


def predict_beats(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score every beat of the given patients."""
    network = TwoWays(open_network(model), model.read_json("model.json")["side_weight"])
    logits = ctx.score_with(network, beats_of(model, features), batch_size=config.batch_size)
    logits = logits.astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    target = ctx.task.targets[0].name
    scores = {target: odds / odds.sum(axis=1, keepdims=True)}
    return Predictions(tuple(features.table.index), scores)
