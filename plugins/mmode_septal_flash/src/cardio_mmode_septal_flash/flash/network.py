"""A DenseNet: fitted, kept as an artifact with its mean picture, and opened again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch.nn import functional

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Note
from cardio_mmode_septal_flash.flash.config import TrainBlock
from cardio_mmode_septal_flash.flash.labels import Labelled, originals, scale_of
from cardio_mmode_septal_flash.flash.models import EARLIER, is_flash, model_of
from cardio_mmode_septal_flash.localisation import measures
from cardio_mmode_septal_flash.localisation.tables import N_COLUMNS, places_of
from cardio_mmode_septal_flash.mmode.picture import mean_picture
from cardio_mmode_septal_flash.networks.densenet import OWN, FlashDenseNet, start_from_file
from cardio_mmode_septal_flash.networks.heat_maps import Pictures, maps_of

N_FOR_THRESHOLD = 64
MEAN = "mean.safetensors"
LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 in 64 bits."""

SCRATCH = (
    "Not pretrained: started from random weights; the published network started from RadImageNet."
)


def fit_network(
    fitted_on: Labelled,
    checked: Labelled | None,
    messages: tuple[str, ...],
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the network; studies that check it, where there are some, choose the epoch."""
    training, labels = fitted_on
    shown = shown_of(training, ctx)
    pictures = training[shown["picture"]].values
    mean = mean_picture(pictures)  # type: ignore[arg-type]

    def shows(values: Any, wanted: Any = None, contrast: float = 1.0) -> Pictures:
        return Pictures(values, mean, wanted, contrast, config.even_gain)

    network, start = fresh_network(config, shown, ctx)
    scale = scale_of(labels, ctx)
    done = ctx.fit(
        network,
        shows(pictures, _wanted(labels, scale), config.contrast),
        None
        if checked is None
        else shows(checked[0][shown["picture"]].values, _wanted(checked[1], scale)),
        plan=config.fit,
        loss=cross_entropy if scale is None else squared_error,
    )
    artifact = ModelArtifact(ctx.out)
    write_mean(artifact, mean)
    about: dict[str, Any] = {
        "network": settings_of(config),
        "n_outputs": n_outputs(ctx),
        "shown": shown,
        "even_gain": config.even_gain,
        "scale": None if scale is None else list(scale),
    }
    if is_flash(ctx):
        threshold, n_used = threshold_of(done.network, shows, checked or fitted_on, ctx)
        about["iou_threshold"] = threshold
        about["iou_threshold_from"] = f"{n_used} {'validation' if checked else 'training'} studies"
    artifact.write_json("model.json", about)
    best = done.best_epoch if checked is not None else None
    return ModelArtifact(
        artifact.path, best, (*start, *Note.each("validation", messages), *done.notes)
    )


def loss_on(artifact: ModelArtifact, labelled: Labelled, ctx: Context) -> float:
    """Return the mean loss of a fitted network on other studies."""
    features, labels = labelled
    outputs = ctx.score_with(open_network(artifact), pictures_for(artifact, features, ctx))
    scale = artifact.read_json("model.json")["scale"]
    wanted = torch.from_numpy(_wanted(labels, None if scale is None else tuple(scale)))
    loss = cross_entropy if scale is None else squared_error
    return float(loss(torch.from_numpy(np.asarray(outputs)), {"targets": wanted}))


def cross_entropy(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean cross entropy of a picture's logits, one a class."""
    return functional.cross_entropy(logits, batch["targets"])


def squared_error(outputs: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean squared error of standardised numbers."""
    return functional.mse_loss(outputs[:, 0], batch["targets"])


def _wanted(labels: NDArray[np.float64], scale: tuple[float, float] | None) -> NDArray[Any]:
    """Return what the loss is given: places of classes, or standardised numbers."""
    if scale is None:
        return labels.astype(np.int64)
    return ((labels - scale[0]) / scale[1]).astype(np.float32)


def threshold_of(
    network: FlashDenseNet, shows: Callable[[Any], Pictures], labelled: Labelled, ctx: Context
) -> tuple[float, int]:
    """Return the temporal IoU's threshold, chosen on these studies with flash, and their number.

    Parameters
    ----------
    network : FlashDenseNet
        Fitted.
    shows : callable
        Makes the network's pictures of those of some studies.
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
        for heat in maps_of(network, shows(shown), "grad_cam_pp")
    ]
    return measures.best_threshold(profiles, [places[i].window for i in known]), len(known)


def settings_of(config: TrainBlock) -> dict[str, Any]:
    """Return what a network is built from, ready for JSON."""
    return {"stem": config.stem, "width_mult": config.width_mult}


def n_outputs(ctx: Context) -> int:
    """Return the width of the last layer: a logit a class, or one number."""
    return len(ctx.targets[0].classes) or 1


def fresh_network(
    config: TrainBlock, shown: dict[str, Any], ctx: Context
) -> tuple[FlashDenseNet, tuple[Note, ...]]:
    """Return a network before training, and a note on a file that its weights come from.

    Where they come from no network of photographs, the context warns.

    Parameters
    ----------
    config : TrainBlock
        Width and stem.
    shown : dict
        Of `shown_of`: what it will see.
    ctx : Context
        Model, seed, and the earlier task's artifact or a file that stands in for it.

    Raises
    ------
    DataError
        If the earlier network saw other pictures or is of another width.
    """
    torch.manual_seed(ctx.seed_of("weights"))
    network = FlashDenseNet(n_outputs(ctx), **settings_of(config))
    with torch.no_grad():
        # What a heat map weighs its channels by is then learnt, and not the start's chance.
        network.classifier.weight.zero_()
    if not model_of(ctx).pretrained or ctx.task.name == EARLIER:
        ctx.warn("not_pretrained", SCRATCH)
        return network, ()
    earlier = ctx.need(EARLIER, str(ctx.model))
    if earlier.path.is_file():
        return network, (Note("start", start_from_file(network, earlier.path, ctx)),)
    about = earlier.read_json("model.json")
    here = {"network": settings_of(config), "shown": shown}
    if here != {key: about[key] for key in here}:
        raise DataError(
            f"model {ctx.model}: the network of {EARLIER} is {about['network']} on "
            f"{about['shown']}, and this model is {here['network']} on {here['shown']}; give both "
            "tasks the same featurize.size, train.width_mult and train.stem "
            f"(needs.{EARLIER}.settings)"
        )
    theirs = open_network(earlier)
    state = {k: v for k, v in theirs.state_dict().items() if not k.startswith(OWN)}
    network.load_state_dict(state, strict=False)
    ctx.warn(
        "pretrained_on_phantoms",
        "Pretrained on phantoms, not on RadImageNet as published: "
        f"{len(state)} tensors of {EARLIER}, model {ctx.model}, copied. "
        f"Give a local file with needs.{EARLIER}.instead=FILE.",
    )
    return network, ()


def shown_of(features: FeatureSet, ctx: Context) -> dict[str, Any]:
    """Return what a network is shown: which picture, how large."""
    name = model_of(ctx).picture
    return {"picture": name, "size": int(features[name].values.shape[-1])}


def open_network(artifact: ModelArtifact) -> FlashDenseNet:
    """Return the fitted network in evaluation mode."""
    about = artifact.read_json("model.json")
    network = FlashDenseNet(about.get("n_outputs", 2), **about["network"])
    artifact.load_network(network)
    return network.eval()


def write_mean(artifact: ModelArtifact, mean: NDArray[np.float32]) -> None:
    """Write the mean picture of training into the artifact."""
    save_file({"mean": mean}, str(artifact.path / MEAN))


def pictures_for(artifact: ModelArtifact, features: FeatureSet, ctx: Context) -> Pictures:
    """Return pictures as the artifact's network expects them.

    Raises
    ------
    DataError
        If they are of another size than it was fitted on.
    """
    about, shown = artifact.read_json("model.json"), shown_of(features, ctx)
    if about["shown"] != shown:
        raise DataError(
            f"model {ctx.model}: the network was fitted on {about['shown']}, found {shown}; use "
            "the featurize block of the run that made it"
        )
    mean = load_file(str(artifact.path / MEAN))["mean"]
    even_gain = about.get("even_gain", False)
    return Pictures(features[shown["picture"]].values, mean, even_gain=even_gain)


def scores_from(
    outputs: NDArray[np.floating[Any]], artifact: ModelArtifact, ctx: Context
) -> NDArray[np.float64]:
    """Return what the network's outputs say of the target.

    Parameters
    ----------
    outputs : ndarray, shape (n, n_outputs)
    artifact : ModelArtifact
        Of the network: a number's mean and SD in training.
    ctx : Context
        Kind of the target.

    Returns
    -------
    ndarray
        Shape (n,): the probability of the second of two classes, or a number in the target's unit;
        shape (n, n_classes) for more classes, rows summing to one.
    """
    target = ctx.targets[0]
    if target.kind == "continuous":
        mean, sd = artifact.read_json("model.json")["scale"]
        return np.asarray(mean + sd * outputs[:, 0].astype(np.float64), np.float64)
    if target.kind == "binary":
        return to_probability(outputs)
    odds = np.exp(np.clip(outputs - outputs.max(axis=1, keepdims=True), -LARGEST_LOGIT, 0.0))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float64)


def to_probability(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the softmax probability of the second of two classes, never quite 0 or 1.

    Examples
    --------
    >>> to_probability(np.array([[0.0, 0.0], [1.0, 1.0 + np.log(3.0)]])).round(2).tolist()
    [0.5, 0.75]
    """
    odds = np.asarray(logits[:, 1], np.float64) - np.asarray(logits[:, 0], np.float64)
    return 1 / (1 + np.exp(-np.clip(odds, -LARGEST_LOGIT, LARGEST_LOGIT)))
