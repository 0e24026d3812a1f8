"""Calling a hook and checking what comes back: every type, every id, every score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.context import Context
from cardio_core.errors import CardioError, ContractError, DataError, MadeWrongError
from cardio_core.registry import Plugin
from cardio_core.runner.failing import failed, place_in
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureSet
from cardio_core.types.notes import Note
from cardio_core.types.predictions import Predictions
from cardio_core.types.report import EvaluationReport, Explanation
from cardio_core.types.samples import Cohort, SampleSet
from cardio_core.types.sealed import column_with_path
from cardio_core.types.targets import KEY_OF_UNIT

RETURNS: dict[str, type] = {
    "load": Cohort,
    "preprocess": SampleSet,
    "featurize": FeatureSet,
    "train": ModelArtifact,
    "predict": Predictions,
    "explain": Explanation,
    "evaluate": EvaluationReport,
}
PICKLES = {".pkl", ".pickle", ".joblib", ".ckpt", ".pt", ".pth", ".dill"}


def call(plugin: Plugin, hook: str, ctx: Context, config: Any, **arguments: Any) -> Any:
    """Call one hook and return its checked result.

    Raises
    ------
    ContractError
        If the result is None, of the wrong type, or names ids, targets or files it may not, or if
        the hook gave a class of the core parts that do not fit.
    DataError
        If the hook says so, or met a matrix that it could not invert.
    HookError
        If the hook raises anything but a `CardioError`; names the file and the line.
    """
    ctx = ctx.replace(hook=hook, _warned=[])
    block = getattr(config, hook)
    try:
        result = plugin.call(hook, ctx.task, config=block, ctx=ctx, **arguments)
    except np.linalg.LinAlgError as error:  # about the data, not the code
        raise DataError(f"{hook} of plugin {plugin.info.name!r}: {error}") from error
    except MadeWrongError as error:
        where = place_in(plugin.package, error)
        raise ContractError(f"{_title(plugin, ctx)}: {error} ({where})") from error
    except (CardioError, MemoryError):
        raise
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything
        raise failed(plugin.package, _title(plugin, ctx), error, ctx._out, arguments) from error
    if result is None:
        raise _broken(plugin, hook, f"returned None; it must return a {RETURNS[hook].__name__}")
    if not isinstance(result, RETURNS[hook]):
        found = type(result).__name__
        raise _broken(plugin, hook, f"returned a {found}, not a {RETURNS[hook].__name__}")
    strange = [one for one in getattr(result, "notes", ()) if not isinstance(one, Note)]
    if strange:
        found = type(strange[0]).__name__
        raise _broken(plugin, hook, f"notes hold a {found}, not a Note; give kind and text")
    check = CHECKS.get(hook)
    problem = check(result, ctx, **arguments) if check else None
    if problem:
        raise _broken(plugin, hook, problem)
    if ctx._warned:
        warned: Any = result
        result = replace(warned, notes=(*ctx._warned, *warned.notes))
    return result


def _broken(plugin: Plugin, hook: str, problem: str) -> ContractError:
    return ContractError(f"plugin {plugin.info.name!r}, hook {hook}: {problem}")


def _title(plugin: Plugin, ctx: Context) -> str:
    model = f", model {ctx.model}" if ctx.model else ""
    fold = " ".join(part for part in (ctx.protocol, ctx.fold) if part)
    where = f", fold {fold}" if ctx.fold else ""
    return f"plugin {plugin.info.name!r}, hook {ctx.hook}{model}{where}"


def _check_cohort(cohort: Cohort, ctx: Context) -> str | None:
    table = cohort.samples.table
    if list(table.index) != list(table["recording_id"]):
        return "after load, a sample is a recording: the index must equal recording_id"
    without = [name for name in table.index if not cohort.files.get(name)]
    if without:
        return f"recording {without[0]!r} has no entry in Cohort.files"
    column = column_with_path(table)
    if column is not None:
        return (
            f"column {column!r} of the sample table holds a path, from which preprocess could find "
            "the cohort table; give files to SampleSet.opening alone"
        )
    if ctx.mode == "predict" and cohort.targets is not None:
        return "returned targets in predict mode"
    if ctx.mode == "fit" and cohort.targets is None and ctx.outcome is None:
        return "returned no targets in fit mode"
    return None


def _check_samples(minted: SampleSet, ctx: Context, samples: SampleSet) -> str | None:
    return _unknown(minted.table, samples.table, "recording_id") or _unknown(
        minted.table, samples.table, "patient_id"
    )


def _check_features(features: FeatureSet, ctx: Context, samples: SampleSet) -> str | None:
    table = features.table
    original = table[table["variant"] == 0] if "variant" in table.columns else table
    strange = original.index.difference(samples.table.index)
    if len(strange):
        return f"sample id {strange[0]!r} was never given to it"
    if not features.blocks:
        return "returned no feature block"
    return _unknown(table, samples.table, "patient_id")


def _unknown(made: pd.DataFrame, given: pd.DataFrame, column: str) -> str | None:
    strange = set(made[column]) - set(given[column])
    return f"{column} {sorted(map(str, strange))[0]!r} was never given to it" if strange else None


def _check_artifact(artifact: ModelArtifact, ctx: Context, **_: Any) -> str | None:
    if artifact.path != ctx.out:
        return "left its artifact outside ctx.out"
    files = [path for path in artifact.path.rglob("*") if path.is_file()]
    if not files:
        return "left nothing in ctx.out"
    pickled = [path.name for path in files if path.suffix in PICKLES]
    return f"left a pickle ({pickled[0]}); use safetensors, JSON or skops" if pickled else None


def _check_predictions(
    predictions: Predictions, ctx: Context, model: ModelArtifact, features: FeatureSet
) -> str | None:
    table = features.table
    level = predictions.level
    known = table.index if level == "sample" else pd.Index(table[KEY_OF_UNIT[level]].unique())
    ids = pd.Index(predictions.ids)
    if not ids.is_unique:
        return f"{level} {ids[ids.duplicated()][0]!r} is predicted twice"
    strange = ids.difference(known)
    if len(strange):
        return f"predicts {level} {strange[0]!r}, which it was not given"
    lost = known.difference(ids)
    if len(lost):
        return f"does not predict {level} {lost[0]!r} (and {len(lost) - 1} more)"
    partial = any(row.name == ctx.model and row.partial for row in ctx.task.models)
    for target in ctx.targets:
        if target.name not in predictions.scores:
            return f"gives no scores for target {target.name!r}"
        scores = np.asarray(predictions.scores[target.name], dtype=float)
        if partial and len(scores) == len(ids):
            scores = scores[~np.isnan(scores).reshape(len(ids), -1).all(axis=1)]
        problem = _check_scores(
            scores, len(scores) if partial else len(ids), target.kind, len(target.classes)
        )
        if problem:
            return f"target {target.name!r}: {problem}"
    return None


def _check_scores(scores: Any, n: int, kind: str, n_classes: int) -> str | None:
    shape = (n, n_classes) if kind == "multiclass" else (n,)
    if scores.shape != shape:
        return f"scores have shape {scores.shape}, expected {shape}"
    if not np.isfinite(scores).all():
        return f"{int((~np.isfinite(scores)).sum())} scores are not finite"
    if kind == "continuous":
        return None
    if scores.min(initial=0) < 0 or scores.max(initial=0) > 1:
        return f"probabilities reach from {scores.min():.3g} to {scores.max():.3g}"
    if kind == "multiclass" and n and abs(scores.sum(axis=1) - 1).max() > 1e-4:
        return "the classes' probabilities do not sum to one"
    return None


def _check_explanation(
    explanation: Explanation, ctx: Context, features: FeatureSet, **_: Any
) -> str | None:
    strange = {case.sample_id for case in explanation.cases} - set(features.table.index)
    return f"explains {sorted(strange)[0]!r}, which it was not given" if strange else None


CHECKS: dict[str, Callable[..., str | None]] = {
    "load": _check_cohort,
    "preprocess": _check_samples,
    "featurize": _check_features,
    "train": _check_artifact,
    "predict": _check_predictions,
    "explain": _check_explanation,
}
