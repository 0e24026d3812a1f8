"""Calling a hook and checking what comes back: every type, every id, every score."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.resource_errors import resource_error
from cardio_core.context import Context
from cardio_core.errors import ContractError, HookError, MadeWrongError
from cardio_core.hookspecs import BY_ESTIMATOR
from cardio_core.registry import Plugin, resolve
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.features import FeatureSet
from cardio_core.types.notes import Note
from cardio_core.types.predictions import Predictions
from cardio_core.types.redaction import is_of_a_recording, text_of, unreadable
from cardio_core.types.report import EvaluationReport, Explanation
from cardio_core.types.samples import Cohort, SampleSet, column_with_path
from cardio_core.types.targets import KEY_OF_UNIT
from cardio_stats.errors import CardioError, DataError, ResourceError

# What a plugin's code raised, told in one line that says where.

_MOST_NAMES, _MOST_NAMED = 60, 6
"""Columns of a block that is looked at, and of those with NaN that are named."""


def failed(
    package: str,
    title: str,
    error: BaseException,
    place: Path | None = None,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> HookError | ResourceError:
    """Return the one line for what a hook raised; `title` says which hook was called.

    Where it is about NaN, the line names the columns that hold any of the features among the
    hook's `arguments`: a library knows no names.

    A full disk, and memory that ran out, are no fault of the hook; `place` is where it wrote.

    The place is the deepest frame in the plugin's package; in none, the deepest frame. The result
    pickles, whatever `error` carries. What is kept of it, in the run and with ``--debug``, repeats
    nothing that a file of the data may hold.

    Examples
    --------
    >>> try:
    ...     {"ill": 1}["sick"]
    ... except KeyError as error:
    ...     print(str(failed("cardio_ppg", "plugin 'ppg', hook train", error)).partition(" (")[0])
    plugin 'ppg', hook train: KeyError: 'sick'
    """
    if (machine := resource_error(error, title, place)) is not None and not _for_reading(error):
        return machine
    kind = type(error).__name__
    redacted = f"{kind}: {text_of(error)}".rstrip(": ")
    # An author needs the words of his own code; what the system says names a file of the data.
    text = redacted if isinstance(error, OSError) else f"{kind}: {' '.join(str(error).split())}"
    text, at = text.rstrip(": "), place_in(package, error)
    where = _nan_in(arguments.values()) if _on_values(error) else ""
    do = "mend the plugin there"
    return HookError(f"{title}: {text}{where} ({at}); {do}", f"{title}: {redacted} ({at}); {do}")


def _on_values(error: BaseException) -> bool:
    """Whether a check of values refused them: that of scikit-learn, which names no column."""
    frames = [
        frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    return "sklearn.utils.validation" in frames


def _nan_in(values: Iterable[Any]) -> str:
    """Return which measurements lack values: ``"; NaN in a.rate (3 of 40, first patient P7)"``."""
    found: dict[str, str] = {}
    for features in (item for item in values if isinstance(item, FeatureSet)):
        for name, block in features.blocks.items():
            numbers = np.dtype(block.values.dtype).kind == "f"
            if not numbers or len(block.axes) != 1 or len(block.names) > _MOST_NAMES:
                continue  # pictures and curves are large, and no column of theirs is a measurement
            lost = np.isnan(block.in_units())
            for column, rows in zip(block.names, lost.T, strict=True):
                if n := int(rows.sum()):
                    first = features.table["patient_id"].iloc[int(rows.argmax())]
                    share = f"{n} of {len(features)}, first patient {first}"
                    found.setdefault(f"{name}.{column}", share)
    named = [f"{column} ({share})" for column, share in list(found.items())[:_MOST_NAMED]]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f"; NaN in {', '.join(named)}{more}" if named else ""


def _for_reading(error: BaseException) -> bool:
    """Whether it says no more than that a file may not be opened: by the hook's own mistake."""
    return isinstance(error, PermissionError)


