"""Train for `crt_response`: each model in its own way, on the same patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Targets
from cardio_ecg_transfer.networks.augment import Augmentation
from cardio_ecg_transfer.networks.patient_net import PatientNet
from cardio_ecg_transfer.networks.resnet import BeatResNet
from cardio_ecg_transfer.response.bags import bags_of
from cardio_ecg_transfer.response.classical import deep_vectors, fit_classifier, vectors_of
from cardio_ecg_transfer.response.config import TrainBlock
from cardio_ecg_transfer.response.models import EARLIER, RECIPES, Recipe
from cardio_ecg_transfer.response.patients import responders


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory."""
    recipe = RECIPES[str(ctx.model)]
    response = responders(training, targets, ctx.task.targets[0].name)
    if recipe.kind == "rule":
        artifact = ModelArtifact(ctx.out)
        artifact.write_json("rule.json", {"columns": list(recipe.columns)})
        return artifact
    _check_classes(response, ctx)
    if recipe.kind == "network":
        return _train_network(training, validation, targets, recipe, config, ctx)
    notes: tuple[str, ...] = ()
    if recipe.kind == "deep_features":
        network, notes = _fresh_network(recipe, config, ctx)
        ModelArtifact(ctx.out).save_network(network)
        _describe(config, recipe, ctx)
        vectors = deep_vectors(network, training, config.response.n_beats_scored, ctx)
    else:
        vectors = vectors_of(training, recipe)
    fitted = fit_classifier(vectors, response, recipe, config.classical, ctx)
    return ModelArtifact(fitted.path, None, notes)


def _check_classes(response: NDArray[np.float32], ctx: Context) -> None:
    n_with = int((response == 1).sum())
    if min(n_with, len(response) - n_with) < 2:
        raise DataError(
            f"model {ctx.model}: expected two or more training patients with and without the "
            f"outcome, found {n_with} with and {len(response) - n_with} without; take fewer folds "
            "(protocols.honest.k, inner.k=0) or more patients"
        )


def _train_network(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    recipe: Recipe,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    block, target = config.response, ctx.task.targets[0].name
    network, said = _fresh_network(recipe, config, ctx)
    response = responders(training, targets, target)
    bags, _ = bags_of(
        training,
        n_drawn=block.n_beats,
        side=block.side,
        responders=response,
        augmentation=Augmentation(**config.augmentation.model_dump()),
    )
    checked = None
    # Where the number of epochs is set, inner folds score the last epoch, as the test will.
    if validation is not None and block.choose_epochs:
        checked, _ = bags_of(
            validation,
            n_drawn=block.n_beats_scored,
            side=block.side,
            responders=responders(validation, targets, target),
        )
    prevalence = float(response.mean())
    share = block.positive_share if config.fit.draw else prevalence
    weights = np.where(response == 1, share / prevalence, (1 - share) / (1 - prevalence))
    rate = block.body_learning_rate
    fitted = ctx.fit(
        network,
        bags,
        checked,
        plan=config.fit,
        loss=_shifted_loss(prevalence, share),
        weights=weights,
        parameter_groups=None
        if rate is None or not recipe.pretrained
        else lambda fresh: fresh.parameter_groups(rate),
    )
    _describe(config, recipe, ctx)
    best = fitted.best_epoch if block.choose_epochs else None
    return ModelArtifact(ctx.out, best, (*said, *fitted.notes))


def _fresh_network(
    recipe: Recipe, config: TrainBlock, ctx: Context
) -> tuple[PatientNet, tuple[str, ...]]:
    """Return a network before training, and what was said of its start."""
    torch.manual_seed(ctx.seed_of("weights"))
    network = PatientNet(**network_settings(recipe, config))
    if not recipe.pretrained:
        return network, ()
    return network, (start_from_earlier(network.encoder, recipe, config.small_stem, ctx),)


def start_from_earlier(encoder: BeatResNet, recipe: Recipe, small_stem: bool, ctx: Context) -> str:
    """Copy the earlier task's encoder into this one, and say in one sentence what was copied.

    Raises
    ------
    DataError
        If the earlier encoder saw other pictures than this one will, or its depth or width
        differ; the message says what to run.
    """
    earlier = ctx.need(EARLIER, recipe.earlier_model)
    stands_in = earlier.path.is_file()
    if not stands_in:
        _check_pictures(earlier, small_stem)
    file = earlier.path if stands_in else earlier.path / "weights.safetensors"
    try:
        copied = ctx.load_backbone(encoder, file)
    except DataError as error:
        raise DataError(
            f"{error}; give both tasks the same depth and width (train.depth, train.width_mult, "
            f"and needs.{EARLIER}.settings.train likewise; a file of ImageNet weights has width 1)"
        ) from error
    source = f"the file {file.name}" if stands_in else f"{EARLIER}, model {recipe.earlier_model}"
    return f"encoder from {source}: {len(copied)} tensors copied"


def _check_pictures(earlier: ModelArtifact, small_stem: bool) -> None:
    """Refuse an encoder that was trained on pictures of several leads or of another kind."""
    about = earlier.read_json("model.json")
    channels, stem = about["channels"], bool(about["network"]["small_stem"])
    if channels == ["own:0"] and stem == small_stem:
        return
    raise DataError(
        f"the encoder of {EARLIER} was trained on {len(channels)} channel(s) "
        f"({', '.join(channels)}; small_stem={stem}), and this task shows it single leads of kind "
        f"own with small_stem={small_stem}; let this run make {EARLIER} "
        f"(--set needs.{EARLIER}.data=FOLDER), which sets it up alike"
    )


def network_settings(recipe: Recipe, config: TrainBlock) -> dict[str, Any]:
    """Return the settings of a model's network, ready for JSON."""
    block = config.response
    return {
        "depth": recipe.depth or config.depth,
        "stem": block.stem,
        "pooling": block.pooling,
        "n_side": 2 if block.side and recipe.kind == "network" else 0,
        "width_mult": config.width_mult,
        "small_stem": config.small_stem,
        "dropout": config.dropout,
        "frozen": block.freeze if recipe.pretrained else "none",
    }


def _shifted_loss(prevalence: float, share: float) -> Any:
    """Return the log loss for logits of the cohort's prevalence, though `share` was drawn."""
    shift = float(np.log(share / (1 - share)) - np.log(prevalence / (1 - prevalence)))

    def loss(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        return nn.functional.binary_cross_entropy_with_logits(logits + shift, batch["targets"])

    return loss


def _describe(config: TrainBlock, recipe: Recipe, ctx: Context) -> None:
    ModelArtifact(ctx.out).write_json(
        "model.json",
        {
            "network": network_settings(recipe, config),
            "n_beats_scored": config.response.n_beats_scored,
            "side": config.response.side and recipe.kind == "network",
        },
    )
