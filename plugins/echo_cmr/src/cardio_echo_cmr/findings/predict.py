"""Predict: a score for every video that shows the model's view."""

from __future__ import annotations

import numpy as np

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions
from cardio_echo_cmr.findings.baseline import score_baseline
from cardio_echo_cmr.findings.config import PredictBlock
from cardio_echo_cmr.findings.models import recipe_of
from cardio_echo_cmr.findings.seen_views import view_scores, views_by
from cardio_echo_cmr.results import VIDEO


def predict(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score every video; the core takes a study's mean logit, or value, over its videos.

    Parameters
    ----------
    model : ModelArtifact
        Of `train`.
    features : FeatureSet
        One row a video.
    config : PredictBlock
        Batch, number of clips, and how probable a view must be.
    ctx : Context
        Model, device, and the views of the task ``view``.

    Returns
    -------
    Predictions
        At the level of samples. A network's score stands for each of its model's targets; it is NaN
        where a video shows another view, none that is known, or is too short for ``paper``. A
        baseline's is NaN where its measurement is missing. The columns ``video:TARGET`` keep the
        scores of videos, for results that count clips (of two classes, or a number); for new
        patients ``view:VIEW`` are the probabilities of the views of videos that nobody named.
    """
    ids = tuple(str(name) for name in features.table.index)
    recipe = recipe_of(ctx)
    if recipe.kind == "view":
        from cardio_echo_cmr.findings.view_classifier import score_views

        scores = score_views(model, features, ctx, batch_size=config.batch_size)
        return Predictions(ids, {ctx.targets[0].name: scores}, "sample")
    if recipe.kind == "regression":
        return Predictions(ids, score_baseline(model, features, ctx), "sample")
    from cardio_echo_cmr.networks.clip_network import least_view_in, score_videos

    views = view_scores(features, ctx, batch_size=config.batch_size)
    target = ctx.targets[0]
    several = target.kind == "multiclass"
    found = np.full((len(features), len(target.classes)) if several else len(features), np.nan)
    of_view = np.flatnonzero(views_by(views, features, least_view_in(model)) == recipe.view)
    if of_view.size:
        found[of_view] = score_videos(
            model, features.view(of_view), ctx, n_clips=config.n_clips, batch_size=config.batch_size
        )
    columns = {}
    if not several:
        columns = {
            f"{VIDEO}{item.name}": Column(found.copy(), item.unit or "1") for item in ctx.targets
        }
    if ctx.mode == "predict":  # a reader should see why a new video has no score
        columns |= {
            f"view:{str(name).partition(':')[2]}": Column(score.to_numpy(np.float64), "1")
            for name, score in views.items()
        }
    return Predictions(ids, {entry.name: found.copy() for entry in ctx.targets}, "sample", columns)
