"""Late fusion: one logistic regression on the logits of several models, never on the tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cardio_core.errors import DataError, LeakageError
from cardio_core.evaluation.fusion.rule import FusionRule, SideBySide, fit_rule, side_by_side
from cardio_core.types.info import Target


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
        has, one that none lacks, one that scores everybody alike, or one that says what an earlier
        one says (see :func:`~cardio_core.evaluation.fusion.weights.fit_weights`). A continuous
        target has no n_events, the method "ls", and ``value:MODEL`` instead. :func:`fit_fusion`
        adds repeat and fold.
    notes : tuple of str
        Sentences for the report.
    rule : FusionRule or None
        Where there was one fit: its weights, for units that come later.
    """

    frame: pd.DataFrame
    weights: pd.DataFrame
    notes: tuple[str, ...] = ()
    rule: FusionRule | None = None


def fit_fusion(
    frames: Mapping[str, pd.DataFrame], target: Target, *, name: str = "fusion"
) -> Fusion:
    """Fuse out-of-fold predictions; the weights of a fold come from the other folds' patients.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Prediction frames by model, as in `Scored.frames[target.name]`: unit_id, subject_id,
        y_true, repeat, fold, and the score columns. A unit that a model does not have, or has with
        NaN scores, lacks that modality; its logit counts as 0 (its number as the mean of those
        that have it) and an indicator as 1. Rows without truth are fused but not fitted on.
    target : Target
        Binary, or continuous: then numbers are weighed, by least squares.
    name : str
        What the fused model is called in column `model`.

    Returns
    -------
    Fusion

    Raises
    ------
    LeakageError
        A patient of a tested fold is also in another fold of that repeat.
    DataError
        Fewer than two models, a multiclass target, fewer than two folds, one class only,
        units whose fold or truth differ between the frames, or missed events.

    Notes
    -----
    No label of a tested patient enters that patient's fusion weights directly. The other folds'
    models were fitted on this patient, though, and their predictions are what the weights are
    fitted on. With a handful of weights this second-hand influence is small; :func:`fuse` on
    predictions of inner folds has none.

    Maximum likelihood; Firth's penalty where the logits (all but) separate the classes; and a ridge
    that is felt only along directions in which patients hardly differ. A patient with many rows
    weighs as many.

    References
    ----------
    Wolpert DH. Stacked generalization. Neural Netw 1992;5:241.
    Firth D. Biometrika 1993;80:27.

    Examples
    --------
    >>> from scipy.special import expit
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
    table = side_by_side(frames, target, ("y_true", "repeat", "fold"))
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
        where = f"fold {fold}"
        parts.append(_fit_and_apply(others, own, target, name, fitted=where, tested=where))
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
    overlap: bool = False,
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
        Binary, or continuous: then numbers are weighed, by least squares.
    name : str
        As for :func:`fit_fusion`.
    overlap : bool
        Whether fitted patients may be tested: only for a protocol that declares it.

    Returns
    -------
    Fusion
        `weights` has one row.

    Raises
    ------
    LeakageError
        A fitted patient is tested, and no overlap is declared.
    DataError
        As :func:`fit_fusion`; other models in `tested` than in `fitted_on`.
    """
    if set(fitted_on) != set(tested):
        raise DataError(
            f"fusion: expected the same models fitted and tested, found {sorted(fitted_on)} and "
            f"{sorted(tested)}"
        )
    fitting, testing = (side_by_side(given, target, ("y_true",)) for given in (fitted_on, tested))
    return _fit_and_apply(
        fitting, testing, target, name, fitted="inner folds", tested="test set", overlap=overlap
    )


def _fit_and_apply(
    fit: SideBySide,
    test: SideBySide,
    target: Target,
    name: str,
    *,
    fitted: str,
    tested: str,
    overlap: bool = False,
) -> Fusion:
    """Fit on some rows and apply to others; `fitted` and `tested` say in messages which."""
    known = fit.at(fit.rows["y_true"].notna().to_numpy())
    if not overlap:
        _guard_patients(known, test, tested)
    rule = fit_rule(known, target, fitted)
    notes = _unforeseen(known, test, tested, "number as the mean" if rule.filled else "logit as 0")
    if rule.method == "firth":
        notes.append(
            f"Fusion, {fitted}: the models (all but) separate the classes; Firth's penalty is used."
        )
    return Fusion(rule.apply(test, target, name), rule.to_row(), tuple(notes), rule)


def _guard_patients(fit: SideBySide, test: SideBySide, where: str) -> None:
    shared = set(fit.rows["subject_id"]) & set(test.rows["subject_id"])
    if shared:
        raise LeakageError(
            f"fusion, {where}: {len(shared)} tested patient(s) would enter their own fusion "
            f"weights ({', '.join(sorted(map(str, shared))[:3])}); split by patient"
        )


def _unforeseen(fit: SideBySide, test: SideBySide, where: str, counts: str) -> list[str]:
    notes = []
    lacking, had = np.isnan(test.scores), ~np.isnan(fit.scores)
    for column, model in enumerate(test.models):
        n_lacking = int(lacking[:, column].sum())
        if n_lacking and had[:, column].all():
            notes.append(
                f"Fusion, {where}: {n_lacking} rows lack {model}, which no fitted row lacks; "
                f"there its {counts} counts."
            )
        if not had[:, column].any():
            notes.append(f"Fusion, {where}: no fitted row has {model}; it has no weight.")
    return notes
