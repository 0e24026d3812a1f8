"""Optimism: how much of an apparent performance a model owes to the patients it was fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import MAX_HALVINGS, MAX_MOVE, MAX_STEPS
from cardio_stats._numerics.validate import (
    Floats,
    Ints,
    binary_column,
    binary_labels,
    checked_level,
    group_codes,
    require_both_classes,
)
from cardio_stats._numerics.watching import tell
from cardio_stats.auc_covariance import midrank_auc
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

Predictor = Callable[[Floats], Floats]
Fit = Callable[[Floats, Floats], Predictor]
Correction = Literal["harrell", "632+"]

MAX_REDRAWS = 100


@runtime_checkable
class FitsMany(Protocol):
    """A fit that also fits all resamples together, as `RidgeLogistic` does."""

    def __call__(self, features: Floats, outcome: Floats) -> Predictor:
        """Fit once."""
        ...

    def of_resamples(self, features: Floats, outcome: Floats, rows: Ints) -> Floats:
        """Return the scores of everybody by the fit of each resample, shape (r, n)."""
        ...


def auc_of(outcome: Floats, scores: Floats) -> float:
    """Return the AUC, the default figure of merit."""
    return midrank_auc(outcome == 1, scores)


def optimism_bootstrap(
    features: ArrayLike,
    outcome: ArrayLike,
    fit: Fit,
    *,
    event: str | None = None,
    metric: Callable[[Floats, Floats], float] = auc_of,
    no_information: float = 0.5,
    correction: Correction = "harrell",
    patient: ArrayLike | None = None,
    n_resamples: int = 200,
    seed: int = 0,
    level: float = 0.95,
    name: str = "auc",
) -> Estimate:
    """Correct an apparent performance for optimism by the bootstrap.

    Parameters
    ----------
    features : array-like, shape (n, k)
        Without missing values, or with missing values that `fit` deals with.
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    fit : callable
        (features, outcome) -> predictor, which maps features to scores. It must hold every step
        that looks at the outcome: selection, tuning, thresholds; else the correction is too small.
        One that has ``of_resamples``, as `RidgeLogistic`, is asked for all resamples together.
    metric : callable
        (outcome, scores) -> number, larger is better; AUC by default.
    no_information : float
        What the metric gives to useless scores; needed for ``"632+"``.
    correction : {"harrell", "632+"}
        Apparent minus mean optimism; or Efron and Tibshirani's weighting of the apparent and the
        left-out performance.
    patient : array-like, shape (n,), optional
        Resampled instead of rows.
    n_resamples : int
    seed : int
    level : float
    name : str

    Returns
    -------
    Estimate
        The corrected figure; the interval is the percentile interval of the resamples' apparent
        performance, shifted by the optimism (Noma 2021). ``extra`` holds ``apparent``,
        ``optimism``, ``left_out`` and ``n_redrawn``.

    References
    ----------
    Harrell FE, Lee KL, Mark DB. Stat Med 1996;15:361.
    Efron B, Tibshirani R. Improvements on cross-validation: the .632+ bootstrap. J Am Stat Assoc
    1997;92:548, equations 24 to 32.
    Noma H et al. Confidence intervals of prediction accuracy measures. Stat Med 2021;40:5691.

    Examples
    --------
    A model that learns each patient by heart looks perfect and is worth nothing:

    >>> rng = np.random.default_rng(0)
    >>> x, y = np.arange(60.0)[:, None], rng.permutation(np.repeat([0.0, 1.0], 30))
    >>> def by_heart(x, y):
    ...     known = dict(zip(x[:, 0], y))
    ...     return lambda new: np.array([known.get(v, 0.5) for v in new[:, 0]])
    >>> e = optimism_bootstrap(x, y, by_heart, correction="632+", n_resamples=50)
    >>> e.extra["apparent"], round(e.value, 2)
    (1.0, 0.5)
    """
    checked_level(level)
    matrix, labels, codes = _checked(features, binary_labels(outcome, event), patient)
    rows_of = _rows_of(codes)
    apparent = float(metric(labels, fit(matrix, labels)(matrix)))
    rng = np.random.default_rng(seed)
    draws, n_redrawn = [], 0
    for _ in range(n_resamples):
        rows, redrawn = _draw(labels, rows_of, rng)
        n_redrawn += redrawn
        draws.append(rows)
    resamples = []
    together = _fitted_together(matrix, labels, draws, fit)
    for place, rows in enumerate(draws):
        tell("resamples", place, n_resamples)
        scores = fit(matrix[rows], labels[rows])(matrix) if together is None else together[place]
        resamples.append(_evaluate(labels, rows, scores, metric))
    left_out = [outside for _, _, outside in resamples if outside is not None]
    if not left_out:
        raise DataError("optimism: expected resamples that leave patients out, found none")
    on_resample, on_all, _ = zip(*resamples, strict=True)
    optimism = float(np.mean(np.subtract(on_resample, on_all)))
    outside = float(np.mean(left_out))
    corrected = (
        apparent - optimism
        if correction == "harrell"
        else _point_632_plus(apparent, outside, no_information)
    )
    low, high = np.quantile(on_resample, [0.5 - level / 2, 0.5 + level / 2])
    shift = corrected - apparent
    label = "Harrell's optimism bootstrap" if correction == "harrell" else ".632+ bootstrap"
    return Estimate(
        f"optimism_corrected_{name}",
        corrected,
        float(low + shift),
        float(high + shift),
        level,
        f"{label}, {n_resamples} resamples",
        n=int(labels.size),
        unit="row",
        n_patients=None if patient is None else len(rows_of),
        seed=seed,
        extra={
            "apparent": apparent,
            "optimism": optimism,
            "left_out": outside,
            "n_redrawn": float(n_redrawn),
        },
    )


def _checked(
    features: ArrayLike, outcome: ArrayLike, patients: ArrayLike | None
) -> tuple[Floats, Floats, Ints]:
    labels = binary_column(outcome, "outcome")
    matrix = np.asarray(features, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != labels.size or np.isnan(labels).any():
        raise DataError(
            f"optimism: expected features for {labels.size} known outcomes, found shape "
            f"{matrix.shape} and {int(np.isnan(labels).sum())} missing; drop the incomplete rows",
            code="mismatch",
        )
    require_both_classes(labels == 1)
    codes = (
        np.arange(labels.size, dtype=np.int64)
        if patients is None
        else group_codes(patients, "patients")
    )
    if (codes < 0).any():
        raise DataError("optimism: expected a patient in every row, found a missing one")
    return matrix, labels, codes


def _rows_of(codes: Ints) -> list[Ints]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _draw(labels: Floats, rows_of: list[Ints], rng: np.random.Generator) -> tuple[Ints, int]:
    """Draw patients with replacement; redraw a sample of one class, which fits nothing."""
    for redrawn in range(MAX_REDRAWS):
        chosen = rng.integers(len(rows_of), size=len(rows_of))
        rows = np.concatenate([rows_of[index] for index in chosen])
        if 0 < labels[rows].sum() < rows.size:
            return rows, redrawn
    raise DataError(
        f"optimism: expected resamples of two classes, found one class {MAX_REDRAWS} times in a "
        "row; there are too few events to resample"
    )


def _fitted_together(matrix: Floats, labels: Floats, draws: list[Ints], fit: Fit) -> Floats | None:
    """Return everybody's scores by the fit of each resample; None where each is fitted alone.

    Resamples of patients differ in their number of rows.
    """
    if not isinstance(fit, FitsMany) or len({rows.size for rows in draws}) != 1:
        return None
    return fit.of_resamples(matrix, labels, np.stack(draws))


def _evaluate(
    labels: Floats, rows: Ints, everybody: Floats, metric: Callable[[Floats, Floats], float]
) -> tuple[float, float, float | None]:
    """Return the metric on the resample, on everybody, and on those left out if of both classes."""
    outside = np.setdiff1d(np.arange(labels.size), rows)
    both = 0 < labels[outside].sum() < outside.size
    return (
        float(metric(labels[rows], everybody[rows])),
        float(metric(labels, everybody)),
        float(metric(labels[outside], everybody[outside])) if both else None,
    )


def _point_632_plus(apparent: float, outside: float, no_information: float) -> float:
    """Weigh by the relative overfitting rate; all in terms of 1 - metric."""
    error, error_out, gamma = 1 - apparent, 1 - outside, 1 - no_information
    error_out = min(error_out, gamma)
    overfit = (error_out - error) / (gamma - error) if error < error_out and error < gamma else 0.0
    weight = 0.632 / (1 - 0.368 * overfit)
    return 1 - ((1 - weight) * error + weight * error_out)


# Logistic ridge regressions of many resamples at once, each by Newton's method.

Columns = Callable[[Floats, Floats], Ints]

LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 in 64 bits."""
_FLOATS_AT_ONCE = 2**24


