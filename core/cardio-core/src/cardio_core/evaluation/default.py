"""The default `evaluate`: every target with the metrics of its kind, pooled and by fold."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.aggregate import pooled, unit_of
from cardio_core.evaluation.parts import Asked, Parts, noting
from cardio_core.types.info import Target, Task
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
    per_class_table,
)
from cardio_stats.agreement import regression_errors
from cardio_stats.decisions import DECISION_RATES
from cardio_stats.errors import DataError

# Binary targets: discrimination, decisions at a named threshold, paired comparison of models.


def binary_metrics(parts: Parts, frame: pd.DataFrame, request: Asked) -> None:
    """Add AUC, Brier score, base rate, and the decided metrics with their threshold's source."""
    target, scope, config = request.target, request.scope, request.config
    known = frame[frame["y_true"].notna() & frame["unit_id"].notna()]
    positive = target.classes[1]
    truth = (known["y_true"] == positive).to_numpy(int)
    score = known[f"score:{positive}"].to_numpy(float)
    clusters = Scored.clusters_of(known)
    unit = unit_of(known, request.task.unit)
    about: dict[str, Any] = {"patient": clusters, "level": config.level}
    area = auc(truth, score, unit=None if clusters is not None else unit, **about)
    parts.add([area], scope)
    drawn: dict[str, Any] = {
        "patient": clusters,
        "n_resamples": config.n_resamples,
        "seed": request.seed,
        "level": config.level,
        "unit": "patient" if clusters is not None else unit,
    }
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


def compare_models(
    parts: Parts, frame: pd.DataFrame, target: Target, task: Task, config: EvaluateBlock
) -> None:
    """Add the paired DeLong comparison of every two models on the units they share."""
    models = list(frame["model"].unique())
    positive = target.classes[1]
    column = f"score:{positive}"
    frames = {model: pooled(frame, target, model).set_index("unit_id") for model in models}
    for item, other in combinations(models, 2):
        both = frames[item].join(frames[other][[column]], rsuffix=":other", how="inner")
        both = both[both["y_true"].notna()]
        scope = Scope(task=task.name, target=target.name, model=str(item), versus=str(other))
        clusters = Scored.clusters_of(both)
        with noting(parts.notes, f"{item} against {other}: not compared."):
            found = delong_paired(
                (both["y_true"] == positive).astype(int),
                both[column],
                both[f"{column}:other"],
                patient=clusters,
                level=config.level,
                unit=None if clusters is not None else unit_of(both, task.unit),
            )
            parts.add([found], scope)


def _overall(sums: Any) -> Any:
    n, events, squared = np.moveaxis(sums, -1, 0)
    return np.stack([events / n, squared / n], axis=-1)


# Continuous targets: errors beside the constant predictor's, agreement, calibration.

OWN = ("mae", "mae_constant", "rmse", "r2", "pearson_r", "pearson_r2", "ccc", "calibration_slope",
       "calibration_intercept")  # fmt: skip


def continuous_metrics(parts: Parts, frame: pd.DataFrame, request: Asked) -> None:
    """Add errors, R² = 1 - SSE/SST, correlations, the line of truth on prediction, and agreement.

    MAE stands beside that of always saying the median. Bias and limits of agreement are Bland and
    Altman's, of predicted less measured, where there are enough rows for them.
    """
    known = frame[frame["y_true"].notna()]
    truth, predicted = known["y_true"].to_numpy(float), known["score"].to_numpy(float)
    if len(truth) < 3 or np.ptp(truth) == 0:
        raise DataError(f"expected at least 3 different true values, found {len(set(truth))}")
    clusters = Scored.clusters_of(known)
    level = request.config.level
    unit = "patient" if clusters is not None else unit_of(known, request.task.unit)
    found = regression_errors(
        truth,
        predicted,
        patient=clusters,
        n_resamples=request.config.n_resamples,
        seed=request.seed,
        level=level,
        unit=unit,
    )
    if clusters is None and "pearson_r" in found and len(truth) > 3:
        found["pearson_r"] = correlation(truth, predicted, level=level, unit=unit).replace(
            name="pearson_r"
        )
    parts.add([found[name] for name in OWN if name in found], request.scope)
    about: dict[str, Any] = {"patient": clusters, "level": level, "unit": unit}
    what = "fold " + str(request.scope.fold) if request.scope.fold else str(request.scope.model)
    with noting(parts.notes, f"Limits of agreement of {what}: not computed;"):
        parts.add(limits_of_agreement(truth, predicted, **about).estimates, request.scope)


# Multiclass targets: per-class tables as de Chazal and EC57 print them, clustered by patient.

MOST_OF_AREAS = 500
"""Resamples of Hand and Till's area, which ranks every pair of classes in each."""


def multiclass_metrics(parts: Parts, frame: pd.DataFrame, request: Asked) -> None:
    """Add Se, +P, F1 and AUC of every class, macro averages, and the confusion table."""
    target, scope, config = request.target, request.scope, request.config
    unit, clusters = unit_of(frame, request.task.unit), Scored.clusters_of(frame)
    scored = [name for name in target.classes if name not in target.unscored]
    present = set(frame["y_true"].dropna())
    table = per_class_table(
        frame["y_true"],
        frame["predicted"],
        target.classes,
        record=clusters,
        patient=frame["subject_id"],
        n_resamples=config.n_resamples,
        seed=request.seed,
        level=config.level,
        average_over=[name for name in scored if name in present],
        unit=unit,
        cluster_unit="patient",
    )
    for name, estimates in table.by_class.items():
        if name == "all":
            parts.add(estimates.values(), scope, request.source)
        else:
            parts.add_class(dict(estimates), scope, name, request.source)
    detected = frame[frame["unit_id"].notna() & frame["y_true"].notna()]
    if not detected[[f"score:{name}" for name in scored]].isna().all(axis=None):
        _all_classes(parts, detected, scored, request, unit)
        for name in scored:
            _one_against_rest(parts, detected, name, scope, config, unit)
    if scope.fold is None:
        parts.tables[f"confusion-{scope.model}"] = table.confusion
        parts.tables[f"by-class-{scope.model}"] = _printed(table.estimates)
        if table.undefined:
            text = (
                f"{scope.model}: undefined, because a class does not occur or is never predicted: "
                f"{', '.join(table.undefined)}."
            )
            parts.notes.append(Note(NoteKind.NOT_COMPUTED, text, model=scope.model))


