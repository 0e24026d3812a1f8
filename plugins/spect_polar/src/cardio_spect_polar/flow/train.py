"""Train: step one on reserve, step two on risk factors, and the regressions beside it."""

from __future__ import annotations

from cardio_core.api import Context, FeatureSet, ModelArtifact, Targets
from cardio_spect_polar.flow.config import TrainBlock
from cardio_spect_polar.flow.models import kind_of


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory.

    The number of epochs is set, not chosen: inner folds score the last epoch, as the test will.
    """
    if ctx.task.name == "mfr":
        from cardio_spect_polar.flow.transfer import train_step_one

        return train_step_one(training, targets, config, ctx)
    if kind_of(ctx) == "logistic":
        from cardio_spect_polar.flow.transfer import fit_regressions

        return fit_regressions(training, targets, config, ctx)
    from cardio_spect_polar.flow.transfer import train_step_two

    return train_step_two(training, targets, config, ctx)
