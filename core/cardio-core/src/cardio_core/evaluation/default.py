"""The default `evaluate`: every target with the metrics of its kind, pooled and by fold."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.aggregate import pooled, score_columns
from cardio_core.evaluation.parts import Parts, Request, class_table, noting
from cardio_core.types.info import Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Scope
from cardio_stats import (
    auc,
    bootstrap_sums,
    correlation,
    decision_metrics,
    delong_paired,
    limits_of_agreement,
    multiclass_auc,
)
from cardio_stats.agreement import regression_errors
from cardio_stats.decisions import DECISION_RATES
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

# Binary targets: discrimination, and decisions at a named threshold.


def binary_metrics(parts: Parts, frame: pd.DataFrame, request: Request) -> None:
    """Add AUC, Brier score, base rate, and the decided metrics with their threshold's source."""
    scope, positive = request.scope, request.target.classes[1]
    known = frame[frame["y_true"].notna() & frame["unit_id"].notna()]
    truth = (known["y_true"] == positive).to_numpy(int)
    score = known[f"score:{positive}"].to_numpy(float)
    parts.add([auc(truth, score, **request.by_formula(known))], scope)
    drawn = request.resampled(known)
    rows = np.column_stack([np.ones(len(truth)), truth, (score - truth) ** 2])
    parts.add(bootstrap_sums(rows, _overall, ("base_rate", "brier"), **drawn), scope)
    decided = decision_metrics(
        truth, known["predicted"] == positive, source=request.source, **drawn
    )
    parts.add(decided.values(), scope)
    undefined = [name for name in DECISION_RATES if name not in decided]
    if undefined:
        text = f"{', '.join(undefined)} of {scope.model}: not computed, nothing to divide by."
        parts.notes.append(Note(NoteKind.NOT_COMPUTED, text, model=scope.model))


def _overall(sums: Any) -> Any:
    n, events, squared = np.moveaxis(sums, -1, 0)
    return np.stack([events / n, squared / n], axis=-1)


# Continuous targets: errors beside the constant predictor's, agreement, calibration.

OWN = ("mae", "mae_constant", "rmse", "r2", "pearson_r", "pearson_r2", "ccc", "calibration_slope",
       "calibration_intercept")  # fmt: skip


def continuous_metrics(parts: Parts, frame: pd.DataFrame, request: Request) -> None:
    """Add errors, R² = 1 - SSE/SST, correlations, the line of truth on prediction, and agreement.

    MAE stands beside that of always saying the median. Bias and limits of agreement are Bland and
    Altman's, of predicted less measured, where there are enough rows for them.
    """
    known = frame[frame["y_true"].notna()]
    truth, predicted = known["y_true"].to_numpy(float), known["score"].to_numpy(float)
    if len(truth) < 3 or np.ptp(truth) == 0:
        raise DataError(f"expected at least 3 different true values, found {len(set(truth))}")
    drawn = request.resampled(known)
    found = regression_errors(truth, predicted, **drawn)
    about = {name: drawn[name] for name in ("patient", "level", "unit")}
    if about["patient"] is None and "pearson_r" in found and len(truth) > 3:
        exact = correlation(truth, predicted, level=about["level"], unit=about["unit"])
        found["pearson_r"] = exact.replace(name="pearson_r")
    parts.add([found[name] for name in OWN if name in found], request.scope)
    what = "fold " + str(request.scope.fold) if request.scope.fold else str(request.scope.model)
    with noting(parts.notes, f"Limits of agreement of {what}: not computed;"):
        parts.add(limits_of_agreement(truth, predicted, **about).estimates, request.scope)


# Multiclass targets: per-class tables as de Chazal and EC57 print them, clustered by patient.

MOST_OF_AREAS = 500
"""Resamples of Hand and Till's area, which ranks every pair of classes in each."""


def multiclass_metrics(parts: Parts, frame: pd.DataFrame, request: Request) -> None:
    """Add Se, +P, F1 and AUC of every class, macro averages, and the confusion table."""
    target, scope = request.target, request.scope
    scored = [name for name in target.classes if name not in target.unscored]
    present = set(frame["y_true"].dropna())
    table = class_table(frame, [name for name in scored if name in present], request)
    for name, estimates in table.by_class.items():
        if name == "all":
            parts.add(estimates.values(), scope, request.source)
        else:
            parts.add_class(dict(estimates), scope, name, request.source)
    detected = frame[frame["unit_id"].notna() & frame["y_true"].notna()]
    if not detected[[f"score:{name}" for name in scored]].isna().all(axis=None):
        _all_classes(parts, detected, scored, request)
        for name in scored:
            _one_against_rest(parts, detected, name, request)
    if scope.fold is None:
        parts.tables[f"confusion-{scope.model}"] = table.confusion
        parts.tables[f"by-class-{scope.model}"] = _printed(table.estimates)
        if table.undefined:
            text = (
                f"{scope.model}: undefined, because a class does not occur or is never predicted: "
                f"{', '.join(table.undefined)}."
            )
            parts.notes.append(Note(NoteKind.NOT_COMPUTED, text, model=scope.model))


