"""The models without pictures: a regression on the ejection fraction, or on age and sex."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import (
    Context,
    DataError,
    FeatureSet,
    ModelArtifact,
    Note,
    SafeName,
    Target,
    Targets,
)
from cardio_echo_cmr.findings.models import codes_of, recipe_of

N_LEAST = {"binary": 1, "multiclass": 1, "continuous": 2}
"""Training studies, or videos, of each class where there are two, of two where there are more:
fewer cannot be fitted."""


def fit_baseline(
    training: FeatureSet, targets: Targets, logistic_c: float, ctx: Context
) -> ModelArtifact:
    """Fit one regression a target, each study once.

    Parameters
    ----------
    training : FeatureSet
        One row a video; of a study the first counts, since what is measured is the same in all.
    targets : Targets
    logistic_c : float
        Inverse strength of the ridge penalty of a logistic regression on standardised values; a
        linear one has none.
    ctx : Context
        Model and directory.

    Raises
    ------
    DataError
        If no study of a class, or fewer than two in all, have the measurements.
    """
    artifact = ModelArtifact(ctx.out)
    first = np.flatnonzero(~training.table["study_id"].duplicated().to_numpy())
    studies = training.view(first)
    measured = measured_of(studies, ctx)
    notes = []
    for target in ctx.targets:
        wanted = codes_of(studies, targets, target)
        known = np.isfinite(wanted) & np.isfinite(measured).all(axis=1)
        _check(wanted[known], target, ctx)
        estimator = _estimator(target, logistic_c).fit(measured[known], wanted[known])
        artifact.save_estimator(estimator, _file(target))
        n_without = int(np.isfinite(wanted).sum() - known.sum())
        notes.append(f"{target.name}: fitted on {known.sum()} studies, {n_without} not measured.")
    artifact.write_json("model.json", {"measured": list(recipe_of(ctx).measured)})
    return ModelArtifact(artifact.path, None, Note.each("fitted_on", notes))


def score_baseline(
    artifact: ModelArtifact, features: FeatureSet, ctx: Context
) -> dict[str, NDArray[np.float64]]:
    """Return by target a probability or value for each video, NaN where nothing was measured.

    Of more than two classes all probabilities, shape (n, n_classes).
    """
    measured = measured_of(features, ctx)
    known = np.isfinite(measured).all(axis=1)
    scores = {}
    for target in ctx.targets:
        several = target.kind == "multiclass"
        shape = (len(features), len(target.classes)) if several else (len(features),)
        scored = np.full(shape, np.nan)
        if known.any():
            estimator = artifact.load_estimator(_file(target))
            if target.kind == "continuous":
                scored[known] = estimator.predict(measured[known])
            else:
                found = estimator.predict_proba(measured[known])
                # A class that training did not have is never likely.
                every = np.zeros((len(found), len(target.classes)))
                every[:, estimator.classes_.astype(int)] = found
                scored[known] = every if several else every[:, 1]
        scores[target.name] = scored
    return scores


def measured_of(features: FeatureSet, ctx: Context) -> NDArray[np.float64]:
    """Return what the model looks at, shape (n, n_measures), in the units of the block."""
    clinical = features["clinical"]
    places = [clinical.names.index(name) for name in recipe_of(ctx).measured]
    return np.asarray(clinical.in_units(), np.float64)[:, places]


def _estimator(target: Target, logistic_c: float) -> Any:
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if target.kind == "continuous":
        return make_pipeline(StandardScaler(), LinearRegression())
    return make_pipeline(StandardScaler(), LogisticRegression(C=logistic_c, max_iter=2000))


def _check(wanted: NDArray[np.float64], target: Target, ctx: Context) -> None:
    counts = counts_of(wanted, target)
    n_least = N_LEAST[target.kind]
    if min(counts) < n_least:
        kind = OF_KIND[target.kind]
        raise DataError(
            f"model {ctx.model}: expected {n_least} or more training studies {kind}that have "
            f"{' and '.join(recipe_of(ctx).measured)}, found {' and '.join(map(str, counts))}; "
            "take fewer folds, more patients, or leave the model out"
        )


OF_KIND = {
    "binary": "without and with the finding ",
    "multiclass": "of two classes ",
    "continuous": "",
}


def counts_of(wanted: NDArray[np.float64], target: Target) -> tuple[int, ...]:
    """Return how many are of each of two classes, of the largest two of more, or have a value.

    Examples
    --------
    >>> counts_of(np.array([2.0, 0, 2, 2]), Target("grade", "multiclass", ("a", "b", "c")))
    (3, 1)
    """
    if target.kind == "continuous":
        return (wanted.size,)
    counts = [int((wanted == place).sum()) for place in range(len(target.classes))]
    return tuple(counts) if target.kind == "binary" else tuple(sorted(counts)[:-3:-1])


def _file(target: Target) -> SafeName:
    return SafeName(target.name, ".skops")
