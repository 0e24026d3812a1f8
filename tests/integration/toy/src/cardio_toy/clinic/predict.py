"""Hook `predict`."""

from __future__ import annotations

from cardio_core.api import Context, FeatureSet, ModelArtifact, Predictions
from cardio_toy.clinic import linear, one_feature
from cardio_toy.parts.another_processor import on_another_processor


def predict(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score every recording."""
    score = one_feature.score_one_feature if ctx.task.name == "joined" else linear.score_linear
    return on_another_processor(score(model, features, ctx), ctx)
