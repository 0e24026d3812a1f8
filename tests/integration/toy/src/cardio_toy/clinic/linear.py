"""Linear models: scikit-learn fits them, JSON keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from cardio_core.api import Column, ModelArtifact, Note, Predictions

if TYPE_CHECKING:
    from cardio_core.api import Context, FeatureSet, Targets
    from cardio_toy.clinic.config import TrainBlock


def fit_illness(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Fit a penalised logistic regression on standardised features."""
    x, mean, sd = _standardised(training["shape"].in_units())
    y = targets.of(training.table, ctx.targets[0].name).astype(int)
    fitted = LogisticRegression(C=config.strength).fit(x, y)
    return _written(ctx, mean, sd, fitted.coef_[0], float(fitted.intercept_[0]))


def fit_constant(training: FeatureSet, targets: Targets, ctx: Context) -> ModelArtifact:
    """Give everybody the prevalence."""
    share = targets.of(training.table, ctx.targets[0].name).astype(float).mean()
    zeros = np.zeros(training["shape"].values.shape[1])
    return _written(ctx, zeros, zeros + 1, zeros, float(np.log(share / (1 - share))))


def fit_severity(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Regress severity on the features and on the logit of the earlier task's model."""
    earlier = ctx.need("mean_class").read_json("linear.json")
    x, mean, sd = _standardised(_with_earlier(training["shape"].in_units(), earlier))
    y = targets.of(training.table, "severity").astype(float)
    fitted = Ridge(alpha=1 / config.strength).fit(x, y)
    return _written(ctx, mean, sd, fitted.coef_, float(fitted.intercept_), earlier=earlier)


def score_linear(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score every recording; the height goes along as a named column."""
    about = model.read_json("linear.json")
    x = features["shape"].in_units().astype(float)
    earlier = about["earlier"]
    illness = _linear(x, earlier or about)
    scores = {ctx.targets[0].name: 1 / (1 + np.exp(-illness))}
    if earlier:
        scores["severity"] = _linear(_with_earlier(x, earlier), about)
    columns = {"height": Column(x[:, 0], "mV")}
    return Predictions(tuple(features.table.index), scores, "sample", columns)


def _standardised(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = x.astype(float)
    mean, sd = x.mean(axis=0), x.std(axis=0) + 1e-9
    return (x - mean) / sd, mean, sd


def _with_earlier(x: np.ndarray, earlier: dict[str, object]) -> np.ndarray:
    return np.column_stack([x, _linear(x, earlier)])


def _linear(x: np.ndarray, about: dict[str, object]) -> np.ndarray:
    scaled = (x - np.asarray(about["mean"])) / np.asarray(about["sd"])
    return np.asarray(scaled @ np.asarray(about["weights"]) + about["intercept"])


def _written(
    ctx: Context,
    mean: np.ndarray,
    sd: np.ndarray,
    weights: np.ndarray,
    intercept: float,
    earlier: dict[str, object] | None = None,
) -> ModelArtifact:
    artifact = ModelArtifact(ctx.out, notes=(Note("estimator", "fitted by scikit-learn"),))
    artifact.write_json(
        "linear.json",
        {
            "mean": mean.tolist(),
            "sd": sd.tolist(),
            "weights": weights.tolist(),
            "intercept": intercept,
            "earlier": earlier,
        },
    )
    return artifact
