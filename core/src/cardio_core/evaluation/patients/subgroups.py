"""How well each model does within the classes of a covariate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.errors import DataError
from cardio_core.evaluation.parts import ABOUT_DATA
from cardio_core.evaluation.pooling import pooled, unit_of
from cardio_core.io.cohort_schema import COLUMNS, title_of
from cardio_core.io.cohorts.own_columns import own_column
from cardio_core.stats import auc, per_class_table
from cardio_core.stats.agreement.regression_error import regression_errors
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope

MOST, FEWEST = 5, 5
"""Classes that a covariate may have to divide patients; units of either class that it takes."""


def subgroup_metrics(
    scored: Scored,
    task: Task,
    clinical: pd.DataFrame,
    config: EvaluateBlock,
    *,
    seed: int = 0,
    most: Mapping[str, int] | None = None,
) -> tuple[list[Metric], list[Note]]:
    """Estimate how well each model does among the patients of each class of a covariate.

    Parameters
    ----------
    scored : Scored
        Out-of-fold predictions beside the truth.
    task : Task
    clinical : DataFrame, one row a patient
        Covariates; those of 2 to 5 classes divide the patients, others are passed over.
    config : EvaluateBlock
    seed : int
        Of the resampling.
    most : mapping of str to int, optional
        Columns that divide whatever they look like, and into how many classes at most: sites.

    Returns
    -------
    list of Metric
        AUC (binary), macro F1 (several classes) or mean absolute error (a number), with the
        subgroup in its place.
    list of Note
        Notes on subgroups that are too small.
    """
    metrics: list[Metric] = []
    small: dict[str, None] = {}
    for name, groups in _dividing(clinical, most or {}).items():
        title = COLUMNS[name].title if name in COLUMNS else title_of(name)
        if name == "sex":
            title = "Sex"
        for target in task.targets:
            frame = scored.frames.get(target.name)
            if frame is None:
                continue
            for model in frame["model"].unique():
                rows = pooled(frame, target, str(model))
                group = rows["patient_id"].astype(str).map(groups)
                for one in sorted(groups.dropna().unique()):
                    about = Scope(
                        task=task.name, target=target.name, model=str(model),
                        subgroup=f"{title}: {_shown(name, one)}",
                    )  # fmt: skip
                    here = rows[(group == one).to_numpy(bool)]
                    try:
                        found = _estimate(here, target, task, config, seed)
                    except ABOUT_DATA:
                        small[str(about.subgroup)] = None
                        continue
                    metrics.append(Metric(found, replace(about)))
    notes = []
    if small:
        text = f"Too few patients for a figure of their own: {', '.join(small)}."
        notes.append(Note(NoteKind.SUBGROUPS, text))
    return metrics, notes


def _dividing(clinical: pd.DataFrame, most: Mapping[str, int]) -> dict[str, pd.Series]:
    found = {}
    for name in clinical.columns:
        values = clinical[name]
        if name in most:
            if 2 <= values.nunique() <= most[name]:
                found[str(name)] = values.map(_text, na_action="ignore")
            continue
        column = COLUMNS.get(str(name))
        counted = column is not None and column.kind in ("flag", "code", "count")
        if not counted and own_column(values).kind in ("number", "date", "text", "empty"):
            continue
        texts = values.map(_text, na_action="ignore")
        if 2 <= texts.nunique() <= MOST:
            found[str(name)] = texts
    return found


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _shown(name: str, value: str) -> str:
    column = COLUMNS.get(name)
    if column is not None and column.kind == "flag":
        return {"1": "yes", "0": "no"}.get(value, value)
    if name == "sex":
        return {"M": "men", "F": "women"}.get(value, value)
    return value


def _estimate(
    rows: pd.DataFrame, target: Target, task: Task, config: EvaluateBlock, seed: int
) -> Estimate:
    known = rows[rows["y_true"].notna() & rows["unit_id"].notna()]
    clusters = Scored.clusters_of(known)
    unit = unit_of(known, task.unit)
    counts = known["y_true"].value_counts()
    if target.kind == "continuous":
        if len(known) < 2 * FEWEST:
            raise DataError("too few")
        return regression_errors(
            known["y_true"].to_numpy(float), known["score"].to_numpy(float), clusters=clusters,
            n_resamples=config.n_resamples, seed=seed, level=config.level,
            unit="patient" if clusters is not None else unit,
        )["mae"]  # fmt: skip
    if len(counts) < 2 or int(counts.min()) < FEWEST:
        raise DataError("too few")
    if target.kind == "binary":
        positive = target.classes[1]
        return auc(
            (known["y_true"] == positive).to_numpy(int),
            known[f"score:{positive}"].to_numpy(float),
            clusters=clusters, level=config.level, unit=None if clusters is not None else unit,
        )  # fmt: skip
    table = per_class_table(
        known["y_true"], known["predicted"], target.classes, clusters=clusters,
        patients=known["subject_id"], n_resamples=config.n_resamples, seed=seed,
        level=config.level, average_over=list(counts.index), unit=unit, cluster_unit="patient",
    )  # fmt: skip
    return table.by_class["all"]["macro_f1"]
