"""Conformal rules of a run: calibrated on every out-of-fold patient, checked fold against fold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.parts import ABOUT_DATA, noting
from cardio_core.io.run_schema import Count, FileSchema
from cardio_core.types.info import Kind as TargetKind
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

# How unlike the truth each out-of-fold prediction is, one score a patient, and their quantile.

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

    The frame is as for :func:`~cardio_core.evaluation.conformal.fit_conformal`; rows without
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
            f"{', '.join(columns)}, found no {absent[0]}",
            code="missing",
        )
    models = sorted(set(frame["model"])) if "model" in frame.columns else []
    if len(models) > 1:
        raise DataError(
            f"predictions of {target.name}: expected one model, found {', '.join(models)}; take "
            "the rows of one",
            code="ambiguous",
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
                f"{known['y_true'][codes < 0].iloc[0]!r}",
                code="unknown",
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
        raise DataError(
            f"conformal alpha: expected a number between 0 and 1, found {alpha}",
            code="out_of_range",
        )
    values = np.asarray(scores, dtype=np.float64)
    each = np.ones(values.size) if weights is None else np.asarray(weights, dtype=np.float64)
    n = float(each.sum())
    if n < 2 - 1e-9:
        raise DataError(
            f"conformal calibration: expected at least 2 patients with truth and prediction, found "
            f"{values.size}; add patients",
            code="too_few",
        )
    if np.isnan(values).any():
        raise DataError("conformal calibration: expected a score of every patient, found NaN")
    order = np.argsort(values, kind="stable")
    # (9 + 1)(1 - 0.3) is 7 in exact arithmetic and a little more or less in binary
    reached = np.cumsum(each[order]) >= (n + 1) * (1 - alpha) - 1e-9 * (n + 1)
    return float(values[order][np.argmax(reached)]) if reached.any() else math.inf


def class_probabilities(values: ArrayLike, classes: tuple[str, ...], name: str) -> Floats:
    """Return probabilities with a column a class; one of shape (n,) is that of the second.

    Raises
    ------
    DataError
        Another shape, or numbers that are no probabilities.
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim == 1 and len(classes) == 2:
        scores = np.column_stack([1 - scores, scores])
    if scores.ndim != 2 or scores.shape[1] != len(classes):
        raise DataError(
            f"probabilities of {name}: expected shape (n, {len(classes)}), one column for each of "
            f"{', '.join(classes)}, found {scores.shape}",
            code="mismatch",
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        raise DataError(
            f"probabilities of {name}: expected numbers between 0 and 1, found others or missing "
            "ones; turn scores into probabilities first",
            code="out_of_range",
        )
    return scores


# Conformal sets and intervals from out-of-fold predictions, with one score a patient.

METHOD = "(n + 1)(1 - alpha) quantile of out-of-fold scores, the largest of each patient"
BY_CLASS = f"{METHOD} with the class, by class"

Limit = Annotated[float, BeforeValidator(lambda x: math.inf if x is None else x), Field(ge=0)]
"""A quantile, null in a file where it is infinite."""


@dataclass(frozen=True, slots=True)
class Conformal:
    """A calibrated rule that turns scores into prediction sets or intervals.

    Attributes
    ----------
    alpha : float
        Share of new patients that may be missed.
    quantile : float
        Largest nonconformity that is still covered: ``1 - p`` of a class, or the half-width of
        an interval in the target's unit. Infinite where there are too few patients for `alpha`;
        every class and every number is then covered, as `note` says.
    n_patients : int
        Patients whose scores were calibrated on; linked patients count once.
    n_dropped : int
        Rows without truth or without score.
    method : str
        As a methods section would say it.
    target : str
        Name of the target.
    kind : {"binary", "multiclass", "continuous"}
        Of the target. Continuous ones have intervals, the others sets.
    classes : tuple of str
        In the order of the columns of a set; empty for a continuous target.
    class_quantiles : tuple of float
        Largest nonconformity that is still covered in each class, where the sets are calibrated
        by class; `quantile`, that of all patients together, then decides nothing. Infinite for a
        class with too few patients, which every set holds. Empty otherwise.
    class_patients : tuple of int
        Patients with each class, whose scores were calibrated on.
    """

    alpha: Annotated[float, Field(gt=0, lt=1)]
    quantile: Limit
    n_patients: Count
    n_dropped: Count
    method: str
    target: str
    kind: TargetKind
    classes: tuple[str, ...] = ()
    class_quantiles: tuple[Limit, ...] = ()
    class_patients: tuple[Count, ...] = ()

    @property
    def by_class(self) -> bool:
        """Whether coverage is promised within each class, and not on average alone."""
        return bool(self.class_quantiles)

    @property
    def limits(self) -> Floats:
        """The largest nonconformity that is covered, of each class (of numbers: the one)."""
        return np.array(self.class_quantiles or [self.quantile] * max(1, len(self.classes)))

    @property
    def learns(self) -> bool:
        """Whether anything is ever left out; else there are too few patients of every kind."""
        return bool(np.isfinite(self.limits).any())

    @property
    def always_held(self) -> tuple[str, ...]:
        """Classes with too few patients, which no set leaves out."""
        if not self.by_class:
            return ()
        pairs = zip(self.classes, self.class_quantiles, strict=True)
        return tuple(name for name, own in pairs if math.isinf(own))

    @property
    def note(self) -> str:
        """Why everything or a class is always covered, where it is; else empty."""
        needed = max(2, math.ceil(1 / self.alpha - 1 - 1e-9))
        requested = f"too few for alpha = {self.alpha:g}, which needs at least {needed}"
        if math.isinf(self.quantile):
            return (
                f"{self.n_patients} patients are {requested}: every value is covered, and nothing "
                "is learnt."
            )
        own = dict(zip(self.classes, self.class_patients, strict=False))
        found = [f"“{name}” ({own[name]})" for name in self.always_held]
        if not found:
            return ""
        if not self.learns:
            return (
                f"the patients of each class, {' and '.join(found)}, are {requested} of every "
                "class: every value is covered, and nothing is learnt."
            )
        return (
            f"Patients with {' and '.join(found)} are {requested} of every class: every set holds "
            f"{'it' if len(found) == 1 else 'these'}, so that nothing rules "
            f"{'it' if len(found) == 1 else 'them'} out."
        )

    def sets(self, probabilities: ArrayLike) -> NDArray[np.bool_]:
        """Return which classes each prediction set holds.

        Parameters
        ----------
        probabilities : array-like, shape (n, n_classes), or (n,) for a binary target
            Rows sum to one; with shape (n,), the probability of the positive class.

        Returns
        -------
        ndarray of bool, shape (n, n_classes)
            A row may be empty: no class is as probable as it is where it is true. That is an
            answer, not an error: the probability lies between those of the classes.

        Raises
        ------
        DataError
            The target is continuous, or these are no probabilities of its classes.
        """
        if self.kind == "continuous":
            raise DataError(
                f"prediction sets of {self.target}: expected classes, found a continuous target; "
                "use its intervals",
                code="unsupported",
            )
        scores = class_probabilities(probabilities, self.classes, self.target)
        return np.asarray(1 - scores <= self.limits)

    def intervals(self, values: ArrayLike) -> Floats:
        """Return the limits around predicted numbers.

        Parameters
        ----------
        values : array-like, shape (n,)
            In the target's unit.

        Returns
        -------
        ndarray, shape (n, 2)
            Low and high; infinite where `quantile` is.

        Raises
        ------
        DataError
            The target has classes, or a value is not finite.
        """
        if self.kind != "continuous":
            raise DataError(
                f"prediction intervals of {self.target}: expected a continuous target, found "
                "classes; use its sets",
                code="unsupported",
            )
        centre = np.asarray(values, dtype=np.float64)
        if centre.ndim != 1 or not np.isfinite(centre).all():
            raise DataError(
                f"prediction intervals of {self.target}: expected one finite number a row, found "
                f"shape {centre.shape} or missing values; leave such rows out",
                code="not_a_number",
            )
        return np.column_stack([centre - self.quantile, centre + self.quantile])

    def __post_init__(self) -> None:
        for own in (self.class_quantiles, self.class_patients):
            if own and len(own) != len(self.classes):
                raise ValueError("should have as many classes everywhere")
        if (self.kind == "continuous") != (not self.classes):
            raise ValueError("should have classes if, and only if, its target has")


CONFORMAL = FileSchema("a rule for prediction sets", Conformal, most_bytes=1 << 20)


def fit_conformal(
    frame: pd.DataFrame, target: Target, *, alpha: float = 0.1, by_class: bool = False
) -> Conformal:
    """Calibrate prediction sets or intervals on out-of-fold predictions of one model.

    Parameters
    ----------
    frame : DataFrame
        One model's rows of `Scored.frames[target.name]`: subject_id, y_true and the score columns.
        No row may be predicted by a model that was fitted on its patient.
    target : Target
        Classes are scored by ``1 - p`` of the true one, numbers by the absolute residual.
    alpha : float
        Between 0 and 1: share of new patients that may be missed.
    by_class : bool
        Calibrate each class on the patients who have it (Mondrian sets): of the new patients of
        *each* class, a share of `alpha` may be missed. Changes nothing for a continuous target.

    Returns
    -------
    Conformal

    Raises
    ------
    DataError
        Fewer than two patients, several models in one frame, a true class that the target does
        not have, or `alpha` outside (0, 1).

    Notes
    -----
    Each patient contributes one score, the largest over the rows. Patients are exchangeable, rows
    of one patient are not; with the largest, a new patient's rows are *all* covered with
    probability ``1 - alpha``, hence any one of them too. The mean of a patient's scores promises
    nothing about a row, and rows as they come count a long recording many times. Of repeated
    folds (a column ``repeat``) each repeat gives a score that weighs its share of one patient:
    the quantile is of a model of any one repeat, as the one that is applied is, and the largest
    over repeats would be of the worst of them.

    The bound is exact for patients exchangeable with those calibrated on and for one fitted model
    (split conformal prediction). Out-of-fold scores come from K models, and the one that is
    applied is fitted again on everybody: coverage is then close to ``1 - alpha`` where the fit is
    stable, but the only bound known without assumptions is that of CV+, about ``1 - 2 alpha``,
    and CV+ keeps the K models.

    Without `by_class` the bound holds on average over patients: where nine of ten are healthy, sets
    that never hold the disease keep it. By class it holds within each class, so on average too, and
    whatever the classes' shares among new patients are. A class with fewer than ``1/alpha - 1``
    patients is then in every set.

    References
    ----------
    Vovk V, Gammerman A, Shafer G. Algorithmic learning in a random world. Springer 2005.
    Sadinle M, Lei J, Wasserman L. J Am Stat Assoc 2019;114:223 (sets of least ambiguity).
    Vovk V. Conditional validity of inductive conformal predictors. Mach Learn 2013;92:349.
    Barber RF et al. Predictive inference with the jackknife+. Ann Stat 2021;49:486 (CV+).

    Examples
    --------
    >>> frame = pd.DataFrame({"subject_id": list("abcdefghi"), "y_true": ["yes"] * 9,
    ...                       "score:no": [i / 10 for i in range(1, 10)]})
    >>> frame["score:yes"] = 1 - frame["score:no"]
    >>> rule = fit_conformal(frame, Target("event", "binary", ("no", "yes")), alpha=0.2)
    >>> round(rule.quantile, 3), rule.sets([0.9, 0.5]).tolist()
    (0.8, [[False, True], [True, True]])
    """
    scored = nonconformity(frame, target)
    scores, weights = scored.of_patients()
    quantile = conformal_quantile(scores, alpha, weights)
    own: list[float] = []
    counts: list[int] = []
    if by_class and target.kind != "continuous":
        for code in range(len(target.classes)):
            scores_of, weights_of = scored.of_patients(code)
            counts.append(round(weights_of.sum()))
            few = counts[-1] < 2
            own.append(math.inf if few else conformal_quantile(scores_of, alpha, weights_of))
    return Conformal(
        alpha,
        quantile,
        round(weights.sum()),
        scored.n_dropped,
        BY_CLASS if own else METHOD,
        target.name,
        target.kind,
        target.classes,
        tuple(own),
        tuple(counts),
    )


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
    config: EvaluateBlock,
    *,
    overlap: str | None = None,
    seed: int = 0,
) -> Calibrated:
    """Calibrate a rule for each model and target of the honest protocol.

    Predictions are out of fold beside the truth. Where the split plan declares an overlap, scores
    of patients who were trained on are too good to calibrate on, and nothing is calibrated.
    `config` and `seed` are of the intervals around coverage and set size; the sets
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
            for name, estimate in _coverages(rule, frame, target, config.level, notes, model):
                metrics.append(Metric(estimate, replace(scope, class_name=name)))
            for estimate in set_sizes(rule, frame, target, config, seed):
                metrics.append(Metric(estimate, scope))
    rules = {(model, target.name): rule for model, target, rule, _ in found}
    return Calibrated(rules, tuple(metrics), tuple(notes))


def _rule(frame: pd.DataFrame, task: Task, target: Target, overlap: str | None) -> Conformal | str:
    """Return the rule, or why there is none."""
    if overlap:
        return f"the split plan declares an overlap ({overlap})."
    if task.unit == "event" and (frame["unit_id"].isna() | frame["y_true"].isna()).any():
        return "some events were missed, or match no reference event."
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
    from cardio_stats.proportions import wilson_limits

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
    rule: Conformal, frame: pd.DataFrame, target: Target, config: EvaluateBlock, seed: int
) -> Iterator[Estimate]:
    """Yield how large a rule's sets are, or half the width of its intervals."""
    from cardio_stats.resampling import bootstrap_sums

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
            patient=scored.rows["subject"],
            n_resamples=config.n_resamples,
            seed=seed,
            level=config.level,
        )
        yield estimate.replace(note=note)
    rows = scored.rows.assign(empty=size == 0, several=size > 1)
    method = "Wilson; sets calibrated on all out-of-fold patients"
    every = "A patient counts when every one of the rows is so."
    yield share_of_patients("empty_sets", rows, config.level, method, every, "empty")
    yield share_of_patients("sets_of_several", rows, config.level, method, every, "several")


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
