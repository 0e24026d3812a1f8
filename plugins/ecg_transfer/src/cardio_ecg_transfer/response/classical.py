"""Models without a network to train: classifiers on fixed features, and published rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, ModelArtifact
from cardio_ecg_transfer.response.config import ClassicalBlock
from cardio_ecg_transfer.response.models import Recipe
from cardio_ecg_transfer.response.patients import all_measured, by_patient, measured
from cardio_ecg_transfer.signal.measurements.conduction import GUIDELINE_QRS_MS
from cardio_ecg_transfer.signal.random_kernels import draw_kernels, kernel_features

STRENGTHS = tuple(float(value) for value in np.logspace(-5, -1, 9))
"""Inverse L2 penalties of the standardised outputs of random kernels."""

TREES_TO_CHOOSE_BY = 100
"""Of a forest, at most, where kinds are compared: more make it steadier, hardly better."""

_FEATURES_TRIED = 0.4  # of all measurements, at a split: a few leads tell, and many say nothing
_BOOSTING = {"n_estimators": 200, "learning_rate": 0.05, "max_depth": 3, "subsample": 0.7}


def trees(config: ClassicalBlock, seed: int, *, regression: bool) -> dict[str, Any]:
    """Return the kinds of trees that `config.trees` names, unfitted.

    Forests take a missing value as it is: each split learns on which side it belongs. Boosting
    gets the training patients' median and, beside it, that the value was missing.
    """
    from sklearn import ensemble
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    kind = "Regressor" if regression else "Classifier"
    grown = {"min_samples_leaf": config.min_leaf, "max_features": _FEATURES_TRIED}

    def made(name: str) -> Any:
        if name == "boosting":
            boosted = getattr(ensemble, f"GradientBoosting{kind}")
            imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
            last = boosted(**_BOOSTING, max_features=_FEATURES_TRIED / 2, random_state=seed)
            return make_pipeline(imputer, last)
        forest = getattr(ensemble, f"{'RandomForest' if name == 'forest' else 'ExtraTrees'}{kind}")
        return forest(config.n_trees, **grown, random_state=seed)

    return {name: made(name) for name in config.trees}


def rotation() -> Any:
    """Return what standardises features and turns them to their principal components, unfitted.

    There are no more components than patients, and an L2 penalty on them is one on the features:
    thousands of features cost no more than hundreds, and nothing is lost.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), PCA(svd_solver="full"))


def penalties(*, regression: bool) -> dict[str, Any]:
    """Return logistic or ridge regressions of the strengths `STRENGTHS`, unfitted."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler

    def made(strength: float) -> Any:
        if not regression:
            return LogisticRegression(C=strength, max_iter=2000)
        ridge = Ridge(alpha=1 / strength)
        return TransformedTargetRegressor(ridge, transformer=StandardScaler())

    return {f"{strength:.1e}": made(strength) for strength in STRENGTHS}


WEIGHTS = (0.25, 0.125, 0.5, 1.0, 2.0)
"""Of all patients' share in a leaf's, in patients; the first where nothing chooses.

On PTB-XL's part (CD, out of fold), log loss is .236 with .25 and .273 with none in forests of 200
trees, where an event has a score of 0, and .225 against .224 with what `choose` takes of 500, where
none has; AUC is the same. Half a patient and more only make scores timid.
"""


def weights_for(estimator: Any) -> tuple[float, ...]:
    """Return the weights that an unfitted classifier can take: 0 alone where it has no leaves."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    forest = isinstance(estimator, (RandomForestClassifier, ExtraTreesClassifier))
    return WEIGHTS if forest else (0.0,)


def shares_of(outcome: NDArray[Any]) -> NDArray[np.float64]:
    """Return the share of each class that is there, in the order of a classifier's classes."""
    return np.asarray(np.unique(outcome, return_counts=True)[1] / len(outcome), dtype=np.float64)


