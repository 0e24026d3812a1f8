"""Hook `predict`."""

from __future__ import annotations

from cardio_core.api import Context, FeatureSet, ModelArtifact, Predictions
from cardio_toy.clinic import linear, one_feature


def predict(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score every recording."""
    if ctx.task.name == "joined":
        return one_feature.score_one_feature(model, features, ctx)
    return linear.score_linear(model, features, ctx)
