"""Hook `train`."""

from __future__ import annotations

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

from cardio_core.api import ArrayExamples, Context, FeatureSet, ModelArtifact, Targets
from cardio_toy.beats.config import TrainBlock
from cardio_toy.bumps.find import HALF
from cardio_toy.networks.bump_net import BumpNet
from cardio_toy.parts.interrupted import wait


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network; a task that needs another starts from its body."""
    wait(ctx)
    torch.manual_seed(ctx.seed_of("weights"))
    network = BumpNet(2 * HALF, len(ctx.task.targets[0].classes))
    for need in ctx.task.needs:
        network.body.load_state_dict(_body_of(ctx.need(need.task)))
    fitted = ctx.fit(
        network,
        _examples(training, targets, ctx),
        None if validation is None else _examples(validation, targets, ctx),
        plan=config.fit,
        loss=lambda outputs, batch: functional.cross_entropy(outputs, batch["targets"]),
    )
    return ModelArtifact(ctx.out, fitted.best_epoch, fitted.notes)


def _body_of(earlier: ModelArtifact) -> dict[str, torch.Tensor]:
    """Return the body's weights of an earlier task, or of a file that stands in for it."""
    path = earlier.path if earlier.path.is_file() else earlier.path / "weights.safetensors"
    stored = load_file(path)
    return {k.removeprefix("body."): v for k, v in stored.items() if k.startswith("body.")}


def _examples(features: FeatureSet, targets: Targets, ctx: Context) -> ArrayExamples:
    target = ctx.task.targets[0]
    y = targets.of(features.table, target.name)
    codes = [value if target.kind == "binary" else target.classes.index(value) for value in y]
    return ArrayExamples(features["beat"].values, np.asarray(codes, dtype=np.int64))
