"""Which row is fitted how."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

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
        said = joined.score_one_feature(model, features, ctx)
    elif (model.path / "linear.json").exists():
        said = linear.score_linear(model, features, ctx)
    else:
        from cardio_toy import network

        said = network.score_network(model, features, ctx)
    return _on_another_processor(said, ctx)


def _on_another_processor(said: Predictions, ctx: Context) -> Predictions:
    """Imitate other vector units: ``CARDIO_TEST_NOISE=SEED`` changes every score by up to 1e-7.

    As on a processor, the same arithmetic gives the same digits: the noise is a function of the
    score, so scores that were equal stay equal, whoever computes them, in whatever company.
    """
    seed = os.environ.get("CARDIO_TEST_NOISE")
    if not seed:
        return said
    scores = {}
    for target in ctx.targets:
        exact = np.asarray(said.scores[target.name], dtype=float)
        noisy = exact + 1e-7 * np.sin(1e9 * exact + 1e3 * float(seed))
        scores[target.name] = noisy if target.kind == "continuous" else noisy.clip(0, 1)
    return replace(said, scores=said.scores | scores)