@dataclass(frozen=True)
class RidgeLogistic:
    """A logistic ridge regression on standardised columns, for `optimism_bootstrap`.

    Called with features and outcome it is one fit, as that function's `fit`; there it is asked for
    all resamples together, which costs a hundredth of fitting them one by one.

    Attributes
    ----------
    c : float
        Weight of the likelihood beside half the squared coefficients of the standardised columns;
        the intercept is not penalised. As the ``C`` of scikit-learn.
    columns : callable, optional
        (features of shape (r, n, k), outcomes of shape (r, n)) -> which columns enter each of the r
        fits, shape (r, k'); all without it. It may look at the outcome: it is asked anew in every
        resample.

    Notes
    -----
    A missing value becomes the column's median in the resample. A column that does not vary there
    has no coefficient. The maximum is the exact one, where an iterative solver stops near it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 3))
    >>> y = (x[:, 0] + rng.normal(size=60) > 0) * 1.0
    >>> predict = RidgeLogistic(c=1.0)(x, y)
    >>> predict(x).shape, bool(predict(x)[y == 1].mean() > predict(x)[y == 0].mean() + 0.2)
    ((60,), True)
    """

    c: float = 1.0
    columns: Columns | None = None

    def __call__(self, features: Floats, outcome: Floats) -> Callable[[Floats], Floats]:
        """Fit once, and return what maps features to probabilities."""
        fitted = self._fit(features[None], outcome[None])
        return lambda new: fitted.probabilities(new)[0]

    def of_resamples(self, features: Floats, outcome: Floats, rows: Ints) -> Floats:
        """Fit each resample and score everybody.

        Parameters
        ----------
        features : ndarray, shape (n, k)
        outcome : ndarray of 0 and 1, shape (n,)
        rows : ndarray of int, shape (r, m)
            The rows of each resample.

        Returns
        -------
        ndarray, shape (r, n)
            Probabilities.

        Raises
        ------
        DataError
            If a resample has fewer than two of either outcome, or no column varies in it.
        """
        at_once = max(1, _FLOATS_AT_ONCE // max(1, rows.shape[1] * features.shape[1]))
        parts = [rows[start : start + at_once] for start in range(0, len(rows), at_once)]
        return np.concatenate(
            [self._fit(features[part], outcome[part]).probabilities(features) for part in parts]
        )

    def _fit(self, features: Floats, outcome: Floats) -> _Fitted:
        counts = outcome.sum(axis=1)
        fewest = float(np.minimum(counts, outcome.shape[1] - counts).min())
        if fewest < 2:
            raise DataError(
                f"ridge regression: expected two or more rows of each outcome, found {fewest:.0f}",
                code="too_few",
            )
        chosen = self._chosen(features, outcome)
        used = np.take_along_axis(features, chosen[:, None, :], axis=2)
        medians = _medians(used)
        used = np.where(np.isfinite(used), used, medians[:, None, :])
        varies = np.ptp(used, axis=1) > 0
        if not varies.any(axis=1).all():
            raise DataError("ridge regression: expected a column that varies, found none")
        centre, spread = used.mean(axis=1), used.std(axis=1)
        scale = np.where(varies, spread, np.inf)
        ones = np.ones((*used.shape[:2], 1))
        matrix = np.concatenate([(used - centre[:, None]) / scale[:, None], ones], axis=2)
        ridge = np.append(np.full(used.shape[2], 1 / self.c), 0.0)
        beta = _maximise(matrix, outcome, ridge)
        coefficients = beta[:, :-1] / scale
        intercept = beta[:, -1] - (coefficients * centre).sum(axis=1)
        return _Fitted(chosen, medians, coefficients, intercept)

    def _chosen(self, features: Floats, outcome: Floats) -> Ints:
        if self.columns is not None:
            return self.columns(features, outcome)
        return np.tile(np.arange(features.shape[2]), (len(features), 1))


@dataclass(frozen=True)
class _Fitted:
    """Of r fits: their columns, what stands in for missing values, and their coefficients."""

    chosen: Ints
    medians: Floats
    coefficients: Floats
    intercept: Floats

    def probabilities(self, new: Floats) -> Floats:
        """Return what each fit gives each row, shape (r, n)."""
        values = new.T[self.chosen]  # (r, k', n)
        filled = np.where(np.isfinite(values), values, self.medians[:, :, None])
        log_odds = np.einsum("rk,rkn->rn", self.coefficients, filled) + self.intercept[:, None]
        return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -LARGEST_LOGIT, LARGEST_LOGIT))))


