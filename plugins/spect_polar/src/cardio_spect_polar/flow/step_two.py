"""Step two: from the network of step one to one risk factor at a time.

Everything up to residual layer 2 stays as step one left it, so its feature maps are computed once
for all factors; layers 3 and 4 and a head of one logit are tuned for each.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cardio_core.api import (
    ArrayExamples,
    Context,
    DataError,
    FeatureSet,
    ModelArtifact,
    Note,
    SafeName,
    Targets,
)
from cardio_spect_polar.flow.config import TrainBlock
from cardio_spect_polar.flow.labels import labels_of
from cardio_spect_polar.flow.models import map_of
from cardio_spect_polar.flow.pictures import Pictures
from cardio_spect_polar.flow.step_one import N_OUTPUTS, open_step_one, seen_in
from cardio_spect_polar.networks.flow_resnet import FlowResNet, Tail, Trunk

TRUNK = "trunk.safetensors"
LARGEST_LOGIT = 30.0


def train_step_two(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Tune a tail for every risk factor, from that fold's network of step one.

    Within the inner folds the network of step one is that of the outer fold. It has seen maps of
    inner validation patients, never their risk factors, and nobody who is tested.
    """
    earlier = ctx.need("mfr", str(ctx.model))
    about = earlier.read_json("model.json")
    _check_pictures(about, training, ctx)
    artifact = ModelArtifact(ctx.out)
    trunk = Trunk(open_step_one(earlier))
    artifact.save_network(trunk, TRUNK)
    maps = _maps_of(trunk, training, map_of(ctx), ctx, config.fit.batch_size)
    notes: list[Note] = []
    constants: dict[str, float] = {}
    for target in ctx.task.targets:
        labels = labels_of(training, targets, target.name)
        if not labels.learnable:
            constants[target.name] = labels.constant
            notes.append(Note("not_fitted", labels.said(target.name)))
            continue
        prevalence = float(labels.y.mean())
        tail = _fresh_tail(earlier, prevalence, ctx, target.name)
        rate = config.body_learning_rate
        fitted = ctx.inside(target.name).fit(
            tail,
            ArrayExamples(maps[labels.known], labels.y),
            None,
            plan=config.fit,
            loss=balanced_loss(prevalence),
            parameter_groups=None if rate is None else methodcaller("parameter_groups", rate),
        )
        notes += fitted.notes
    artifact.write_json(
        "model.json", {"network": about["network"], "map": map_of(ctx), "constants": constants}
    )
    return ModelArtifact(artifact.path, None, tuple(dict.fromkeys(notes)))


def open_step_two(artifact: ModelArtifact, target: str) -> tuple[Trunk, Tail]:
    """Return the trunk and one factor's tail in evaluation mode."""
    settings = artifact.read_json("model.json")["network"]
    return _open_trunk(artifact, settings), _open_tail(artifact, settings, target)


def score_step_two(
    artifact: ModelArtifact,
    features: FeatureSet,
    ctx: Context,
    batch_size: int,
    *,
    gain: float = 1.0,
) -> dict[str, NDArray[np.float64]]:
    """Return the probability of each factor, by target, shape (n_samples,).

    Parameters
    ----------
    artifact, features, ctx, batch_size
        What scores whom, where.
    gain : float
        Multiplies what the pictures show.
    """
    about = artifact.read_json("model.json")
    settings, constants = about["network"], about["constants"]
    trunk = _open_trunk(artifact, settings)
    maps = _maps_of(trunk, features, map_of(ctx), ctx, batch_size, gain)
    scores = {}
    for target in ctx.task.targets:
        if target.name in constants:
            scores[target.name] = np.full(len(maps), constants[target.name])
            continue
        tail = _open_tail(artifact, settings, target.name)
        logits = ctx.score_with(tail, ArrayExamples(maps), batch_size=batch_size)
        scores[target.name] = to_probability(logits)
    return scores


def to_probability(logits: Any) -> NDArray[np.float64]:
    """Return probabilities of logits, never quite 0 or 1."""
    bounded = np.clip(np.asarray(logits, np.float64), -LARGEST_LOGIT, LARGEST_LOGIT)
    return np.asarray(1 / (1 + np.exp(-bounded)))


def balanced_loss(prevalence: float) -> Callable[[torch.Tensor, dict[str, Any]], torch.Tensor]:
    """Return the log loss with classes weighted alike, for logits of the cohort's prevalence.

    Weights that balance the classes move the best logit by the log odds of the prevalence. The
    loss sees the moved logit, so that what the network gives stays calibrated for the cohort.

    Examples
    --------
    >>> y = torch.tensor([1.0, 0.0, 0.0, 0.0])
    >>> logits = torch.full((4,), float(np.log(1 / 3)), requires_grad=True)
    >>> balanced_loss(0.25)(logits, {"targets": y}).backward()
    >>> bool(logits.grad.sum().abs() < 1e-7)  # the cohort's log odds is where it is smallest
    True
    """
    shift = float(np.log((1 - prevalence) / prevalence))

    def loss(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        y = batch["targets"]
        weight = torch.where(y == 1, 0.5 / prevalence, 0.5 / (1 - prevalence))
        return functional.binary_cross_entropy_with_logits(logits + shift, y, weight=weight)

    return loss


def _fresh_tail(earlier: ModelArtifact, prevalence: float, ctx: Context, target: str) -> Tail:
    torch.manual_seed(ctx.seed_of(f"head {target}"))
    tail = Tail(open_step_one(earlier))
    with torch.no_grad():
        tail.fc.weight.mul_(0.1)
        tail.fc.bias.fill_(float(np.log(prevalence / (1 - prevalence))))
    return tail


def _open_trunk(artifact: ModelArtifact, settings: dict[str, Any]) -> Trunk:
    trunk = Trunk(FlowResNet(N_OUTPUTS, **settings))
    artifact.load_network(trunk, TRUNK)
    return trunk.eval()


def _open_tail(artifact: ModelArtifact, settings: dict[str, Any], target: str) -> Tail:
    tail = Tail(FlowResNet(N_OUTPUTS, **settings))
    artifact.load_network(tail, f"{SafeName(target)}/weights.safetensors")
    return tail.eval()


def _maps_of(
    trunk: Trunk, features: FeatureSet, name: str, ctx: Context, batch_size: int, gain: float = 1.0
) -> NDArray[np.float32]:
    pictures = Pictures(features[f"picture_{name}"].values, gain=gain)
    return np.asarray(ctx.score_with(trunk, pictures, batch_size=batch_size), np.float32)


def _check_pictures(about: dict[str, Any], training: FeatureSet, ctx: Context) -> None:
    """Refuse a network of step one that was trained on pictures of another size or scaling."""
    own = seen_in(training)
    if own != {key: about[key] for key in own}:
        raise DataError(
            f"model {ctx.model}: step one saw pictures of {about['size']} pixels in "
            f"{about['unit']}, and this step would show it {own['size']} in {own['unit']}; give "
            "both tasks the same featurize block (needs.mfr.settings.featurize)"
        )
