"""Conformal rules of a run: calibrated on every out-of-fold patient, checked fold against fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.conformal.nonconformity import nonconformity
from cardio_core.evaluation.conformal.sets import Conformal, fit_conformal
from cardio_core.evaluation.parts import ABOUT_DATA, noting
from cardio_core.stats.classification.proportions import wilson_limits
from cardio_core.stats.resampling.sums_bootstrap import bootstrap_sums
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope

ALPHA = 0.1
"""Share of new patients whose set or interval may miss the truth."""
PROMISED = f"{100 * (1 - ALPHA):g} %"


@dataclass(frozen=True)
class Calibrated:
    """What was calibrated on the out-of-fold predictions of a run.

    Rules are by model and target, only where there are patients enough for `ALPHA`; those of
    classes are calibrated by class. Metrics are ``conformal_coverage`` fold against fold, of all
    and of each class; of numbers ``interval_half_width``; of classes ``mean_set_size``, the shares
    ``empty_sets`` and ``sets_of_several``, and ``conformal_coverage_pooled``, which sets
    calibrated on all classes together would have. Notes say which rules there are not, which
    classes have too few patients, and why.
    """

    rules: dict[tuple[str, str], Conformal]
    metrics: tuple[Metric, ...] = ()
    notes: tuple[Note, ...] = ()


def calibrate(
    scored: Scored,
    task: Task,
    *,
    overlap: str | None = None,
    level: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Calibrated:
    """Calibrate a rule for each model and target of the honest protocol.

    Predictions are out of fold beside the truth. Where the split plan declares an overlap, scores
    of patients who were trained on are too good to calibrate on, and nothing is calibrated.
    `level`, `n_resamples` and `seed` are of the intervals around coverage and set size; the sets
    themselves hold ``1 - ALPHA``.

    Notes
    -----
    A rule covers the patients that it was calibrated on by construction. The coverage reported
    here comes from rules calibrated without the fold that they are applied to, so it also shows
    whether the models of different folds score alike. It needs two folds.

    Sets are calibrated by class. Sets calibrated on all patients promise 90 % of all, and where
    most are healthy they keep that with sets that seldom hold the disease: whoever reads "only no
    remains possible" in one patient has been promised nothing about the diseased. By class the
    promise holds for the diseased and for the healthy, and under another prevalence, too. Its price
    is larger sets, which `mean_set_size` shows.

    A patient who is tested in several repeats counts by the share of them in which every row is
    covered; Wilson's interval is that of as many patients, not of their repeats.

    Beats that match no reference beat have no true class, and missed ones no score; a set that
    covers "every beat of a patient" then means nothing, and none is made.
    """
    found: list[tuple[str, Target, Conformal, pd.DataFrame]] = []
    notes: list[Note] = []
    for target in task.targets:
        if target.name not in scored.frames:
            continue
        for model, frame in scored.frames[target.name].groupby("model", sort=False):
            rule = _rule(frame, task, target, overlap)
            if isinstance(rule, str):
                text = f"No prediction sets for {target.name} of {model}: {rule}"
                notes.append(Note(NoteKind.PREDICTION_SETS, text, model=str(model)))
                continue
            found.append((str(model), target, rule, frame))
            if rule.note:
                text = f"Prediction sets for {target.name} of {model}: {rule.note}"
                notes.append(Note(NoteKind.PREDICTION_SETS, text, model=str(model)))
    metrics = []
    for model, target, rule, frame in found:
        scope = Scope(task=task.name, target=target.name, model=model)
        with noting(notes, f"Coverage of {target.name} of {model}: not computed."):
            for name, estimate in _coverages(rule, frame, target, level, notes, model):
                metrics.append(Metric(estimate, replace(scope, class_name=name)))
            for estimate in set_sizes(rule, frame, target, level, n_resamples, seed):
                metrics.append(Metric(estimate, scope))
    rules = {(model, target.name): rule for model, target, rule, _ in found}
    return Calibrated(rules, tuple(metrics), tuple(notes))


def _rule(frame: pd.DataFrame, task: Task, target: Target, overlap: str | None) -> Conformal | str:
    """Return the rule, or why there is none."""
    if overlap:
        return f"the split plan declares an overlap ({overlap})."
    if task.unit == "event" and (frame["unit_id"].isna() | frame["y_true"].isna()).any():
        return "some beats were missed, or match no reference beat."
    try:
        rule = fit_conformal(frame, target, alpha=ALPHA, by_class=True)
    except ABOUT_DATA as error:
        return f"{error}."
    return rule if rule.learns else rule.note


def _coverages(
    rule: Conformal,
    frame: pd.DataFrame,
    target: Target,
    level: float,
    notes: list[Note],
    model: str,
) -> Iterator[tuple[str | None, Estimate]]:
    """Yield coverage of all and of each class, of the rule's sets and of sets by all classes."""
    by_class = rule.by_class
    for name, own in (("conformal_coverage", by_class), ("conformal_coverage_pooled", False)):
        if name != "conformal_coverage" and not by_class:
            return
        how = "each class" if own else "the patients"
        method = f"Wilson; {PROMISED} sets calibrated on {how} of the other folds"
        covered, always = _covered_by_other_folds(frame, target, own)
        if covered.empty:
            continue
        unjudged = sorted(set(always) - set(rule.always_held), key=target.classes.index)
        if unjudged:
            text = (
                f"Coverage of {target.name} of {model} is not given for "
                f"{' and '.join(f'“{label}”' for label in unjudged)}, nor for all: the patients of "
                "the other folds alone are too few to rule it out."
            )
            notes.append(Note(NoteKind.PREDICTION_SETS, text, model=model))
        else:
            note = "A patient is covered when every one of the rows is."
            yield None, share_of_patients(name, covered, level, method, note)
        if target.kind == "continuous":
            continue
        note = "A patient is covered when every one of the rows with the class is."
        for code, label in enumerate(target.classes):
            those = covered[covered["code"] == code]
            if len(those) and label not in always:
                yield label, share_of_patients(name, those, level, method, note)


