"""Logistic regression: unpenalised, with Wald and profile intervals, and Firth under separation.

statsmodels' Logit gives the same coefficients to 1e-15, but neither profile limits nor a test of
separation, which need the search written here anyway; it takes two to three times as
long a fit, and would double the second that `cardio stats univariable` takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.special import chdtrc, chdtri

from cardio_stats._numerics.columns import (
    AS_THEY_STAND,
    Coding,
    Design,
    Predictor,
    collinear,
    design_of,
    require_more_rows,
)
from cardio_stats._numerics.display import BLANK, ResultTable, p_text, ratio_text
from cardio_stats._numerics.intervals import log_likelihood, maximise, normal_quantile, two_sided_p
from cardio_stats._numerics.validate import (
    Bools,
    Floats,
    Ints,
    SampleCount,
    checked_level,
    sample_count,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.splines import CurvedEffects

# Profile-likelihood limits: where the likelihood ratio reaches its critical value.

MAX_WIDENINGS = 60


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A fit on standardised columns; the intercept stands last.

    Attributes
    ----------
    beta : ndarray, shape (k + 1,)
    covariance : ndarray, shape (k + 1, k + 1)
        Inverse Fisher information at the estimate.
    low, high : ndarray, shape (k,)
        Profile-likelihood limits.
    p_value : ndarray, shape (k,)
        Of the likelihood-ratio test.
    """

    beta: Floats
    covariance: Floats
    low: Floats
    high: Floats
    p_value: Floats


def with_limits(
    beta: Floats,
    covariance: Floats,
    maximum: float,
    profile_of: Callable[[int], Callable[[float], float]],
    level: float,
) -> Coefficients:
    """Add limits and tests to a fit of log-likelihood `maximum`, from the profile of each term."""
    low, high, p_value = (np.empty(len(beta) - 1) for _ in range(3))
    for term in range(len(beta) - 1):
        profile, se = profile_of(term), float(np.sqrt(covariance[term, term]))
        low[term], high[term] = profile_limits(profile, float(beta[term]), se, maximum, level)
        p_value[term] = chdtrc(1, max(0.0, 2 * (maximum - profile(0.0))))
    return Coefficients(beta, covariance, low, high, p_value)


def logistic_profile(
    matrix: Floats, outcome: Floats, term: int, fitted: Floats
) -> Callable[[float], float]:
    """Return the profile log-likelihood of the coefficient of column `term` of `matrix`.

    Each point starts from the nearest one that is known, `fitted` being the first, so that it can
    be reached.
    """
    others = np.delete(matrix, term, axis=1)
    held = matrix[:, term]
    known = {float(fitted[term]): np.delete(fitted, term)}

    def profile(coefficient: float) -> float:
        nearest = min(known, key=lambda point: abs(point - coefficient))
        beta, value = maximise(others, outcome, coefficient * held, known[nearest])
        known[float(coefficient)] = beta
        return value

    return profile


def profile_limits(
    profile: Callable[[float], float], estimate: float, se: float, maximum: float, level: float
) -> tuple[float, float]:
    """Return the two coefficients at which twice the drop in likelihood is the chi-square quantile.

    Parameters
    ----------
    profile : callable
        Coefficient -> profile log-likelihood.
    estimate, se : float
        Where the profile has its maximum, and the step in which limits are searched for.
    maximum : float
        Log-likelihood at the estimate.
    level : float

    Raises
    ------
    DataError
        The profile stays above the critical value however far one goes.

    Examples
    --------
    A parabola gives the Wald limits:

    >>> low, high = profile_limits(lambda b: -0.5 * (b - 1) ** 2, 1.0, 1.0, 0.0, 0.95)
    >>> round(low, 3), round(high, 3)
    (-0.96, 2.96)
    """
    allowed = float(chdtri(1, 1 - level)) / 2

    # a point must have one value, wherever the search for it started
    @cache
    def excess(coefficient: float) -> float:
        return maximum - profile(coefficient) - allowed

    return _crossing(excess, estimate, -se), _crossing(excess, estimate, se)


def _crossing(excess: Callable[[float], float], inside: float, step: float) -> float:
    from scipy.optimize import brentq

    for _ in range(MAX_WIDENINGS):
        outside = inside + step
        if excess(outside) > 0:
            return float(brentq(excess, inside, outside, xtol=1e-12, rtol=1e-12))
        inside, step = outside, step * 1.5
    raise DataError(
        "profile likelihood: no limit found, the likelihood stays flat; report the other limit only"
    )


# Firth's logistic regression with profile-penalised limits, and when it is needed.

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


