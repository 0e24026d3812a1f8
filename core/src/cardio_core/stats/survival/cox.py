"""Cox's proportional hazards: hazard ratios, their intervals, and whether they are proportional."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.design import AS_THEY_STAND, Coding, terms_of
from cardio_core.stats.foundation.intervals import normal_quantile, two_sided_p
from cardio_core.stats.foundation.validate import Bools, Floats, checked_level, unit_count
from cardio_core.stats.survival.follow_up import FollowUp
from cardio_core.stats.survival.risk_sets import Likelihood, RiskSets
from cardio_core.types.estimate import Estimate

METHOD = "Cox regression, Efron's ties, Wald interval"
MAX_STEPS, MAX_HALVINGS = 50, 30
STILL_MOVING = 1e-3
"""A last step as long as this, in SDs, where nothing is gained any more: the maximum is nowhere."""


@dataclass(frozen=True, slots=True)
class CoxModel:
    """A fitted Cox model.

    Attributes
    ----------
    terms : tuple of str
        A numeric column keeps its name; a category gives ``column=level`` for all levels but the
        first.
    coefficients, se, spread : ndarray, shape (n_terms,)
        Log hazard ratios per unit, their standard errors, and each column's SD.
    score : ndarray, shape (n,)
        Linear predictor of the rows that were fitted, 0 at the columns' means.
    hazard_ratios, hazard_ratios_per_sd : tuple of Estimate
        One a term. A two-valued column has no SD: both are per unit.
    whole : Estimate
        Likelihood-ratio chi-square of all terms together.
    proportional : tuple of Estimate
        Test of proportional hazards of each term and, last, of all of them.
    follow_up : FollowUp
        Of the rows that were fitted.
    note : str
    """

    terms: tuple[str, ...]
    coefficients: Floats
    se: Floats
    spread: Floats
    score: Floats
    hazard_ratios: tuple[Estimate, ...]
    hazard_ratios_per_sd: tuple[Estimate, ...]
    whole: Estimate
    proportional: tuple[Estimate, ...]
    follow_up: FollowUp
    note: str
    likelihood: Likelihood

    def risk(self, time: float) -> Floats:
        """Return each fitted row's probability of the event by `time`, shape (n,)."""
        hazard = self.likelihood.cumulative_hazard(time)
        return np.asarray(-np.expm1(-hazard * np.exp(self.score)))


def fit_cox(
    table: pd.DataFrame,
    follow_up: FollowUp,
    features: Sequence[str],
    *,
    coding: Coding = AS_THEY_STAND,
    level: float = 0.95,
    unit: str = "row",
) -> CoxModel:
    """Regress the hazard on columns of a table.

    Parameters
    ----------
    table : DataFrame
    follow_up : FollowUp
        Of this table.
    features : sequence of str
        Numbers, or text, of which every level but the reference gets a coefficient.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.
    level : float
    unit : str
        What a row is.

    Returns
    -------
    CoxModel
        Of the rows where every column is known.

    Raises
    ------
    DataError
        No column, or one that is missing, constant, or a sum of others; as many coefficients as
        events; a level without events (its hazard ratio would be 0 or infinite).

    Notes
    -----
    The likelihood is maximised here and not by statsmodels' PHReg (with which, and with R's coxph,
    the tests compare it): its coefficients are the same to 2e-15, but the test of proportional
    hazards and the baseline need sums over risk sets, which it keeps to itself, and for 20,000 rows
    whose times all differ it takes 3.9 s where this takes .03 s.

    References
    ----------
    Cox DR. J R Stat Soc B 1972;34:187. Efron B. J Am Stat Assoc 1977;72:557. Grambsch PM, Therneau
    TM. Biometrika 1994;81:515.
    """
    checked_level(level)
    matrix, terms, kept = _design(table, follow_up, features, coding)
    centre, spread = matrix.mean(axis=0), matrix.std(axis=0, ddof=1)
    standard = (matrix - centre) / spread
    _require_fit(standard, terms, kept)
    sets = RiskSets.of(kept.time, kept.event)
    null = Likelihood.at(sets, standard, np.zeros(len(terms))).value
    beta, fit = _maximise(sets, standard, terms)
    se = np.sqrt(np.diag(np.linalg.inv(fit.information())))
    per_event = kept.n_events / len(terms)
    note = ""
    if per_event < 10:
        note = f"{per_event:.1f} events a coefficient, fewer than 10: unstable."
    two_valued = np.array([np.unique(column).size == 2 for column in matrix.T])
    steps = {"unit": 1 / spread, "sd": np.where(two_valued, 1 / spread, 1.0)}
    common = Estimate("", 1.0, level=level, method=METHOD, n_dropped=kept.n_dropped, note=note,
                      **unit_count(kept.n, None, unit))  # fmt: skip
    ratios = {
        per: tuple(
            _ratio(common, f"{name}[{term}]", log, error, kept.n_events)
            for term, log, error in zip(terms, beta * steps[per], se * steps[per], strict=True)
        )
        for per, name in (("unit", "hazard_ratio"), ("sd", "hazard_ratio_per_sd"))
    }
    plain = common.replace(level=None, note="", method="")
    return CoxModel(
        terms,
        beta / spread,
        se / spread,
        spread,
        standard @ beta,
        ratios["unit"],
        ratios["sd"],
        _chi2(plain, "likelihood_ratio_chi2", 2 * (fit.value - null), len(terms),
              "likelihood-ratio test"),
        _proportional(plain, fit, kept, terms),
        kept,
        note,
        fit,
    )  # fmt: skip


