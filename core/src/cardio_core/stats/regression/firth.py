"""Firth's logistic regression with profile-penalised limits, and when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.newton import log_likelihood
from cardio_core.stats.foundation.validate import Bools, Floats
from cardio_core.stats.regression.profile_likelihood import Coefficients, with_limits

MAX_CLIMB = 12
NO_FIT = (
    "Firth's method: expected a converging fit, found none; take fewer predictors, or a column "
    "less skew (its logarithm)"
)


def separated_terms(matrix: Floats, outcome: Floats) -> Bools:
    """Say for which columns maximum likelihood runs away to infinity.

    Parameters
    ----------
    matrix : ndarray, shape (n, k)
        Standardised columns of full rank, without intercept: the linear program judges
        coefficients against a fixed size, so the columns must be on one scale.
    outcome : ndarray of 0 and 1, shape (n,)

    Returns
    -------
    ndarray of bool, shape (k,)

    References
    ----------
    Konis K. Linear programming algorithms for detecting separated data in binary logistic
    regression models. DPhil thesis, Oxford, 2007.

    Examples
    --------
    >>> import numpy as np
    >>> separated_terms(np.array([[-1.2], [-0.4], [0.4], [1.2]]), np.array([0.0, 0, 1, 1]))
    array([ True])
    """
    from firthmodels import detect_separation

    found = detect_separation(matrix, outcome)
    return ~np.asarray(found.is_finite, dtype=np.bool_)[:-1]


def fit_firth(matrix: Floats, outcome: Floats, level: float) -> Coefficients:
    """Maximise the likelihood times the square root of the information's determinant.

    Parameters
    ----------
    matrix : ndarray, shape (n, k)
        Standardised columns, without intercept.
    outcome : ndarray of 0 and 1, shape (n,)
    level : float
        Coverage of the profile-penalised limits.

    Raises
    ------
    DataError
        The fit does not converge.

    Examples
    --------
    A separated column has a finite coefficient:

    >>> import numpy as np
    >>> fit = fit_firth(np.array([[-1.0], [-1], [1], [1]]), np.array([0.0, 0, 1, 1]), 0.95)
    >>> round(float(fit.beta[0]), 4) == round(float(np.log(5)), 4)  # half an event in each cell
    True

    Notes
    -----
    One search finds the maximum here, under a ridge, and along a profile. Its last digits are those
    of the root of the score equations, by Powell's hybrid method.

    References
    ----------
    Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27.
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression.
    Stat Med 2002;21:2409.
    """
    full = np.column_stack([matrix, np.ones(len(matrix))])
    beta = _polished(full, outcome, firth_with_ridge(full, outcome, np.zeros(full.shape[1])))
    score, information, maximum = _penalised(full, outcome, beta)
    if not np.abs(score).max() < 1e-6:
        raise DataError(NO_FIT)
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    return with_limits(
        beta, covariance, maximum, lambda term: _profile(full, outcome, term, beta), level
    )


def firth_with_ridge(full: Floats, outcome: Floats, ridge: Floats) -> Floats:
    """Return the coefficients of Firth's method under a ridge as well.

    Parameters
    ----------
    full : ndarray, shape (n, k)
        Standardised columns, with the intercept's.
    outcome : ndarray of 0 and 1, shape (n,)
    ridge : ndarray, shape (k,)
        Subtracts ``ridge * beta ** 2 / 2`` of each coefficient, and is part of the information
        whose determinant is Firth's penalty: a column that the ridge holds has no leverage.

    Returns
    -------
    ndarray, shape (k,)

    Raises
    ------
    DataError
        The fit does not converge.

    Examples
    --------
    >>> import numpy as np
    >>> full = np.array([[-1.0, 1], [-1, 1], [1, 1], [1, 1]])
    >>> beta = firth_with_ridge(full, np.array([0.0, 0, 1, 1]), np.array([0.0, 0.0]))
    >>> round(float(beta[0]), 4) == round(float(np.log(5)), 4)  # half an event in each cell
    True
    """
    everywhere = np.ones(full.shape[1], dtype=np.bool_)
    return _highest(full, outcome, np.zeros(full.shape[1]), everywhere, ridge, 1e-5 * len(full))


def _highest(
    full: Floats, outcome: Floats, start: Floats, free: Bools, ridge: Floats, level_enough: float
) -> Floats:
    """Return the coefficients at the top, of which those that are not `free` stay as they are."""
    from scipy.optimize import minimize

    # so that no column's ridge makes the search ill-conditioned
    scale = 1 / np.sqrt(1 + ridge[free] / len(full))

    def beta_of(scaled: Floats) -> Floats:
        beta = start.copy()
        beta[free] = scaled * scale
        return beta

    def negative(scaled: Floats) -> tuple[float, Floats]:
        score, _, value = _penalised(full, outcome, beta_of(scaled), ridge)
        return -value, -score[free] * scale

    found = minimize(negative, start[free] / scale, jac=True, method="BFGS", options={"gtol": 1e-8})
    # "precision loss" stops a search that stands on the top to the last digit
    if not np.abs(found.jac).max(initial=0.0) < level_enough:
        raise DataError(NO_FIT)
    return beta_of(found.x)


def _polished(full: Floats, outcome: Floats, near: Floats) -> Floats:
    """Return the root of Firth's score next to `near`, or `near` where that is no better."""
    from scipy.optimize import root

    def equations(beta: Floats) -> tuple[Floats, Floats]:
        score, information, _ = _penalised(full, outcome, beta)
        return score, -information

    # the information is the derivative but for the penalty's part, which Powell's method adds
    found = root(equations, near, jac=True, method="hybr", options={"xtol": 1e-12})
    score, _, value = _penalised(full, outcome, found.x)
    before, _, reached = _penalised(full, outcome, near)
    better = value >= reached - 1e-9 and np.abs(score).max() <= np.abs(before).max()
    return np.asarray(found.x if better else near, dtype=np.float64)


