"""Predict: the probability of septal flash, or of another outcome, of every study."""

from __future__ import annotations

import numpy as np

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions
from cardio_mmode_septal_flash.flash.config import PredictBlock
from cardio_mmode_septal_flash.flash.models import model_of
from cardio_mmode_septal_flash.flash.regression import score_regression


def predict(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score every sample; a study of several loops is scored by their mean logit, or number.

    What was measured of the septum's motion stands beside the scores as named columns.
    """
    if model_of(ctx).kind == "network":
        # torch only where needed
        from cardio_mmode_septal_flash.flash.network import (
            open_network,
            pictures_for,
            scores_from,
        )

        pictures = pictures_for(model, features, ctx)
        outputs = ctx.score_with(open_network(model), pictures, batch_size=config.batch_size)
        scores = scores_from(outputs, model, ctx)
    else:
        scores = score_regression(model, features, ctx)
    motion = features["motion"]
    values = np.asarray(motion.in_units(), np.float64)
    units = motion.units if len(motion.units) > 1 else motion.units * len(motion.names)
    columns = {
        name: Column(values[:, place], unit)
        for place, (name, unit) in enumerate(zip(motion.names, units, strict=True))
    }
    ids = tuple(str(name) for name in features.table.index)
    return Predictions(ids, {ctx.targets[0].name: scores}, "sample", columns)
