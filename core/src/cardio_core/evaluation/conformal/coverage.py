"""Conformal rules of a run: calibrated on every out-of-fold patient, checked fold against fold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.conformal.sets import Conformal, Floats, fit_conformal, patient_scores
from cardio_core.evaluation.parts import ABOUT_DATA, noting
from cardio_core.stats.classification.proportions import proportion
from cardio_core.stats.resampling.sums_bootstrap import bootstrap_sums
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target, Task
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope

ALPHA = 0.1
"""Share of new patients whose set or interval may miss the truth."""
PROMISED = f"{100 * (1 - ALPHA):g} %"


@dataclass(frozen=True)
class Calibrated:
    """What was calibrated on the out-of-fold predictions of a run.

    Rules are by model and target, only where there are patients enough for `ALPHA`. Metrics are
    ``conformal_coverage`` fold against fold, and ``mean_set_size`` or ``interval_half_width``.
    Notes say which rules there are not, and why.
    """

    rules: dict[tuple[str, str], Conformal]
    metrics: tuple[Metric, ...] = ()
    notes: tuple[str, ...] = ()


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

    Beats that match no reference beat have no true class, and missed ones no score; a set that
    covers "every beat of a patient" then means nothing, and none is made.
    """
    found: list[tuple[str, Target, Conformal, pd.DataFrame]] = []
    notes: list[str] = []
    for target in task.targets:
        if target.name not in scored.frames:
            continue
        for model, frame in scored.frames[target.name].groupby("model", sort=False):
            rule = _rule(frame, task, target, overlap)
            if isinstance(rule, str):
                notes.append(f"No prediction sets for {target.name} of {model}: {rule}")
            else:
                found.append((str(model), target, rule, frame))
    metrics = []
    for model, target, rule, frame in found:
        scope = Scope(task=task.name, target=target.name, model=model)
        with noting(notes, f"Coverage of {target.name} of {model}: not computed."):
            for estimate in _estimates(rule, frame, target, level, n_resamples, seed):
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
        rule = fit_conformal(frame, target, alpha=ALPHA)
    except ABOUT_DATA as error:
        return f"{error}."
    return rule.note or rule


def _estimates(
    rule: Conformal, frame: pd.DataFrame, target: Target, level: float, n_resamples: int, seed: int
) -> Iterable[Estimate]:
    covered = _covered_by_other_folds(frame, target)
    if covered.size:
        yield proportion(
            int(covered.sum()), covered.size, level=level, name="conformal_coverage", unit="patient"
        ).replace(
            method=f"Wilson; {PROMISED} sets calibrated on the patients of the other folds",
            note="A patient is covered when every one of the rows is.",
        )
    patients: Any = {"n": rule.n_patients, "unit": "patient", "n_patients": rule.n_patients}
    if target.kind == "continuous":
        method = f"quantile of the largest error of a patient, {PROMISED}; in {target.unit}"
        yield Estimate("interval_half_width", rule.quantile, method=method, **patients)
        return
    known = patient_scores(frame, target).known
    size = rule.sets(known[score_columns(target)].to_numpy(float)).sum(axis=1)
    note = f"Of {len(target.classes)} classes, at {PROMISED} coverage."
    if np.ptp(size) == 0:
        same = "the same for everybody"
        yield Estimate("mean_set_size", float(size[0]), method=same, note=note, **patients)
        return
    (estimate,) = bootstrap_sums(
        np.column_stack([size, np.ones(len(size))]),
        lambda sums: (sums[..., 0] / sums[..., 1])[..., None],
        ("mean_set_size",),
        clusters=known["subject_id"],
        n_resamples=n_resamples,
        seed=seed,
        level=level,
    )
    yield estimate.replace(note=note)


def _covered_by_other_folds(frame: pd.DataFrame, target: Target) -> Floats:
    """Return 1 for each covered patient of the first repeat; empty where that cannot be had."""
    once = frame[frame["repeat"] == frame["repeat"].min()]
    parts: list[Floats] = []
    for fold in dict.fromkeys(once["fold"]):
        others, own = once[once["fold"] != fold], once[once["fold"] == fold]
        try:
            rule = fit_conformal(others, target, alpha=ALPHA)
            largest = patient_scores(own, target).largest
        except ABOUT_DATA:
            return np.empty(0)
        if rule.note:
            return np.empty(0)
        parts.append((largest <= rule.quantile).astype(np.float64))
    return np.concatenate(parts) if parts else np.empty(0)