def place_in(package: str, error: BaseException) -> str:
    """Return the deepest frame of an error in a package: ``"cardio_ppg/rhythm/train.py:31"``."""
    frames = [
        (str(frame.f_globals.get("__name__", "")).partition(".")[0], frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [frame for frame in frames if frame[0] == package]
    top, file, line = (own or frames)[-1]
    parts = Path(file).parts
    if top in parts:
        file = "/".join(parts[len(parts) - 1 - parts[::-1].index(top) :])
    return f"{file}:{line}"


RETURNS: dict[str, type] = {
    "load": Cohort,
    "preprocess": SampleSet,
    "featurize": FeatureSet,
    "train": ModelArtifact,
    "predict": Predictions,
    "explain": Explanation,
    "evaluate": EvaluationReport,
}
_READING = ("preprocess", "featurize")
"""Hooks that see one patient: a file of theirs that cannot be read costs that patient alone."""
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
        result = _answer(plugin, hook, ctx, block, arguments)
    except np.linalg.LinAlgError as error:  # about the data, not the code
        raise DataError(
            f"{hook} of plugin {plugin.info.name!r}: {error}; look for constant or equal columns"
        ) from error
    except MadeWrongError as error:
        where = place_in(plugin.package, error)
        raise ContractError(
            f"{_title(plugin, ctx)}: {error} ({where}); mend the plugin there"
        ) from error
    except (CardioError, MemoryError):
        raise
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything
        if hook in _READING and is_of_a_recording(error, plugin.package):
            raise unreadable(error, ()) from error  # type: ignore[arg-type]
        raise failed(plugin.package, _title(plugin, ctx), error, ctx._out, arguments) from error
    if result is None:
        raise _broken(plugin, hook, f"returned None; it must return a {RETURNS[hook].__name__}")
    if not isinstance(result, RETURNS[hook]):
        found = type(result).__name__
        raise _broken(
            plugin, hook, f"returned a {found}, not a {RETURNS[hook].__name__}; return one"
        )
    strange = [item for item in getattr(result, "notes", ()) if not isinstance(item, Note)]
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


def _answer(
    plugin: Plugin, hook: str, ctx: Context, block: Any, arguments: Mapping[str, Any]
) -> Any:
    """Call the plugin, or fit and use an estimator that a model names instead of hooks."""
    model = ctx.task.model(str(ctx.model)) if hook in BY_ESTIMATOR else None
    if model is None or not model.estimator:
        return plugin.call(hook, ctx.task, config=block, ctx=ctx, **arguments)
    from cardio_core.training.estimators import fit_estimator, score_by_estimator

    if hook == "predict":
        return score_by_estimator(model.columns, ctx=ctx, **arguments)
    training, targets = arguments["training"], arguments["targets"]
    return fit_estimator(resolve(model.estimator), model.columns, training, targets, ctx)


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
        return "after load, a sample is a recording: its index must be recording_id; make it so"
    without = [name for name in table.index if not cohort.files.get(name)]
    if without:
        return f"recording {without[0]!r} has no entry in Cohort.files; give one to each"
    column = column_with_path(table)
    if column is not None:
        return (
            f"column {column!r} of the sample table holds a path, from which preprocess could find "
            "the cohort table; give files to SampleSet.opening alone"
        )
    if ctx.mode == "predict" and cohort.targets is not None:
        return "returned targets in predict mode; return none there"
    if ctx.mode == "fit" and cohort.targets is None and ctx.outcome is None:
        return "returned no targets in fit mode; return what is to be learned"
    return None


def _check_samples(preprocessed: SampleSet, ctx: Context, samples: SampleSet) -> str | None:
    return _unknown(preprocessed.table, samples.table, "recording_id") or _unknown(
        preprocessed.table, samples.table, "patient_id"
    )


def _check_features(features: FeatureSet, ctx: Context, samples: SampleSet) -> str | None:
    table = features.table
    original = table[table["variant"] == 0] if "variant" in table.columns else table
    strange = original.index.difference(samples.table.index)
    if len(strange):
        return f"sample id {strange[0]!r} was never given to it; keep the ids"
    if not features.blocks:
        return "returned no feature block; return one or more"
    return _unknown(table, samples.table, "patient_id")


def _unknown(made: pd.DataFrame, expected: pd.DataFrame, column: str) -> str | None:
    strange = set(made[column]) - set(expected[column])
    return (
        f"{column} {sorted(map(str, strange))[0]!r} was never given to it; keep the ids"
        if strange
        else None
    )


def _check_artifact(artifact: ModelArtifact, ctx: Context, **_: Any) -> str | None:
    if artifact.path != ctx.out:
        return "left its artifact outside ctx.out; write it there"
    files = [path for path in artifact.path.rglob("*") if path.is_file()]
    if not files:
        return "left nothing in ctx.out; write the model there"
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
        return f"{level} {ids[ids.duplicated()][0]!r} is predicted twice; give each one row"
    strange = ids.difference(known)
    if len(strange):
        return f"predicts {level} {strange[0]!r}, which it was not given; keep the ids"
    lost = known.difference(ids)
    if len(lost):
        return f"does not predict {level} {lost[0]!r} (and {len(lost) - 1} more); predict each"
    partial = any(row.name == ctx.model and row.partial for row in ctx.task.models)
    for target in ctx.targets:
        if target.name not in predictions.scores:
            return f"gives no scores for target {target.name!r}; give them"
        scores = np.asarray(predictions.scores[target.name], dtype=float)
        if partial and len(scores) == len(ids):
            scores = scores[~np.isnan(scores).reshape(len(ids), -1).all(axis=1)]
        problem = _check_scores(
            scores, len(scores) if partial else len(ids), target.kind, len(target.classes)
        )
        if problem:
            where = "" if np.isfinite(scores).all() else _nan_in([features])
            return f"target {target.name!r}: {problem}{where}"
    return None


def _check_scores(scores: Any, n: int, kind: str, n_classes: int) -> str | None:
    shape = (n, n_classes) if kind == "multiclass" else (n,)
    if scores.shape != shape:
        return f"scores have shape {scores.shape}, expected {shape}"
    if not np.isfinite(scores).all():
        return f"{int((~np.isfinite(scores)).sum())} scores are not finite; give numbers"
    if kind == "continuous":
        return None
    if scores.min(initial=0) < 0 or scores.max(initial=0) > 1:
        return f"probabilities reach from {scores.min():.3g} to {scores.max():.3g}; give 0 to 1"
    if kind == "multiclass" and n and abs(scores.sum(axis=1) - 1).max() > 1e-4:
        return "the classes' probabilities do not sum to one; divide by their sum"
    return None


def _check_explanation(
    explanation: Explanation, ctx: Context, features: FeatureSet, **_: Any
) -> str | None:
    strange = {case.sample_id for case in explanation.cases} - set(features.table.index)
    if not strange:
        return None
    return f"explains {sorted(strange)[0]!r}, which it was not given; keep the ids"


CHECKS: dict[str, Callable[..., str | None]] = {
    "load": _check_cohort,
    "preprocess": _check_samples,
    "featurize": _check_features,
    "train": _check_artifact,
    "predict": _check_predictions,
    "explain": _check_explanation,
}
