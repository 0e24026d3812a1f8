"""Models with a network in them: how it is fitted, started from the earlier task and used again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Note, Targets
from cardio_ecg_transfer.networks.augment import Augmentation
from cardio_ecg_transfer.networks.patient_net import N_LEADS, PatientNet
from cardio_ecg_transfer.networks.resnet import BeatResNet
from cardio_ecg_transfer.response.bags import bags_of
from cardio_ecg_transfer.response.config import TrainBlock
from cardio_ecg_transfer.response.head import Head
from cardio_ecg_transfer.response.models import EARLIER, Recipe
from cardio_ecg_transfer.response.patients import outcomes
from cardio_ecg_transfer.shared.config import PredictBlock

PICTURES_AT_ONCE = 256


def fit_network(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    recipe: Recipe,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit a network; validation patients, where there are some, choose the epoch."""
    block, target = config.response, ctx.targets[0]
    outcome = outcomes(training, targets, target)
    head = Head.of(target, outcome)
    network, said = _fresh_network(recipe, config, ctx, head.n_outputs)
    bags, _ = bags_of(
        training,
        n_drawn=block.n_beats,
        side=block.side,
        outcomes=head.scaled(outcome),
        augmentation=Augmentation(**config.augmentation.model_dump()),
    )
    checked = None
    # Where the number of epochs is set, inner folds score the last epoch, as the test will.
    if validation is not None and block.choose_epochs:
        checked, _ = bags_of(
            validation,
            n_drawn=block.n_beats_scored,
            side=block.side,
            outcomes=head.scaled(outcomes(validation, targets, target)),
        )
    weights, loss = head.drawing(outcome, block.positive_share if config.fit.draw else None)
    rate = block.body_learning_rate
    fitted = ctx.fit(
        network,
        bags,
        checked,
        plan=config.fit,
        loss=loss,
        weights=weights,
        parameter_groups=None
        if rate is None or not recipe.pretrained
        else lambda fresh: fresh.parameter_groups(rate),
    )
    _describe(config, recipe, ctx, head)
    best = fitted.best_epoch if block.choose_epochs else None
    return ModelArtifact(ctx.out, best, (*Note.each("start", said), *fitted.notes))


def open_patient_net(model: ModelArtifact) -> PatientNet:
    """Return the fitted network in evaluation mode."""
    network = PatientNet(**model.read_json("model.json")["network"])
    model.load_network(network)
    return network.eval()


def network_scores(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> NDArray[np.float64]:
    """Return each patient's scores: see `cardio_core.api.Predictions`."""
    about = model.read_json("model.json")
    bags, _ = bags_of(features, n_drawn=int(about["n_beats_scored"]), side=bool(about["side"]))
    # A patient is a bag of pictures; the batch is stated in pictures.
    batch = max(1, config.batch_size // (12 * bags.n_drawn))
    outputs = ctx.score_with(open_patient_net(model), bags, batch_size=batch)
    return Head(**about.get("head", {"kind": "binary"})).scores(outputs)


def fresh_vectors(
    training: FeatureSet, recipe: Recipe, config: TrainBlock, ctx: Context
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Keep a network as it starts; return its `deep_vectors`, and what was said of its start."""
    network, said = _fresh_network(recipe, config, ctx)
    ModelArtifact(ctx.out).save_network(network)
    _describe(config, recipe, ctx)
    return deep_vectors(network, training, config.response.n_beats_scored, ctx), said


def opened_vectors(model: ModelArtifact, features: FeatureSet, ctx: Context) -> NDArray[np.float64]:
    """Return the `deep_vectors` of the network that `fresh_vectors` kept."""
    n_beats = int(model.read_json("model.json")["n_beats_scored"])
    return deep_vectors(open_patient_net(model), features, n_beats, ctx)


def deep_vectors(
    network: PatientNet, features: FeatureSet, n_beats: int, ctx: Context
) -> NDArray[np.float64]:
    """Return the encoder's features, averaged over beats and kept apart by lead.

    Parameters
    ----------
    network : PatientNet
        Its encoder is used, in evaluation mode.
    features : FeatureSet
        With `pictures`.
    n_beats : int
        Beats of each patient.
    ctx : Context
        Whose device is used.

    Returns
    -------
    ndarray, shape (n_patients, n_leads * n_pooled)
        With the twelve-channel stem there is one part, not twelve.
    """
    bags, _ = bags_of(features, n_drawn=n_beats, side=False)
    vectors = ctx.score_with(
        _Averaged(network.eval()), bags, batch_size=max(1, PICTURES_AT_ONCE // (12 * n_beats))
    )
    return np.asarray(vectors, dtype=np.float64)


class _Averaged(nn.Module):
    """The encoder with the mean over beats behind it."""

    def __init__(self, network: PatientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, bags: dict[str, Any]) -> torch.Tensor:
        """Return one vector a patient."""
        pooled = self.network.pooled_pictures(bags["images"])
        n_parts = N_LEADS if self.network.stem == "shared" else 1
        n_bags, n_instances, n_pooled = pooled.shape
        by_beat = pooled.reshape(n_bags, n_instances // n_parts, n_parts * n_pooled)
        return by_beat.mean(dim=1)


def _fresh_network(
    recipe: Recipe, config: TrainBlock, ctx: Context, n_outputs: int = 1
) -> tuple[PatientNet, tuple[str, ...]]:
    """Return a network before training, and what was said of its start."""
    torch.manual_seed(ctx.seed_of("weights"))
    network = PatientNet(**network_settings(recipe, config, n_outputs))
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


def network_settings(recipe: Recipe, config: TrainBlock, n_outputs: int = 1) -> dict[str, Any]:
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
        "n_outputs": n_outputs,
    }


def _describe(config: TrainBlock, recipe: Recipe, ctx: Context, head: Head | None = None) -> None:
    head = head or Head("binary")
    ModelArtifact(ctx.out).write_json(
        "model.json",
        {
            "network": network_settings(recipe, config, head.n_outputs),
            "head": asdict(head),
            "n_beats_scored": config.response.n_beats_scored,
            "side": config.response.side and recipe.kind == "network",
        },
    )
