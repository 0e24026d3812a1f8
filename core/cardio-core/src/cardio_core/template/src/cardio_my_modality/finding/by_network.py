"""The model `network`: fitted by the core's engine, scored in batches on the run's device."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch.nn import functional

from cardio_core.api import ArrayExamples, Context, Examples, FeatureSet, ModelArtifact, Targets
from cardio_my_modality.finding.columns import numbers
from cardio_my_modality.finding.config import TrainBlock
from cardio_my_modality.networks.small import SmallNetwork


def fit_network(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network; a validation set, where there is one, chooses the epoch."""

    def examples(features: FeatureSet) -> Examples:
        return ArrayExamples(features["shape"].values, numbers(features, targets, ctx))

    torch.manual_seed(ctx.seed_of("weights"))
    fitted = ctx.fit(
        SmallNetwork(len(ctx.task.targets[0].classes)),
        examples(training),
        None if validation is None else examples(validation),
        plan=config.fit,
        loss=lambda outputs, batch: functional.cross_entropy(outputs, batch["targets"]),
    )
    return ModelArtifact(ctx.out, fitted.best_epoch, fitted.notes)


def score_network(model: ModelArtifact, features: FeatureSet, ctx: Context) -> NDArray[Any]:
    """Return the scores of every sample."""
    network = SmallNetwork(len(ctx.task.targets[0].classes))
    model.load_network(network)
    outputs = ctx.score_with(network, ArrayExamples(features["shape"].values))
    return np.asarray(softmax(outputs.astype(float), axis=1)[:, 1])
