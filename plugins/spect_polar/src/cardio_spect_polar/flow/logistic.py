"""The comparator: logistic regression on the 17 segments of one map and their mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, ModelArtifact, Note, SafeName, Targets
from cardio_spect_polar.flow.config import TrainBlock
from cardio_spect_polar.flow.labels import labels_of
from cardio_spect_polar.flow.models import N_SEGMENTS, map_of


def fit_regressions(
    training: FeatureSet, targets: Targets, config: TrainBlock, ctx: Context
) -> ModelArtifact:
    """Fit one regression for every risk factor; missing segments become the training median."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    artifact = ModelArtifact(ctx.out)
    vectors = vectors_of(training, map_of(ctx), config.global_mean)
    notes, constants = list[Note](), {}
    for target in ctx.task.targets:
        labels = labels_of(training, targets, target.name)
        if not labels.learnable:
            constants[target.name] = labels.constant
            notes.append(Note("not_fitted", labels.said(target.name)))
            continue
        estimator = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=config.logistic_c, max_iter=2000),
        )
        estimator.fit(vectors[labels.known], labels.y.astype(np.int64))
        artifact.save_estimator(estimator, SafeName(target.name, ".skops"))
    artifact.write_json(
        "model.json",
        {"map": map_of(ctx), "global_mean": config.global_mean, "constants": constants},
    )
    return ModelArtifact(artifact.path, None, tuple(notes))


def score_logistic(
    artifact: ModelArtifact, features: FeatureSet, ctx: Context, *, gain: float = 1.0
) -> dict[str, NDArray[np.float64]]:
    """Return the probability of each factor, by target, shape (n_samples,).

    Parameters
    ----------
    artifact, features, ctx
        What scores whom.
    gain : float
        Multiplies the segments.
    """
    about = artifact.read_json("model.json")
    vectors = gain * vectors_of(features, str(about["map"]), bool(about["global_mean"]))
    constants, scores = about["constants"], {}
    for target in ctx.task.targets:
        if target.name in constants:
            scores[target.name] = np.full(len(vectors), constants[target.name])
            continue
        estimator = artifact.load_estimator(SafeName(target.name, ".skops"))
        scores[target.name] = np.asarray(estimator.predict_proba(vectors)[:, 1], np.float64)
    return scores


def vectors_of(features: FeatureSet, name: str, global_mean: bool) -> NDArray[np.float64]:
    """Return the segments of one map, with their mean or without, shape (n_samples, 18 or 17)."""
    values = np.asarray(features[f"segments_{name}"].in_units(), np.float64)
    return values if global_mean else values[:, :N_SEGMENTS]
