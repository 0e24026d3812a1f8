"""Logistic regression: unpenalised, with Wald and profile intervals, and Firth under separation.

statsmodels' Logit gives the same coefficients to 1e-15, but neither profile limits nor a test of
separation, which need the search in `foundation/newton.py` anyway; it takes two to three times as
long a fit, and would double the second that `cardio stats univariable` takes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.design import AS_THEY_STAND, Coding, Design, design_of
from cardio_core.stats.foundation.intervals import normal_quantile, two_sided_p
from cardio_core.stats.foundation.newton import log_likelihood, maximise
from cardio_core.stats.foundation.validate import Bools, Floats, Ints, checked_level, unit_count
from cardio_core.stats.regression.firth import fit_firth, separated_terms
from cardio_core.stats.regression.profile_likelihood import (
    Coefficients,
    logistic_profile,
    with_limits,
)
from cardio_core.types.estimate import Estimate

Method = Literal["auto", "ml", "firth"]
IntervalKind = Literal["profile", "wald"]
Scale = Literal["unit", "sd"]

PLAINLY_CURVED = 1e-3
"""Least curvature of the likelihood, in rows, at which its top is one; separated data have 1e-9."""
MAX_EXPONENT = 700.0
"""Beyond this, exp overflows."""


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """A fitted logistic regression.

    Attributes
    ----------
    target, event : str
    terms, features : tuple of str
        Labels of the coefficients, and the column that each comes from.
    method : {"ml", "firth"}
        Maximum likelihood, or Firth's penalised likelihood.
    intercept : float
    coefficients, se : ndarray, shape (n_terms,)
        Log odds per unit of the column, and Wald standard errors.
    log_likelihood, null_log_likelihood : float
        Unpenalised, at the estimate and with the intercept alone.
    odds_ratios : tuple of Estimate
        One a term; ``extra`` holds both kinds of limits and of p-values.
    fitted : ndarray, shape (n,)
        Probabilities on the rows that were fitted.
    rows : ndarray of int, shape (n,)
        Positions of those rows in the table.
    n, n_events, n_dropped : int
    note : str
    """

    target: str
    event: str
    terms: tuple[str, ...]
    features: tuple[str, ...]
    method: Literal["ml", "firth"]
    intercept: float
    coefficients: Floats
    se: Floats
    log_likelihood: float
    null_log_likelihood: float
    odds_ratios: tuple[Estimate, ...]
    fitted: Floats
    rows: Ints
    n: int
    n_events: int
    n_dropped: int
    note: str

    @property
    def aic(self) -> float:
        """Akaike's information criterion; unpenalised fits only."""
        if self.method == "firth":
            raise DataError(
                "AIC: expected an unpenalised fit, found Firth's; its likelihood is penalised, "
                "compare models by cross-validation"
            )
        return 2 * (len(self.terms) + 1) - 2 * self.log_likelihood


def fit_logistic(
    table: pd.DataFrame,
    target: str,
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
    target : str
        Column of 0 and 1, or of two values with `event` named.
    features : sequence of str
        Numbers, or categories, of which every level but the reference gets a coefficient.
    event : str, optional
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
    design = design_of(table, target, features, event=event, coding=coding)
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
                "univariable and multivariable do by themselves"
            )
        if interval == "wald":
            raise DataError(
                f"logistic regression: {names} {verb} the outcome, where Wald intervals are "
                "wrong even after Firth's method; use profile intervals"
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
    model = LogisticModel(
        design.target,
        design.event,
        design.terms,
        design.features,
        used,
        float(fit.beta[-1] - (fit.beta[:-1] / spread) @ centre),
        fit.beta[:-1] / spread,
        np.sqrt(np.diag(fit.covariance))[:-1] / spread,
        log_likelihood(full, design.outcome, fit.beta, 0.0),
        maximise(np.ones((design.n, 1)), design.outcome)[1],
        odds_ratios[0],
        0.5 * (1 + np.tanh(full @ fit.beta / 2)),
        design.rows,
        design.n,
        design.n_events,
        design.n_dropped,
        note,
    )
    return [replace(model, odds_ratios=found) for found in odds_ratios]


def _standardised(design: Design) -> tuple[Floats, Floats, Floats]:
    """Centre and scale the columns, so that units do not decide about convergence."""
    if design.n <= len(design.terms) + 1:
        raise DataError(
            f"logistic regression: expected more rows than the {len(design.terms) + 1} "
            f"coefficients, found {design.n}; take fewer predictors"
        )
    centre, spread = design.matrix.mean(axis=0), design.matrix.std(axis=0, ddof=1)
    standard = (design.matrix - centre) / spread
    singular = np.linalg.svd(standard, compute_uv=False)
    if singular[-1] < 1e-9 * singular[0]:
        raise DataError(
            "logistic regression: expected predictors that are not sums of each other, found "
            f"collinear ones among {', '.join(design.terms)}; leave one out"
        )
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
                **unit_count(design.n, None, unit),
                p_value=p[interval],
                n_dropped=design.n_dropped,
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
