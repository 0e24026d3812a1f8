"""How unlike the truth each out-of-fold prediction is, one score a patient, and their quantile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cardio_core.errors import DataError
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.types.info import Target

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Nonconformity:
    """Nonconformity of predictions: ``1 - p`` of the true class, or the absolute error.

    `rows` has a line a prediction with truth and score: ``subject``, ``repeat`` (0 where the
    frame has none), ``code`` (of the true class; 0 for a continuous target) and ``score``.
    `known` has the same lines as they were given; `n_dropped` counts the others.
    """

    rows: pd.DataFrame
    known: pd.DataFrame
    n_dropped: int

    def of_patients(self, code: int | None = None) -> tuple[Floats, Floats]:
        """Return each patient's largest score within each repeat, and what it weighs.

        With `code`, only rows of that true class count. Weights sum to one over the repeats of a
        patient, so their total is the number of patients.
        """
        rows = self.rows if code is None else self.rows[self.rows["code"] == code]
        largest = rows.groupby(["subject", "repeat"], sort=True)["score"].max()
        repeats = largest.groupby(level="subject").transform("size")
        return largest.to_numpy(np.float64), 1 / repeats.to_numpy(np.float64)


def nonconformity(frame: pd.DataFrame, target: Target) -> Nonconformity:
    """Score every prediction of one model against its truth.

    The frame is as for :func:`~cardio_core.evaluation.conformal.sets.fit_conformal`; rows without
    truth or score are dropped and counted.

    Raises
    ------
    DataError
        A column is missing, several models are mixed, or the truth is no class of the target.
    """
    columns = score_columns(target)
    absent = [name for name in ("subject_id", "y_true", *columns) if name not in frame.columns]
    if absent:
        raise DataError(
            f"predictions of {target.name}: expected the columns subject_id, y_true and "
            f"{', '.join(columns)}, found no {absent[0]}"
        )
    models = sorted(set(frame["model"])) if "model" in frame.columns else []
    if len(models) > 1:
        raise DataError(
            f"predictions of {target.name}: expected one model, found {', '.join(models)}; take "
            "the rows of one"
        )
    known = frame[frame[["subject_id", "y_true", *columns]].notna().all(axis=1)]
    if target.kind == "continuous":
        truth = known["y_true"].to_numpy(np.float64)
        codes = np.zeros(len(known), dtype=np.intp)
        scores = np.abs(known["score"].to_numpy(np.float64) - truth)
    else:
        categories = pd.Categorical(known["y_true"], categories=list(target.classes))
        codes = categories.codes.astype(np.intp)
        if (codes < 0).any():
            raise DataError(
                f"truth of {target.name}: expected one of {', '.join(target.classes)}, found "
                f"{known['y_true'][codes < 0].iloc[0]!r}"
            )
        held = class_probabilities(known[columns].to_numpy(float), target.classes, target.name)
        scores = 1 - held[np.arange(len(held)), codes]
    repeat = known["repeat"].to_numpy() if "repeat" in known.columns else 0
    rows = pd.DataFrame(
        {
            "subject": known["subject_id"].to_numpy(),
            "repeat": repeat,
            "code": codes,
            "score": np.asarray(scores, dtype=np.float64),
        }
    )
    return Nonconformity(rows, known, len(frame) - len(known))


def conformal_quantile(scores: ArrayLike, alpha: float, weights: ArrayLike | None = None) -> float:
    """Return the ``ceil((n + 1)(1 - alpha))``-th smallest score, infinite if n is too small.

    Scores, shape (n,), are one nonconformity a patient; `alpha` lies between 0 and 1. Where a
    patient has several, of repeated folds, each weighs its share of one, and n is the sum.

    Raises
    ------
    DataError
        Fewer than two scores, one that is missing, or `alpha` outside (0, 1).

    Examples
    --------
    >>> conformal_quantile(range(1, 20), alpha=0.1), conformal_quantile(range(1, 9), alpha=0.1)
    (18.0, inf)
    >>> conformal_quantile([1, 1, 2, 2, 3, 5], alpha=0.3, weights=[0.5] * 6)
    5.0
    """
    if not 0 < alpha < 1:
        raise DataError(f"conformal alpha: expected a number between 0 and 1, found {alpha}")
    given = np.asarray(scores, dtype=np.float64)
    each = np.ones(given.size) if weights is None else np.asarray(weights, dtype=np.float64)
    n = float(each.sum())
    if n < 2 - 1e-9:
        raise DataError(
            f"conformal calibration: expected at least 2 patients with truth and prediction, found "
            f"{given.size}; add patients"
        )
    if np.isnan(given).any():
        raise DataError("conformal calibration: expected a score of every patient, found NaN")
    order = np.argsort(given, kind="stable")
    # (9 + 1)(1 - 0.3) is 7 in exact arithmetic and a little more or less in binary
    reached = np.cumsum(each[order]) >= (n + 1) * (1 - alpha) - 1e-9 * (n + 1)
    return float(given[order][np.argmax(reached)]) if reached.any() else math.inf


def class_probabilities(given: ArrayLike, classes: tuple[str, ...], name: str) -> Floats:
    """Return probabilities with a column a class; one of shape (n,) is that of the second.

    Raises
    ------
    DataError
        Another shape, or numbers that are no probabilities.
    """
    scores = np.asarray(given, dtype=np.float64)
    if scores.ndim == 1 and len(classes) == 2:
        scores = np.column_stack([1 - scores, scores])
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        raise DataError(
            f"probabilities of {name}: expected shape (n, {len(classes)}), one column for each of "
            f"{', '.join(classes)}, found {scores.shape}"
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        raise DataError(
            f"probabilities of {name}: expected numbers between 0 and 1, found others or missing "
            "ones; turn scores into probabilities first"
        )
    return scores
