"""The network row: single beats through two small layers, trained by the core's engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from cardio_core.api import ModelArtifact, Predictions, load_weights
from cardio_toy.bumps import HALF

if TYPE_CHECKING:
    from cardio_core.api import Context, FeatureSet, Targets
    from cardio_toy.config import TrainBlock


class BumpNet(nn.Module):
    """A body that any task can share and a head of its own."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(2 * HALF, 8), nn.ReLU())
        self.head = nn.Linear(8, n_classes)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, n_classes), of beats of shape (n, 1, 16)."""
        logits: torch.Tensor = self.head(self.body(inputs))
        return logits


@dataclass(frozen=True)
class Beats:
    """Beats as the engine asks for them."""

    values: Any
    classes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    def batch(self, indices: np.ndarray, rng: np.random.Generator | None) -> dict[str, Any]:
        """Return one batch."""
        made = {"inputs": torch.from_numpy(np.asarray(self.values[indices], dtype=np.float32))}
        if self.classes is not None:
            made["targets"] = torch.from_numpy(self.classes[indices])
        return made


def fit_network(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network; a task that needs another starts from its body."""
    torch.manual_seed(ctx.seed_of("weights"))
    network = BumpNet(len(ctx.task.targets[0].classes))
    for need in ctx.task.needs:
        network.body.load_state_dict(_body_of(ctx.need(need.task)))
    fitted = ctx.fit(
        network,
        _beats(training, targets, ctx),
        None if validation is None else _beats(validation, targets, ctx),
        plan=config.fit,
        loss=lambda outputs, batch: nn.functional.cross_entropy(outputs, batch["targets"]),
    )
    artifact = ModelArtifact(ctx.out, fitted.best_epoch, fitted.notes)
    artifact.write_json("network.json", {"n_classes": len(ctx.task.targets[0].classes)})
    return artifact


def open_network(model: ModelArtifact) -> BumpNet:
    """Return a fitted network."""
    network = BumpNet(model.read_json("network.json")["n_classes"])
    load_weights(network, model.path / "weights.safetensors")
    return network


def _body_of(earlier: ModelArtifact) -> dict[str, torch.Tensor]:
    """Return the body's weights of an earlier task, or of a file that stands in for it."""
    path = earlier.path if earlier.path.is_file() else earlier.path / "weights.safetensors"
    prefix = "body."
    stored = load_file(path)
    return {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)}


def score_network(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score every beat."""
    logits = ctx.score_with(open_network(model), Beats(features["beat"].values)).astype(float)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = odds / odds.sum(axis=1, keepdims=True)
    target = ctx.task.targets[0]
    chosen = scores[:, 1] if target.kind == "binary" else scores
    return Predictions(tuple(features.table.index), {target.name: chosen})


def _beats(features: FeatureSet, targets: Targets, ctx: Context) -> Beats:
    target = ctx.task.targets[0]
    y = targets.of(features.table, target.name)
    codes = [value if target.kind == "binary" else target.classes.index(value) for value in y]
    return Beats(features["beat"].values, np.asarray(codes, dtype=np.int64))
