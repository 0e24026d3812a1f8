"""What the run itself said of its own patients, out of fold: beside which the new ones stand."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.errors import DataError
from cardio_core.io.kept.predictions import numbers_in, read_predictions
from cardio_core.io.run_artifact import METRICS, MetricRow
from cardio_core.report.results import bare_name
from cardio_core.stats import independent_difference
from cardio_core.studies.evaluating import calibration_of
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target, Task
from cardio_core.types.report import Metric, Scope

INTERNAL, EXTERNAL = "internal", "external"
HONEST = "honest"

COMPARED = {
    "auc": "AUC", "macro_f1": "Macro F1", "brier": "Brier score",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
    "sensitivity": "Sensitivity", "specificity": "Specificity",
    "mae": "Mean absolute error", "r2": "R²", "pearson_r2": "Squared correlation r²",
    "mean_error": "Mean error",
    "conformal_coverage": "Coverage of prediction sets",
}  # fmt: skip
"""Measures whose change from the run's folds to the new patients is told, in words."""

_FIELDS = tuple(field.name for field in fields(Estimate))


def internal_metrics(run: Path, task: Task, config: EvaluateBlock, seed: int) -> list[Metric]:
    """Return the run's own pooled results under the honest protocol, with their calibration.

    Empty where it has none: an exported folder, or a run of the published protocol alone.
    """
    path = run / "metrics.json"
    rows = METRICS.read_or(path, ())
    found = [
        Metric(_estimate(row), _scope(row))
        for row in rows
        if row.protocol == HONEST and row.pooled and not row.versus and not row.subgroup
    ]  # fmt: skip
    known = {(one.estimate.name, one.scope.model, one.scope.target) for one in found}
    for target in task.targets:
        frame = _out_of_fold(run / "predictions.csv", target)
        if frame is None:
            continue
        metrics, _ = calibration_of(frame, target, task, config, seed)
        found += [
            one for one in metrics
            if (one.estimate.name, one.scope.model, one.scope.target) not in known
        ]  # fmt: skip
    return found


def changes(external: list[Metric], internal: list[Metric]) -> list[Metric]:
    """Return every compared measure, external less internal, with an interval.

    The patients are others, so the two are independent. Areas of single classes, and rates of
    them, are compared by class.
    """
    before = {_place(one): one.estimate for one in internal}
    found = []
    for metric in external:
        name, scope = _bare(metric), metric.scope
        outside = scope.fold or scope.versus or scope.subgroup
        if name not in COMPARED or outside or _place(metric) not in before:
            continue
        try:
            made = independent_difference(
                metric.estimate, before[_place(metric)], name=f"{name}_change"
            )
        except DataError:  # one of them has no interval, so nothing can be told of the difference
            continue
        note = f"{metric.estimate.n} here, {before[_place(metric)].n} in the run's folds."
        found.append(Metric(made.replace(note=note), scope))
    return found


def words_of_changes() -> dict[str, str]:
    """Return what a reader is shown in place of the names of changes."""
    return {f"{name}_change": f"{words}, external − internal" for name, words in COMPARED.items()}


def _bare(metric: Metric) -> str:
    return bare_name(metric.estimate.name, metric.scope.class_name)


def _place(metric: Metric) -> tuple[Any, ...]:
    return _bare(metric), metric.scope.target, metric.scope.model, metric.scope.class_name


def _estimate(row: MetricRow) -> Estimate:
    return Estimate(
        **{name: one for name in _FIELDS if (one := getattr(row, name)) not in (None, "")}
    )


def _scope(row: MetricRow) -> Scope:
    return Scope(
        task=row.task or None, target=row.target or None, model=row.model or None,
        class_name=row.class_name or None,
    )  # fmt: skip


def _out_of_fold(path: Path, target: Target) -> pd.DataFrame | None:
    """Return a run's out-of-fold predictions of one target as frames hold them."""
    if not path.is_file() or target.kind == "multiclass":
        return None
    rows = read_predictions(path)
    rows = rows[(rows["protocol"] == HONEST) & (rows["target"] == target.name)]
    if target.kind == "binary":
        rows = rows[rows["event"] == target.classes[1]]
    else:
        rows = rows.assign(y_true=numbers_in(rows, "y_true", path))
    rows = rows[rows["y_true"].notna() & rows["score"].notna()]
    if not len(rows):
        return None
    level = rows["level"].iloc[0]
    key = "sample_id" if level in ("sample", "event") else f"{level}_id"
    score = f"score:{target.classes[1]}" if target.kind == "binary" else "score"
    return rows.assign(
        unit_id=rows[key], subject_id=rows["patient_id"], **{score: rows["score"]}
    ).reset_index(drop=True)
