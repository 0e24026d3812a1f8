"""Late fusion: one logistic regression on the logits of several models, never on the tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.errors import Code, DataError, LeakageError
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.decision import plain
from cardio_core.io.run_schema import Count, FileSchema, Name, Number
from cardio_core.types.info import Target

# The regression behind late fusion: weights that move little when the scores move little.

Floats = NDArray[np.float64]
Method = Literal["ml", "firth", "ls"]

TELLS_NOTHING = 0.04
"""Log odds. Scores with this standard deviation differ between patients by one percentage point:
the logistic curve rises by at most 1/4 per log odds."""
TELLS_NOTHING_OF_A_NUMBER = 0.01
"""In standard deviations of the truth, which is the correlation that such a score could reach."""
STEEPNESS = 6
"""Power with which the ridge grows below those, and is gone above: ten times as far apart, scores
meet a millionth of it."""
RUNS_AWAY = (1.0, 2.0)
"""How many times Firth's log odds maximum likelihood adds to them: up to the first it is taken,
from the second on Firth's method is, and both in proportion between."""


class UnfittableError(DataError):
    """The fitted rows cannot settle the weights: too few, of one class, or all alike."""

    code: Code = "degenerate"


def fit_weights(
    scores: Floats, missing: Floats, outcome: Floats, where: str, *, linear: bool
) -> tuple[float, Floats, Method]:
    """Weigh the scores of several models, and their absence, against the truth.

    Parameters
    ----------
    scores : ndarray, shape (n, n_models)
        Log odds, or numbers in the unit of the truth; filled where missing.
    missing : ndarray of 0 and 1, shape (n, n_models)
    outcome : ndarray, shape (n,)
        0 and 1, both found; or numbers where `linear`.
    where : str
        Where the rows come from, for messages.
    linear : bool
        Least squares instead of logistic regression.

    Returns
    -------
    intercept : float
    weights : ndarray, shape (2 * n_models,)
        Of the scores, then of their absence.
    method : {"ml", "firth", "ls"}
        ``"firth"`` where Firth's method has a share.

    Raises
    ------
    UnfittableError
        No more rows than weights, scores that do not vary, or no convergence.

    Notes
    -----
    A model that scores everybody alike, or as another model does, differs from the others by the
    last digits of its arithmetic. Unpenalised, the weight of such a column is whatever lets those
    digits explain the outcome: thousands, and other thousands on another processor. A weight of
    log odds has no unit, so a ridge can have a constant. Along each principal direction of the
    scores (beyond the indicators of absence) with standard deviation r it is
    ``n / 4 * (f / r) ** 6``: n / 4 is the most information that n patients can give, and f is
    `TELLS_NOTHING`. A direction along which patients differ by much less than f weighs nothing, as
    if it were not there; one with r = 1 is penalised by 4e-9 of its information, so what is well
    posed equals glm. The penalty is a smooth function of the scores' covariance, and the weights
    move smoothly with the scores; a threshold on r would make them jump. Least squares take n and
    `TELLS_NOTHING_OF_A_NUMBER`. Of two models that say the same, the first has the weight of both.

    Where the scores separate the classes, the likelihood has no maximum, and where they nearly do,
    it has one far out. Firth's method is always fitted beside it, with the same ridge. Which of the
    two is taken is no yes or no, because a difference of 1e-9 decides about separation: it is the
    share of `RUNS_AWAY` that their log odds differ by.

    References
    ----------
    Hoerl AE, Kennard RW. Ridge regression: biased estimation for nonorthogonal problems.
    Technometrics 1970;12:55. Firth D. Biometrika 1993;80:27.

    Examples
    --------
    The second model says 0.3 of everybody, but for its arithmetic:

    >>> import numpy as np
    >>> y = np.array([0.0, 1, 0, 1, 0, 0, 1, 1])
    >>> logits = np.array([-1.0, 0.5, 0.2, 1.5, -0.3, -2.0, -0.4, 0.6])
    >>> scores = np.column_stack([logits, -0.85 + 1e-7 * y])
    >>> _, weights, method = fit_weights(scores, np.zeros((8, 2)), y, "doctest", linear=False)
    >>> bool(weights[0] > 1), bool(abs(weights[1]) < 1e-6), method
    (True, True, 'ml')
    """
    n, n_models = scores.shape
    faint = TELLS_NOTHING_OF_A_NUMBER * float(outcome.std()) if linear else TELLS_NOTHING
    absent = _independent(missing, np.ones((n, 1)))
    base = np.column_stack([missing[:, absent], np.ones(n)])
    of_base = np.linalg.lstsq(base, scores, rcond=None)[0]
    rest = scores - base @ of_base
    directions, apart = _principal(rest)
    n_weights = len(absent) + int((apart >= faint).sum())
    if n <= n_weights + 1:
        raise UnfittableError(
            f"fusion, {where}: expected more fitted rows than the {n_weights + 1} weights, found "
            f"{n}; fuse fewer models or take more patients"
        )
    if not n_weights:
        raise UnfittableError(
            f"fusion, {where}: expected scores that vary, found constant ones in every model"
        )
    # a hundred times fainter, the ridge is 1e12 times the information: the weight is 0
    seen = apart > max(faint / 100, 1e-12)
    directions = directions[:, seen] / apart[seen]
    centre, spread = missing[:, absent].mean(axis=0), missing[:, absent].std(axis=0)
    scaled = (missing[:, absent] - centre) / spread
    full = np.column_stack([rest @ directions, scaled, np.ones(n)])
    # an absence is as far apart as one log odds
    strength = np.append(faint / apart[seen], [TELLS_NOTHING] * len(absent)) ** STEEPNESS
    ridge = np.append(n * strength * (1.0 if linear else 0.25), 0.0)
    beta, method = (
        _least_squares(full, outcome, ridge) if linear else _logistic(full, outcome, ridge, where)
    )
    n_seen = int(seen.sum())
    of_scores = _handed_on(directions @ beta[:n_seen], rest, faint)
    by_base = of_base @ of_scores
    of_absence = beta[n_seen:-1] / spread
    weights = np.zeros(2 * n_models)
    weights[:n_models] = of_scores
    weights[[n_models + column for column in absent]] = of_absence - by_base[:-1]
    intercept = beta[-1] - of_absence @ centre - by_base[-1]
    return float(intercept), weights, method


