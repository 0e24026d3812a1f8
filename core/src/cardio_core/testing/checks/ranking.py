"""How well a run ranks what it was to predict, and what chance would give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from cardio_core.testing.verdict import require
from cardio_core.types.info import Target, Task

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Ranking:
    """The concordance of a model's out-of-fold scores with the truth.

    Attributes
    ----------
    value : float
        Share of pairs with different truth that are ranked right, ties counting half: the AUC of a
        binary target, the mean one-against-rest AUC of a multiclass one. Only units of the same
        fold make pairs: scores of different models need not be comparable.
    se : float
        Its standard error if the scores knew nothing.
    n : int
        Predicted units with a known truth.
    """

    value: float
    se: float
    n: int


def ranking(run: Path, task: Task, model: str, protocol: str) -> Ranking:
    """Return the ranking of one model's first target, from a run's ``predictions.csv``.

    Raises
    ------
    BrokenContractError
        If no fold holds two units of different truth.
    """
    target = task.targets_of(model)[0]
    table = pd.read_csv(run / "predictions.csv", dtype={"event": str, "y_true": str})
    chosen = (table["protocol"] == protocol) & (table["model"] == model)
    table = table[chosen & (table["target"] == target.name)].dropna(subset=["y_true", "score"])
    parts: list[Array] = []
    for name in _ranked_classes(target):
        rows = table if name is None else table[table["event"] == name]
        folds = [
            _continuous(fold) if name is None else _binary(fold, name)
            for _, fold in rows.groupby("fold")
        ]
        known = [fold for fold in folds if fold is not None]
        parts += [np.array(known)] if known else []
    require(
        parts, f"no fold of {model} holds two units of different {target.name}; take more patients"
    )
    n_pairs = sum(float(part[:, 2].sum()) for part in parts)
    value = sum(float(part[:, 2] @ part[:, 0]) for part in parts) / n_pairs
    # Folds are independent; classes share their units, so their errors may add up in full.
    se = sum(float(np.sqrt(part[:, 2] ** 2 @ part[:, 1])) for part in parts) / n_pairs
    return Ranking(value, se, len(table) // max(1, table["event"].nunique()))


def _ranked_classes(target: Target) -> tuple[str | None, ...]:
    """Return the classes that are ranked against the rest; None for a number."""
    if target.kind == "continuous":
        return (None,)
    return target.classes[1:] if target.kind == "binary" else target.classes


def _binary(fold: pd.DataFrame, name: str) -> tuple[float, float, float] | None:
    """Return AUC, its null variance (Mann and Whitney 1947) and the number of pairs."""
    positive = (fold["y_true"] == name).to_numpy()
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return None
    ranks = fold["score"].rank().to_numpy()
    area = (ranks[positive].sum() - n * (n + 1) / 2) / (n * m)
    return float(area), (n + m + 1) / (12 * n * m), n * m


def _continuous(fold: pd.DataFrame) -> tuple[float, float, float] | None:
    """Return Kendall's tau on the scale of an AUC, its null variance and the number of pairs."""
    n = len(fold)
    if n < 2:
        return None
    tau = kendalltau(fold["y_true"].astype(float), fold["score"]).statistic
    variance = 2 * (2 * n + 5) / (9 * n * (n - 1))
    # A constant score ranks nothing; its tau is not a number.
    return 0.5 + (0.0 if np.isnan(tau) else tau / 2), variance / 4, n * (n - 1) / 2
