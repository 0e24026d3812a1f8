"""How well a run ranks what it was to predict, and what chance would give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.types.info import Task

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Ranking:
    """The concordance of a row's out-of-fold scores with the truth.

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
    """Return the ranking of one row's first target, from a run's ``predictions.csv``.

    Raises
    ------
    AssertionError
        If no fold holds two units of different truth.
    """
    target = task.targets[0]
    table = pd.read_csv(run / "predictions.csv", dtype={"class": str, "y_true": str})
    chosen = (table["protocol"] == protocol) & (table["model"] == model)
    table = table[chosen & (table["target"] == target.name)].dropna(subset=["y_true", "score"])
    if target.kind == "continuous":
        pairs = [_continuous(fold) for _, fold in table.groupby("fold")]
    else:
        classes = target.classes[1:] if target.kind == "binary" else target.classes
        pairs = [
            _binary(fold[fold["class"] == name], name)
            for name in classes
            for _, fold in table.groupby("fold")
        ]
    parts = np.array([pair for pair in pairs if pair is not None])
    assert len(parts), f"no fold of {model} holds two units of different {target.name}"
    value, variance, weight = parts.T
    share = weight / weight.sum()
    n_rows = table["class"].nunique() if target.kind != "continuous" else 1
    return Ranking(
        float(share @ value), float(np.sqrt(share**2 @ variance)), len(table) // max(1, n_rows)
    )


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
    from scipy.stats import kendalltau

    n = len(fold)
    if n < 2:
        return None
    tau = kendalltau(fold["y_true"].astype(float), fold["score"]).statistic
    variance = 2 * (2 * n + 5) / (9 * n * (n - 1))
    # A constant score ranks nothing; its tau is not a number.
    return 0.5 + (0.0 if np.isnan(tau) else tau / 2), variance / 4, n * (n - 1) / 2
