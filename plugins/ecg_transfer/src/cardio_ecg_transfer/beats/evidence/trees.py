"""Boosted trees as plain arrays: written without pickle, checked when read, and scored here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError

FIELDS = ("value", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf")


@dataclass(frozen=True)
class Trees:
    """A sum of trees, whose logistic function is a probability.

    Attributes
    ----------
    nodes : dict of str to ndarray, shape (n_nodes,)
        `FIELDS` of all trees, one after another; ``left`` and ``right`` count from the tree's root.
    starts : ndarray of int64, shape (n_trees + 1,)
        Where each tree begins.
    baseline : float
        What is added to their sum.
    """

    nodes: dict[str, NDArray[Any]]
    starts: NDArray[np.int64]
    baseline: float

    def logit(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the sum for rows (n, n_features); a NaN goes where its training put it."""
        total = np.full(len(values), self.baseline)
        rows = np.arange(len(values))
        nodes = self.nodes
        for first in self.starts[:-1]:
            at = np.full(len(values), first)
            while not nodes["is_leaf"][at].all():
                value = values[rows, nodes["feature_idx"][at]]
                below = value <= nodes["num_threshold"][at]
                left = np.where(np.isnan(value), nodes["missing_go_to_left"][at], below)
                step = first + np.where(left.astype(bool), nodes["left"][at], nodes["right"][at])
                at = np.where(nodes["is_leaf"][at], at, step)
            total += nodes["value"][at]
        return total

    def write(self, path: Path) -> None:
        """Write them as arrays without objects."""
        with path.open("wb") as file:
            arrays: dict[str, Any] = {"starts": self.starts, "baseline": np.array(self.baseline)}
            np.savez_compressed(file, allow_pickle=False, **arrays, **self.nodes)


def trees_of(fitted: Any) -> Trees:
    """Return the trees of a fitted binary HistGradientBoostingClassifier."""
    each = [stage[0].nodes for stage in fitted._predictors]
    starts = np.cumsum([0, *(len(one) for one in each)]).astype(np.int64)
    nodes = {name: np.concatenate([one[name] for one in each]) for name in FIELDS}
    return Trees(nodes, starts, float(np.ravel(fitted._baseline_prediction)[0]))


def read_trees(path: Path, n_features: int) -> Trees:
    """Read trees that `Trees.write` wrote.

    Raises
    ------
    DataError
        If the file is none of these, or a node points outside its tree or back.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            nodes = {name: file[name] for name in FIELDS}
            starts, baseline = file["starts"].astype(np.int64), float(file["baseline"])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{path.name}: expected boosted trees, found a file that cannot be read "
            f"({type(error).__name__}); fit the model again"
        ) from error
    own = np.arange(len(nodes["left"])) - np.repeat(starts[:-1], np.diff(starts))
    size = np.repeat(np.diff(starts), np.diff(starts))
    inner = nodes["is_leaf"] == 0
    for side in ("left", "right"):
        to = nodes[side].astype(np.int64)
        if (inner & ((to <= own) | (to >= size))).any():
            raise DataError(
                f"{path.name}: expected trees whose nodes lead on, found one that leads outside "
                "its tree or back; fit the model again"
            )
    if (inner & (nodes["feature_idx"] >= n_features)).any():
        raise DataError(
            f"{path.name}: expected trees on {n_features} columns, found one on more; "
            "fit the model again"
        )
    return Trees(nodes, starts, baseline)