def _design(
    table: pd.DataFrame, follow_up: FollowUp, features: Sequence[str], coding: Coding
) -> tuple[Floats, tuple[str, ...], FollowUp]:
    if not features:
        raise DataError("Cox regression: expected at least one column, found none")
    coding.require(features)
    encoded = [terms_of(table, name, coding) for name in features]
    matrix = np.column_stack([columns for columns, _ in encoded])[follow_up.rows]
    known: Bools = np.asarray(~np.isnan(matrix).any(axis=1))
    matrix, kept = matrix[known], follow_up.only(known)
    terms = tuple(term for _, names in encoded for term in names)
    for term, column in zip(terms, matrix.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"predictor {term!r}: expected values that vary, found {column[0]:g} in all "
                f"{kept.n} complete rows; leave it out"
            )
    return matrix, terms, kept


def _require_fit(standard: Floats, terms: Sequence[str], kept: FollowUp) -> None:
    if kept.n_events <= len(terms):
        raise DataError(
            f"Cox regression: expected more events than the {len(terms)} coefficients, found "
            f"{kept.n_events}; take fewer columns"
        )
    for position, term in enumerate(terms):
        if np.linalg.matrix_rank(standard[:, : position + 1]) <= position:
            raise DataError(
                f"predictor {term!r}: expected a column of its own, found a sum of "
                f"{', '.join(terms[:position])}; leave it out"
            )


def _maximise(sets: RiskSets, matrix: Floats, terms: Sequence[str]) -> tuple[Floats, Likelihood]:
    """Climb by Newton's steps, halved where they overshoot."""
    beta = np.zeros(matrix.shape[1])
    here = Likelihood.at(sets, matrix, beta)
    for _ in range(MAX_STEPS):
        score = here.score()
        step = np.linalg.lstsq(here.information(), score, rcond=None)[0]
        if float(score @ step) < 1e-9:
            if float(np.abs(step).max()) > STILL_MOVING:
                break
            beta = beta + step
            return beta, Likelihood.at(sets, matrix, beta)
        for _ in range(MAX_HALVINGS):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                there = Likelihood.at(sets, matrix, beta + step)
            if there.value >= here.value:
                break
            step = step / 2
        beta, here = beta + step, there
    worst = terms[int(np.abs(beta).argmax())]
    raise DataError(
        f"Cox regression: the hazard ratio of {worst!r} is infinite or 0, as where one of its "
        "groups has no event; leave it out, or join groups"
    )


def _ratio(common: Estimate, name: str, log: float, se: float, n_events: int) -> Estimate:
    reach = normal_quantile(common.level or 0.95) * se
    if log + reach > 700:
        raise DataError(
            f"{name}: expected a number below 1e304, found exp({log + reach:.0f}); a unit of the "
            "column is too large a step, rescale it"
        )
    return common.replace(
        name=name,
        value=math.exp(log),
        low=math.exp(log - reach),
        high=math.exp(log + reach),
        p_value=two_sided_p(log / se),
        extra={"coefficient": float(log), "se": float(se), "z": float(log / se),
               "n_events": float(n_events)},
    )  # fmt: skip


def _chi2(common: Estimate, name: str, statistic: float, df: int, method: str) -> Estimate:
    from scipy.stats import chi2

    return common.replace(
        name=name, value=max(0.0, float(statistic)), method=f"{method}, {df} df",
        p_value=float(chi2.sf(statistic, df)), extra={"df": float(df)},
    )  # fmt: skip


def _proportional(
    common: Estimate, fit: Likelihood, kept: FollowUp, terms: Sequence[str]
) -> tuple[Estimate, ...]:
    """Test whether coefficients change with time: the score test of column x (1 - survival).

    Time runs on the scale of 1 - the survival just before each event, as in R's cox.zph.
    """
    from cardio_core.stats.survival.product_limit import kaplan_meier

    curve = kaplan_meier(kept)
    scale = np.concatenate([[0.0], 1 - curve.survival[:-1]])[fit.sets.slot_time]
    scale = scale - scale.mean()
    if not scale.any():
        return ()
    n = len(terms)
    score = np.concatenate([np.zeros(n), fit.score(scale)])
    cross = fit.information(scale)
    whole = np.block([[fit.information(), cross], [cross, fit.information(scale**2)]])
    found = []
    for name, added in [*((term, [n + i]) for i, term in enumerate(terms)),
                        ("all", list(range(n, 2 * n)))]:  # fmt: skip
        used = [*range(n), *added]
        if name == "all" and n == 1:
            continue
        statistic = score[used] @ np.linalg.lstsq(whole[np.ix_(used, used)], score[used])[0]
        found.append(
            _chi2(common, f"proportional_hazards_chi2[{name}]", statistic, len(added),
                  "score test of an effect that changes with 1 - survival")
        )  # fmt: skip
    return tuple(found)
