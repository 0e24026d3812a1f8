"""Penalised logistic regression: ridge and lasso, the weight chosen by cross-validation.

The paths of many resamples and folds are followed together, by glmnet's algorithm: they differ in
the weights of the same rows, so that a Newton step of all of them is a product of two matrices. To
validate one model takes two hundred thousand fits, and scikit-learn's solvers (with which, and with
glmnet, the tests compare it) take a millisecond or more for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cardio_stats._numerics.columns import AS_THEY_STAND, Coding, design_of
from cardio_stats._numerics.display import BLANK, ResultTable
from cardio_stats._numerics.validate import Floats, Ints
from cardio_stats.errors import DataError
from cardio_stats.logistic import LogisticFit

Penalty = Literal["ridge", "lasso"]

GRIDS: dict[Penalty, Floats] = {
    "ridge": np.geomspace(100, 1e-3, 50),
    "lasso": np.geomspace(1, 1e-3, 50),
}
"""Weights that are tried, in multiples of the least at which the lasso keeps no column."""
N_FOLDS = 10
MAX_STEPS, MAX_SWEEPS = 100, 2000
ARRIVED = 1e-9
LONGEST_STEP = 4.0
"""In log odds per SD."""
_FLOATS_AT_ONCE = 2**21


@dataclass(frozen=True, slots=True)
class PenalisedModel(LogisticFit):
    """A logistic regression whose coefficients a penalty holds small.

    Attributes
    ----------
    penalty : {"ridge", "lasso"}
    weight : float
        Of the penalty against the mean log-likelihood of a row; glmnet's lambda.
    seed : int or None
        Of the folds by which the weight was chosen; None where it was given.
    """

    penalty: Penalty
    weight: float
    seed: int | None

    def summary(self) -> ResultTable:
        """Return coefficients and odds ratios; a penalised estimate has no valid interval."""
        ratios = [f"{ratio:.3f}" if ratio != 1 else BLANK for ratio in np.exp(self.coefficients)]
        values = zip(self.terms, self.coefficients, ratios, strict=True)
        chosen = "given" if self.seed is None else f"of {N_FOLDS} folds, seed {self.seed}"
        return ResultTable(
            f"{self.penalty.capitalize()} regression of {self.target} = {self.event}",
            ("Variable", "coefficient", "OR per unit"),
            (("intercept", f"{self.intercept:.4g}", BLANK),
             *((term, f"{beta:.4g}", ratio) for term, beta, ratio in values)),
            (
                f"{self.n} rows, {self.n_events} events; {self.n_dropped} dropped for missing "
                "values.",
                f"Weight of the penalty on standardised columns {self.weight:.4g} ({chosen}).",
                "No interval or p: a penalised estimate is biased towards no effect.",
            ),
        )  # fmt: skip


def fit_penalised(
    table: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    *,
    penalty: Penalty = "ridge",
    event: str | None = None,
    weight: float | None = None,
    coding: Coding = AS_THEY_STAND,
    seed: int = 0,
) -> PenalisedModel:
    """Regress a binary outcome on columns, with small coefficients rather than unbiased ones.

    Parameters
    ----------
    table, outcome, features, event, coding
        As for :func:`~cardio_stats.logistic.fit_logistic`.
    penalty : {"ridge", "lasso"}
        Half the sum of squares of the standardised coefficients, or the sum of their sizes, which
        leaves columns out.
    weight : float, optional
        Of the penalty; by default that with the least deviance in ten-fold cross-validation.
    seed : int
        Of the folds.

    Returns
    -------
    PenalisedModel

    Raises
    ------
    DataError
        As `fit_logistic`, separation and collinear columns apart; fewer than ten rows of a class
        where the weight is to be chosen.

    Notes
    -----
    For prediction from many columns and few events. Which columns a lasso keeps changes from sample
    to sample; it is no test of them.
    :func:`~cardio_stats.validated_model.validate_logistic` with this `method` chooses the weight
    again in each resample.

    References
    ----------
    Friedman J, Hastie T, Tibshirani R. J Stat Softw 2010;33(1):1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 4))
    >>> t = pd.DataFrame(x, columns=list("abcd")).assign(
    ...     y=(x[:, 0] + rng.normal(size=200) > 0) * 1)
    >>> model = fit_penalised(t, "y", list("abcd"), penalty="lasso")
    >>> bool(model.coef["a"] > 1 and abs(model.coef["d"]) < 0.2)
    True
    """
    design = design_of(table, outcome, features, event=event, coding=coding)
    centre, spread = design.matrix.mean(axis=0), design.matrix.std(axis=0)
    full = np.column_stack([(design.matrix - centre) / spread, np.ones(design.n)])
    everybody = np.ones((1, design.n))
    if weight is None:
        folds = dealt(design.outcome, seed)
        (beta,), (used,) = chosen_coefficients(full, design.outcome, everybody, penalty, folds)
    else:
        used = weight
        ((beta,),) = coefficients(full, design.outcome, everybody, penalty, [[weight]])
    beta_unit = beta[:-1] / spread
    return PenalisedModel(
        design.target,
        design.event,
        design.predictors,
        design.terms,
        design.features,
        float(beta[-1] - beta_unit @ centre),
        beta_unit,
        design.n,
        design.n_events,
        design.n_dropped,
        penalty,
        float(used),
        seed if weight is None else None,
    )


def dealt(outcome: Floats, seed: int) -> Ints:
    """Deal the rows of each class into folds, shape (n,)."""
    rng = np.random.default_rng(seed)
    fewest = int(min(outcome.sum(), outcome.size - outcome.sum()))
    if fewest < N_FOLDS:
        raise DataError(
            f"penalised regression: expected at least {N_FOLDS} rows of each class to choose the "
            f"weight of the penalty by, found {fewest}; name the weight, or use Firth's method",
            code="too_few",
        )
    order = np.lexsort((rng.random(outcome.size), outcome))
    folds = np.empty(outcome.size, dtype=np.int64)
    folds[order] = np.arange(outcome.size) % N_FOLDS
    return folds


def chosen_coefficients(
    full: Floats, outcome: Floats, weights: Floats, penalty: Penalty, folds: Ints
) -> tuple[Floats, Floats]:
    """Return each problem's coefficients at the weight of least cross-validated deviance.

    Parameters
    ----------
    full : ndarray, shape (n, k + 1)
        Standardised columns and, last, ones.
    outcome : ndarray of 0 and 1, shape (n,)
    weights : ndarray, shape (r, n)
        Of the rows in each problem: how often a resample holds them.
    penalty : {"ridge", "lasso"}
    folds : ndarray of int, shape (n,)
        All copies of a row are in one fold.

    Returns
    -------
    beta : ndarray, shape (r, k + 1)
    weight : ndarray, shape (r,)
    """
    at_once = max(1, _FLOATS_AT_ONCE // (N_FOLDS * outcome.size))
    found = [
        _chosen(full, outcome, weights[start : start + at_once], penalty, folds)
        for start in range(0, len(weights), at_once)
    ]
    return np.concatenate([beta for beta, _ in found]), np.concatenate([w for _, w in found])


def _chosen(
    full: Floats, outcome: Floats, weights: Floats, penalty: Penalty, folds: Ints
) -> tuple[Floats, Floats]:
    total = weights.sum(axis=1, keepdims=True)
    null = outcome - (weights @ outcome)[:, np.newaxis] / total
    pull = np.abs((weights * null) @ full[:, :-1]) / total
    spread = _spread(full, weights)
    pull = np.where(spread > 0, pull / np.maximum(spread, 1e-12), 0.0)
    grid = pull.max(axis=1, keepdims=True) * GRIDS[penalty]
    held = np.unique(folds)
    retained = np.concatenate([weights * (folds != fold) for fold in held])
    paths = coefficients(full, outcome, retained, penalty, np.tile(grid, (held.size, 1)))
    deviance = np.zeros(grid.shape)
    for path, fold in zip(paths.reshape(held.size, *grid.shape, -1), held, strict=True):
        out = folds == fold
        eta = path @ full[out].T  # (r, m, n_out)
        loss = np.logaddexp(0.0, eta) - outcome[out] * eta
        deviance += np.einsum("rmn,rn->rm", loss, weights[:, out])
    best = deviance.argmin(axis=1)
    each = np.arange(len(weights))
    return coefficients(full, outcome, weights, penalty, grid)[each, best], grid[each, best]


def coefficients(
    full: Floats,
    outcome: Floats,
    weights: Floats,
    penalty: Penalty,
    grid: Floats | Sequence[Sequence[float]],
) -> Floats:
    """Follow the coefficients of each problem along its falling weights.

    Parameters
    ----------
    full, outcome, weights, penalty
        As for :func:`chosen_coefficients`.
    grid : ndarray, shape (r, m)
        Weights of the penalty.

    Returns
    -------
    ndarray, shape (r, m, k + 1)
    """
    share = weights / weights.sum(axis=1, keepdims=True)
    spread = _spread(full, weights)
    squares = np.einsum("ni,nj->nij", full, full).reshape(len(full), -1)
    size = full.shape[1]
    beta = np.zeros((len(weights), size))
    found = []
    for hold in np.asarray(grid, dtype=np.float64).T:
        for _ in range(MAX_STEPS):
            probability = 0.5 * (1 + np.tanh(beta @ full.T / 2))
            score = (share * (outcome - probability)) @ full
            curve = (share * probability * (1 - probability)) @ squares
            curve = curve.reshape(-1, size, size) + 1e-12 * np.eye(size)
            pull = np.einsum("rij,rj->ri", curve, beta) + score
            step = _ridge if penalty == "ridge" else _lasso
            moved = step(curve, pull, hold[:, np.newaxis] * spread ** _POWER[penalty], beta) - beta
            length = np.abs(moved).max(axis=1, keepdims=True)
            beta = beta + moved * (LONGEST_STEP / np.maximum(length, LONGEST_STEP))
            if length.max() < ARRIVED:
                break
        else:
            raise DataError(
                "penalised regression: expected a fit that converges, found none; take fewer "
                "columns, or a greater weight of the penalty"
            )
        found.append(beta)
    return np.stack(found, axis=1)


_POWER: dict[Penalty, int] = {"ridge": 2, "lasso": 1}
"""The penalty is of standardised coefficients: the column's SD to this power."""