def _logistic(full: Floats, outcome: Floats, ridge: Floats, where: str) -> tuple[Floats, Method]:
    from cardio_stats._numerics.intervals import maximise
    from cardio_stats.logistic import firth_with_ridge

    try:
        firth = firth_with_ridge(full, outcome, ridge)
    except (DataError, np.linalg.LinAlgError) as error:
        raise UnfittableError(f"fusion, {where}: {error}") from error
    try:
        likely, _ = maximise(full, outcome, ridge=ridge)
    except DataError:
        return firth, "firth"  # on its way to the ridge, far beyond where anything is decided
    modest = full @ firth
    excess = float(np.max(np.abs(full @ likely - modest) / (1 + np.abs(modest))))
    least, most = RUNS_AWAY
    share = float(np.clip((excess - least) / (most - least), 0.0, 1.0))
    return (1 - share) * likely + share * firth, "firth" if share else "ml"


def _least_squares(full: Floats, outcome: Floats, ridge: Floats) -> tuple[Floats, Method]:
    beta = np.linalg.solve(full.T @ full + np.diag(ridge), full.T @ outcome)
    return np.asarray(beta, dtype=np.float64), "ls"


def _principal(rest: Floats) -> tuple[Floats, Floats]:
    """Return orthogonal directions (one a column) and the standard deviation along each."""
    _, singular, directions = np.linalg.svd(rest / np.sqrt(len(rest)), full_matrices=False)
    return directions.T, singular


