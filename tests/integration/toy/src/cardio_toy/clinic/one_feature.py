"""Models of one feature each, which some studies lack, for the core to fuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression

from cardio_core.api import DataError, ModelArtifact, Predictions

if TYPE_CHECKING:
    from cardio_core.api import Context, FeatureSet, Targets

FEATURES = ("height", "spread")
STEPS_MV = (0.2, 0.003)
"""About a standard deviation of each: what tells patients apart is then not penalised away."""


def fit_one_feature(training: FeatureSet, targets: Targets, ctx: Context) -> ModelArtifact:
    """Fit the model's target on the feature that it is named after, where a study has it."""
    known = ~_lacks(training, ctx)
    x = _feature(training, ctx)[known]
    y = targets.of(training.table, ctx.targets[0].name)[known].astype(float)
    if len(set(y)) < 2:
        raise DataError(
            f"model {ctx.model}: expected two different truths among the studies that have the "
            f"feature, found {len(set(y))}; take more patients"
        )
    binary = ctx.targets[0].kind == "binary"
    fitted = (LogisticRegression() if binary else LinearRegression()).fit(x, y)
    earlier = ctx.out_of_fold("mean_class") if "mean_class" in ctx._tested else None
    artifact = ModelArtifact(ctx.out)
    artifact.write_json(
        "joined.json",
        {
            "slope": float(np.ravel(fitted.coef_)[0]),
            "intercept": float(np.ravel(fitted.intercept_)[0]),
            "patients": sorted(set(training.table["patient_id"])),
            "earlier": None if earlier is None else earlier["score:ill"].to_dict(),
        },
    )
    return artifact


def score_one_feature(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score every recording that has the feature; the others are NaN."""
    about = model.read_json("joined.json")
    if ctx.mode == "predict" and about["earlier"] is not None:
        ctx.need("mean_class").read_json("linear.json")  # new patients have the final model
    linear = about["intercept"] + about["slope"] * _feature(features, ctx)[:, 0]
    scores = 1 / (1 + np.exp(-linear)) if ctx.targets[0].kind == "binary" else linear
    scores = np.where(_lacks(features, ctx), np.nan, scores)
    return Predictions(tuple(features.table.index), {ctx.targets[0].name: scores})


def _feature(features: FeatureSet, ctx: Context) -> np.ndarray:
    place = FEATURES.index(str(ctx.model).partition("_")[0])
    return features["shape"].in_units()[:, place : place + 1].astype(float) / STEPS_MV[place]


def _lacks(features: FeatureSet, ctx: Context) -> np.ndarray:
    """Every third patient has no spread."""
    if not str(ctx.model).startswith("spread"):
        return np.zeros(len(features), bool)
    names = features.table["patient_id"].astype(str)
    return np.array([name[1:].isdigit() and int(name[1:]) % 3 == 2 for name in names])
