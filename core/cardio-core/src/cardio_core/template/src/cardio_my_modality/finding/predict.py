"""Hook `predict`: scores for every sample; the core takes their mean over a patient."""

from cardio_core.api import Context, FeatureSet, ModelArtifact, Predictions
from cardio_my_modality.finding.columns import columns


def predict(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score every pulse."""
    if ctx.model == "network":
        from cardio_my_modality.finding.by_network import score_network

        scores = score_network(model, features, ctx)
    else:
        scores = model.load_estimator().predict_proba(columns(features, ctx))[:, 1]
    return Predictions(tuple(features.table.index), {"finding": scores})
