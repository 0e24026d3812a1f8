"""Multiclass targets: per-class tables as de Chazal and EC57 print them, clustered by patient."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.parts import Asked, Parts, noting
from cardio_core.evaluation.pooling import unit_of
from cardio_core.stats import auc, multiclass_auc, per_class_table
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Scope

MOST_OF_AREAS = 500
"""Resamples of Hand and Till's area, which ranks every pair of classes in each."""


def multiclass_metrics(parts: Parts, frame: pd.DataFrame, asked: Asked) -> None:
    """Add Se, +P, F1 and AUC of every class, macro averages, and the confusion table."""
    target, scope, config = asked.target, asked.scope, asked.config
    unit, clusters = unit_of(frame, asked.task.unit), Scored.clusters_of(frame)
    scored = [name for name in target.classes if name not in target.unscored]
    present = set(frame["y_true"].dropna())
    table = per_class_table(
        frame["y_true"],
        frame["predicted"],
        target.classes,
        clusters=clusters,
        patients=frame["subject_id"],
        n_resamples=config.n_resamples,
        seed=asked.seed,
        level=config.level,
        average_over=[name for name in scored if name in present],
        unit=unit,
        cluster_unit="patient",
    )
    for name, estimates in table.by_class.items():
        if name == "all":
            parts.add(estimates.values(), scope, asked.source)
        else:
            parts.add_class(dict(estimates), scope, name, asked.source)
    detected = frame[frame["unit_id"].notna() & frame["y_true"].notna()]
    if not detected[[f"score:{name}" for name in scored]].isna().all(axis=None):
        _all_classes(parts, detected, scored, asked, unit)
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
    parts: Parts, frame: pd.DataFrame, scored: list[str], asked: Asked, unit: str
) -> None:
    """Add Hand and Till's area, which does not depend on how common the classes are."""
    here = frame[frame["y_true"].isin(scored)]
    if len(scored) < 3 or set(here["y_true"]) != set(scored):
        return
    clusters = Scored.clusters_of(here)
    with noting(parts.notes, f"AUC of all classes of {asked.scope.model}: not computed."):
        found = multiclass_auc(
            here["y_true"], here[[f"score:{name}" for name in scored]], scored, clusters=clusters,
            n_resamples=min(asked.config.n_resamples, MOST_OF_AREAS), seed=asked.seed,
            level=asked.config.level, unit="patient" if clusters is not None else unit,
        )  # fmt: skip
        parts.add([found["all"]], asked.scope)


def _one_against_rest(
    parts: Parts, frame: pd.DataFrame, name: str, scope: Scope, config: EvaluateBlock, unit: str
) -> None:
    positive = (frame["y_true"] == name).astype(int)
    if positive.nunique() < 2:
        return
    with noting(parts.notes, f"AUC of {name} against the rest: not computed."):
        score, clusters = frame[f"score:{name}"], Scored.clusters_of(frame)
        known = None if clusters is not None else unit
        found = auc(positive, score, clusters=clusters, level=config.level, unit=known)
        parts.add([found], replace(scope, class_name=name))


def _printed(estimates: object) -> pd.DataFrame:
    return pd.DataFrame([estimate.to_dict() for estimate in estimates]).drop(  # type: ignore[attr-defined]
        columns=["extra", "p_value", "threshold_source"]
    )
