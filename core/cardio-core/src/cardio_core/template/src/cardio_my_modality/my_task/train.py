"""Hook `train`: fits the network; regressions are estimators, which the core fits."""

import numpy as np
import torch
from torch.nn import functional

from cardio_core.api import ArrayExamples, Context, Examples, FeatureSet, ModelArtifact, Targets
from cardio_my_modality.my_task.config import TrainBlock
from cardio_my_modality.networks.small import SmallNetwork


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network; a validation set, where there is one, chooses the epoch."""

    def examples(features: FeatureSet) -> Examples:
        finding = targets.of(features.table, "my_target").astype(np.int64)
        return ArrayExamples(features["shape"].values, finding)

    torch.manual_seed(ctx.seed_of("weights"))
    fitted = ctx.fit(
        SmallNetwork(len(ctx.task.targets[0].classes)),
        examples(training),
        None if validation is None else examples(validation),
        plan=config.fit,
        loss=lambda outputs, batch: functional.cross_entropy(outputs, batch["targets"]),
    )
    return ModelArtifact(ctx.out, fitted.best_epoch, fitted.notes)
