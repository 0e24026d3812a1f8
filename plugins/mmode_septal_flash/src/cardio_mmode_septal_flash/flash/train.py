"""Train: the network on M-modes, or a regression on the septum's motion, on the same studies."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Targets
from cardio_mmode_septal_flash.flash.config import TrainBlock
from cardio_mmode_septal_flash.flash.models import model_of
from cardio_mmode_septal_flash.flash.network import fresh_network, settings_of, shown_of, write_mean
from cardio_mmode_septal_flash.flash.regression import fit_regression
from cardio_mmode_septal_flash.localisation import measures
from cardio_mmode_septal_flash.localisation.place import N_COLUMNS, places_of
from cardio_mmode_septal_flash.mmode.picture import mean_picture
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet
from cardio_mmode_septal_flash.networks.heat_maps import maps_of
from cardio_mmode_septal_flash.networks.pictures import Pictures

Labelled = tuple[FeatureSet, NDArray[np.int64]]

N_FOR_THRESHOLD = 64
AUGMENTED = (
    "Shifted copies validate the network beside the originals ({n_copies} pictures of {n} studies),"
    " as published: pictures of one study are counted as if they were independent."
)


def train(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the model that the context names and leave it in its directory."""
    known, labels = known_labels(training, targets, ctx)
    check_classes(known, labels, ctx)
    if model_of(ctx).kind != "network":
        first = np.flatnonzero(originals(known))
        return fit_regression(known.view(first), labels[first], config.logistic_c, ctx)
    if not config.shifts:
        first = np.flatnonzero(originals(known))
        known, labels = known.view(first), labels[first]
    checked: Labelled | None = None
    notes: tuple[str, ...] = ()
    if config.validation_share > 0:
        known, labels, checked, notes = _own_validation(known, labels, config, ctx)
    elif validation is not None and config.choose_epochs:
        checked = known_labels(validation, targets, ctx)
    return _train_network((known, labels), checked, notes, config, ctx)


def _train_network(
    fitted_on: Labelled,
    checked: Labelled | None,
    said: tuple[str, ...],
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    training, labels = fitted_on
    shown = shown_of(training, ctx)
    pictures = training[shown["picture"]].values
    mean = mean_picture(pictures)  # type: ignore[arg-type]
    network, start = fresh_network(config, shown, ctx)
    done = ctx.fit(
        network,
        Pictures(pictures, mean, labels, config.contrast),
        None
        if checked is None
        else Pictures(checked[0][shown["picture"]].values, mean, checked[1]),
        plan=config.fit,
        loss=cross_entropy,
    )
    artifact = ModelArtifact(ctx.out)
    write_mean(artifact, mean)
    threshold, n_used = threshold_of(done.network, mean, checked or fitted_on, ctx)
    artifact.write_json(
        "model.json",
        {
            "network": settings_of(config),
            "shown": shown,
            "iou_threshold": threshold,
            "iou_threshold_from": f"{n_used} {'validation' if checked else 'training'} studies",
        },
    )
    best = done.best_epoch if checked is not None else None
    return ModelArtifact(artifact.path, best, (*start, *said, *done.notes))


def cross_entropy(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean cross entropy of two logits a picture."""
    return functional.cross_entropy(logits, batch["targets"])


def _own_validation(
    known: FeatureSet, labels: NDArray[np.int64], config: TrainBlock, ctx: Context
) -> tuple[FeatureSet, NDArray[np.int64], Labelled, tuple[str, ...]]:
    """Set a share of the studies aside, whoever they belong to, with all their shifted copies."""
    rng = ctx.rng("validation studies")
    studies = known.table["study_id"].to_numpy(str)
    aside: list[str] = []
    for label in (0, 1):
        own = np.unique(studies[labels == label])
        n_aside = max(1, round(config.validation_share * own.size))
        aside += rng.choice(own, n_aside, replace=False).tolist()
    apart = np.isin(studies, aside)
    fit, check = np.flatnonzero(~apart), np.flatnonzero(apart)
    note = AUGMENTED.format(n_copies=check.size, n=len(aside))
    return known.view(fit), labels[fit], (known.view(check), labels[check]), (note,)


def threshold_of(
    network: FlashDenseNet, mean: NDArray[np.float32], labelled: Labelled, ctx: Context
) -> tuple[float, int]:
    """Return the temporal IoU's threshold, chosen on these studies with flash, and their number.

    Parameters
    ----------
    network : FlashDenseNet
        Fitted.
    mean : ndarray
        Mean picture of training.
    labelled : FeatureSet and labels
        Validation studies, or training studies where none validate; never tested ones.
    ctx : Context
        Model.
    """
    features, labels = labelled
    chosen = np.flatnonzero(originals(features) & (labels == 1))
    places = places_of(features.view(chosen), model_of(ctx).cycle_share)
    known = [i for i, place in enumerate(places) if place.window.known][:N_FOR_THRESHOLD]
    if not known:
        return 0.5, 0
    shown = features.view(chosen[known])[model_of(ctx).picture].values
    profiles = [
        measures.temporal_profile(measures.upsampled(heat, N_COLUMNS, N_COLUMNS))
        for heat in maps_of(network, Pictures(shown, mean), "grad_cam_pp")
    ]
    return measures.best_threshold(profiles, [places[i].window for i in known]), len(known)


def known_labels(
    features: FeatureSet, targets: Targets, ctx: Context
) -> tuple[FeatureSet, NDArray[np.int64]]:
    """Return the samples with a label, and their labels: 1 with septal flash, 0 without.

    Shifted copies of a study stay only beside its original. Where a plan splits samples, a tested
    study's copies would otherwise be trained on.
    """
    target = ctx.task.targets[0]
    y = np.asarray(targets.of(features.table, target.name), dtype=object)
    code = np.array([_code(value, target.classes) for value in y], dtype=np.float64)
    positions = np.flatnonzero(np.isfinite(code) & with_original(features))
    return features.view(positions), code[positions].astype(np.int64)


def check_classes(features: FeatureSet, labels: NDArray[np.int64], ctx: Context) -> None:
    """Raise where a class has fewer than two training studies: nothing can be learnt from that.

    Raises
    ------
    DataError
    """
    first = originals(features)
    n_with, n = int(labels[first].sum()), int(first.sum())
    if min(n_with, n - n_with) < 2:
        raise DataError(
            f"model {ctx.model}: expected two or more training studies with and without septal "
            f"flash, found {n_with} with and {n - n_with} without; take fewer folds "
            "(protocols.honest.k, inner.k=0) or more patients"
        )


def originals(features: FeatureSet) -> NDArray[np.bool_]:
    """Return which samples are no shifted copies, shape (n_samples,)."""
    if "variant" not in features.table.columns:
        return np.ones(len(features), dtype=bool)
    return np.asarray(features.table["variant"].to_numpy() == 0)


def with_original(features: FeatureSet) -> NDArray[np.bool_]:
    """Return which samples belong to a recording whose original is among them."""
    recordings = features.table["recording_id"].to_numpy(str)
    return np.asarray(np.isin(recordings, recordings[originals(features)]))


def _code(value: object, classes: tuple[str, ...]) -> float:
    if isinstance(value, str):
        return float(classes.index(value)) if value in classes else float("nan")
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]
