"""Logistic ridge regressions of many resamples at once, each by Newton's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.newton import MAX_HALVINGS, MAX_MOVE, MAX_STEPS
from cardio_core.stats.foundation.validate import Floats, Ints

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
                f"ridge regression: expected two or more rows of each outcome, found {fewest:.0f}"
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

    As `foundation.newton.maximise`, for many matrices of shape (n, k); those that have arrived
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
        going, own, beta, step = (one[~arrived] for one in (going, own, beta, step))
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
