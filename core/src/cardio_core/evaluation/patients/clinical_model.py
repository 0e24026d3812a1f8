"""The core's own model of clinical variables: ridge regression, logistic or linear, as two hooks.

It is a baseline that any recording-based model has to beat: what the referral letter says already.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cardio_core.context import Context
from cardio_core.errors import DataError
from cardio_core.evaluation.patients.encoding import Encoding, fit_encoding
from cardio_core.hookspecs import hookimpl
from cardio_core.stats.foundation.newton import maximise
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.file_names import SafeName
from cardio_core.types.info import Target, Unit
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Level, Predictions
from cardio_core.types.targets import KEY_OF_UNIT, Targets

BLOCK = "covariates"
PENALTY = 1.0
"""Of the squared coefficients of standardised variables; declared, not chosen."""

Array = np.ndarray[Any, Any]


def clinical_features(samples: pd.DataFrame, values: pd.DataFrame) -> FeatureSet:
    """Return clinical variables in the place of features: one row a sample of a sample table."""
    block = FeatureBlock(
        values.astype(object).to_numpy(object), (BLOCK,), tuple(map(str, values.columns)), ("1",)
    )
    return FeatureSet(samples, {BLOCK: block})


@hookimpl
def train(training: FeatureSet, targets: Targets, ctx: Context) -> ModelArtifact:
    """Fit one ridge regression a target, on patients of whom any variable is known.

    Raises
    ------
    DataError
        If fewer than two classes or values are left, or no variable differs between patients.
    """
    artifact = ModelArtifact(ctx.out)
    units = _units(training, targets.unit)
    for target in ctx.targets:
        y = targets.of(training.table.iloc[units["position"]], target.name)
        known = pd.notna(y) & units["known"].to_numpy(bool)
        rows, truth = units[known], np.asarray(y)[known]
        encoding = fit_encoding(_values(training, rows["position"]))
        if not encoding.columns:
            raise DataError("no clinical variable differs between the training patients")
        design = encoding.encode(_values(training, rows["position"]))
        artifact.write_json(SafeName(f"encoding-{target.name}", ".json"), encoding.to_dict())
        if target.kind == "binary":
            artifact.write_json(
                SafeName(f"weights-{target.name}", ".json"), _weights(design, truth, target)
            )
        else:
            artifact.save_estimator(_fitted(design, truth, target), SafeName(target.name, ".skops"))
    text = (
        f"ridge regression with penalty {PENALTY:g} on standardised variables; a missing value "
        "is the median of the training patients, and marked."
    )
    return ModelArtifact(ctx.out, notes=(Note(NoteKind.FIT, text),))


@hookimpl
def predict(model: ModelArtifact, features: FeatureSet, ctx: Context) -> Predictions:
    """Score each unit of the task; NaN where none of its variables is known."""
    level: Level = "patient" if ctx.task.unit == "patient" else (
        "study" if ctx.task.unit == "study" else "recording"
    )  # fmt: skip
    units = _units(features, level)
    known = units["known"].to_numpy(bool)
    values = _values(features, units["position"])
    scores = {}
    for target in ctx.targets:
        stored = model.read_json(SafeName(f"encoding-{target.name}", ".json"))
        encoding = Encoding.from_dict(stored)
        wide = target.kind == "multiclass"
        found = np.full((len(units), len(target.classes)) if wide else len(units), np.nan)
        if known.any():
            found[known] = _scores(model, encoding.encode(values[known]), target)
        scores[target.name] = found
    return Predictions(tuple(units.index.astype(str)), scores, level)


def _units(features: FeatureSet, unit: Unit | Level) -> pd.DataFrame:
    """Return one row a unit: where its first sample stands, and whether anything is known of it."""
    table = features.table
    keys = table[KEY_OF_UNIT[unit]].astype(str).to_numpy()
    values = np.asarray(features[BLOCK].values[:], dtype=object)
    any_known = ~pd.isna(values).all(axis=1)
    rows = pd.DataFrame({"position": np.arange(len(table)), "known": any_known}, index=keys)
    return rows[~rows.index.duplicated()]


def _values(features: FeatureSet, positions: pd.Series) -> pd.DataFrame:
    block = features[BLOCK]
    chosen = np.asarray(block.values[positions.to_numpy()], dtype=object)
    return pd.DataFrame(chosen, columns=list(block.names), dtype=object)


def _fitted(design: Array, truth: Array, target: Target) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    if target.kind == "continuous":
        if len(np.unique(truth.astype(float))) < 2:
            raise DataError("expected two or more different values to fit clinical variables on")
        return Ridge(alpha=PENALTY).fit(design, truth.astype(float))
    return LogisticRegression(C=1 / PENALTY, max_iter=2000).fit(design, _codes(truth, target))


def _weights(design: Array, truth: Array, target: Target) -> dict[str, Any]:
    """Maximise the likelihood of the second class less the ridge, which spares the intercept."""
    full = np.column_stack([design, np.ones(len(design))])
    ridge = np.append(np.full(design.shape[1], PENALTY), 0.0)
    beta, _ = maximise(full, _codes(truth, target).astype(float), ridge=ridge)
    return {"intercept": float(beta[-1]), "coefficients": beta[:-1].tolist()}


def _codes(truth: Array, target: Target) -> Array:
    codes = np.array([_code(one, target) for one in truth])
    if len(np.unique(codes)) < 2:
        raise DataError("expected two or more classes to fit clinical variables on, found one")
    return codes


def _code(value: Any, target: Target) -> int:
    """Return the place of a class; a binary target may be given as 0 and 1."""
    return target.classes.index(value) if value in target.classes else int(value)


def _scores(model: ModelArtifact, design: Array, target: Target) -> Array:
    weights = SafeName(f"weights-{target.name}", ".json")
    if (model.path / weights).exists():  # a binary target, but for runs of earlier versions
        stored = model.read_json(weights)
        log_odds = stored["intercept"] + design @ np.array(stored["coefficients"])
        return np.asarray(0.5 * (1 + np.tanh(log_odds / 2)))
    estimator = model.load_estimator(SafeName(target.name, ".skops"))
    if target.kind == "continuous":
        return np.asarray(estimator.predict(design), dtype=float)
    found = np.zeros((len(design), len(target.classes)))
    found[:, estimator.classes_.astype(int)] = estimator.predict_proba(design)
    return found[:, 1] if target.kind == "binary" else found