def _handed_on(weights: Floats, rest: Floats, faint: float) -> Floats:
    """Let a model hand its weight to an earlier one that says the same; their sum stays as it is.

    They say the same where they differ by much less than a tenth of `faint`; as for the ridge, no
    threshold decides.
    """
    handed = weights.copy()
    for item, other in combinations(range(len(weights)), 2):
        differ = float((rest[:, item] - rest[:, other]).std()) / max(faint / 10, 1e-12)
        share = 1 / (1 + differ**STEEPNESS)
        handed[item] += share * handed[other]
        handed[other] *= 1 - share
    return handed


def _independent(matrix: Floats, base: Floats) -> list[int]:
    """Return the columns that are neither in the span of `base` nor sums of earlier ones."""
    used: list[int] = []
    basis = np.linalg.qr(base)[0]
    for column, values in enumerate(matrix.T):
        rest = values - basis @ (basis.T @ values)
        rest -= basis @ (basis.T @ rest)  # once more, for the rounding of the first
        size = float(np.linalg.norm(rest))
        if size > 1e-8 * max(float(np.linalg.norm(values)), 1e-300):
            used.append(column)
            basis = np.column_stack([basis, rest / size])
    return used


# The table behind late fusion, models side by side, and the rule that weighs them.

KEY = ["repeat", "unit_id"]
AGREED = ("subject_id", "fold", "level", "y_true")
CLIP = 1e-7
"""Probabilities are taken as no more certain than this, as in aggregation."""


class MismatchError(DataError):
    """The models do not speak of the same patients, folds or truths: no cohort excuses that."""

    code: Code = "mismatch"


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
    >>> rule.terms
    ['logit:ecg', 'logit:echo', 'missing:ecg', 'missing:echo']
    """

    models: tuple[Name, ...]
    intercept: Number
    weights: tuple[Number, ...]
    method: Method
    n_rows: Count
    n_patients: Count
    n_events: Count | None
    filled: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        if len(self.weights) != 2 * len(self.models) or not self.models:
            raise ValueError("should have a weight of each model, and of its absence")
        if self.filled and len(self.filled) != len(self.models):
            raise ValueError("should have as many models everywhere")

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

    def apply(self, table: SideBySide, target: Target, name: str) -> pd.DataFrame:
        """Return the fused prediction frame of units whose models stand side by side.

        The table is of the same models; a class is decided by the largest score; `name` is for
        column `model`.
        """
        from scipy.special import expit

        fused = self.intercept + np.hstack(table.filled(self.filled)) @ np.array(self.weights)
        frame = table.rows.assign(model=name)
        if target.kind == "continuous":
            return frame.assign(score=fused, predicted=fused).reset_index(drop=True)
        positive = expit(fused)
        frame[score_columns(target)] = np.column_stack([1 - positive, positive])
        frame["predicted"] = plain(target).apply(frame, target)
        return frame.reset_index(drop=True)


FUSION = FileSchema("the weights of a fusion", FusionRule, most_bytes=1 << 20)


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
    from scipy.special import logit

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
            f"{rows['unit_id'][empty].iloc[0]!r}; leave it out",
            code="missing",
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
    from scipy.special import logit

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
        one says (see :func:`~cardio_core.evaluation.fusion.fit_weights`). A continuous
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
        :func:`~cardio_core.evaluation.fusion.fit_rule`.

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
            f"{sorted(tested)}",
            code="mismatch",
        )
    fitting, testing = (side_by_side(value, target, ("y_true",)) for value in (fitted_on, tested))
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
    missing, had = np.isnan(test.scores), ~np.isnan(fit.scores)
    for column, model in enumerate(test.models):
        n_lacking = int(missing[:, column].sum())
        if n_lacking and had[:, column].all():
            notes.append(
                f"Fusion, test set: {n_lacking} rows lack {model}, which no fitted row lacks; "
                f"there its {counts} counts."
            )
        if not had[:, column].any():
            notes.append(f"Fusion, test set: no fitted row has {model}; it has no weight.")
    return notes
