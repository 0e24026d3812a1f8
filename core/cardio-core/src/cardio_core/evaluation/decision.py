"""Decision rules: from scores to a class, with the place where the rule came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.evaluation.aggregate import score_columns
from cardio_core.types.info import Target

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Decision:
    """How one target of one model is decided.

    Attributes
    ----------
    target : str
        Whose rule.
    offsets : tuple of float
        Added to each class's log probability before the largest is taken; all zero is the plain
        rule. For a binary target this is a threshold: ``p >= threshold``.
    source : str
        ``"fixed: largest score"`` or ``"inner folds"``; printed beside every metric that needs it.
    """

    target: str
    offsets: tuple[float, ...]
    source: str

    @property
    def threshold(self) -> float:
        """Probability of the second class at and above which a binary target is called positive."""
        if len(self.offsets) != 2:
            raise ValueError("only a binary decision has one threshold")
        return float(1 / (1 + np.exp(self.offsets[1] - self.offsets[0])))

    def apply(self, frame: pd.DataFrame, target: Target) -> Array:
        """Return the decided class of each row of a prediction frame."""
        scores = np.log(np.clip(frame[score_columns(target)].to_numpy(float), 1e-12, 1.0))
        chosen = (scores + np.asarray(self.offsets)).argmax(axis=1)
        classes: Array = np.asarray(target.classes, dtype=object)
        return np.asarray(classes[chosen])


def plain(target: Target) -> Decision:
    """Return the rule that chooses nothing: the largest score, 0.5 for a binary target."""
    return Decision(target.name, (0.0,) * len(target.classes), "fixed: largest score")


def choose(target: Target, frame: pd.DataFrame, y: Array) -> Decision:
    """Choose a rule on out-of-fold predictions of inner folds.

    Binary targets take the threshold with the largest Youden index, midway between neighbouring
    scores. Multiclass targets take the offsets that maximise macro-F1 over the scored classes, by
    coordinate search; a class is moved only if macro-F1 gains more than half a binomial standard
    error of that class's recall, so that a handful of beats does not decide.

    The frame is a prediction frame of the inner folds, `y`, shape (n,), has the true classes; rows
    with NA are left out.
    """
    known = ~pd.isna(y)
    frame, truth = frame[known], np.asarray(y)[known].astype(str)
    if len(np.unique(truth)) < 2:
        return plain(target)
    scores = np.log(np.clip(frame[score_columns(target)].to_numpy(float), 1e-12, 1.0))
    codes = np.searchsorted(np.sort(target.classes), truth)
    codes = np.argsort(target.classes)[codes]
    if target.kind == "binary":
        offsets: tuple[float, ...] = (0.0, -_youden(scores[:, 1] - scores[:, 0], codes == 1))
    else:
        offsets = _coordinate_search(scores, codes, target)
    return Decision(target.name, offsets, "inner folds")


def _youden(log_odds: Array, positive: Array) -> float:
    order = np.argsort(-log_odds, kind="stable")
    ranked, hits = log_odds[order], positive[order]
    sensitivity = np.cumsum(hits) / hits.sum()
    false_positives = np.cumsum(~hits) / (~hits).sum()
    last_of_tie = np.append(np.diff(ranked) != 0, True)
    youden = np.where(last_of_tie, sensitivity - false_positives, -np.inf)
    best = int(youden.argmax())
    below = ranked[best + 1] if best + 1 < len(ranked) else ranked[best] - 1.0
    return float((ranked[best] + below) / 2)


def _coordinate_search(scores: Array, codes: Array, target: Target) -> tuple[float, ...]:
    scored = [i for i, name in enumerate(target.classes) if name not in target.unscored]
    grid = np.linspace(-3, 3, 25)
    offsets = np.zeros(len(target.classes))
    best = macro_f1(codes, scores.argmax(axis=1), scored)
    for _ in range(2):
        for label in scored:
            tried = []
            for offset in grid:
                trial = offsets.copy()
                trial[label] = offset
                tried.append(macro_f1(codes, (scores + trial).argmax(axis=1), scored))
            gain = max(tried) - best
            half_error = 0.25 / np.sqrt(max(1, int((codes == label).sum())))
            if gain > half_error / len(scored):
                offsets[label], best = grid[int(np.argmax(tried))], max(tried)
    return tuple(float(offset) for offset in offsets)


def macro_f1(codes: Array, predicted: Array, scored: list[int]) -> float:
    """Return the mean F1 over the scored classes that occur."""
    values = []
    for label in scored:
        hits = float(np.sum((codes == label) & (predicted == label)))
        total = float(np.sum(codes == label) + np.sum(predicted == label))
        if np.any(codes == label):
            values.append(2 * hits / total)
    return float(np.mean(values)) if values else 0.0