def share_of_patients(
    name: str, rows: pd.DataFrame, level: float, method: str, note: str, column: str = "covered"
) -> Estimate:
    """Return the share of patients, each by the share of the repeats in which all rows are so."""
    each = rows.groupby(["subject", "repeat"], sort=False)[column].all()
    patients = each.groupby(level="subject").mean()
    n = len(patients)
    k = float(patients.sum())
    k = float(round(k)) if abs(k - round(k)) < 1e-9 else k
    low, high = wilson_limits(k, n, level)
    return Estimate(
        name, k / n, low, high, level, method, n=n, unit="patient", n_patients=n, note=note,
        extra={"k": k},
    )  # fmt: skip


def set_sizes(
    rule: Conformal, frame: pd.DataFrame, target: Target, level: float, n_resamples: int, seed: int
) -> Iterator[Estimate]:
    """Yield how large a rule's sets are, or half the width of its intervals."""
    patients: Any = {"n": rule.n_patients, "unit": "patient", "n_patients": rule.n_patients}
    if target.kind == "continuous":
        method = f"quantile of the largest error of a patient, {PROMISED}; in {target.unit}"
        yield Estimate("interval_half_width", rule.quantile, method=method, **patients)
        return
    scored = nonconformity(frame, target)
    size = rule.sets(scored.known[score_columns(target)].to_numpy(float)).sum(axis=1)
    note = f"Of {len(target.classes)} classes, at {PROMISED} coverage."
    if np.ptp(size) == 0:
        same = "the same for everybody"
        yield Estimate("mean_set_size", float(size[0]), method=same, note=note, **patients)
    else:
        (estimate,) = bootstrap_sums(
            np.column_stack([size, np.ones(len(size))]),
            lambda sums: (sums[..., 0] / sums[..., 1])[..., None],
            ("mean_set_size",),
            clusters=scored.rows["subject"],
            n_resamples=n_resamples,
            seed=seed,
            level=level,
        )
        yield estimate.replace(note=note)
    rows = scored.rows.assign(empty=size == 0, several=size > 1)
    method = "Wilson; sets calibrated on all out-of-fold patients"
    every = "A patient counts when every one of the rows is so."
    yield share_of_patients("empty_sets", rows, level, method, every, "empty")
    yield share_of_patients("sets_of_several", rows, level, method, every, "several")


def _covered_by_other_folds(
    frame: pd.DataFrame, target: Target, by_class: bool
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return whether rules of the other folds' patients cover each row, and classes always held.

    Columns are subject, repeat, code and covered; no rows where that cannot be had. A class is
    named where a rule holds it always, for lack of patients outside its fold.
    """
    parts: list[pd.DataFrame] = []
    always: dict[str, None] = {}
    for _, own in frame.groupby(["repeat", "fold"], sort=False):
        others = frame[~frame["subject_id"].isin(set(own["subject_id"]))]
        try:
            other = fit_conformal(others, target, alpha=ALPHA, by_class=by_class)
            rows = nonconformity(own, target).rows
        except ABOUT_DATA:
            return pd.DataFrame(), ()
        always |= dict.fromkeys(other.always_held)
        if not other.learns and not by_class:
            return pd.DataFrame(), ()
        held = rows["score"].to_numpy() <= other.limits[rows["code"].to_numpy()]
        parts.append(rows.assign(covered=held))
    return (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()), tuple(always)
