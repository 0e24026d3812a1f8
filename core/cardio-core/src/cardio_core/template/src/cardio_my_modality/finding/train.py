"""Hook `train`: everything that is fitted across patients is fitted here."""

from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cardio_core.api import Context, FeatureSet, ModelArtifact, Targets
from cardio_my_modality.finding.columns import columns, numbers
from cardio_my_modality.finding.config import TrainBlock


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that `ctx.model` names."""
    if ctx.model == "network":
        from cardio_my_modality.finding.by_network import fit_network  # torch only where needed

        return fit_network(training, validation, targets, config, ctx)
    # What could not be measured is NaN; its place takes the median of the training patients.
    regression = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=config.strength),
    )
    regression.fit(columns(training, ctx), numbers(training, targets, ctx))
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(regression)
    return artifact
