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
    training: FeatureSet, labels: NDArray[np.int64], logistic_c: float, ctx: Context
) -> ModelArtifact:
    """Fit one ridge logistic regression on the originals; missing values are their median.

    Parameters
    ----------
    training : FeatureSet
        Originals only.
    labels : ndarray of int64, shape (n,)
        1 with flash.
    logistic_c : float
        The inverse strength of the ridge penalty on standardised measurements. A penalty there must
        be: an excursion that parts the classes perfectly has no finite maximum likelihood estimate.
    ctx : Context
        Model and directory.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    estimator = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=logistic_c, max_iter=2000),
    )
    vectors = vectors_of(training, ctx)
    estimator.fit(vectors, labels)
    artifact = ModelArtifact(ctx.out)
    artifact.save_estimator(estimator, FILE)
    artifact.write_json("model.json", {"kind": model_of(ctx).kind, "n_columns": vectors.shape[1]})
    return artifact


def score_regression(
    artifact: ModelArtifact, features: FeatureSet, ctx: Context
) -> NDArray[np.float64]:
    """Return the probability of septal flash, shape (n,)."""
    found = artifact.load_estimator(FILE).predict_proba(vectors_of(features, ctx))
    return np.asarray(found[:, 1], np.float64)


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
