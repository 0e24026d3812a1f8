"""Predict: the probability of septal flash, or of another outcome, of every study."""

from __future__ import annotations

import numpy as np

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions, ScoringBlock
from cardio_mmode_septal_flash.flash.models import model_of
from cardio_mmode_septal_flash.flash.regression import score_regression

FURTHER_COLUMNS = {
    "timing": "septum_confidence",
    "course": "beats_measured",
    "spread": "early_peak_sd_mm",
}
"""What stands beside a score besides the motion, by block."""


def predict(
    model: ModelArtifact, features: FeatureSet, config: ScoringBlock, ctx: Context
) -> Predictions:
    """Score every sample; a study of several loops is scored by their mean logit, or number.

    What was measured of the septum's motion stands beside the scores as named columns, with the
    confidence in the septum's line, how many beats were measured and how they differ.
    """
    if model_of(ctx).kind == "network":
        # torch only where needed
        from cardio_mmode_septal_flash.flash.network import open_network, pictures_for, scores_from

        pictures = pictures_for(model, features, ctx)
        outputs = ctx.score_with(open_network(model), pictures, batch_size=config.batch_size)
        scores = scores_from(outputs, model, ctx)
    else:
        scores = score_regression(model, features, ctx)
    columns = _columns(features, "motion")
    for block, name in FURTHER_COLUMNS.items():
        columns |= _columns(features, block, name)
    ids = tuple(str(name) for name in features.table.index)
    return Predictions(ids, {ctx.targets[0].name: scores}, "sample", columns)


def _columns(features: FeatureSet, name: str, only: str = "") -> dict[str, Column]:
    """Return the numbers of a block, or the one that is named, with their units."""
    if name not in features.blocks:
        return {}
    block = features[name]
    values = np.asarray(block.in_units(), np.float64)
    units = block.units if len(block.units) > 1 else block.units * len(block.names)
    return {
        column: Column(values[:, place], unit)
        for place, (column, unit) in enumerate(zip(block.names, units, strict=True))
        if column == only or not only
    }