Method = Literal["auto", "ml", "firth"]
IntervalKind = Literal["profile", "wald"]
Scale = Literal["unit", "sd"]

PLAINLY_CURVED = 1e-3
"""Least curvature of the likelihood, in rows, at which its top is one; separated data have 1e-9."""
MAX_EXPONENT = 700.0
"""Beyond this, exp overflows."""


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Coefficients of a logistic regression, whatever way they were found.

    Attributes
    ----------
    target, event : str
    predictors : tuple of Predictor
        How each column of a table enters.
    terms, features : tuple of str
        Labels of the coefficients, and what was asked for that each comes from.
    intercept : float
    coefficients : ndarray, shape (n_terms,)
        Log odds per unit of the column.
    n, n_events, n_dropped : int
    """

    target: str
    event: str
    predictors: tuple[Predictor, ...]
    terms: tuple[str, ...]
    features: tuple[str, ...]
    intercept: float
    coefficients: Floats
    n: int
    n_events: int
    n_dropped: int

    def counted(self, unit: str | None) -> SampleCount:
        """Return the fields of an estimate that describe these rows."""
        return sample_count(self.n, None, unit, self.n_dropped)

    @property
    def coef(self) -> pd.Series[float]:
        """The intercept and the log odds per unit, by term."""
        return pd.Series([self.intercept, *self.coefficients], index=["intercept", *self.terms])

    def predict(self, table: pd.DataFrame) -> Floats:
        """Return the probability of the event for each row of a table, shape (n_rows,).

        Parameters
        ----------
        table : DataFrame
            With the columns that were fitted; a row without one of their values has NaN.

        Raises
        ------
        DataError
            A column that is missing, or holds a level that was not fitted.
        """
        matrix = np.column_stack([predictor.columns(table) for predictor in self.predictors])
        return np.asarray(0.5 * (1 + np.tanh((self.intercept + matrix @ self.coefficients) / 2)))


@dataclass(frozen=True, slots=True)
class LogisticModel(LogisticFit, CurvedEffects):
    """A logistic regression with intervals.

    Attributes
    ----------
    method : {"ml", "firth"}
        Maximum likelihood, or Firth's penalised likelihood.
    covariance : ndarray, shape (n_terms + 1, n_terms + 1)
        Of the coefficients and, last, the intercept.
    log_likelihood, null_log_likelihood : float
        Unpenalised, at the estimate and with the intercept alone.
    odds_ratios : tuple of Estimate
        One a term; ``extra`` holds both kinds of limits and of p-values.
    fitted : ndarray, shape (n,)
        Probabilities on the rows that were fitted.
    rows : ndarray of int, shape (n,)
        Positions of those rows in the table.
    note : str
    """

    method: Literal["ml", "firth"]
    covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    odds_ratios: tuple[Estimate, ...]
    fitted: Floats
    rows: Ints
    note: str
    RATIO: ClassVar[str] = "odds ratio"

    @property
    def se(self) -> Floats:
        """Wald standard errors of the coefficients, shape (n_terms,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance))[:-1])

    def summary(self) -> ResultTable:
        """Return each term's coefficient, standard error, odds ratio and p as a table."""
        rows = zip(self.terms, self.coefficients, self.se, self.odds_ratios, strict=True)
        level = self.odds_ratios[0].level or 0.95
        return ResultTable(
            f"Logistic regression of {self.target} = {self.event}",
            ("Variable", "coefficient", "SE", f"OR ({level * 100:g} % CI)", "p"),
            (
                ("intercept", f"{self.intercept:.4g}", BLANK, BLANK, BLANK),
                *((term, f"{b:.4g}", f"{se:.4g}", ratio_text(ratio), p_text(ratio.p_value))
                  for term, b, se, ratio in rows),
            ),
            (f"{self.n} rows, {self.n_events} events; {self.n_dropped} dropped for missing values. "
             f"{self.odds_ratios[0].method}.", *([self.note] if self.note else [])),
            self.odds_ratios,
        )  # fmt: skip

    @property
    def aic(self) -> float:
        """Akaike's information criterion; unpenalised fits only."""
        if self.method == "firth":
            raise DataError(
                "AIC: expected an unpenalised fit, found Firth's; its likelihood is penalised, "
                "compare models by cross-validation",
                code="unsupported",
            )
        return 2 * (len(self.terms) + 1) - 2 * self.log_likelihood


