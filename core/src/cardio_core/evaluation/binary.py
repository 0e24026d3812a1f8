"""Binary targets: discrimination, decisions at a named threshold, paired comparison of models."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.parts import Asked, Parts, noting
from cardio_core.evaluation.pooling import pooled, unit_of
from cardio_core.stats import auc, bootstrap_sums, decision_metrics, delong_paired
from cardio_core.stats.classification.decisions import DECISION_RATES
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Scope


def binary_metrics(parts: Parts, frame: pd.DataFrame, asked: Asked) -> None:
    """Add AUC, Brier score, base rate, and the decided metrics with their threshold's source."""
    target, scope, config = asked.target, asked.scope, asked.config
    known = frame[frame["y_true"].notna() & frame["unit_id"].notna()]
    positive = target.classes[1]
    truth = (known["y_true"] == positive).to_numpy(int)
    score = known[f"score:{positive}"].to_numpy(float)
    clusters = Scored.clusters_of(known)
    unit = unit_of(known, asked.task.unit)
    about: dict[str, Any] = {"clusters": clusters, "level": config.level}
    area = auc(truth, score, unit=None if clusters is not None else unit, **about)
    parts.add([area], scope)
    drawn: dict[str, Any] = {
        "clusters": clusters,
        "n_resamples": config.n_resamples,
        "seed": asked.seed,
        "level": config.level,
        "unit": "patient" if clusters is not None else unit,
    }
    rows = np.column_stack([np.ones(len(truth)), truth, (score - truth) ** 2])
    parts.add(bootstrap_sums(rows, _overall, ("base_rate", "brier"), **drawn), scope)
    decided = decision_metrics(truth, known["predicted"] == positive, source=asked.source, **drawn)
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
    for one, other in combinations(models, 2):
        both = frames[one].join(frames[other][[column]], rsuffix=":other", how="inner")
        both = both[both["y_true"].notna()]
        scope = Scope(task=task.name, target=target.name, model=str(one), versus=str(other))
        clusters = Scored.clusters_of(both)
        with noting(parts.notes, f"{one} against {other}: not compared."):
            found = delong_paired(
                (both["y_true"] == positive).astype(int),
                both[column],
                both[f"{column}:other"],
                clusters=clusters,
                level=config.level,
                unit=None if clusters is not None else unit_of(both, task.unit),
            )
            parts.add([found], scope)


def _overall(sums: Any) -> Any:
    n, events, squared = np.moveaxis(sums, -1, 0)
    return np.stack([events / n, squared / n], axis=-1)
