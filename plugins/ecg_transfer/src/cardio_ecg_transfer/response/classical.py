"""Models without a network to train: classifiers on fixed features, and published rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, ModelArtifact
from cardio_ecg_transfer.response.chosen.candidates import (
    TREES_TO_CHOOSE_BY,
    penalties,
    rotation,
    trees,
)
from cardio_ecg_transfer.response.chosen.choosing import choose
from cardio_ecg_transfer.response.chosen.shrinking import shares_of, shrink, weights_for
from cardio_ecg_transfer.response.config import ClassicalBlock
from cardio_ecg_transfer.response.models import Recipe
from cardio_ecg_transfer.response.patients import all_measured, by_patient, measured
from cardio_ecg_transfer.signal.measurements.conduction import GUIDELINE_QRS_MS
from cardio_ecg_transfer.signal.random_kernels import draw_kernels, kernel_features

FILE, KERNELS = "classifier.skops", "kernels.json"
RESPONDS, RESPONDS_NOT = 0.999, 0.001
"""Scores of a rule, which has no probabilities of its own."""


def fit_estimator(
    vectors: NDArray[np.float64],
    outcome: NDArray[np.float32],
    people: NDArray[np.str_],
    recipe: Recipe,
    config: ClassicalBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit one classifier or regression; every class must have two patients or more.

    Missing values become the training patients' median, but for trees: see `chosen.candidates`.
    """
    seed = ctx.seed_of("classifier")
    if recipe.estimator in ("trees", "penalised"):
        return _fit_chosen(vectors, outcome, people, recipe, config, ctx)
    if ctx.targets[0].kind == "continuous":
        estimator = _prepared(_regressor(recipe.estimator, config, seed)).fit(vectors, outcome)
    else:
        smallest = int(np.unique(outcome, return_counts=True)[1].min())
        chosen = _classifier(recipe.estimator, config, seed, min(3, smallest))
        estimator = _prepared(chosen).fit(vectors, outcome.astype(np.int64))
        if weight := weights_for(chosen)[0]:
            shrink(estimator[-1], shares_of(outcome), weight)
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(estimator, FILE)
    return artifact


def _fit_chosen(
    vectors: NDArray[np.float64],
    outcome: NDArray[np.float32],
    people: NDArray[np.str_],
    recipe: Recipe,
    config: ClassicalBlock,
    ctx: Context,
) -> ModelArtifact:
    """Fit the candidate that folds inside these patients prefer, and keep what each lost there."""
    from sklearn.pipeline import make_pipeline

    seed, regression = ctx.seed_of("classifier"), ctx.targets[0].kind == "continuous"
    truth = outcome if regression else outcome.astype(np.int64)
    if recipe.estimator == "trees":
        candidates, turned = trees(config, seed, regression=regression), None
        few = config.model_copy(update={"n_trees": min(config.n_trees, TREES_TO_CHOOSE_BY)})
        compared = trees(few, seed, regression=regression)
    else:
        # Turned once, by all training patients: that looks at no outcome.
        candidates, turned = penalties(regression=regression), rotation()
        compared = candidates
        vectors = turned.fit_transform(vectors)
    name, weight, lost = choose(compared, vectors, truth, people, regression=regression, seed=seed)
    fitted = candidates[name].fit(vectors, truth)
    if weight:
        shrink(fitted, shares_of(truth), weight)
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(fitted if turned is None else make_pipeline(turned, fitted), FILE)
    artifact.write_json("chosen.json", {"chosen": name, "shrunk_by": weight, "lost": lost})
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
    if recipe.kind == "measurements":
        return measured(features, recipe.columns)
    if recipe.kind == "all_measured":
        return everything_measured(features)
    beats = beats_of(features)
    return beats.reshape(len(beats), -1)


def beats_of(features: FeatureSet) -> NDArray[np.float64]:
    """Return the median beats in mV, shape (n_patients, 12, n_grid)."""
    return by_patient(features, features["median_beat"].in_units())


def everything_measured(features: FeatureSet) -> NDArray[np.float64]:
    """Return all measurements and all leads' waves, shape (n_patients, n); NaN if missing."""
    waves = by_patient(features, np.asarray(features["waves"].in_units(), np.float64))
    return np.hstack([all_measured(features), waves])


def kernel_vectors(features: FeatureSet, n_kernels: int, seed: int) -> NDArray[np.float64]:
    """Return what random kernels make of each median beat, shape (n_patients, 2 * n_kernels)."""
    beats = beats_of(features)
    kernels = draw_kernels(n_kernels, beats.shape[1], beats.shape[2], seed)
    return kernel_features(beats, kernels)


def score_rule(features: FeatureSet, recipe: Recipe) -> NDArray[np.float64]:
    """Return .999 where a published rule says response, and .001 where it does not.

    What is not known (an unfit lead) fulfils no criterion; `withheld` keeps that from a new
    patient.
    """
    values = measured(features, recipe.columns)
    says = values[:, recipe.columns.index("lbbb")] >= 0.5
    if "qrs_global_ms" in recipe.columns:
        says &= values[:, recipe.columns.index("qrs_global_ms")] >= GUIDELINE_QRS_MS
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