def fit_logistic(
    table: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    method: Method = "auto",
    interval: IntervalKind = "profile",
    per: Scale = "unit",
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> LogisticModel:
    """Regress a binary outcome on columns of a table.

    Parameters
    ----------
    table : DataFrame
        One row an observation; rows with a missing value are dropped and counted.
    outcome : str
        Column of 0 and 1, or of two values with `event` named.
    features : sequence of str
        Numbers, or categories, of which every level but the reference gets a coefficient.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    method : {"auto", "ml", "firth"}
        "ml" refuses separated data, "firth" always penalises, "auto" takes maximum likelihood
        and falls back on Firth's method under separation, which `note` then says.
    interval : {"profile", "wald"}
        Which limits and p-value the estimates carry; ``extra`` has both.
    per : {"unit", "sd"}
        Odds ratio per unit, or per sample SD on the fitted rows. Two-valued columns stay as they
        are.
    level : float
    unit : str
        What a row is.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

    Returns
    -------
    LogisticModel

    Raises
    ------
    DataError
        A column that is missing, mixed, empty or constant; collinear columns; as many
        coefficients as rows; separation under ``method="ml"`` or ``interval="wald"``.

    Notes
    -----
    No penalty is applied unless Firth's method is named: scikit-learn's default shrinks odds
    ratios towards 1. With fewer than ten rows of the rarer class a coefficient the estimates are
    unstable, which `note` says.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"responder": [1] * 54 + [0] * 21 + [1] * 15 + [0] * 13,
    ...                   "male": [1] * 75 + [0] * 28})
    >>> e = fit_logistic(t, "responder", ["male"], interval="wald").odds_ratios[0]
    >>> round(e.value, 2), round(e.low, 2), round(e.high, 2), round(e.p_value, 3)
    (2.23, 0.91, 5.47, 0.08)
    """
    design = design_of(table, outcome, features, event=event, coding=coding)
    (model,) = fit_scales(design, (per,), method=method, interval=interval, level=level, unit=unit)
    return model


def fit_scales(
    design: Design,
    scales: Sequence[Scale],
    *,
    method: Method = "auto",
    interval: IntervalKind = "profile",
    level: float = 0.95,
    unit: str = "row",
) -> list[LogisticModel]:
    """Fit a design once, and report the odds ratios on each scale; see :func:`fit_logistic`."""
    checked_level(level)
    standard, centre, spread = _standardised(design)
    separated = _separated(standard, design.outcome)
    notes = []
    if separated.any():
        names = ", ".join(np.array(design.terms)[separated])
        verb = "separates" if separated.sum() == 1 else "together separate"
        if method == "ml":
            raise DataError(
                f"logistic regression: {names} {verb} the outcome, so the estimate is infinite "
                "and a likelihood-ratio test meaningless; use Firth's method (method='firth'), as "
                "univariable and multivariable do by themselves",
                code="degenerate",
            )
        if interval == "wald":
            raise DataError(
                f"logistic regression: {names} {verb} the outcome, where Wald intervals are "
                "wrong even after Firth's method; use profile intervals",
                code="degenerate",
            )
        notes.append(f"{names} {verb} the outcome: maximum likelihood is infinite.")
    used: Literal["ml", "firth"] = "firth" if method == "firth" or separated.any() else "ml"
    n_rare = min(design.n_events, design.n - design.n_events)
    if n_rare < 10 * len(design.terms):
        notes.append(
            f"{n_rare / len(design.terms):.1f} rows of the rarer class a coefficient, "
            "fewer than 10: unstable."
        )
    fit = (
        _maximum_likelihood(standard, design, level)
        if used == "ml"
        else fit_firth(standard, design.outcome, level)
    )
    full = np.column_stack([standard, np.ones(design.n)])
    note = " ".join(notes)
    two_valued = [np.unique(column).size == 2 for column in design.matrix.T]
    steps = {"unit": np.ones(len(spread)), "sd": np.where(two_valued, 1.0, spread)}
    odds_ratios = [
        _odds_ratios(design, fit, steps[per] / spread, used, interval, level, unit, note, per)
        for per in scales
    ]
    to_units = np.diag(np.append(1 / spread, 1.0))
    to_units[-1, :-1] = -centre / spread
    model = LogisticModel(
        design.target,
        design.event,
        design.predictors,
        design.terms,
        design.features,
        float(fit.beta[-1] - (fit.beta[:-1] / spread) @ centre),
        fit.beta[:-1] / spread,
        design.n,
        design.n_events,
        design.n_dropped,
        used,
        to_units @ fit.covariance @ to_units.T,
        log_likelihood(full, design.outcome, fit.beta, 0.0),
        maximise(np.ones((design.n, 1)), design.outcome)[1],
        odds_ratios[0],
        0.5 * (1 + np.tanh(full @ fit.beta / 2)),
        design.rows,
        note,
    )
    return [replace(model, odds_ratios=found) for found in odds_ratios]


def _standardised(design: Design) -> tuple[Floats, Floats, Floats]:
    """Centre and scale the columns, so that units do not decide about convergence."""
    require_more_rows("logistic regression", design.n, design.terms)
    centre, spread = design.matrix.mean(axis=0), design.matrix.std(axis=0, ddof=1)
    standard = (design.matrix - centre) / spread
    singular = np.linalg.svd(standard, compute_uv=False)
    if singular[-1] < 1e-9 * singular[0]:
        raise collinear("logistic regression", design.terms)
    return standard, centre, spread


def _information(full: Floats, beta: Floats) -> Floats:
    probability = 0.5 * (1 + np.tanh(full @ beta / 2))
    weighted: Floats = full * (probability * (1 - probability))[:, np.newaxis]
    return weighted.T @ full


def _separated(standard: Floats, outcome: Floats) -> Bools:
    """Say which columns separate the outcome, by a linear program where that is not plain.

    Where the likelihood is level, and curved in every direction, it has its one maximum, and
    nothing is separated; on separated data the curvature is gone before the slope is.
    """
    full = np.column_stack([standard, np.ones(len(standard))])
    try:
        beta, _ = maximise(full, outcome)
    except DataError:
        return separated_terms(standard, outcome)
    information = _information(full, beta)
    slope = full.T @ (outcome - 0.5 * (1 + np.tanh(full @ beta / 2)))
    if (
        np.linalg.eigvalsh(information)[0] > PLAINLY_CURVED
        and float(slope @ np.linalg.solve(information, slope)) < 1e-8
    ):
        return np.zeros(standard.shape[1], dtype=np.bool_)
    return separated_terms(standard, outcome)


def _maximum_likelihood(standard: Floats, design: Design, level: float) -> Coefficients:
    full = np.column_stack([standard, np.ones(design.n)])
    beta, maximum = maximise(full, design.outcome)
    return with_limits(
        beta,
        np.asarray(np.linalg.inv(_information(full, beta)), dtype=np.float64),
        maximum,
        lambda term: logistic_profile(full, design.outcome, term, beta),
        level,
    )


def _odds_ratios(
    design: Design,
    fit: Coefficients,
    factor: Floats,
    used: str,
    interval: IntervalKind,
    level: float,
    unit: str,
    note: str,
    per: Scale,
) -> tuple[Estimate, ...]:
    """Exponentiate; `factor` turns a coefficient per SD into one per reported step."""
    se = np.sqrt(np.diag(fit.covariance))
    z = normal_quantile(level)
    label = "logistic regression" if used == "ml" else "Firth's penalised logistic regression"
    kind = "Wald" if interval == "wald" else "profile likelihood"
    if used == "firth" and interval == "profile":
        kind = "profile penalised likelihood"
    estimates = []
    for index, term in enumerate(design.terms):
        step = factor[index]
        log_or, spread = fit.beta[index] * step, se[index] * step
        profile = (fit.low[index] * step, fit.high[index] * step)
        wald = (log_or - z * spread, log_or + z * spread)
        p = {"wald": two_sided_p(log_or / spread), "profile": float(fit.p_value[index])}
        low, high = wald if interval == "wald" else profile
        estimates.append(
            Estimate(
                f"odds_ratio[{term}]" if per == "unit" else f"odds_ratio_per_sd[{term}]",
                _exp(log_or, term),
                _exp(low, term),
                _exp(high, term),
                level,
                f"{label}, {kind} interval",
                **design.counted(unit),
                p_value=p[interval],
                note=note,
                extra={
                    "coefficient": float(log_or),
                    "se": float(spread),
                    "wald_low": _exp(wald[0], term),
                    "wald_high": _exp(wald[1], term),
                    "p_wald": p["wald"],
                    "profile_low": _exp(profile[0], term),
                    "profile_high": _exp(profile[1], term),
                    "p_likelihood_ratio": p["profile"],
                    "n_events": float(design.n_events),
                    "penalised": float(used == "firth"),
                },
            )
        )
    return tuple(estimates)


def _exp(log_odds: float, term: str) -> float:
    if log_odds > MAX_EXPONENT:
        raise DataError(
            f"odds ratio of {term!r}: expected a number below 1e304, found exp({log_odds:.0f}); a "
            "unit of the column is too large a step, rescale it or ask for per='sd'"
        )
    return math.exp(log_odds)