def _all_classes(
    parts: Parts, frame: pd.DataFrame, scored: list[str], request: Asked, unit: str
) -> None:
    """Add Hand and Till's area, which does not depend on how common the classes are."""
    here = frame[frame["y_true"].isin(scored)]
    if len(scored) < 3 or set(here["y_true"]) != set(scored):
        return
    clusters = Scored.clusters_of(here)
    with noting(parts.notes, f"AUC of all classes of {request.scope.model}: not computed."):
        found = multiclass_auc(
            here["y_true"], here[[f"score:{name}" for name in scored]], scored, patient=clusters,
            n_resamples=min(request.config.n_resamples, MOST_OF_AREAS), seed=request.seed,
            level=request.config.level, unit="patient" if clusters is not None else unit,
        )  # fmt: skip
        parts.add([found["all"]], request.scope)


def _one_against_rest(
    parts: Parts, frame: pd.DataFrame, name: str, scope: Scope, config: EvaluateBlock, unit: str
) -> None:
    positive = (frame["y_true"] == name).astype(int)
    if positive.nunique() < 2:
        return
    with noting(parts.notes, f"AUC of {name} against the rest: not computed."):
        score, clusters = frame[f"score:{name}"], Scored.clusters_of(frame)
        known = None if clusters is not None else unit
        found = auc(positive, score, patient=clusters, level=config.level, unit=known)
        parts.add([found], replace(scope, class_name=name))


def _printed(estimates: object) -> pd.DataFrame:
    return pd.DataFrame([estimate.to_dict() for estimate in estimates]).drop(  # type: ignore[attr-defined]
        columns=["extra", "p_value", "threshold_source"]
    )


# Paired comparison of models where no formula gives it: the a difference, resampled.

Array = np.ndarray[Any, Any]

METHOD = "the same resamples for both"


def compare_by_resampling(parts: Parts, frame: pd.DataFrame, request: Asked) -> None:
    """Add the difference of every two models on what both predicted: macro F1, or mean error.

    Whole patients are drawn where one has several rows, and both models see the same draw. The
    difference is the first model's value less the second's: of a mean absolute error, a negative
    one is the better.

    Parameters
    ----------
    parts : Parts
        Gets an estimate ``macro_f1_difference`` or ``mae_difference`` a pair; why a pair has none
        is a note.
    frame : DataFrame
        Of all models, as of `Scored.frames`.
    request : Asked
        Target (several classes or a number), place, level and resamples; its model does not count.
    """
    target = request.target
    frames = {str(item): _keyed(pooled(frame, target, item)) for item in frame["model"].unique()}
    continuous = target.kind == "continuous"
    for entry, other in combinations(frames, 2):
        both = frames[entry].join(frames[other][["score" if continuous else "predicted"]],
                                rsuffix=":other", how="inner")  # fmt: skip
        clusters = Scored.clusters_of(both)
        with noting(parts.notes, f"{entry} against {other}: not compared."):
            rows, statistic = _errors(both) if continuous else _counts(both, request)
            name = "mae_difference" if continuous else "macro_f1_difference"
            [found] = bootstrap_sums(
                rows,
                statistic,
                [name],
                patient=clusters,
                n_resamples=request.config.n_resamples,
                seed=request.seed,
                level=request.config.level,
                unit="patient" if clusters is not None else unit_of(both, request.task.unit),
            )
            place = replace(request.scope, model=entry, versus=other)
            parts.add([found.replace(method=f"{found.method}, paired: {METHOD}")], place)


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


def _counts(both: pd.DataFrame, request: Asked) -> tuple[Array, Any]:
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
            request = Asked(target, task, scope, source, config, seed)
            _judge(parts, pooled(frame, target, model), request)
            _by_fold(parts, frame[frame["model"] == model], request)
        if target.kind == "binary":
            compare_models(parts, frame, target, task, config)
        else:
            place = Scope(task=task.name, target=target.name)
            compare_by_resampling(parts, frame, Asked(target, task, place, "none", config, seed))
        add_figures(parts, frame, target, task, config)
    return EvaluationReport(
        parts.metrics, parts.tables, parts.figures, list(dict.fromkeys(parts.notes))
    )


def _by_fold(parts: Parts, frame: pd.DataFrame, request: Asked) -> None:
    """Add the metrics of each fold, without figures; one fold is the pooled result already."""
    if frame["fold"].nunique() < 2:
        return
    for fold, rows in frame.groupby("fold", sort=True):
        here = replace(request.scope, repeat=int(rows["repeat"].iloc[0]), fold=str(fold))
        own = Parts([])
        _judge(own, rows.reset_index(drop=True), replace(request, scope=here))
        parts.metrics += own.metrics


def _judge(parts: Parts, frame: pd.DataFrame, request: Asked) -> None:
    scope, kind = request.scope, request.target.kind
    where = f"{scope.model}, fold {scope.fold}" if scope.fold else str(scope.model)
    with noting(parts.notes, f"{request.target.name} of {where}: not computed."):
        KINDS[kind](parts, frame, request)
