"""The views of loops: as the cohort table says, or by the classifier that task `view` fits."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact, Note, Targets
from cardio_echo_cmr.clips import n_recorded
from cardio_echo_cmr.findings.config import TrainBlock
from cardio_echo_cmr.findings.models import codes_of
from cardio_echo_cmr.findings.tasks import VIEW
from cardio_echo_cmr.networks.clip_network import ABOUT, require_side
from cardio_echo_cmr.networks.examples import Frames, Grey, grey_of
from cardio_echo_cmr.networks.view_resnet import ViewResNet, mean_probability
from cardio_echo_cmr.views.names import LEAST_PROBABILITY, OTHER, UNKNOWN, VIEWS
from cardio_ultrasound import view_of_frames


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


_SCORE = "score:"
_CLASSES = [f"{_SCORE}{name}" for name in (*VIEWS, OTHER)]
_N_LOOKED_AT = 6


def views_of(
    features: FeatureSet, ctx: Context, *, least_probability: float = LEAST_PROBABILITY
) -> NDArray[np.str_]:
    """Return the view of every video, shape (n,): one of the classes of the task, or unknown.

    Parameters
    ----------
    features : FeatureSet
        Where its table says a video's view (``view_given``), that is taken; a word that is no view
        of a network, nor ``other``, stands for unknown.
    ctx : Context
        For the others the probabilities of the task ``view`` are asked for: those out of the fold
        in training and testing, those of its final model for new patients; where the run did
        without that task, the core's view gate names the views of new patients, or none.
    least_probability : float
        The most probable view must reach it.

    Raises
    ------
    DataError
        New videos of which nobody says the view, where the run did without the task ``view`` and
        the core's view gate cannot look either.
    """
    return views_by(view_scores(features, ctx), features, least_probability)


def view_scores(features: FeatureSet, ctx: Context, *, batch_size: int = 64) -> pd.DataFrame:
    """Return the probability of every view for every video that the table names no view of.

    Parameters
    ----------
    features, ctx
        As for `views_of`, and what is raised.
    batch_size : int
        Videos at once, for new patients.

    Returns
    -------
    DataFrame, indexed by sample_id
        Columns ``score:VIEW``; NaN where the view is named, or nobody predicted it.
    """
    found = np.full((len(features), len(_CLASSES)), np.nan)
    # Each video for itself: its view must not depend on who else is asked about.
    unnamed = np.flatnonzero(_named(features) == "")
    if unnamed.size:
        asked = features.view(unnamed)
        if ctx.mode == "fit":
            table = ctx.out_of_fold(VIEW.name).reindex(asked.table["recording_id"])
        else:
            table = _scored(asked, ctx, batch_size)
        found[unnamed] = table.reindex(columns=_CLASSES).to_numpy(np.float64)
    return pd.DataFrame(found, index=features.table.index, columns=_CLASSES)


def views_by(
    table: pd.DataFrame, features: FeatureSet, least_probability: float
) -> NDArray[np.str_]:
    """Return the view of every video: as it is named, else the most probable one.

    Parameters
    ----------
    table : DataFrame
        Of `view_scores`.
    features, least_probability
        As for `views_of`.
    """
    named = _named(features)
    known = np.where(np.isin(named, (*VIEWS, OTHER)), named, UNKNOWN)
    return np.where(named == "", most_probable(table, least_probability), known)


def _named(features: FeatureSet) -> NDArray[np.str_]:
    given = features.table.get("view_given", pd.Series("", features.table.index))
    return given.fillna("").to_numpy(str)


def most_probable(table: pd.DataFrame, least_probability: float) -> NDArray[np.str_]:
    """Return the class of the highest probability in each row, or unknown.

    Parameters
    ----------
    table : DataFrame
        Columns ``score:CLASS``; a row of NaN is unknown.
    least_probability : float
        Itself included.

    Examples
    --------
    >>> table = pd.DataFrame({"score:a4c": [0.8, 0.5], "score:plax": [0.2, 0.5]})
    >>> most_probable(table, 0.8).tolist()
    ['a4c', 'unknown']
    """
    columns = [name for name in table.columns if name.startswith(_SCORE)]
    scores = np.nan_to_num(table[columns].to_numpy(np.float64), nan=0.0)
    names = np.array([name.removeprefix(_SCORE) for name in columns])
    return np.where(scores.max(axis=1) >= least_probability, names[scores.argmax(axis=1)], UNKNOWN)


def counted(views: NDArray[np.str_]) -> str:
    """Return how many videos show each view, as a clause.

    Examples
    --------
    >>> counted(np.array(["a4c", "unknown", "a4c", "plax"]))
    'A4C 2, A2C 0, PLAX 1, other 0, unknown 1'
    """
    found = Counter(views.tolist())
    names = {name: name.upper() for name in VIEWS} | {OTHER: OTHER, UNKNOWN: UNKNOWN}
    return ", ".join(f"{title} {found[name]}" for name, title in names.items())


def _scored(features: FeatureSet, ctx: Context, batch_size: int) -> pd.DataFrame:
    if not ctx.has_need(VIEW.name):
        return _seen_by_the_core(features)

    scores = score_views(ctx.need(VIEW.name), features, ctx, batch_size=batch_size)
    return pd.DataFrame(scores, columns=_CLASSES)


def _seen_by_the_core(features: FeatureSet) -> pd.DataFrame:
    """Return the views of new videos as the core's own gate sees them.

    For runs that did without the task ``view``. What it does not know for sure is NaN.
    """
    scores = np.full((len(features), len(_CLASSES)), np.nan)
    videos, lengths = features["video"].values, n_recorded(np.asarray(features["times"].values))
    for place, n_frames in enumerate(lengths):
        frames = np.asarray(videos[place])[: int(n_frames) : max(int(n_frames) // _N_LOOKED_AT, 1)]
        seen = view_of_frames(frames, frames.max(axis=0) > 0)
        if not seen.checked:
            raise DataError(
                "views: expected them in the cohort table (path_echo_a4c, path_echo_a2c, "
                f"path_echo_plax, path_echo_other), found {len(features)} loops without one, and "
                f"this run skipped the task view; {seen.sentence}"
            )
        if seen.known:
            name = seen.name if seen.name in VIEWS else OTHER
            scores[place] = (1.0 - seen.probability) / (len(_CLASSES) - 1)
            scores[place, _CLASSES.index(f"{_SCORE}{name}")] = seen.probability
    return pd.DataFrame(scores, index=features.table.index, columns=_CLASSES)