def _profile(full: Floats, outcome: Floats, term: int, start: Floats) -> Callable[[float], float]:
    """Return the profile of the penalised log-likelihood of one coefficient, from `start`.

    The penalty stays that of all columns, which is why the column cannot become an offset.
    """
    free = np.arange(full.shape[1]) != term
    known = {float(start[term]): start}

    def profile(coefficient: float) -> float:
        near = known[min(known, key=lambda point: abs(point - coefficient))].copy()
        near[term] = coefficient
        beta = _climbed(full, outcome, near, free)
        if beta is None:
            beta = _highest_of_several(full, outcome, near, start, free)
        known[float(coefficient)] = beta
        return _penalised(full, outcome, beta)[2]

    return profile


def _highest_of_several(
    full: Floats, outcome: Floats, near: Floats, best: Floats, free: Bools
) -> Floats:
    """Return the highest top that is found from several places.

    Where several columns tell the classes apart, a profile has tops of which the nearest may be the
    lower one, and limits from it too narrow: one keeps the other coefficients of `best`, another
    stretches all of them with the one that is held.
    """
    held = ~free
    stretched = best * (near[held] / best[held] if best[held] else 1.0)
    tops = []
    for others in (near, stretched, best):
        with suppress(DataError):
            at = np.where(free, others, near)
            tops.append(_highest(full, outcome, at, free, np.zeros(len(best)), 1e-4))
    if not tops:
        raise DataError(NO_FIT)
    return max(tops, key=lambda top: _penalised(full, outcome, top)[2])


def _climbed(full: Floats, outcome: Floats, start: Floats, free: Bools) -> Floats | None:
    """Return the coefficients at the top, by Fisher scoring, or None where it goes astray.

    With many rows the penalty is slight and a few steps arrive, to digits that a search without
    the curvature cannot see.
    """
    beta = start.copy()
    for _ in range(MAX_CLIMB):
        score, information, _ = _penalised(full, outcome, beta)
        if np.abs(score[free]).max(initial=0.0) < 1e-7:
            return beta
        step = np.linalg.solve(information[np.ix_(free, free)], score[free])
        if np.abs(step).max() > 1:
            return None
        beta[free] += step
    return None


def _penalised(
    full: Floats, outcome: Floats, beta: Floats, ridge: Floats | float = 0.0
) -> tuple[Floats, Floats, float]:
    """Return Firth's score, the Fisher information and the penalised log-likelihood."""
    probability = 0.5 * (1 + np.tanh(full @ beta / 2))
    root_weight = np.sqrt(probability * (1 - probability))
    weighted = full * root_weight[:, np.newaxis]
    information = weighted.T @ weighted + np.diag(np.broadcast_to(ridge, beta.shape))
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0:
        return np.zeros(beta.size), np.eye(beta.size), -np.inf
    leverage = np.einsum("ij,ji->i", weighted, np.linalg.solve(information, weighted.T))
    score = full.T @ (outcome - probability + leverage * (0.5 - probability)) - ridge * beta
    value = log_likelihood(full, outcome, beta, 0.0) + log_determinant / 2
    value -= float(np.sum(ridge * beta**2)) / 2
    return score, information, float(value)
