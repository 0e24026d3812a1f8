"""Firth's logistic regression with profile-penalised limits, and when it is needed."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.newton import log_likelihood
from cardio_core.stats.foundation.validate import Bools, Floats
from cardio_core.stats.regression.profile_likelihood import Coefficients, with_limits

TOLERANCE = 1e-5
MAX_STEPS = 500
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
    firthmodels finds the maximum. Its Newton steps use the unpenalised information and close in
    only linearly, by thousands of halved steps in the last digits, so the score equations are then
    solved from there by Powell's hybrid method. Limits and tests are ours: the Venzon-Moolgavkar
    search of firthmodels does not converge on completely separated data, where a root of the
    profile always exists.

    References
    ----------
    Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27.
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression.
    Stat Med 2002;21:2409.
    """
    from firthmodels import FirthLogisticRegression

    model = FirthLogisticRegression(
        backend="numpy", gtol=TOLERANCE, xtol=TOLERANCE, max_iter=MAX_STEPS, max_halfstep=50
    )
    with warnings.catch_warnings():
        # a fit that did not converge is refused below
        warnings.simplefilter("ignore")
        try:
            model.fit(matrix, outcome)
        except (ValueError, np.linalg.LinAlgError):
            raise DataError(NO_FIT) from None
    full = np.column_stack([matrix, np.ones(len(matrix))])
    beta = _polished(full, outcome, np.append(model.coef_, model.intercept_))
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
    from scipy.optimize import minimize

    # so that no column's ridge makes the search ill-conditioned
    scale = 1 / np.sqrt(1 + ridge / len(full))

    def negative(scaled: Floats) -> tuple[float, Floats]:
        score, _, value = _penalised(full, outcome, scaled * scale, ridge)
        return -value, -score * scale

    found = minimize(
        negative, np.zeros(full.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-8}
    )
    # "precision loss" stops a search that stands on the top to the last digit
    if not np.abs(found.jac).max() < 1e-5 * len(full):
        raise DataError(NO_FIT)
    return np.asarray(found.x * scale, dtype=np.float64)


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
    from scipy.optimize import minimize

    free = np.arange(full.shape[1]) != term
    known = {float(start[term]): start[free]}

    def profile(coefficient: float) -> float:
        def negative(others: Floats) -> tuple[float, Floats]:
            beta = np.insert(others, term, coefficient)
            score, _, value = _penalised(full, outcome, beta)
            return -value, -score[free]

        nearest = known[min(known, key=lambda point: abs(point - coefficient))]
        others = _climbed(full, outcome, term, coefficient, nearest)
        if others is None:
            found = minimize(negative, nearest, jac=True, method="BFGS", options={"gtol": 1e-7})
            # "precision loss" stops a search that stands on the top to the last digit
            if not np.abs(found.jac).max(initial=0.0) < 1e-4:
                raise DataError(NO_FIT)
            others = np.asarray(found.x, dtype=np.float64)
        known[float(coefficient)] = others
        return -negative(others)[0]

    return profile


def _climbed(
    full: Floats, outcome: Floats, term: int, coefficient: float, start: Floats
) -> Floats | None:
    """Return the other coefficients at the top, by Fisher scoring, or None where it goes astray.

    With many rows the penalty is slight and a few steps arrive, to digits that a search without
    the curvature cannot see.
    """
    free = np.arange(full.shape[1]) != term
    others = start
    for _ in range(MAX_CLIMB):
        score, information, _ = _penalised(full, outcome, np.insert(others, term, coefficient))
        if np.abs(score[free]).max(initial=0.0) < 1e-7:
            return others
        step = np.linalg.solve(information[np.ix_(free, free)], score[free])
        if np.abs(step).max() > 1:
            return None
        others = others + step
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
