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
        One row: n_rows, n_patients, n_events, method ("ml" or "firth"), intercept, and for
        each model ``logit:MODEL`` (log odds per unit of its logit) and ``missing:MODEL`` (log odds
        where it is missing). Zero where the fitted rows could not tell: a model that none of them
        has, one that none lacks, one that scores everybody alike, or one that says what an earlier
        one says (see :func:`~cardio_core.evaluation.fusion.weights.fit_weights`). A continuous
        target has no n_events, the method "ls", and ``value:MODEL`` instead.
    notes : tuple of str
        Sentences for the report.
    rule : FusionRule
        The weights, for units that come later.
    """

    frame: pd.DataFrame
    weights: pd.DataFrame
    notes: tuple[str, ...]
    rule: FusionRule


def fuse(
    fitted_on: Mapping[str, pd.DataFrame],
    tested: Mapping[str, pd.DataFrame],
    target: Target,
    *,
    name: str = "fusion",
    overlap: bool = False,
    non_negative: bool = False,
) -> Fusion:
    """Fit the weights on validation or inner-fold predictions and apply them to tested units.

    Parameters
    ----------
    fitted_on : mapping of str to DataFrame
        Predictions by model, as in `Scored.frames[target.name]`, for patients that the models were
        not fitted on: unit_id, subject_id, y_true and the score columns. A unit that a model does
        not have, or has with NaN scores, lacks that modality; its logit counts as 0 (its number as
        the mean of those that have it) and an indicator as 1. Rows without truth are not fitted on.
    tested : mapping of str to DataFrame
        Predictions by the same models; y_true may be NA.
    target : Target
        Binary, or continuous: then numbers are weighed, by least squares.
    name : str
        What the fused model is called in column `model`.
    overlap : bool
        Whether fitted patients may be tested: only for a protocol that declares it.
    non_negative : bool
        Let no model's log odds count against what they speak for; see
        :func:`~cardio_core.evaluation.fusion.rule.fit_rule`.

    Returns
    -------
    Fusion

    Raises
    ------
    LeakageError
        A fitted patient is tested, and no overlap is declared.
    DataError
        Fewer than two models, a multiclass target, one class only, units whose fold or truth differ
        between the frames, missed events, or other models in `tested` than in `fitted_on`.

    Notes
    -----
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
    ...         "unit_id": range(60), "subject_id": range(60),
    ...         "y_true": np.where(y == 1, "yes", "no"), "score:no": 1 - p, "score:yes": p})
    >>> frames = {"ecg": model(), "echo": model()}
    >>> inner = {name: frame[:40] for name, frame in frames.items()}
    >>> tested = {name: frame[40:] for name, frame in frames.items()}
    >>> fused = fuse(inner, tested, Target("response", "binary", ("no", "yes")))
    >>> fused.weights[["n_rows", "method"]].values.tolist()
    [[40, 'ml']]
    >>> len(fused.frame), set(fused.frame["model"])
    (20, {'fusion'})
    """
    if set(fitted_on) != set(tested):
        raise DataError(
            f"fusion: expected the same models fitted and tested, found {sorted(fitted_on)} and "
            f"{sorted(tested)}"
        )
    fitting, testing = (side_by_side(given, target, ("y_true",)) for given in (fitted_on, tested))
    known = fitting.at(fitting.rows["y_true"].notna().to_numpy())
    if not overlap:
        _guard_patients(known, testing)
    rule = fit_rule(known, target, "inner folds", non_negative=non_negative)
    notes = _unforeseen(known, testing, "number as the mean" if rule.filled else "logit as 0")
    if rule.method == "firth":
        notes.append(
            "Fusion, inner folds: the models (all but) separate the classes; Firth's penalty is "
            "used."
        )
    return Fusion(rule.apply(testing, target, name), rule.to_row(), tuple(notes), rule)


def _guard_patients(fit: SideBySide, test: SideBySide) -> None:
    shared = set(fit.rows["subject_id"]) & set(test.rows["subject_id"])
    if shared:
        raise LeakageError(
            f"fusion, test set: {len(shared)} tested patient(s) would enter their own fusion "
            f"weights ({', '.join(sorted(map(str, shared))[:3])}); split by patient"
        )


def _unforeseen(fit: SideBySide, test: SideBySide, counts: str) -> list[str]:
    notes = []
    lacking, had = np.isnan(test.scores), ~np.isnan(fit.scores)
    for column, model in enumerate(test.models):
        n_lacking = int(lacking[:, column].sum())
        if n_lacking and had[:, column].all():
            notes.append(
                f"Fusion, test set: {n_lacking} rows lack {model}, which no fitted row lacks; "
                f"there its {counts} counts."
            )
        if not had[:, column].any():
            notes.append(f"Fusion, test set: no fitted row has {model}; it has no weight.")
    return notes