def _all_classes(parts: Parts, frame: pd.DataFrame, scored: list[str], request: Request) -> None:
    """Add Hand and Till's area, which does not depend on how common the classes are."""
    here = frame[frame["y_true"].isin(scored)]
    if len(scored) < 3 or set(here["y_true"]) != set(scored):
        return
    drawn = request.resampled(here)
    drawn["n_resamples"] = min(drawn["n_resamples"], MOST_OF_AREAS)
    with noting(parts.notes, f"AUC of all classes of {request.scope.model}: not computed."):
        scores = here[[f"score:{name}" for name in scored]]
        found = multiclass_auc(here["y_true"], scores, scored, **drawn)
        parts.add([found["all"]], request.scope)


def _one_against_rest(parts: Parts, frame: pd.DataFrame, name: str, request: Request) -> None:
    positive = (frame["y_true"] == name).astype(int)
    if positive.nunique() < 2:
        return
    with noting(parts.notes, f"AUC of {name} against the rest: not computed."):
        found = auc(positive, frame[f"score:{name}"], **request.by_formula(frame))
        parts.add([found], replace(request.scope, class_name=name))


def _printed(estimates: object) -> pd.DataFrame:
    return pd.DataFrame([estimate.to_dict() for estimate in estimates]).drop(  # type: ignore[attr-defined]
        columns=["extra", "p_value", "threshold_source"]
    )


# Paired comparison of models: by a formula, or where none gives it the difference, resampled.

Array = np.ndarray[Any, Any]

METHOD = "the same resamples for both"


def compare_models(parts: Parts, frame: pd.DataFrame, request: Request) -> None:
    """Add the difference of every two models on what both predicted.

    Of a binary target, areas are compared by DeLong's method. Else the difference is of macro F1
    or of mean errors: whole patients are drawn where one has several rows, and both models see the
    same draw. The difference is the first model's value less the second's: of a mean absolute
    error, a negative one is the better.

    Parameters
    ----------
    parts : Parts
        Gets an estimate a pair; why a pair has none is a note.
    frame : DataFrame
        Of all models, as of `Scored.frames`.
    request : Request
        Target, place, level and resamples; its model does not count.
    """
    target = request.target
    frames = {str(item): _keyed(pooled(frame, target, item)) for item in frame["model"].unique()}
    column = "predicted" if target.kind == "multiclass" else score_columns(target)[-1]
    for entry, other in combinations(frames, 2):
        both = frames[entry].join(frames[other][[column]], rsuffix=":other", how="inner")
        with noting(parts.notes, f"{entry} against {other}: not compared."):
            place = replace(request.scope, model=entry, versus=other)
            parts.add([_difference(both, column, request)], place)


def _difference(both: pd.DataFrame, column: str, request: Request) -> Estimate:
    target = request.target
    if target.kind == "binary":
        both = both[both["y_true"].notna()]
        truth = (both["y_true"] == target.classes[1]).astype(int)
        scores = both[column], both[f"{column}:other"]
        return delong_paired(truth, *scores, **request.by_formula(both))
    continuous = target.kind == "continuous"
    rows, statistic = _errors(both) if continuous else _counts(both, request)
    name = "mae_difference" if continuous else "macro_f1_difference"
    [found] = bootstrap_sums(rows, statistic, [name], **request.resampled(both))
    return found.replace(method=f"{found.method}, paired: {METHOD}")


def _keyed(rows: pd.DataFrame) -> pd.DataFrame:
    """Index rows by their unit; a missed event has none, its recording and time name it."""
    key = rows["unit_id"]
    if key.isna().any():
        event = rows["recording_id"].astype(str) + "@" + rows["time_s"].astype(str)
        key = key.where(key.notna(), event)
    return rows.set_index(pd.Index(key, name="unit"))


def _errors(both: pd.DataFrame) -> tuple[Array, Any]:
    known = both["y_true"].notna()
    truth = both["y_true"].where(known, np.nan).astype(float).to_numpy()
    errors = [np.abs(both[name].to_numpy(float) - truth) for name in ("score", "score:other")]
    rows = np.column_stack([np.where(known, 1.0, np.nan), *errors])
    return rows, lambda sums: ((sums[..., 1] - sums[..., 2]) / sums[..., 0])[..., None]