def _medians(used: Floats) -> Floats:
    """Return the medians of the known values, shape (r, k); 0 where none is known."""
    if np.isfinite(used).all():
        return np.asarray(np.median(used, axis=1))
    known = np.asarray(np.isfinite(used).any(axis=1))
    filled = np.where(known[:, None], np.where(np.isfinite(used), used, np.nan), 0.0)
    return np.asarray(np.nanmedian(filled, axis=1))


def _maximise(matrix: Floats, outcome: Floats, ridge: Floats) -> Floats:
    """Return the coefficients with the highest penalised likelihoods, shape (r, k).

    As `cardio_stats.logistic` searches, for many matrices of shape (n, k); those that have arrived
    wait for the others.
    """

    def gain(beta: Floats, which: Ints) -> Floats:
        eta = np.einsum("rnk,rk->rn", matrix[which], beta)
        likelihood = (outcome[which] * eta - np.logaddexp(0.0, eta)).sum(axis=1)
        return np.asarray(likelihood - (ridge * beta**2).sum(axis=1) / 2)

    found = np.zeros((len(matrix), matrix.shape[2]))
    going = np.arange(len(matrix))
    best = gain(found, going)
    flat = np.diag(ridge + 1e-12)
    for _ in range(MAX_STEPS):
        own, beta = matrix[going], found[going]
        probability = 0.5 * (1 + np.tanh(np.einsum("rnk,rk->rn", own, beta) / 2))
        weight = probability * (1 - probability)
        score = np.einsum("rnk,rn->rk", own, outcome[going] - probability) - ridge * beta
        information = np.einsum("rnk,rn,rnl->rkl", own, weight, own, optimize=True) + flat
        step = np.linalg.solve(information, score[..., None])[..., 0]
        arrived = np.asarray((score * step).sum(axis=1) < 1e-10)
        found[going[arrived]] += step[arrived]
        going, own, beta, step = (value[~arrived] for value in (going, own, beta, step))
        if not going.size:
            return found
        moved = np.abs(np.einsum("rnk,rk->rn", own, step)).max(axis=1)
        step *= np.minimum(1.0, MAX_MOVE / np.maximum(moved, MAX_MOVE))[:, None]
        for _ in range(MAX_HALVINGS):
            candidate = gain(beta + step, going)
            worse = np.asarray(candidate < best[going])
            if not worse.any():
                break
            step[worse] /= 2
        better = np.asarray(gain(beta + step, going) >= best[going])
        found[going[better]] += step[better]
        best[going[better]] = gain(found[going[better]], going[better])
        going = going[better]  # others stand where nothing visible is left to be gained
        if not going.size:
            return found
    raise DataError("ridge regression: the likelihood reaches no maximum; take a smaller c")
