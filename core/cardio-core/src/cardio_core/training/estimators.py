"""Models that are an estimator of scikit-learn on named features: fitted and used by the core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.context import Context
from cardio_core.errors import MadeWrongError
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureSet
from cardio_core.types.info import Target
from cardio_core.types.predictions import Predictions
from cardio_core.types.targets import Targets


def fit_estimator(
    make: Any, columns: Sequence[str], training: FeatureSet, targets: Targets, ctx: Context
) -> ModelArtifact:
    """Fit one estimator for each target, on samples as they are.

    Missing values take the median of the training samples, and columns are standardised, both
    fitted with the estimator and kept with it. A parameter `random_state` gets the model's seed.

    Parameters
    ----------
    make : callable
        The estimator's class, or a function without arguments that returns one.
    columns : sequence of str
        What it is fitted on, ``"block.name"``; every measurement where none is named.
    training : FeatureSet
    targets : Targets
    ctx : Context
        Of the hook `train`.

    Raises
    ------
    MadeWrongError
        A column that no block has, or an estimator without probabilities for a class.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    values = _matrix(columns, training)
    artifact = ModelArtifact(ctx.out)
    for place, target in enumerate(ctx.targets):
        estimator = make()
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=ctx.seed_of("estimator") % 2**32)
        if target.kind != "continuous" and not hasattr(estimator, "predict_proba"):
            raise MadeWrongError(
                f"model {ctx.model!r} is a {type(estimator).__name__}, which gives no "
                "probabilities; name an estimator with predict_proba"
            )
        steps = SimpleImputer(keep_empty_features=True, strategy="median"), StandardScaler()
        fitted = make_pipeline(*steps, estimator).fit(values, _numbers(target, training, targets))
        artifact.save_estimator(fitted, _file(place))
    return artifact


def score_by_estimator(
    columns: Sequence[str], model: ModelArtifact, features: FeatureSet, ctx: Context
) -> Predictions:
    """Return the scores of every sample: probabilities, or numbers of a continuous target."""
    values = _matrix(columns, features)
    scores = {}
    for place, target in enumerate(ctx.targets):
        fitted = model.load_estimator(_file(place))
        if target.kind == "continuous":
            scores[target.name] = np.asarray(fitted.predict(values), float)
            continue
        of_class = np.zeros((len(values), len(target.classes)))
        of_class[:, fitted.classes_] = fitted.predict_proba(values)
        scores[target.name] = of_class[:, 1] if target.kind == "binary" else of_class
    return Predictions(tuple(features.table.index), scores)


def _file(place: int) -> str:
    return f"target-{place}.skops"


def _matrix(columns: Sequence[str], features: FeatureSet) -> NDArray[np.float32]:
    """Return the named columns, or every measurement where none is named."""
    numbers = {b: block for b, block in features.blocks.items() if len(block.axes) == 1}
    every = [f"{b}.{name}" for b, block in numbers.items() for name in block.names]
    if not every:
        raise MadeWrongError(
            "a model is an estimator, but no block of features holds measurements by name; make "
            "one with FeatureSet.from_rows"
        )
    found = []
    for column in columns or every:
        block, _, name = column.partition(".")
        names = features.blocks[block].names if block in features.blocks else ()
        if name not in names:
            raise MadeWrongError(
                f"a model is fitted on {column!r}, which is no feature; name some of "
                f"{', '.join(every[:12])}"
            )
        found.append(features.blocks[block].in_units()[:, names.index(name)])
    return np.column_stack(found)


def _numbers(target: Target, features: FeatureSet, targets: Targets) -> NDArray[Any]:
    values = targets.of(features.table, target.name)
    if target.kind == "multiclass":
        return np.array([target.classes.index(name) for name in values])
    return values.astype(float if target.kind == "continuous" else np.int64)
