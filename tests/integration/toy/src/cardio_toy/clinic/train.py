"""Hook `train`."""

from __future__ import annotations

from cardio_core.api import Context, FeatureSet, ModelArtifact, Targets
from cardio_toy.clinic import linear, one_feature
from cardio_toy.clinic.config import TrainBlock
from cardio_toy.parts.interrupted import wait


def train(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Fit the model that the context names."""
    wait(ctx)
    if ctx.task.name == "joined":
        return one_feature.fit_one_feature(training, targets, ctx)
    if ctx.model == "constant":
        return linear.fit_constant(training, targets, ctx)
    if ctx.task.name == "second":
        return linear.fit_severity(training, targets, config, ctx)
    return linear.fit_illness(training, targets, config, ctx)