def _spread(full: Floats, weights: Floats) -> Floats:
    """Return each column's SD in each problem, shape (r, k)."""
    columns, total = full[:, :-1], weights.sum(axis=1, keepdims=True)
    mean = weights @ columns / total
    return np.asarray(np.sqrt(np.maximum(weights @ columns**2 / total - mean**2, 0.0)))


def _ridge(curve: Floats, pull: Floats, hold: Floats, _: Floats) -> Floats:
    penalised = curve.copy()
    inner = np.arange(hold.shape[1])
    penalised[:, inner, inner] += hold
    return np.asarray(np.linalg.solve(penalised, pull[..., np.newaxis])[..., 0])


def _lasso(curve: Floats, pull: Floats, hold: Floats, start: Floats) -> Floats:
    """Minimise the quadratic under the penalty, one coefficient at a time, the intercept free."""
    beta = start.copy()
    hold = np.column_stack([hold, np.zeros(len(hold))])
    for _ in range(MAX_SWEEPS):
        before = beta.copy()
        for j in range(beta.shape[1]):
            own = curve[:, j, j]
            left = pull[:, j] - np.einsum("ri,ri->r", curve[:, j], beta) + own * beta[:, j]
            beta[:, j] = np.sign(left) * np.maximum(np.abs(left) - hold[:, j], 0.0) / own
        if np.abs(beta - before).max() < ARRIVED / 10:
            break
    return beta
