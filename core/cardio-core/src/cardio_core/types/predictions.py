"""Predictions: scores for each target, by sample, study or patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from cardio_core.types.info import Target
from cardio_core.types.notes import Note

Array = np.ndarray[Any, Any]
Level = Literal["sample", "recording", "study", "patient"]


@dataclass(frozen=True)
class Column:
    """A named numeric column beside the scores (PSD, a code of that fold), with its unit.

    Attributes
    ----------
    values : ndarray of float, shape (n,)
        One number for each id of the predictions, in their order; NaN where there is none.
    unit : str
        Unit of the numbers, ``"ms"``; ``"1"`` for pure numbers.

    Examples
    --------
    >>> Column(np.array([96.0, 158.0]), "ms").unit
    'ms'
    """

    values: Array
    unit: str


@dataclass(frozen=True)
class Predictions:
    """What `predict` returns.

    Attributes
    ----------
    ids : sequence of str
        Ids at `level`, each once, all of them among those that `predict` was given.
    scores : mapping of target name to ndarray
        Shape (n, n_classes), rows summing to one, for multiclass targets; shape (n,), the
        probability of the positive class, for binary ones; shape (n,) in the target's unit for
        continuous ones. NaN only where the model is partial and has nothing to score by.
    level : {"sample", "recording", "study", "patient"}
        What is predicted; the core aggregates upwards from there.
    columns : mapping of str to Column
        Named numbers with units for tables and heat maps.
    withheld : mapping of str to str
        By id of the task's unit, why `cardio predict` says nothing of it by this model, although it
        has a score: what the model looks at is unfit there. The other models still answer.

    Examples
    --------
    >>> made = Predictions(
    ...     ("r1", "r2"),
    ...     {"rhythm": np.array([0.2, 0.9])},
    ...     level="recording",
    ...     columns={"rate": Column(np.array([61.0, 118.0]), "1/min")},
    ... )
    >>> len(made)
    2
    """

    ids: tuple[str, ...]
    scores: Mapping[str, Array]
    level: Level = "sample"
    columns: Mapping[str, Column] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Scored:
    """Out-of-fold predictions of one protocol beside the truth: what `evaluate` sees.

    Attributes
    ----------
    frames : mapping of target name to DataFrame
        One row a prediction. Columns: unit_id, sample_id, recording_id, study_id, patient_id,
        subject_id (linked patients share it), level, time_s, repeat, fold, model, y_true,
        predicted, and one score column a class named ``score:CLASS`` (``score`` for continuous
        targets). Missed events have unit_id NA; samples that match no event have y_true NA.
    thresholds : mapping of (model, target) to str
        Where the decision rule came from.
    columns : DataFrame
        The named columns of all predictions, by unit_id, model and fold.
    notes : tuple of Note
        Sentences for the report (declared overlaps among them).
    fusions : DataFrame
        One row a fold, target and model that fuses others, with the weights that it was given.
    """

    frames: Mapping[str, pd.DataFrame]
    thresholds: Mapping[str, str] = field(default_factory=dict)
    columns: pd.DataFrame | None = None
    notes: tuple[Note, ...] = ()
    fusions: pd.DataFrame | None = None

    def tested(self, target: Target) -> pd.DataFrame:
        """Return one row a model and tested unit whose truth is known and which the model scored.

        Over repeats scores are averaged, and decided is what was decided most often (on a tie no).

        Parameters
        ----------
        target : Target
            Binary or continuous.

        Returns
        -------
        DataFrame
            Columns model, unit_id, study_id, patient_id, subject_id, y and score: 0 or 1 and a
            probability, or two numbers in the target's unit. Binary targets have decided (0, 1).

        Examples
        --------
        >>> ids = dict.fromkeys(("unit_id", "study_id", "patient_id", "subject_id"), "p1")
        >>> row = ids | {"model": "m", "y_true": "yes", "predicted": "no", "score:yes": 0.25}
        >>> sick = Target("sick", "binary", ("no", "yes"))
        >>> found = Scored({"sick": pd.DataFrame([row])}).tested(sick)
        >>> found[["unit_id", "y", "score", "decided"]].to_numpy().tolist()
        [['p1', 1, 0.25, 0]]
        """
        frame, binary = self.frames[target.name], target.kind == "binary"
        score = f"score:{target.classes[1]}" if binary else "score"
        known = frame[frame[["y_true", "unit_id", score]].notna().all(axis=1)]
        ids = ["model", "unit_id", "study_id", "patient_id", "subject_id"]
        truth = known["y_true"]
        rows = known[ids].astype(str).assign(
            y=(truth == target.classes[1]).astype(int) if binary else truth.astype(float),
            score=known[score].astype(float),
        )  # fmt: skip
        once = dict.fromkeys((*ids[2:], "y"), "first") | {"score": "mean"}
        if binary:
            rows["decided"] = (known["predicted"] == target.classes[1]).astype(float)
            once["decided"] = "mean"
        found = rows.groupby(ids[:2], sort=False).agg(once).reset_index()
        return found.assign(decided=(found["decided"] > 0.5).astype(int)) if binary else found

    @staticmethod
    def clusters_of(rows: pd.DataFrame) -> pd.Series[str] | None:
        """Return the person behind each row where somebody has several rows, else None."""
        subjects = rows["subject_id"]
        return subjects if subjects.duplicated().any() else None
