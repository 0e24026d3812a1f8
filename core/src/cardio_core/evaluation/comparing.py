"""Paired comparison of models where no formula gives it: the a difference, resampled."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.evaluation.parts import Asked, Parts, noting
from cardio_core.evaluation.pooling import pooled, unit_of
from cardio_core.stats import bootstrap_sums
from cardio_core.types.predictions import Scored

Array = np.ndarray[Any, Any]

METHOD = "the same resamples for both"


def compare_by_resampling(parts: Parts, frame: pd.DataFrame, asked: Asked) -> None:
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
    asked : Asked
        Target (several classes or a number), place, level and resamples; its model does not count.
    """
    target = asked.target
    frames = {str(one): _keyed(pooled(frame, target, one)) for one in frame["model"].unique()}
    continuous = target.kind == "continuous"
    for one, other in combinations(frames, 2):
        both = frames[one].join(frames[other][["score" if continuous else "predicted"]],
                                rsuffix=":other", how="inner")  # fmt: skip
        clusters = Scored.clusters_of(both)
        with noting(parts.notes, f"{one} against {other}: not compared."):
            rows, statistic = _errors(both) if continuous else _counts(both, asked)
            name = "mae_difference" if continuous else "macro_f1_difference"
            [found] = bootstrap_sums(
                rows,
                statistic,
                [name],
                clusters=clusters,
                n_resamples=asked.config.n_resamples,
                seed=asked.seed,
                level=asked.config.level,
                unit="patient" if clusters is not None else unit_of(both, asked.task.unit),
            )
            place = replace(asked.scope, model=one, versus=other)
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


def _counts(both: pd.DataFrame, asked: Asked) -> tuple[Array, Any]:
    """Return what F1 of each class is made of, for both models, and their difference of means."""
    truth = both["y_true"].to_numpy(object)
    present = [
        c for c in asked.target.classes if c not in asked.target.unscored and c in set(truth)
    ]
    columns = []
    for said in (both["predicted"].to_numpy(object), both["predicted:other"].to_numpy(object)):
        for name in present:
            columns += [(truth == name) & (said == name), truth == name, said == name]

    def difference(sums: Array) -> Array:
        parts = sums.reshape(*sums.shape[:-1], 2, len(present), 3)
        total = parts[..., 1] + parts[..., 2]
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * parts[..., 0] / total
        macro = f1.mean(axis=-1)
        return np.asarray(macro[..., 0] - macro[..., 1])[..., None]

    return np.column_stack(columns).astype(float), difference
