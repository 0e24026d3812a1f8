"""Optimism: how much of an apparent performance a model owes to the patients it was fitted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.discrimination.pair_counts import midrank_auc
from cardio_core.stats.foundation.validate import (
    Floats,
    Ints,
    binary_column,
    checked_level,
    group_codes,
    require_both_classes,
)
from cardio_core.stats.foundation.watching import tell
from cardio_core.types.estimate import Estimate

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
    metric: Callable[[Floats, Floats], float] = auc_of,
    no_information: float = 0.5,
    correction: Correction = "harrell",
    patients: ArrayLike | None = None,
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
    outcome : array-like of 0 and 1, shape (n,)
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
    patients : array-like, shape (n,), optional
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
    matrix, labels, codes = _checked(features, outcome, patients)
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
        n_patients=None if patients is None else len(rows_of),
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
            f"{matrix.shape} and {int(np.isnan(labels).sum())} missing; drop the incomplete rows"
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
