"""Weights by fold and for good: every score of a fusion is of a patient who fitted no weight of it.

The weights that test a fold are fitted on the out-of-fold scores of all other patients (stacking).
Those scores come from models of the members that were trained on tested patients, too, so the
tested outcomes touch the weights by that way. In pure noise (100 patients, 5 folds) weights of
either sign make a mean AUC of 0.55 of it on the members' own folds; weights that cannot be
negative, on folds that cut across those, leave 0.49 (docs/fuse.md). The unweighted mean of the log
odds stands beside the fusion: it has nothing that anything could touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.decision import Decision, choose
from cardio_core.evaluation.fusion.fuse import fuse
from cardio_core.evaluation.fusion.rule import FusionRule, fit_rule, side_by_side
from cardio_core.studies.fused.clinical import Clinical, fit_clinical, score_clinical
from cardio_core.studies.fused.folds import Folds
from cardio_core.studies.fused.joining import Joined
from cardio_core.studies.fused.members import BOTH, CLINICAL, FUSION, GUIDELINE, MEAN
from cardio_core.studies.fused.scores import one_a_patient
from cardio_core.types.info import Target

OTHERS = "chosen on the other folds"
EVERYBODY = "chosen on out-of-fold scores"
Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Fitted:
    """A fusion, cross-validated and fitted for good.

    Attributes
    ----------
    frame : DataFrame
        Out-of-fold rows of every model, as `Scored.frames` has them.
    weights : DataFrame
        One row a fold and fused model, with its weights.
    rules : mapping of str to FusionRule
        The final weights of each fused model.
    decisions : mapping of str to Decision
        The final thresholds.
    notes : tuple of str
    """

    frame: pd.DataFrame
    weights: pd.DataFrame
    rules: Mapping[str, FusionRule]
    decisions: Mapping[str, Decision]
    notes: tuple[str, ...]


def fit(
    joined: Joined,
    folds: Folds,
    clinical: Clinical | None,
    out: Path,
    *,
    non_negative: bool = True,
) -> Fitted:
    """Cross-validate the fusion of some members, and fit it on everybody.

    Parameters
    ----------
    joined : Joined
    folds : Folds
    clinical : Clinical or None
        With covariates, their model is fitted in the same folds, and fused with the members, too.
    out : Path
        The folder of the fusion: ``models/`` is filled.
    non_negative : bool
        Weights of either sign, where it is not, are there to measure what they do without signal.

    Raises
    ------
    DataError
        A fold whose other patients cannot settle the weights.
    """
    target = joined.target
    members = {one.label: _member_frame(one.rows, joined, folds) for one in joined.members}
    fusions: dict[str, Frames] = {FUSION: members}
    scores = dict(members)
    if clinical is not None and clinical.covariates:
        own = _clinical_frame(joined, folds, clinical, out)
        scores[CLINICAL] = own
        fusions[BOTH] = members | {CLINICAL: own}
    notes: list[str] = []
    weights: list[pd.DataFrame] = []
    rules: dict[str, FusionRule] = {}
    decisions: dict[str, Decision] = {}
    fused: dict[str, pd.DataFrame] = {}
    for name, parts in fusions.items():
        fused[name] = _cross_validated(
            name, parts, folds, target, weights, notes, non_negative=non_negative
        )
        rules[name] = _for_good(parts, target, non_negative=non_negative)
    everyone = {**fused, MEAN: _mean_frame(members, folds, target), **scores}
    for name in everyone.keys() - members.keys():
        decisions[name] = _final_decision(everyone[name], target)
    if clinical is not None and clinical.guideline is not None:
        everyone[GUIDELINE] = _guideline_frame(clinical.guideline, joined, folds)
    order = [
        name for name in (FUSION, BOTH, MEAN, *members, CLINICAL, GUIDELINE) if name in everyone
    ]
    frame = pd.concat([everyone[name].assign(model=name) for name in order], ignore_index=True)
    return Fitted(
        frame, pd.concat(weights, ignore_index=True), rules, decisions,
        tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _cross_validated(
    name: str,
    parts: Frames,
    folds: Folds,
    target: Target,
    weights: list[pd.DataFrame],
    notes: list[str],
    *,
    non_negative: bool,
) -> pd.DataFrame:
    found = []
    for repeat, fold in folds.names:
        here = {label: rows[rows["repeat"] == repeat] for label, rows in parts.items()}
        fitted_on = {label: rows[rows["fold"] != fold] for label, rows in here.items()}
        tested = {label: rows[rows["fold"] == fold] for label, rows in here.items()}
        truth = pd.concat(tested.values()).drop_duplicates("unit_id").set_index("unit_id")["y_true"]
        blind = {label: rows.assign(y_true=None) for label, rows in tested.items()}
        try:
            made = fuse(fitted_on, blind, target, name=name, non_negative=non_negative)
        except DataError as error:
            raise DataError(f"{name}, {fold}: {error}") from error
        both = side_by_side(fitted_on, target, ("y_true",))
        own = made.rule.apply(both, target, name)
        decision = replace(choose(target, own, own["y_true"].to_numpy()), source=OTHERS)
        frame = made.frame.assign(predicted=decision.apply(made.frame, target))
        found.append(frame.assign(y_true=frame["unit_id"].map(truth)))
        notes += [f"{name}, {fold}: {note}" for note in made.notes]
        row = made.weights
        for place, (column, value) in enumerate(
            {"model": name, "fold": fold, "target": target.name}.items()
        ):
            row.insert(place, column, value)
        weights.append(row)
    return pd.concat(found, ignore_index=True)


def _final_decision(frame: pd.DataFrame, target: Target) -> Decision:
    """Choose the threshold for new patients on out-of-fold scores, the mean of the repeats."""
    by_patient = frame.groupby("unit_id", sort=False)
    scores, truth = by_patient[score_columns(target)].mean(), by_patient["y_true"].first()
    return replace(choose(target, scores, truth.to_numpy()), source=EVERYBODY)


def _for_good(parts: Frames, target: Target, *, non_negative: bool) -> FusionRule:
    """Fit the final weights on all out-of-fold scores: of several repeats, their mean."""
    repeats = sorted({int(one) for rows in parts.values() for one in rows["repeat"].unique()})
    rules = []
    for repeat in repeats:
        here = {label: rows[rows["repeat"] == repeat] for label, rows in parts.items()}
        table = side_by_side(here, target, ("y_true",))
        rules.append(fit_rule(table, target, "all patients", non_negative=non_negative))
    mean = np.mean([one.weights for one in rules], axis=0)
    return replace(
        rules[0],
        intercept=float(np.mean([one.intercept for one in rules])),
        weights=tuple(map(float, mean)),
        method="firth" if any(one.method == "firth" for one in rules) else "ml",
    )


def _member_frame(rows: pd.DataFrame, joined: Joined, folds: Folds) -> pd.DataFrame:
    """Return a member's scores in the repeats and folds of the fusion.

    A repeat of the fusion takes one repeat of the member, never their mean: the final model that
    answers for new patients is one model, too.
    """
    own = sorted(rows["repeat"].unique())
    parts = []
    for repeat in folds.of.columns:
        here = rows[rows["repeat"] == own[int(repeat) % len(own)]].set_index("patient_id")
        parts.append(_frame(here["score"], here["decided"], int(repeat), joined, folds))
    return pd.concat(parts, ignore_index=True)


def _mean_frame(members: Frames, folds: Folds, target: Target) -> pd.DataFrame:
    """Return the mean log odds of the members that each patient has, thresholds chosen per fold."""
    rows = pd.concat(members.values(), ignore_index=True)
    score = f"score:{target.classes[1]}"
    made = one_a_patient(rows.rename(columns={score: "score"}), ["repeat", "unit_id"])
    frame = made.rename(columns={"score": score}).drop(columns="n_units")
    frame[f"score:{target.classes[0]}"] = 1 - frame[score]
    return _decided_by_others(frame[rows.columns], folds, target)


def _decided_by_others(frame: pd.DataFrame, folds: Folds, target: Target) -> pd.DataFrame:
    """Return out-of-fold rows decided by the threshold that the other folds choose."""
    for repeat, fold in folds.names:
        here = frame["repeat"] == repeat
        others, own = here & (frame["fold"] != fold), here & (frame["fold"] == fold)
        decision = choose(target, frame[others], frame.loc[others, "y_true"].to_numpy())
        frame.loc[own, "predicted"] = decision.apply(frame[own], target)
    return frame


def _clinical_frame(joined: Joined, folds: Folds, clinical: Clinical, out: Path) -> pd.DataFrame:
    """Cross-validate the clinical model in the folds of the fusion, and fit the final one."""
    y, target = joined.patients["y"], joined.target
    values = clinical.of(y.index)
    parts = []
    for repeat, fold in folds.names:
        test = folds.of[repeat] == fold
        folder = out / "models" / f"honest-{fold}" / CLINICAL
        made = fit_clinical(values[~test], y[~test], target, folder, fold)
        found = score_clinical(made, values[test], target).dropna()
        parts.append(_frame(found, found * 0, repeat, joined, folds))
    fit_clinical(values, y, target, out / "models" / "final" / CLINICAL, "final")
    return _decided_by_others(pd.concat(parts, ignore_index=True), folds, target)


def _guideline_frame(says: pd.Series, joined: Joined, folds: Folds) -> pd.DataFrame:
    known = says.dropna()
    parts = [_frame(known, known, int(repeat), joined, folds) for repeat in folds.of.columns]
    return pd.concat(parts, ignore_index=True)


def _frame(
    score: pd.Series, decided: pd.Series, repeat: int, joined: Joined, folds: Folds
) -> pd.DataFrame:
    """Return scores of one repeat, by patient, as a prediction frame."""
    words = np.asarray(joined.target.classes, dtype=object)
    who = score.index
    about = joined.patients.loc[who]
    ids = who.astype(str)
    return pd.DataFrame(
        {
            "unit_id": ids, "sample_id": None, "recording_id": None, "study_id": None,
            "patient_id": ids, "subject_id": about["subject_id"].astype(str).to_numpy(),
            "level": "patient", "time_s": np.nan, "repeat": repeat,
            "fold": folds.of.loc[who, repeat].to_numpy(),
            "y_true": words[about["y"].to_numpy(int)],
            "predicted": words[decided.to_numpy(int)],
            f"score:{joined.target.classes[0]}": 1 - score.to_numpy(float),
            f"score:{joined.target.classes[1]}": score.to_numpy(float),
        }
    )  # fmt: skip