def _counts(both: pd.DataFrame, request: Request) -> tuple[Array, Any]:
    """Return what F1 of each class is made of, for both models, and their difference of means."""
    truth = both["y_true"].to_numpy(object)
    present = [
        c for c in request.target.classes if c not in request.target.unscored and c in set(truth)
    ]
    columns = []
    for predicted in (both["predicted"].to_numpy(object), both["predicted:other"].to_numpy(object)):
        for name in present:
            columns += [(truth == name) & (predicted == name), truth == name, predicted == name]

    def difference(sums: Array) -> Array:
        parts = sums.reshape(*sums.shape[:-1], 2, len(present), 3)
        total = parts[..., 1] + parts[..., 2]
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * parts[..., 0] / total
        macro = f1.mean(axis=-1)
        return np.asarray(macro[..., 0] - macro[..., 1])[..., None]

    return np.column_stack(columns).astype(float), difference


KINDS = {
    "binary": binary_metrics, "multiclass": multiclass_metrics, "continuous": continuous_metrics,
}  # fmt: skip


def default_evaluate(
    predictions: Scored, task: Task, config: EvaluateBlock, *, seed: int = 0
) -> EvaluationReport:
    """Report every target of every model, pooled out of fold and fold by fold.

    Parameters
    ----------
    predictions : Scored
        Out-of-fold predictions beside the truth.
    task : Task
        Whose targets.
    config : EvaluateBlock
        Level of the intervals and number of resamples.
    seed : int
        Of the resampling.

    Returns
    -------
    EvaluationReport
        Metrics with their place; tables by model; figures. Where a patient has several rows every
        interval is clustered by patient. What cannot be computed is named in a note, never NaN.

    Examples
    --------
    >>> from cardio_core.api import Model, Target
    >>> ids = [f"p{n}" for n in range(40)]
    >>> named = ("unit_id", "sample_id", "recording_id", "study_id", "patient_id", "subject_id")
    >>> score = pd.Series([0.1, 0.3, 0.6, 0.8] * 10)
    >>> frame = pd.DataFrame(dict.fromkeys(named, ids)).assign(
    ...     level="patient", time_s=None, repeat=0, fold="r0-f0", model="rate",
    ...     y_true=["no", "yes", "no", "yes"] * 10, predicted=["no", "no", "yes", "yes"] * 10,
    ...     **{"score:no": 1 - score, "score:yes": score})
    >>> sick = Target("sick", "binary", ("no", "yes"))
    >>> task = Task("sick", "Sick", "patient", (sick,), (Model("rate", "Rate"),))
    >>> found = default_evaluate(Scored({"sick": frame}), task, EvaluateBlock(n_resamples=100))
    >>> next(item.estimate.value for item in found.metrics if item.estimate.name == "auc")
    0.75
    """
    from cardio_core.evaluation.figures import add_figures

    parts = Parts(list(predictions.notes))
    if predictions.fusions is not None:
        for name, rows in predictions.fusions.groupby("model", sort=False):
            shown = rows.dropna(axis=1, how="all").reset_index(drop=True)
            parts.tables[f"fusion-weights-{name}"] = shown
    for target in task.targets:
        if target.name not in predictions.frames:
            text = f"{target.name}: no model that was run predicts it."
            parts.notes.append(Note(NoteKind.NOT_COMPUTED, text))
            continue
        frame = predictions.frames[target.name]
        for model in frame["model"].unique():
            source = predictions.thresholds.get(f"{model}/{target.name}", "none")
            scope = Scope(task=task.name, target=target.name, model=str(model))
            request = Request(target, task, scope, source, config, seed)
            _judge(parts, pooled(frame, target, model), request)
            _by_fold(parts, frame[frame["model"] == model], request)
        place = Scope(task=task.name, target=target.name)
        compare_models(parts, frame, Request(target, task, place, "none", config, seed))
        add_figures(parts, frame, target, task, config)
    return EvaluationReport(
        parts.metrics, parts.tables, parts.figures, list(dict.fromkeys(parts.notes))
    )


def _by_fold(parts: Parts, frame: pd.DataFrame, request: Request) -> None:
    """Add the metrics of each fold, without figures; one fold is the pooled result already."""
    if frame["fold"].nunique() < 2:
        return
    for fold, rows in frame.groupby("fold", sort=True):
        here = replace(request.scope, repeat=int(rows["repeat"].iloc[0]), fold=str(fold))
        own = Parts([])
        _judge(own, rows.reset_index(drop=True), replace(request, scope=here))
        parts.metrics += own.metrics


def _judge(parts: Parts, frame: pd.DataFrame, request: Request) -> None:
    scope, kind = request.scope, request.target.kind
    where = f"{scope.model}, fold {scope.fold}" if scope.fold else str(scope.model)
    with noting(parts.notes, f"{request.target.name} of {where}: not computed."):
        KINDS[kind](parts, frame, request)
