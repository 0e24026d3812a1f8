"""The table behind late fusion, models side by side, and the rule that weighs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from cardio_core.errors import DataError
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.decision import plain
from cardio_core.evaluation.fusion.weights import Floats, Method, UnfittableError, fit_weights
from cardio_core.types.info import Target

KEY = ["repeat", "unit_id"]
AGREED = ("subject_id", "fold", "level", "y_true")
CLIP = 1e-7
"""Probabilities are taken as no more certain than this, as in aggregation."""


class MismatchError(DataError):
    """The models do not speak of the same patients, folds or truths: no cohort excuses that."""


@dataclass(frozen=True)
class FusionRule:
    """Fitted weights of a fusion, which turn the scores of several models into one.

    Attributes
    ----------
    models : tuple of str
        In alphabetical order, so that the order in which they are given decides nothing.
    intercept : float
        Log odds, or the target's unit where it is continuous.
    weights : tuple of float
        Of each model's logit (or number), then of each model's absence.
    method : {"ml", "firth", "ls"}
        Maximum likelihood, Firth's penalty where the models (all but) separate the classes, or
        least squares for a continuous target; see :func:`fit_weights`.
    n_rows, n_patients : int
        Fitted on.
    n_events : int or None
        Of the second class; None for a continuous target.
    filled : tuple of float
        What stands for each model's number where it is missing: its mean over the fitted rows. A
        missing logit counts as 0, which is what an empty tuple says.

    Examples
    --------
    >>> rule = FusionRule(("ecg", "echo"), 0.0, (1.0, 1.0, 0.0, 0.0), "ml", 60, 60, 30)
    >>> FusionRule.from_dict(rule.to_dict()) == rule
    True
    """

    models: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]
    method: Method
    n_rows: int
    n_patients: int
    n_events: int | None
    filled: tuple[float, ...] = ()

    @property
    def terms(self) -> list[str]:
        """Names of the weights: ``logit:ecg`` or ``value:ecg``, and ``missing:ecg``."""
        kind = "value" if self.n_events is None else "logit"
        return [f"{what}:{model}" for what in (kind, "missing") for model in self.models]

    def to_row(self) -> pd.DataFrame:
        """Return one row of a table of weights."""
        about: dict[str, Any] = {"n_rows": self.n_rows, "n_patients": self.n_patients}
        if self.n_events is not None:
            about["n_events"] = self.n_events
        about |= {"method": self.method, "intercept": self.intercept}
        return pd.DataFrame([about | dict(zip(self.terms, self.weights, strict=True))])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        lists = {name: list(getattr(self, name)) for name in ("models", "weights", "filled")}
        return vars(self) | lists

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> FusionRule:
        """Return the rule of a JSON form."""
        lists = {name: tuple(stored.get(name, ())) for name in ("models", "weights", "filled")}
        return cls(**dict(stored) | lists)

    def apply(self, table: SideBySide, target: Target, name: str) -> pd.DataFrame:
        """Return the fused prediction frame of units whose models stand side by side.

        The table is of the same models; a class is decided by the largest score; `name` is for
        column `model`.
        """
        fused = self.intercept + np.hstack(table.filled(self.filled)) @ np.array(self.weights)
        frame = table.rows.assign(model=name)
        if target.kind == "continuous":
            return frame.assign(score=fused, predicted=fused).reset_index(drop=True)
        positive = expit(fused)
        frame[score_columns(target)] = np.column_stack([1 - positive, positive])
        frame["predicted"] = plain(target).apply(frame, target)
        return frame.reset_index(drop=True)


@dataclass(frozen=True)
class SideBySide:
    """Units beside the logits (or numbers) of every model.

    `rows` has one row a unit, as in the models' frames. `scores`, shape (n, n_models), are logits
    of the second class, or numbers of a continuous target; NaN where a model is missing. `models`
    are in alphabetical order.
    """

    rows: pd.DataFrame
    scores: Floats
    models: tuple[str, ...]

    def at(self, chosen: NDArray[np.bool_]) -> SideBySide:
        """Return some of the units."""
        return SideBySide(self.rows[chosen], self.scores[chosen], self.models)

    def filled(self, by: tuple[float, ...] = ()) -> tuple[Floats, Floats]:
        """Return what is weighed: scores, filled where missing, and who is missing.

        Each of shape (n, n_models). `by` fills each model where it is missing, with 0 if it is
        empty.
        """
        missing = np.isnan(self.scores)
        return np.where(missing, by or 0.0, self.scores), missing.astype(np.float64)

    @property
    def means(self) -> tuple[float, ...]:
        """The mean score of each model over the units that have it; 0 where none has."""
        known = ~np.isnan(self.scores)
        sums = np.where(known, self.scores, 0.0).sum(axis=0)
        return tuple(map(float, sums / np.maximum(known.sum(axis=0), 1)))


def side_by_side(
    frames: Mapping[str, pd.DataFrame], target: Target, needed: tuple[str, ...]
) -> SideBySide:
    """Put the frames of several models side by side, checking that they speak of the same units.

    `needed` are the columns that every frame must have, beyond unit_id, subject_id and the scores.

    Raises
    ------
    DataError
        In one line, where they cannot be fused.
    """
    if target.kind == "multiclass":
        raise DataError(
            f"fusion: expected a binary or continuous target, found the {target.kind} target "
            f"{target.name!r}; fuse one class against the rest"
        )
    if len(frames) < 2:
        raise DataError(f"fusion: expected at least 2 models, found {len(frames)}; add a model")
    models = tuple(sorted(frames))  # so that the order in which they are given decides nothing
    by_model = {model: _by_unit(frames[model], model, target, needed) for model in models}
    rows = pd.concat(by_model.values())
    rows = rows[~rows.index.duplicated()]
    for model in models:
        _require_agreement(by_model[model], rows, model)
    column = score_columns(target)[-1]
    found = [by_model[model][column].reindex(rows.index).to_numpy(float) for model in models]
    scores = np.column_stack(found)
    if target.kind == "binary":
        scores = logit(np.clip(scores, CLIP, 1 - CLIP))
    empty = np.isnan(scores).all(axis=1)
    if empty.any():
        raise DataError(
            f"fusion: expected a score of at least one model, found none for unit "
            f"{rows['unit_id'][empty].iloc[0]!r}; leave it out"
        )
    return SideBySide(rows, np.asarray(scores, dtype=np.float64), models)


def _by_unit(
    frame: pd.DataFrame, model: str, target: Target, needed: tuple[str, ...]
) -> pd.DataFrame:
    columns = score_columns(target)
    absent = [
        column
        for column in ("unit_id", "subject_id", *needed, *columns)
        if column not in frame.columns
    ]
    if absent:
        raise DataError(f"fusion, model {model}: expected a column {absent[0]!r}, found none")
    if frame["unit_id"].isna().any():
        raise DataError(
            f"fusion, model {model}: expected a unit in every row, found missed events; fuse at "
            "the level of recordings, studies or patients"
        )
    if target.kind == "binary":
        _require_probabilities(frame, model, target)
    repeat = frame["repeat"] if "repeat" in frame.columns else 0
    indexed = frame.set_index(pd.MultiIndex.from_frame(frame.assign(repeat=repeat)[KEY]))
    indexed.index.names = [None, None]
    if indexed.index.has_duplicates:
        raise DataError(
            f"fusion, model {model}: expected each unit once a repeat, found "
            f"{indexed.index[indexed.index.duplicated()][0][1]!r} again; give one model's rows"
        )
    return indexed


def _require_probabilities(frame: pd.DataFrame, model: str, target: Target) -> None:
    truth = frame["y_true"].dropna() if "y_true" in frame.columns else ()
    strange = set(truth) - set(target.classes)
    if strange:
        raise DataError(
            f"fusion, model {model}: expected {' or '.join(target.classes)} as truth, found "
            f"{sorted(map(str, strange))[0]!r}"
        )
    scores = frame[score_columns(target)[1]].to_numpy(float)
    if ((scores < 0) | (scores > 1)).any():
        raise DataError(
            f"fusion, model {model}: expected probabilities, found numbers outside 0 to 1; turn "
            "scores into probabilities first"
        )


def _require_agreement(own: pd.DataFrame, rows: pd.DataFrame, model: str) -> None:
    """Refuse models that were split, linked or labelled differently."""
    theirs = rows.loc[own.index]
    for column in AGREED:
        if column not in own.columns or column not in theirs.columns:
            continue
        mine, other = own[column], theirs[column]
        differ = ~((mine == other) | (mine.isna() & other.isna())).fillna(False).to_numpy(bool)
        if differ.any():
            raise MismatchError(
                f"fusion, model {model}: expected the same {column} in every model, found "
                f"{mine[differ].iloc[0]!r} against {other[differ].iloc[0]!r} for unit "
                f"{own['unit_id'][differ].iloc[0]!r}; run the models on one split plan"
            )


def fit_rule(
    fit: SideBySide, target: Target, where: str, *, non_negative: bool = False
) -> FusionRule:
    """Fit the weights on units of known truth.

    Rows carry y_true; `where` says in messages where they come from: ``"fold r0-f1"``, ``"inner
    folds"``. With `non_negative` a model whose log odds would count against the class that they
    speak for is left out, the one that does so most first: it weighs 0, and where none is left,
    only the intercept and the absences count. That is needed where the fitted scores are of models
    that knew the truth of the units that are tested later (stacking on out-of-fold predictions):
    without it, weights turn scores of pure noise round so that they seem to rank.

    Raises
    ------
    UnfittableError
        One class only, fewer rows than weights, or scores that do not vary.
    """
    truth = fit.rows["y_true"]
    n_rows, n_patients = len(truth), int(fit.rows["subject_id"].nunique())
    if target.kind == "continuous":
        numbers: Floats = truth.to_numpy(np.float64)
        # A number of 0 would be far from all others, and the weight of an absence that no fitted
        # row shows could not make up for it.
        means = fit.means
        intercept, weights, method = fit_weights(*fit.filled(means), numbers, where, linear=True)
        return FusionRule(
            fit.models, intercept, tuple(weights), method, n_rows, n_patients, None, means
        )
    outcome: Floats = np.asarray(truth == target.classes[1], dtype=np.float64)
    if len(np.unique(outcome)) < 2:
        found = sorted(set(truth)) or "no truth"
        raise UnfittableError(
            f"fusion, {where}: expected both classes among the fitted rows, found {found}; take "
            "fewer folds or more patients"
        )
    if non_negative:
        intercept, weights, method = _weighed(fit, outcome, where)
    else:
        intercept, weights, method = fit_weights(*fit.filled(), outcome, where, linear=False)
    events = int(outcome.sum())
    return FusionRule(fit.models, intercept, tuple(weights), method, n_rows, n_patients, events)


def _weighed(fit: SideBySide, outcome: Floats, where: str) -> tuple[float, Floats, Method]:
    """Fit weights of logits none of which is negative, leaving models out one by one."""
    scores, missing = fit.filled()
    n_models = len(fit.models)
    left: list[int] = []
    while True:
        here = scores.copy()
        here[:, left] = 0.0
        try:
            intercept, weights, method = fit_weights(here, missing, outcome, where, linear=False)
        except UnfittableError:
            if len(left) < n_models:
                raise
            return float(logit(outcome.mean())), np.zeros(2 * n_models), "ml"
        weights[left] = 0.0  # a column of zeros weighs what is lost in rounding
        worst = int(np.argmin(weights[:n_models]))
        if weights[worst] >= 0:
            return intercept, weights, method
        left.append(worst)
