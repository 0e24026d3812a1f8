"""Step one: a network learns the reserve of 17 segments and whether it is impaired.

The reserve is computed from the maps that the network sees. That makes this step a way to teach a
network what polar maps look like, and its own results a sanity check.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Note, Targets
from cardio_spect_polar.flow.config import TrainBlock
from cardio_spect_polar.flow.models import N_SEGMENTS, map_of
from cardio_spect_polar.flow.pictures import Pictures
from cardio_spect_polar.networks.flow_resnet import FlowResNet

N_OUTPUTS = N_SEGMENTS + 1
SEGMENTS = tuple(f"mfr_{n:02d}" for n in range(1, N_SEGMENTS + 1))


def train_step_one(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Fit one network to 17 reserves (Huber) and impaired reserve (log loss) together.

    Its head starts at the training patients' means, so that it only learns what differs.
    """
    torch.manual_seed(ctx.seed_of("weights"))
    y = np.column_stack(
        [np.asarray(targets.of(training.table, n), float) for n in (*SEGMENTS, "impaired")]
    ).astype(np.float32)
    settings: dict[str, Any] = {"width_mult": config.width_mult, "small_stem": config.small_stem}
    network = FlowResNet(N_OUTPUTS, **settings)
    notes: tuple[Note, ...] = ()
    if config.weights is not None:
        notes = (Note("start", _start_from_file(network, Path(config.weights), config, ctx)),)
    start_at_means(network.fc, y)
    fitted = ctx.fit(
        network,
        Pictures(training[f"picture_{map_of(ctx)}"].values, y),
        None,
        plan=config.fit,
        loss=two_part_loss(config.huber_delta, config.impaired_weight),
    )
    artifact = ModelArtifact(ctx.out, None, (*notes, *fitted.notes))
    artifact.write_json("model.json", {"network": settings, "map": map_of(ctx)} | seen_in(training))
    return artifact


def open_step_one(artifact: ModelArtifact) -> FlowResNet:
    """Return the fitted network of step one in evaluation mode."""
    network = FlowResNet(N_OUTPUTS, **artifact.read_json("model.json")["network"])
    artifact.load_network(network)
    return network.eval()


def two_part_loss(
    delta: float, impaired_weight: float
) -> Callable[[torch.Tensor, dict[str, Any]], torch.Tensor]:
    """Return the mean Huber loss of known segments plus the weighted log loss of impaired reserve.

    Targets are shape (n, 18): 17 reserves and impaired, NaN where unknown.

    Examples
    --------
    >>> loss = two_part_loss(0.5, 1.0)
    >>> truth = torch.full((1, 18), float("nan"))
    >>> truth[0, 0] = 3.0
    >>> loss(torch.full((1, 18), 2.0), {"targets": truth}).item()  # .5 (1 - .25)
    0.375
    """

    def loss(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        truth = batch["targets"]
        known = torch.isfinite(truth)
        safe = torch.where(known, truth, outputs.detach())
        huber = functional.huber_loss(
            outputs[:, :N_SEGMENTS], safe[:, :N_SEGMENTS], delta=delta, reduction="sum"
        ) / known[:, :N_SEGMENTS].sum().clamp_min(1)
        with_label = known[:, N_SEGMENTS]
        impaired = functional.binary_cross_entropy_with_logits(
            outputs[with_label, N_SEGMENTS], truth[with_label, N_SEGMENTS], reduction="sum"
        ) / with_label.sum().clamp_min(1)
        return huber + impaired_weight * impaired

    return loss


def start_at_means(head: torch.nn.Linear, y: NDArray[np.float32]) -> None:
    """Let a new head predict the training means: reserves, and the log odds of impaired."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(y)
        means = np.where(known, y, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    share = float(np.clip(means[N_SEGMENTS], 0.01, 0.99))
    means[N_SEGMENTS] = np.log(share / (1 - share))
    with torch.no_grad():
        head.bias.copy_(torch.from_numpy(means.astype(np.float32)))
        head.weight.mul_(0.1)


def _start_from_file(network: FlowResNet, file: Path, config: TrainBlock, ctx: Context) -> str:
    if config.width_mult != 1:
        raise DataError(
            f"train.weights={file.name}: published weights have width 1, and "
            f"train.width_mult is {config.width_mult:g}; set it to 1 or leave the file out"
        )
    if not file.is_file():
        raise DataError(f"train.weights: {file.name}: no such file; give a local safetensors file")
    copied = ctx.load_backbone(network, file)
    return f"step one started from the file {file.name}: {len(copied)} tensors"


def seen_in(training: FeatureSet) -> dict[str, Any]:
    """Return size (pixels) and unit of the pictures that a network was trained on."""
    block = training.blocks["picture_rest"]
    return {"size": int(block.values.shape[-1]), "unit": block.units[0]}
