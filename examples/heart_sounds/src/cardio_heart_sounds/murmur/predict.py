"""Hook `predict`: scores for every window; the core takes them to sites and patients."""

from cardio_core.api import Context, FeatureSet, ModelArtifact, Predictions
from cardio_heart_sounds.murmur.columns import levels


def predict(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score every window."""
    if ctx.model == "network":
        from cardio_heart_sounds.murmur.by_network import score_network

        scores = score_network(model, features, ctx)
    else:
        scores = model.load_estimator().predict_proba(levels(features))[:, 1]
    return Predictions(tuple(features.table.index), {"murmur": scores})
