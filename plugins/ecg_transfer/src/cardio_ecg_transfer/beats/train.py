"""Train: a residual network on spectrograms, with an artifact that describes itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cardio_core.api import Context, FeatureSet, ModelArtifact, Targets
from cardio_ecg_transfer.beats.config import TrainBlock
from cardio_ecg_transfer.beats.epoch_draw import drawing_weights, log_prior_ratio
from cardio_ecg_transfer.beats.evidence import fit_evidence
from cardio_ecg_transfer.beats.examples import Beats, side_features
from cardio_ecg_transfer.beats.models import DEPTHS, EVIDENCE
from cardio_ecg_transfer.networks.augment import Augmentation
from cardio_ecg_transfer.networks.losses import inverse_sqrt_frequency, prior_adjusted_cross_entropy
from cardio_ecg_transfer.networks.resnet import BeatResNet


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model on the beats that have a class, and write it with its settings.

    Returns
    -------
    ModelArtifact
        ``weights.safetensors`` and ``model.json`` (network settings, side features, class names);
        for `evidence`, a file of trees an expert.
    """
    if ctx.model == EVIDENCE:
        return fit_evidence(training, targets, config.evidence, ctx)
    torch.manual_seed(ctx.seed_of("weights"))
    beats = _beats(training, targets, config, ctx)
    checked = None if validation is None else _beats(validation, targets, config, ctx)
    classes = ctx.task.targets[0].classes
    settings: dict[str, Any] = {
        "depth": DEPTHS.get(str(ctx.model), config.depth),
        "width_mult": config.width_mult,
        "small_stem": config.small_stem,
        "dropout": config.dropout,
        "picture_dropout": config.picture_dropout,
        "picture_classes": list(config.picture_classes) or None,
        "n_side_hidden": config.n_side_hidden,
        "n_input_channels": int(beats.pictures.shape[1]),
        "n_side": int(beats.side.shape[1]),
        "n_classes": len(classes),
    }
    assert beats.classes is not None  # noqa: S101  (targets were given)
    weights = None
    loss = _frequency_weighted(beats.classes, len(classes))
    if config.shares:
        weights = drawing_weights(
            beats.classes,
            training.table["patient_id"].to_numpy(str),
            config.shares,
            patient_power=config.patient_power,
        )
        loss = _prior_adjusted(weights, beats.classes, config)
    fitted = ctx.fit(
        BeatResNet(**settings),
        beats,
        checked,
        plan=config.fit,
        loss=loss,
        score=macro_f1_score if checked is not None else None,
        weights=weights,
    )
    artifact = ModelArtifact(ctx.out, fitted.best_epoch, tuple(fitted.notes))
    artifact.write_json(
        "model.json",
        {
            "network": settings,
            "rhythm": config.rhythm,
            "loudness": config.loudness,
            "classes": list(classes),
            "channels": list(training["pictures"].names),
        },
    )
    return artifact


def macro_f1_score(outputs: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """Return the mean F1 of N, S and V over validation beats.

    F and Q are too rare in a handful of records to choose an epoch by.
    """
    predicted = outputs.argmax(axis=1)
    found = []
    for label in range(3):
        hits = np.sum((classes == label) & (predicted == label))
        total = np.sum(classes == label) + np.sum(predicted == label)
        if np.any(classes == label):
            found.append(2 * hits / total)
    return float(np.mean(found)) if found else 0.0


def _beats(features: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context) -> Beats:
    target = ctx.task.targets[0]
    number = {name: i for i, name in enumerate(target.classes)}
    classes = np.array([number[name] for name in targets.of(features.table, target.name)])
    kinds = {name.partition(":")[0] for name in features["pictures"].names}
    return Beats(
        features["pictures"].values,
        side_features(features, rhythm=config.rhythm, loudness=config.loudness),
        classes.astype(np.int64),
        n_leads=len(features["pictures"].names) // len(kinds),
        augmentation=Augmentation(**config.augmentation.model_dump()),
    )


def _frequency_weighted(classes: NDArray[np.int64], n_classes: int) -> Any:
    counts = torch.bincount(torch.from_numpy(classes), minlength=n_classes)
    weight = inverse_sqrt_frequency(counts)

    def loss(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        return nn.functional.cross_entropy(
            logits, batch["targets"], weight=weight.to(logits.device)
        )

    return loss


def _prior_adjusted(
    weights: NDArray[np.float64], classes: NDArray[np.int64], config: TrainBlock
) -> Any:
    ratio = torch.from_numpy(log_prior_ratio(weights, classes, config.prior))

    def loss(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        return prior_adjusted_cross_entropy(
            logits,
            batch["targets"],
            log_prior_ratio=ratio.to(logits.device),
            label_smoothing=config.label_smoothing,
        )

    return loss
