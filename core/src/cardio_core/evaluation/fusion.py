"""Late fusion: one logistic regression on the logits of several models, never on the tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from cardio_core.errors import DataError, LeakageError
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.decision import plain
from cardio_core.stats.firth import fit_firth, separated_terms
from cardio_core.stats.newton import maximise
from cardio_core.types.info import Target

Floats = NDArray[np.float64]
KEY = ["repeat", "unit_id"]
AGREED = ("subject_id", "fold", "level", "y_true")
CLIP = 1e-7
"""Probabilities are taken as no more certain than this, as in aggregation."""


@dataclass(frozen=True)
class Fusion:
    """Fused predictions and what they were made with.

    Attributes
    ----------
    frame : DataFrame
        A prediction frame with the columns of the models' frames, decided by the largest score.
    weights : DataFrame
        One row a fit: n_rows, n_patients, n_events, method ("ml" or "firth"), intercept, and for
        each model ``logit:MODEL`` (log odds per unit of its logit) and ``missing:MODEL`` (log odds
        where it is missing). Zero where the fitted rows could not tell: a model that none of them
        has, one that none lacks, or a column that is a sum of others. :func:`fit_fusion` adds
        repeat and fold.
    notes : tuple of str
        Sentences for the report.
    """

    frame: pd.DataFrame
    weights: pd.DataFrame
    notes: tuple[str, ...] = ()


def fit_fusion(
    frames: Mapping[str, pd.DataFrame], target: Target, *, name: str = "fusion"
) -> Fusion:
    """Fuse out-of-fold predictions; the weights of a fold come from the other folds' patients.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Prediction frames by model, as in `Scored.frames[target.name]`: unit_id, subject_id,
        y_true, repeat, fold, and the score columns. A unit that a model does not have, or has with
        NaN scores, lacks that modality; its logit counts as 0 and an indicator as 1. Rows without
        truth are fused but not fitted on.
    target : Target
        Binary.
    name : str
        What the fused row is called in column `model`.

    Returns
    -------
    Fusion

    Raises
    ------
    LeakageError
        A patient of a tested fold is also in another fold of that repeat.
    DataError
        Fewer than two models, a target that is not binary, fewer than two folds, one class only,
        units whose fold or truth differ between the frames, or missed events.

    Notes
    -----
    No label of a tested patient enters that patient's fusion weights directly. The other folds'
    models were fitted on this patient, though, and their predictions are what the weights are
    fitted on. With a handful of weights this second-hand influence is small; :func:`fuse` on
    predictions of inner folds has none.

    Unpenalised maximum likelihood; Firth's penalty where the logits separate the classes. A
    patient with many rows weighs as many.

    References
    ----------
    Wolpert DH. Stacked generalization. Neural Netw 1992;5:241.
    Firth D. Biometrika 1993;80:27.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 2
    >>> def model() -> pd.DataFrame:
    ...     p = expit(rng.normal(y - 0.5, 1))
    ...     return pd.DataFrame({
    ...         "unit_id": range(60), "subject_id": range(60), "repeat": 0,
    ...         "fold": [f"r0-f{i // 20}" for i in range(60)],
    ...         "y_true": np.where(y == 1, "yes", "no"), "score:no": 1 - p, "score:yes": p})
    >>> target = Target("response", "binary", ("no", "yes"))
    >>> fused = fit_fusion({"ecg": model(), "echo": model()}, target)
    >>> fused.weights[["fold", "n_rows", "method"]].values.tolist()
    [['r0-f0', 40, 'ml'], ['r0-f1', 40, 'ml'], ['r0-f2', 40, 'ml']]
    >>> len(fused.frame), set(fused.frame["model"])
    (60, {'fusion'})
    """
    table = _side_by_side(frames, target, ("repeat", "fold"))
    parts: list[Fusion] = []
    weights: list[pd.DataFrame] = []
    repeats, folds = (table.rows[column].to_numpy() for column in ("repeat", "fold"))
    for repeat, fold in dict.fromkeys(zip(repeats, folds, strict=True)):
        here, tested = repeats == repeat, folds == fold
        if tested[here].all():
            raise DataError(
                f"fusion: expected at least 2 folds in repeat {repeat}, found only {fold}; give "
                "validation predictions to fuse() instead"
            )
        others, own = table.at(here & ~tested), table.at(here & tested)
        parts.append(_fit_and_apply(others, own, target, name, f"fold {fold}"))
        weights.append(parts[-1].weights.assign(repeat=repeat, fold=fold))
    found = pd.concat(weights, ignore_index=True)
    first = ["repeat", "fold"]
    found = found[first + [column for column in found.columns if column not in first]]
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    return Fusion(frame, found, tuple(note for part in parts for note in part.notes))


def fuse(
    fitted_on: Mapping[str, pd.DataFrame],
    tested: Mapping[str, pd.DataFrame],
    target: Target,
    *,
    name: str = "fusion",
) -> Fusion:
    """Fit the weights on validation or inner-fold predictions and apply them to tested units.

    Parameters
    ----------
    fitted_on : mapping of str to DataFrame
        Predictions by model for patients that the models were not fitted on: unit_id, subject_id,
        y_true and the score columns.
    tested : mapping of str to DataFrame
        Predictions by the same models; y_true may be NA.
    target : Target
        Binary.
    name : str
        As for :func:`fit_fusion`.

    Returns
    -------
    Fusion
        `weights` has one row.

    Raises
    ------
    LeakageError
        A fitted patient is tested.
    DataError
        As :func:`fit_fusion`; other models in `tested` than in `fitted_on`.
    """
    if set(fitted_on) != set(tested):
        raise DataError(
            f"fusion: expected the same models fitted and tested, found {sorted(fitted_on)} and "
            f"{sorted(tested)}"
        )
    fitting, testing = (_side_by_side(given, target, ()) for given in (fitted_on, tested))
    return _fit_and_apply(fitting, testing, target, name, "test set")


@dataclass(frozen=True)
class _Table:
    """Units beside the logits of every model, NaN where a model is missing."""

    rows: pd.DataFrame
    logits: Floats  # (n, n_models)
    models: tuple[str, ...]

    def at(self, chosen: NDArray[np.bool_]) -> _Table:
        return _Table(self.rows[chosen], self.logits[chosen], self.models)

    @property
    def terms(self) -> list[str]:
        return [f"{kind}:{model}" for kind in ("logit", "missing") for model in self.models]

    @property
    def matrix(self) -> Floats:
        missing = np.isnan(self.logits)
        return np.column_stack([np.where(missing, 0.0, self.logits), missing])


def _side_by_side(
    frames: Mapping[str, pd.DataFrame], target: Target, needed: tuple[str, ...]
) -> _Table:
    if target.kind != "binary":
        raise DataError(
            f"fusion: expected a binary target, found the {target.kind} target {target.name!r}; "
            "fuse one class against the rest"
        )
    if len(frames) < 2:
        raise DataError(f"fusion: expected at least 2 models, found {len(frames)}; add a model")
    models = tuple(sorted(frames))  # so that the order in which they are given decides nothing
    by_model = {model: _by_unit(frames[model], model, target, needed) for model in models}
    rows = pd.concat(by_model.values())
    rows = rows[~rows.index.duplicated()]
    for model in models:
        _require_agreement(by_model[model], rows, model)
    positive = score_columns(target)[1]
    scores = [by_model[model][positive].reindex(rows.index).to_numpy(float) for model in models]
    logits = logit(np.clip(np.column_stack(scores), CLIP, 1 - CLIP))
    empty = np.isnan(logits).all(axis=1)
    if empty.any():
        raise DataError(
            f"fusion: expected a score of at least one model, found none for unit "
            f"{rows['unit_id'][empty].iloc[0]!r}; leave it out"
        )
    return _Table(rows, np.asarray(logits, dtype=np.float64), models)


def _by_unit(
    frame: pd.DataFrame, model: str, target: Target, needed: tuple[str, ...]
) -> pd.DataFrame:
    columns = score_columns(target)
    absent = [
        column
        for column in ("unit_id", "subject_id", "y_true", *needed, *columns)
        if column not in frame.columns
    ]
    if absent:
        raise DataError(f"fusion, model {model}: expected a column {absent[0]!r}, found none")
    if frame["unit_id"].isna().any():
        raise DataError(
            f"fusion, model {model}: expected a unit in every row, found missed events; fuse at "
            "the level of recordings, studies or patients"
        )
    strange = set(frame["y_true"].dropna()) - set(target.classes)
    if strange:
        raise DataError(
            f"fusion, model {model}: expected {' or '.join(target.classes)} as truth, found "
            f"{sorted(map(str, strange))[0]!r}"
        )
    scores = frame[columns[1]].to_numpy(float)
    if ((scores < 0) | (scores > 1)).any():
        raise DataError(
            f"fusion, model {model}: expected probabilities, found numbers outside 0 to 1; turn "
            "scores into probabilities first"
        )
    repeat = frame["repeat"] if "repeat" in frame.columns else 0
    indexed = frame.set_index(pd.MultiIndex.from_frame(frame.assign(repeat=repeat)[KEY]))
    indexed.index.names = [None, None]
    if indexed.index.has_duplicates:
        raise DataError(
            f"fusion, model {model}: expected each unit once a repeat, found "
            f"{indexed.index[indexed.index.duplicated()][0][1]!r} again; give one model's rows"
        )
    return indexed


def _require_agreement(own: pd.DataFrame, rows: pd.DataFrame, model: str) -> None:
    """Refuse models that were split, linked or labelled differently."""
    theirs = rows.loc[own.index]
    for column in AGREED:
        if column not in own.columns or column not in theirs.columns:
            continue
        mine, other = own[column], theirs[column]
        differ = ~((mine == other) | (mine.isna() & other.isna())).fillna(False).to_numpy(bool)
        if differ.any():
            raise DataError(
                f"fusion, model {model}: expected the same {column} in every model, found "
                f"{mine[differ].iloc[0]!r} against {other[differ].iloc[0]!r} for unit "
                f"{own['unit_id'][differ].iloc[0]!r}; run the models on one split plan"
            )


def _fit_and_apply(fit: _Table, test: _Table, target: Target, name: str, where: str) -> Fusion:
    known = fit.at(fit.rows["y_true"].notna().to_numpy())
    _guard_patients(known, test, where)
    outcome: Floats = np.asarray(known.rows["y_true"] == target.classes[1], dtype=np.float64)
    if len(np.unique(outcome)) < 2:
        found = sorted(set(known.rows["y_true"])) or "no truth"
        raise DataError(
            f"fusion, {where}: expected both classes among the fitted rows, found {found}; take "
            "fewer folds or more patients"
        )
    intercept, weights, method = _regress(known.matrix, outcome, where)
    positive = expit(intercept + test.matrix @ weights)
    frame = test.rows.assign(model=name)
    frame[score_columns(target)] = np.column_stack([1 - positive, positive])
    frame["predicted"] = plain(target).apply(frame, target)
    about = {
        "n_rows": len(outcome),
        "n_patients": known.rows["subject_id"].nunique(),
        "n_events": int(outcome.sum()),
        "method": method,
        "intercept": intercept,
    }
    row = pd.DataFrame([about | dict(zip(fit.terms, weights, strict=True))])
    notes = _unforeseen(known, test, where)
    if method == "firth":
        notes.append(f"Fusion, {where}: the models separate the classes; Firth's penalty is used.")
    return Fusion(frame.reset_index(drop=True), row, tuple(notes))


def _guard_patients(fit: _Table, test: _Table, where: str) -> None:
    shared = set(fit.rows["subject_id"]) & set(test.rows["subject_id"])
    if shared:
        raise LeakageError(
            f"fusion, {where}: {len(shared)} tested patient(s) would enter their own fusion "
            f"weights ({', '.join(sorted(map(str, shared))[:3])}); split by patient"
        )


def _unforeseen(fit: _Table, test: _Table, where: str) -> list[str]:
    notes = []
    lacking, had = np.isnan(test.logits), ~np.isnan(fit.logits)
    for column, model in enumerate(test.models):
        n_lacking = int(lacking[:, column].sum())
        if n_lacking and had[:, column].all():
            notes.append(
                f"Fusion, {where}: {n_lacking} rows lack {model}, which no fitted row lacks; its "
                "logit counts as 0 there."
            )
        if not had[:, column].any():
            notes.append(f"Fusion, {where}: no fitted row has {model}; it has no weight.")
    return notes


def _regress(
    matrix: Floats, outcome: Floats, where: str
) -> tuple[float, Floats, Literal["ml", "firth"]]:
    """Return intercept and weights; columns that add nothing to those before them weigh zero."""
    used = _independent(matrix)
    if len(outcome) <= len(used) + 1:
        raise DataError(
            f"fusion, {where}: expected more fitted rows than the {len(used) + 1} weights, found "
            f"{len(outcome)}; fuse fewer models"
        )
    weights = np.zeros(matrix.shape[1])
    if not used:
        raise DataError(
            f"fusion, {where}: expected scores that vary, found constant ones in every model"
        )
    chosen = matrix[:, used]
    centre, spread = chosen.mean(axis=0), chosen.std(axis=0)
    standard = (chosen - centre) / spread
    method: Literal["ml", "firth"] = "ml"
    if separated_terms(standard, outcome).any():
        method, beta = "firth", fit_firth(standard, outcome, 0.95).beta
    else:
        beta, _ = maximise(np.column_stack([standard, np.ones(len(outcome))]), outcome)
    weights[used] = beta[:-1] / spread
    return float(beta[-1] - weights[used] @ centre), weights, method


def _independent(matrix: Floats) -> list[int]:
    """Return the columns that are neither constant nor a sum of earlier ones."""
    used: list[int] = []
    basis = np.ones((len(matrix), 1)) / np.sqrt(len(matrix))
    for column, values in enumerate(matrix.T):
        rest = values - basis @ (basis.T @ values)
        rest -= basis @ (basis.T @ rest)  # once more, for the rounding of the first
        size = float(np.linalg.norm(rest))
        if size > 1e-8 * max(float(np.linalg.norm(values)), 1e-300):
            used.append(column)
            basis = np.column_stack([basis, rest / size])
    return used
