"""Predict: reserve and its impairment, or the probability of every risk factor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Column, Context, FeatureSet, ModelArtifact, Predictions
from cardio_spect_polar.flow.config import PredictBlock
from cardio_spect_polar.flow.models import MAPS, N_SEGMENTS, kind_of, map_of


def predict(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> Predictions:
    """Score each patient, who has one study.

    Beside the scores stand the global means of the three maps and, for risk factors, the scores
    of the same maps with their flow multiplied by a gain (``gain:G:FACTOR``). The reserve, and
    pictures scaled by their own largest value, do not change with a gain and have none.
    """
    if ctx.task.name == "mfr":
        scores = _reserve(model, features, config, ctx)
    else:
        scores = _factors(model, features, config, ctx, 1.0)
    columns = {}
    for name in MAPS:
        block = features[f"segments_{name}"]
        mean = np.asarray(block.in_units(), np.float64)[:, N_SEGMENTS]
        columns[f"{name}_mean"] = Column(mean, block.units[0])
    if ctx.task.name != "mfr" and ctx.mode == "fit" and _feels_gain(features, ctx):
        for gain in config.gains:
            shifted = _factors(model, features, config, ctx, gain)
            columns |= {f"gain:{gain:g}:{name}": Column(p, "1") for name, p in shifted.items()}
    patients = tuple(features.table["patient_id"].astype(str))
    return Predictions(patients, scores, "patient", columns)


def _feels_gain(features: FeatureSet, ctx: Context) -> bool:
    """Return whether a gain of all flow changes what the model sees: a ratio stays as it is."""
    shown = features[f"{'segments' if kind_of(ctx) == 'logistic' else 'picture'}_{map_of(ctx)}"]
    return shown.units[0] != "1"


def _factors(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context, gain: float
) -> dict[str, NDArray[np.float64]]:
    if kind_of(ctx) == "logistic":
        from cardio_spect_polar.flow.transfer import score_logistic

        return score_logistic(model, features, ctx, gain=gain)
    from cardio_spect_polar.flow.transfer import score_step_two

    return score_step_two(model, features, ctx, config.batch_size, gain=gain)


def _reserve(
    model: ModelArtifact, features: FeatureSet, config: PredictBlock, ctx: Context
) -> dict[str, NDArray[np.float64]]:
    from cardio_spect_polar.flow.transfer import SEGMENTS, Pictures, open_step_one, to_probability

    pictures = Pictures(features[f"picture_{map_of(ctx)}"].values)
    outputs = np.asarray(
        ctx.score_with(open_step_one(model), pictures, batch_size=config.batch_size), np.float64
    )
    scores = {name: outputs[:, place] for place, name in enumerate(SEGMENTS)}
    return scores | {"impaired": to_probability(outputs[:, N_SEGMENTS])}
