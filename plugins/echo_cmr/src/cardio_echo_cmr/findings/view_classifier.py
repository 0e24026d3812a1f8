"""The views of loops: as the cohort table says, or by the classifier that task `view` fits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Note, Targets
from cardio_echo_cmr.clips import n_recorded
from cardio_echo_cmr.findings.config import TrainBlock
from cardio_echo_cmr.findings.models import codes_of
from cardio_echo_cmr.networks.clip_network import ABOUT, require_side
from cardio_echo_cmr.networks.examples import Frames, Grey, grey_of
from cardio_echo_cmr.networks.view_resnet import ViewResNet, mean_probability


def train_view(
    training: FeatureSet,
    validation: FeatureSet | None,
    targets: Targets,
    config: TrainBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the classifier of views on the videos whose view is known.

    Raises
    ------
    DataError
        If they show fewer than two views.
    """
    known, views = _known(training, targets, ctx)
    classes = ctx.targets[0].classes
    counts = np.bincount(views, minlength=len(classes))
    if (counts > 0).sum() < 2:
        raise DataError(
            f"task view: expected training videos of two or more views, found {len(known)} of "
            f"{(counts > 0).sum()}; name the views in the cohort table"
        )
    grey = grey_of(known)
    settings = {"n_classes": len(classes), "width_mult": config.view_width_mult}
    torch.manual_seed(ctx.seed_of("weights"))
    network = ViewResNet(len(classes), config.view_width_mult)
    checked: Frames | None = None
    if validation is not None and config.choose_epochs:
        held, held_views = _known(validation, targets, ctx)
        checked = frames_of(held, config.view_frames, grey, held_views) if len(held) else None
    done = ctx.fit(
        network,
        frames_of(known, config.view_frames, grey, views),
        checked,
        plan=config.fit,
        loss=cross_entropy,
    )
    artifact = ModelArtifact(ctx.out)
    artifact.write_json(
        ABOUT,
        {
            "network": settings,
            "n_frames": config.view_frames,
            "grey": asdict(grey),
            "side": int(known["video"].values.shape[-1]),
        },
    )
    named = ", ".join(f"{name} {n}" for name, n in zip(classes, counts, strict=True))
    best = done.best_epoch if checked is not None else None
    return ModelArtifact(
        artifact.path, best, (Note("fitted_on", f"Fitted on videos: {named}."), *done.notes)
    )


def score_views(
    artifact: ModelArtifact, features: FeatureSet, ctx: Context, *, batch_size: int
) -> NDArray[np.float64]:
    """Return the probability of every view, shape (n, n_classes): the mean over a video's frames.

    Raises
    ------
    DataError
        If the videos are of another size than those it was fitted on.
    """
    about = artifact.read_json(ABOUT)
    require_side(features, about["side"])
    network = ViewResNet(**about["network"])
    artifact.load_network(network)
    frames = frames_of(features, about["n_frames"], Grey(**about["grey"]))
    logits = ctx.score_with(network.eval(), frames, batch_size=batch_size)
    return mean_probability(torch.from_numpy(logits)).numpy()


def frames_of(
    features: FeatureSet, n_frames: int, grey: Grey, views: NDArray[np.int64] | None = None
) -> Frames:
    """Return the frames of videos as the network is shown them."""
    lengths = n_recorded(np.asarray(features["times"].values))
    return Frames(features["video"].values, lengths, n_frames, grey, views)


def cross_entropy(logits: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the mean cross entropy of frames, each of which has its video's view."""
    views = batch["targets"][:, None].expand(-1, logits.shape[1])
    return functional.cross_entropy(logits.flatten(0, 1), views.flatten())


def _known(
    features: FeatureSet, targets: Targets, ctx: Context
) -> tuple[FeatureSet, NDArray[np.int64]]:
    codes = codes_of(features, targets, ctx.targets[0])
    known = np.flatnonzero(np.isfinite(codes))
    return features.view(known), codes[known].astype(np.int64)
