"""Models without a network to train: classifiers on fixed features, and published rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, DataError, FeatureSet, ModelArtifact
from cardio_ecg_transfer.response.config import ClassicalBlock
from cardio_ecg_transfer.response.models import Recipe
from cardio_ecg_transfer.response.patients import by_patient, measured
from cardio_ecg_transfer.signal.measurements.conduction import GUIDELINE_QRS_MS

FILE = "classifier.skops"
RESPONDS, RESPONDS_NOT = 0.999, 0.001
"""Scores of a rule, which has no probabilities of its own."""


def fit_classifier(
    vectors: NDArray[np.float64],
    responders: NDArray[np.float32],
    recipe: Recipe,
    config: ClassicalBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit one classifier; missing values become the training patients' median.

    Both classes must have two patients or more.
    """
    smallest = int(np.unique(responders, return_counts=True)[1].min())
    estimator = _estimator(recipe.estimator, config, ctx.seed_of("classifier"), min(3, smallest))
    estimator.fit(vectors, responders.astype(np.int64))
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(estimator, FILE)
    return artifact


def score_classifier(model: ModelArtifact, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of response of each patient, shape (n_patients,)."""
    estimator = model.load_estimator(FILE)
    return np.asarray(estimator.predict_proba(vectors)[:, 1], dtype=np.float64)


def vectors_of(features: FeatureSet, recipe: Recipe) -> NDArray[np.float64]:
    """Return what a model that learns no features looks at, shape (n_patients, n_features)."""
    if recipe.kind != "median_beat":
        return measured(features, recipe.columns)
    beats = by_patient(features, features["median_beat"].in_units())
    return beats.reshape(len(beats), -1)


def score_rule(features: FeatureSet, recipe: Recipe) -> NDArray[np.float64]:
    """Return .999 where a published rule says response, and .001 where it does not.

    Raises
    ------
    DataError
        If a patient lacks a measurement that the rule needs.
    """
    values = measured(features, recipe.columns)
    if np.isnan(values).any():
        lacking = int(np.isnan(values).any(axis=1).sum())
        raise DataError(
            f"the rule on {' and '.join(recipe.columns)} needs them of every patient, and "
            f"{lacking} of {len(values)} lack one; leave this model out with --set models=[...]"
        )
    says = values[:, recipe.columns.index("lbbb")] >= 0.5
    if "qrs_ms" in recipe.columns:
        says &= values[:, recipe.columns.index("qrs_ms")] >= GUIDELINE_QRS_MS
    return np.where(says, RESPONDS, RESPONDS_NOT)


def _estimator(name: str, config: ClassicalBlock, seed: int, n_parts: int) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if name == "forest":
        last: Any = RandomForestClassifier(
            config.n_trees, min_samples_leaf=config.min_leaf, random_state=seed
        )
    elif name == "svm":
        machine = SVC(C=config.svm_c, class_weight="balanced", random_state=seed)
        last = CalibratedClassifierCV(machine, ensemble=False, cv=n_parts)
    else:
        last = LogisticRegression(C=config.logistic_c, max_iter=2000)
    # One feature that is NaN throughout a small training set keeps its place as zero.
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), last)