def shrink(forest: Any, prior: NDArray[np.float64], weight: float, before: float = 0.0) -> None:
    """Shrink every leaf of a fitted forest in place, so that no score is exactly 0 or 1.

    A leaf of ``n`` patients with the share ``p`` becomes ``(n p + weight prior) / (n + weight)``
    (m-estimate; Cestnik 1990).

    Parameters
    ----------
    forest : RandomForestClassifier or ExtraTreesClassifier
        Fitted.
    prior : ndarray, shape (n_classes,)
        Share of each class among the training patients.
    weight : float
        How many patients the prior counts for.
    before : float, optional
        The weight by which the forest was shrunk already.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> x, y = np.arange(8.0)[:, None], np.repeat([0, 1], 4)
    >>> forest = RandomForestClassifier(5, bootstrap=False, random_state=0).fit(x, y)
    >>> shrink(forest, np.array([0.5, 0.5]), 1.0)
    >>> forest.predict_proba([[0.0]]).round(3).tolist()  # of leaves of four: (0 + .5) / 5
    [[0.9, 0.1]]
    """
    for tree in forest.estimators_:
        value = tree.tree_.value[:, 0, :]
        n_patients = tree.tree_.weighted_n_node_samples[:, None]
        total = value * (n_patients + before) + (weight - before) * prior
        value[:] = total / (n_patients + weight)


PARTS = 5
"""Folds, or as many as the rarest class has patients."""


def choose(
    candidates: Mapping[str, Any],
    vectors: NDArray[np.float64],
    outcome: NDArray[Any],
    people: NDArray[Any],
    *,
    regression: bool,
    seed: int,
) -> tuple[str, float, dict[str, float]]:
    """Return the candidate that predicts patients best whom it was not fitted on.

    Of a forest, how far its leaves are shrunk is chosen, too (`chosen.shrinking`).

    Parameters
    ----------
    candidates : mapping of str to estimator
        Unfitted; they stay so. Of equals the first is taken.
    vectors : ndarray, shape (n_patients, n_features)
    outcome : ndarray, shape (n_patients,)
        Class numbers, or values.
    people : ndarray, shape (n_patients,)
        Who they are: one person under two ids is never on both sides.
    regression : bool
        Whether values are predicted.
    seed : int
        Shuffles the patients.

    Returns
    -------
    str
        Its name.
    float
        The weight by which its leaves are to be shrunk; 0 for what has none.
    dict of str to float
        What each lost at its best: log loss or mean squared error of all patients out of fold.
        Empty where there is nothing to choose, or too few patients to choose by.
    """
    from sklearn.base import clone
    from sklearn.metrics import log_loss, mean_squared_error
    from sklearn.model_selection import StratifiedGroupKFold

    strata = np.zeros(len(outcome), int) if regression else outcome.astype(int)
    n_parts = min(PARTS, len(np.unique(people)), *np.bincount(strata)[np.unique(strata)].tolist())
    weights = {name: weights_for(candidate) for name, candidate in candidates.items()}
    first = next(iter(candidates))
    nothing = first, weights[first][0], dict[str, float]()
    if sum(map(len, weights.values())) < 2 or n_parts < 2:
        return nothing
    folds = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    parts = [
        (fit, held)
        for fit, held in folds.split(vectors, strata, people)
        if regression or len(np.unique(strata[fit])) == len(np.unique(strata))
    ]
    if not parts:
        return nothing
    lost: dict[tuple[str, float], float] = {}
    for name, candidate in candidates.items():
        found = dict.fromkeys(weights[name], 0.0)
        for fit, held in parts:
            fitted = clone(candidate).fit(vectors[fit], outcome[fit])
            before = 0.0
            for weight in found:
                if weight:
                    shrink(fitted, shares_of(outcome[fit]), weight, before)
                    before = weight
                if regression:
                    each = mean_squared_error(outcome[held], fitted.predict(vectors[held]))
                else:
                    predicted = fitted.predict_proba(vectors[held])
                    each = log_loss(outcome[held], predicted, labels=fitted.classes_)
                found[weight] += float(each) * len(held)
        n_held = sum(len(held) for _, held in parts)
        lost |= {(name, weight): total / n_held for weight, total in found.items()}
    name, weight = min(lost, key=lambda pair: lost[pair])
    best = {own: min(lost[own, each] for each in weights[own]) for own in candidates}
    return name, weight, best


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
