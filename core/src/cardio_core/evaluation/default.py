"""The default `evaluate`: every target with the metrics of its kind, pooled and by fold."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.binary import binary_metrics, compare_models
from cardio_core.evaluation.comparing import compare_by_resampling
from cardio_core.evaluation.continuous import continuous_metrics
from cardio_core.evaluation.multiclass import multiclass_metrics
from cardio_core.evaluation.parts import Asked, Parts, noting
from cardio_core.evaluation.pictures import add_figures
from cardio_core.evaluation.pooling import pooled
from cardio_core.types.info import Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Scope

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
    >>> next(one.estimate.value for one in found.metrics if one.estimate.name == "auc")
    0.75
    """
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
            asked = Asked(target, task, scope, source, config, seed)
            _judge(parts, pooled(frame, target, model), asked)
            _by_fold(parts, frame[frame["model"] == model], asked)
        if target.kind == "binary":
            compare_models(parts, frame, target, task, config)
        else:
            place = Scope(task=task.name, target=target.name)
            compare_by_resampling(parts, frame, Asked(target, task, place, "none", config, seed))
        add_figures(parts, frame, target, task, config)
    return EvaluationReport(
        parts.metrics, parts.tables, parts.figures, list(dict.fromkeys(parts.notes))
    )


def _by_fold(parts: Parts, frame: pd.DataFrame, asked: Asked) -> None:
    """Add the metrics of each fold, without figures; one fold is the pooled result already."""
    if frame["fold"].nunique() < 2:
        return
    for fold, rows in frame.groupby("fold", sort=True):
        here = replace(asked.scope, repeat=int(rows["repeat"].iloc[0]), fold=str(fold))
        own = Parts([])
        _judge(own, rows.reset_index(drop=True), replace(asked, scope=here))
        parts.metrics += own.metrics


def _judge(parts: Parts, frame: pd.DataFrame, asked: Asked) -> None:
    scope, kind = asked.scope, asked.target.kind
    where = f"{scope.model}, fold {scope.fold}" if scope.fold else str(scope.model)
    with noting(parts.notes, f"{asked.target.name} of {where}: not computed."):
        KINDS[kind](parts, frame, asked)
