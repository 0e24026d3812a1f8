"""The models without a network: regressions on how far and when the septum moves inward."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, ModelArtifact
from cardio_mmode_septal_flash.flash.models import model_of

FILE = "regression.skops"
EXCURSION = "excursion_mm"
N_AVERAGED = 4
"""Points of the course that are averaged to one: 25 of 100 a cycle."""


def fit_regression(
    training: FeatureSet, labels: NDArray[np.float64], logistic_c: float, ctx: Context
) -> ModelArtifact:
    """Fit one ridge regression on the originals; missing values are their median.

    Logistic for classes, linear for a number.

    Parameters
    ----------
    training : FeatureSet
        Originals only.
    labels : ndarray of float64, shape (n,)
        Places of classes (1 with flash), or numbers.
    logistic_c : float
        The inverse strength of the ridge penalty on standardised measurements. A penalty there must
        be: an excursion that parts the classes perfectly has no finite maximum likelihood estimate.
    ctx : Context
        Model and directory.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = ctx.targets[0].kind == "continuous"
    estimator = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        Ridge(alpha=1 / logistic_c) if numbers else LogisticRegression(C=logistic_c, max_iter=2000),
    )
    vectors = vectors_of(training, ctx)
    estimator.fit(vectors, labels if numbers else labels.astype(np.int64))
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(estimator, FILE)
    artifact.write_json("model.json", {"kind": model_of(ctx).kind, "n_columns": vectors.shape[1]})
    return artifact


def score_regression(
    artifact: ModelArtifact, features: FeatureSet, ctx: Context
) -> NDArray[np.float64]:
    """Return the probability of the second of two classes, or a number, shape (n,).

    Of more classes all probabilities, shape (n, n_classes); 0 for one that training did not have.
    """
    target, estimator = ctx.targets[0], artifact.load_estimator(FILE)
    vectors = vectors_of(features, ctx)
    if target.kind == "continuous":
        return np.asarray(estimator.predict(vectors), np.float64)
    found = np.zeros((len(features), len(target.classes)))
    found[:, estimator.classes_] = estimator.predict_proba(vectors)
    return found if target.kind == "multiclass" else found[:, 1]


def vectors_of(features: FeatureSet, ctx: Context) -> NDArray[np.float64]:
    """Return what the model looks at, shape (n, n_columns).

    ``excursion`` is the early inward excursion in mm alone; ``motion`` is every measurement and the
    displacement in mm over the cycle, averaged to 25 points.
    """
    motion = features["motion"]
    values = np.asarray(motion.in_units(), np.float64)
    if model_of(ctx).kind == "excursion":
        return values[:, [motion.names.index(EXCURSION)]]
    course = np.asarray(features["trace"].in_units(), np.float64)
    n_points = course.shape[1] // N_AVERAGED
    course = course[:, : n_points * N_AVERAGED].reshape(len(course), n_points, N_AVERAGED)
    return np.column_stack([values, course.mean(axis=2)])
