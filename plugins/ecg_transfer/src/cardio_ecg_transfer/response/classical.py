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


def fit_estimator(
    vectors: NDArray[np.float64],
    outcome: NDArray[np.float32],
    recipe: Recipe,
    config: ClassicalBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit one classifier or regression; missing values become the training patients' median.

    Every class must have two patients or more.
    """
    seed = ctx.seed_of("classifier")
    if ctx.targets[0].kind == "continuous":
        estimator = _prepared(_regressor(recipe.estimator, config, seed)).fit(vectors, outcome)
    else:
        smallest = int(np.unique(outcome, return_counts=True)[1].min())
        chosen = _classifier(recipe.estimator, config, seed, min(3, smallest))
        estimator = _prepared(chosen).fit(vectors, outcome.astype(np.int64))
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(estimator, FILE)
    return artifact


def score_estimator(
    model: ModelArtifact, vectors: NDArray[np.float64], ctx: Context
) -> NDArray[np.float64]:
    """Return each patient's scores: see `cardio_core.api.Predictions`."""
    estimator, kind = model.load_estimator(FILE), ctx.targets[0].kind
    if kind == "continuous":
        return np.asarray(estimator.predict(vectors), dtype=np.float64)
    probabilities = np.asarray(estimator.predict_proba(vectors), dtype=np.float64)
    return probabilities[:, 1] if kind == "binary" else probabilities


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


def _classifier(name: str, config: ClassicalBlock, seed: int, n_parts: int) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    if name == "forest":
        return RandomForestClassifier(
            config.n_trees, min_samples_leaf=config.min_leaf, random_state=seed
        )
    if name == "svm":
        machine = SVC(C=config.svm_c, class_weight="balanced", random_state=seed)
        return CalibratedClassifierCV(machine, ensemble=False, cv=n_parts)
    return LogisticRegression(C=config.logistic_c, max_iter=2000)


def _regressor(name: str, config: ClassicalBlock, seed: int) -> Any:
    """Return a regression of a standardised target: penalties then mean the same in any unit."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    if name == "forest":
        last: Any = RandomForestRegressor(
            config.n_trees, min_samples_leaf=config.min_leaf, random_state=seed
        )
    elif name == "svm":
        last = SVR(C=config.svm_c)
    else:
        last = Ridge(alpha=1 / config.logistic_c)
    return TransformedTargetRegressor(last, transformer=StandardScaler())


def _prepared(last: Any) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # One feature that is NaN throughout a small training set keeps its place as zero.
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), last)
