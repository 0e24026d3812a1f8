"""Which row is fitted how."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from cardio_toy import joined, linear

if TYPE_CHECKING:
    from cardio_core.api import Context, FeatureSet, ModelArtifact, Predictions, Targets
    from cardio_toy.config import TrainBlock


def fit_row(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the row that the context names."""
    # Lets a test interrupt a run in the middle of training.
    time.sleep(float(os.environ.get("CARDIO_TOY_WAIT_S", "0")))
    if ctx.task.name == "joined":
        return joined.fit_one_feature(training, targets, ctx)
    if ctx.model == "constant":
        return linear.fit_constant(training, targets, ctx)
    if ctx.task.name == "second":
        return linear.fit_severity(training, targets, config, ctx)
    if ctx.model == "ridge":
        return linear.fit_illness(training, targets, config, ctx)
    from cardio_toy import network

    return network.fit_network(training, validation, targets, config, ctx)


def score_row(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score with the kind of model that the artifact holds."""
    if (model.path / "joined.json").exists():
        return joined.score_one_feature(model, features, ctx)
    if (model.path / "linear.json").exists():
        return linear.score_linear(model, features, ctx)
    from cardio_toy import network

    return network.score_network(model, features, ctx)
