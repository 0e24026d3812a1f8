"""Hook `train`: everything that is fitted across patients is fitted here."""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cardio_core.api import Context, FeatureSet, ModelArtifact, Targets
from cardio_heart_sounds.murmur.columns import levels, murmurs
from cardio_heart_sounds.murmur.config import TrainBlock


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that `ctx.model` names."""
    if ctx.model == "network":
        from cardio_heart_sounds.murmur.by_network import fit_network  # torch only where needed

        return fit_network(training, validation, targets, config, ctx)
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=config.strength))
    regression.fit(levels(training), murmurs(training, targets))
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(regression)
    return artifact
