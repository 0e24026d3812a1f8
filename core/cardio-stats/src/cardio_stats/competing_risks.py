"""Competing risks: the cumulative incidence of an event, and Fine and Gray's regression of it.

statsmodels' CumIncidenceRight gives the same incidence to 2e-16 and standard errors to 7e-14, but
NaN where everybody who is left has an event, as at the last step of most small cohorts (175 of 295
random ones of 5 to 29 rows); it has neither limits nor the regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cardio_stats._numerics.columns import (
    AS_THEY_STAND,
    Coding,
    Predictor,
    level_labels,
    reference_note,
)
from cardio_stats._numerics.display import ResultTable, p_text, ratio_text
from cardio_stats._numerics.intervals import normal_quantile
from cardio_stats._numerics.validate import Bools, Floats, checked_level
from cardio_stats.cox import design_of_follow_up, fit_cox, hazard_ratio, require_others
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.splines import CurvedEffects
from cardio_stats.survival import FollowUp, SurvivalCurve, by_group, follow_up_of, log_log_limits

MAX_STEPS, MAX_HALVINGS = 50, 30


@dataclass(frozen=True, slots=True)
class Competing:
    """Who was followed how long, to the event, to one that makes it impossible, or to neither.

    Attributes
    ----------
    follow_up : FollowUp
        With the event of interest.
    competed : ndarray of bool, shape (n,)
        True where the time ends with a competing event.
    """

    follow_up: FollowUp
    competed: Bools

    @classmethod
    def of(
        cls, table: pd.DataFrame, time: str, event: str, competing: Sequence[str | int]
    ) -> Competing:
        """Read them from a table.

        Parameters
        ----------
        table : DataFrame
        time, event : str
            As for :func:`~cardio_stats.survival.follow_up_of`, with the value that counts:
            ``status=1``.
        competing : sequence of str or int
            Values of the same column that make the event impossible; all others are censored.

        Raises
        ------
        DataError
            A value that does not occur, or is the event itself; no event.
        """
        follow_up = follow_up_of(table, time, event)
        column, _, value = follow_up.label.rpartition(" = ")
        rows, found = level_labels(table, column)
        wanted = [str(item) for item in competing]
        for name in wanted:
            if name not in found or name == value:
                raise DataError(
                    f"column {column!r}: competing event {name!r} "
                    f"{'is the event itself' if name == value else 'does not occur'}; found "
                    f"{', '.join(found[:5])}"
                )
        competed = np.isin(rows[follow_up.rows].astype(str), wanted)
        note = f"Competing: {int(competed.sum())} with {column} = {', '.join(wanted)}."
        return cls(replace(follow_up, note=note), np.asarray(competed))

    def part(self, keep: Bools) -> Competing:
        """Return these rows alone."""
        return Competing(self.follow_up.part(keep), self.competed[keep])


@dataclass(frozen=True, slots=True)
class IncidenceCurve:
    """Cumulative incidence: a step at each time of an event.

    Attributes
    ----------
    label : str
        The group; empty for everybody.
    time, incidence, low, high, se : ndarray, shape (n_times,)
        Incidence from that time on, its pointwise limits and standard error.
    follow_up : FollowUp
    level : float
    """

    label: str
    time: Floats
    incidence: Floats
    low: Floats
    high: Floats
    se: Floats
    follow_up: FollowUp
    level: float

    @classmethod
    def of(cls, found: Competing, *, label: str = "", level: float = 0.95) -> IncidenceCurve:
        """Estimate the curve; see :func:`cumulative_incidence`."""
        z = normal_quantile(checked_level(level))
        follow_up = found.follow_up
        either = follow_up.event | found.competed
        moments = np.unique(follow_up.time[either])
        at_risk = follow_up.time.size - np.searchsorted(np.sort(follow_up.time), moments, "left")
        own, any_ = (
            np.histogram(follow_up.time[of], np.append(moments, np.inf))[0].astype(np.float64)
            for of in (follow_up.event, either)
        )
        after = np.cumprod(1 - any_ / at_risk)
        before = np.concatenate([[1.0], after[:-1]])
        incidence = np.cumsum(before * own / at_risk)
        se = np.sqrt(_variance(incidence, before, own, any_, at_risk.astype(np.float64)))
        limits = log_log_limits(incidence, se, z, 0.0)
        return cls(label, moments, incidence, *limits, se, follow_up, level)

    def at(self, time: float, *, unit: str = "row") -> Estimate:
        """Return the incidence by a time.

        Raises
        ------
        DataError
            Nobody was followed as long.
        """
        longest = float(self.follow_up.time.max())
        if time > longest:
            raise DataError(
                f"incidence by {time:g}: expected a time of at most {longest:g}, the longest "
                "follow-up; choose an earlier one"
            )
        step = int(np.searchsorted(self.time, time, side="right")) - 1
        known = step >= 0 and self.incidence[step] > 0
        named = f"{self.label}, {time:g}" if self.label else f"{time:g}"
        return Estimate(
            f"cumulative_incidence[{named}]",
            float(self.incidence[step]) if step >= 0 else 0.0,
            float(self.low[step]) if known else None,
            float(self.high[step]) if known else None,
            self.level if known else None,
            "Aalen-Johansen, log-log interval",
            extra={"se": float(self.se[step]) if step >= 0 else 0.0,
                   "n_events": float(self.follow_up.n_events)},
            **self.follow_up.counted(unit),
        )  # fmt: skip


def _variance(
    incidence: Floats, before: Floats, own: Floats, any_: Floats, at_risk: Floats
) -> Floats:
    """Return the delta method's variance at each step, from sums over the steps up to it."""
    left = np.where(any_ < at_risk, at_risk - any_, np.inf)
    general = any_ / (at_risk * left)
    mixed = before * own / at_risk**2
    alone = before**2 * own * (at_risk - own) / at_risk**3
    squares = (
        incidence**2 * np.cumsum(general)
        - 2 * incidence * np.cumsum(incidence * general)
        + np.cumsum(incidence**2 * general)
    )
    cross = incidence * np.cumsum(mixed) - np.cumsum(incidence * mixed)
    return np.maximum(squares + np.cumsum(alone) - 2 * cross, 0.0)


@overload
def cumulative_incidence(
    time: ArrayLike, status: ArrayLike, *, event: str | int = ...,
    competing: Sequence[str | int] = ..., level: float = ...,
) -> IncidenceCurve: ...  # fmt: skip
@overload
def cumulative_incidence(
    time: ArrayLike, status: ArrayLike, by: ArrayLike, *, event: str | int = ...,
    competing: Sequence[str | int] = ..., level: float = ...,
) -> list[IncidenceCurve]: ...  # fmt: skip
def cumulative_incidence(
    time: ArrayLike,
    status: ArrayLike,
    by: ArrayLike | None = None,
    *,
    event: str | int = 1,
    competing: Sequence[str | int] = (2,),
    level: float = 0.95,
) -> IncidenceCurve | list[IncidenceCurve]:
    """Estimate the risk of an event over time where others make it impossible.

    Parameters
    ----------
    time : array-like, shape (n,)
        To the event, to a competing one, or to the last that is known.
    status : array-like, shape (n,)
        What the time ends with.
    by : array-like, shape (n,), optional
        The group of each row.
    event : str or int
        The value of `status` whose risk is estimated.
    competing : sequence of str or int
        Values that make the event impossible; all others are censored.
    level : float

    Returns
    -------
    IncidenceCurve, or list of IncidenceCurve
        One a group, where there are groups.

    Raises
    ------
    DataError
        As :func:`~cardio_stats.survival.follow_up_of`; a competing value that does not occur.

    Notes
    -----
    1 less the Kaplan-Meier curve, which takes competing events as censored, is too high for the
    risk: it is that of a world in which they do not happen. Standard errors are the delta method's
    (R: ``survfit(Surv(time, factor(status)) ~ 1)``).

    References
    ----------
    Aalen OO, Johansen S. Scand J Stat 1978;5:141.

    Examples
    --------
    >>> curve = cumulative_incidence([1, 2, 2, 3, 5], [1, 2, 0, 1, 0])
    >>> [round(float(item), 2) for item in curve.incidence]
    [0.2, 0.2, 0.5]
    """
    columns = {"time": time, "status": status} | ({} if by is None else {"by": by})
    table = pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})
    found = Competing.of(table, "time", f"status={event}", competing)
    if by is None:
        return IncidenceCurve.of(found, level=level)
    return incidence_by(table, found, "by", level)


def incidence_by(
    table: pd.DataFrame, found: Competing, groups: str, level: float
) -> list[IncidenceCurve]:
    """Return the curve of each group of a column, in its order."""
    return [
        IncidenceCurve.of(found.part(inside), label=label, level=level)
        for label, inside in by_group(table, found.follow_up, groups)
    ]


METHOD = "Fine-Gray regression, sandwich variance, Wald interval"


@dataclass(frozen=True, slots=True)
class FineGrayModel(CurvedEffects):
    """A regression of the cumulative incidence.

    Attributes
    ----------
    predictors : tuple of Predictor
    terms : tuple of str
    coefficients, centre : ndarray, shape (n_terms,)
        Log ratios of subdistribution hazards per unit, and each column's mean.
    covariance : ndarray, shape (n_terms, n_terms)
    hazard_ratios : tuple of Estimate
        Of the subdistribution, one a term.
    times, hazard : ndarray, shape (n_times,)
        Times of events, and the cumulative subdistribution hazard at the columns' means.
    follow_up : FollowUp
        Of the rows that were fitted.
    """

    predictors: tuple[Predictor, ...]
    terms: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    centre: Floats
    hazard_ratios: tuple[Estimate, ...]
    times: Floats
    hazard: Floats
    follow_up: FollowUp
    RATIO: ClassVar[str] = "subhazard ratio"

    @property
    def coef(self) -> pd.Series[float]:
        """Log subdistribution hazard ratios per unit, by term."""
        return pd.Series(self.coefficients, index=list(self.terms))

    def predict(self, table: pd.DataFrame, time: float) -> Floats:
        """Return the probability of the event by `time` for each row, shape (n_rows,).

        A row without a value has NaN.
        """
        matrix = np.column_stack([predictor.columns(table) for predictor in self.predictors])
        step = int(np.searchsorted(self.times, time, side="right"))
        hazard = float(self.hazard[step - 1]) if step else 0.0
        return np.asarray(-np.expm1(-hazard * np.exp((matrix - self.centre) @ self.coefficients)))

    def summary(self) -> ResultTable:
        """Return each term's subdistribution hazard ratio as a table."""
        level = self.hazard_ratios[0].level or 0.95
        return ResultTable(
            f"Fine-Gray regression of {self.follow_up.label}",
            ("Variable", f"sHR ({level * 100:g} % CI)", "p"),
            tuple((term, ratio_text(ratio), p_text(ratio.p_value))
                  for term, ratio in zip(self.terms, self.hazard_ratios, strict=True)),
            (*self.follow_up.sentences("row"), f"{METHOD}."),
            self.hazard_ratios,
        )  # fmt: skip


def fit_fine_gray(
    table: pd.DataFrame,
    time: str,
    event: str,
    features: Sequence[str],
    *,
    competing: Sequence[str | int] = (2,),
    coding: Coding = AS_THEY_STAND,
    level: float = 0.95,
    unit: str = "row",
) -> FineGrayModel:
    """Regress the cumulative incidence of an event on columns of a table.

    Parameters
    ----------
    table : DataFrame
    time, event : str
        As for :func:`~cardio_stats.survival.follow_up_of`, with the value that counts:
        ``status=1``.
    features, coding, level, unit
        As for :func:`~cardio_stats.cox.fit_cox`.
    competing : sequence of str or int
        Values of the status that make the event impossible; all others are censored.

    Returns
    -------
    FineGrayModel

    Raises
    ------
    DataError
        As `fit_cox`; a competing value that does not occur.

    Notes
    -----
    Who had a competing event stays at risk with the weight G(t)/G(T), the chance of not being
    censored since; Breslow's ties; the variance allows for the estimated G (R: ``cmprsk::crr``). A
    subdistribution hazard ratio says in which direction a column moves the risk; for why, fit the
    cause-specific hazards with `fit_cox` as well.

    References
    ----------
    Fine JP, Gray RJ. J Am Stat Assoc 1999;94:496. Austin PC, Lee DS, Fine JP. Circulation
    2016;133:601.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=300)
    >>> days = np.stack([rng.exponential(np.exp(-x)), rng.exponential(1, 300), np.full(300, 2.0)])
    >>> status = (days.argmin(axis=0) + 1) % 3
    >>> t = pd.DataFrame({"days": days.min(axis=0), "x": x, "status": status})
    >>> model = fit_fine_gray(t, "days", "status=1", ["x"])
    >>> 1.5 < model.hazard_ratios[0].value < 3
    True
    """
    checked_level(level)
    everybody = Competing.of(table, time, event, competing)
    matrix, predictors, retained = design_of_follow_up(table, everybody.follow_up, features, coding)
    require_others(predictors, time, event)
    competed = everybody.competed[np.isin(everybody.follow_up.rows, retained.rows)]
    terms = tuple(term for predictor in predictors for term in predictor.terms)
    centre, spread = matrix.mean(axis=0), matrix.std(axis=0, ddof=1)
    sets = _Sets.of(retained, np.asarray(competed), (matrix - centre) / spread)
    beta = _maximised(sets)
    bread = np.linalg.inv(sets.at(beta)[2])
    influence = sets.influence(beta)
    covariance = bread @ (influence.T @ influence) @ bread / np.outer(spread, spread)
    se = np.sqrt(np.diag(covariance))
    common = Estimate("", 1.0, level=level, method=METHOD,
                      **retained.counted(unit))  # fmt: skip
    return FineGrayModel(
        predictors,
        terms,
        beta / spread,
        covariance,
        centre,
        tuple(
            hazard_ratio(common, f"subhazard_ratio[{term}]", log, error, retained.n_events)
            for term, log, error in zip(terms, beta / spread, se, strict=True)
        ),
        sets.times,
        np.cumsum(sets.deaths / sets.moments(beta)[0]),
        retained,
    )


def _maximised(sets: _Sets) -> Floats:
    beta = np.zeros(sets.matrix.shape[1])
    here, score, information = sets.at(beta)
    for _ in range(MAX_STEPS):
        step = np.linalg.solve(information, score)
        if float(score @ step) < 1e-14:
            return beta + step
        for _ in range(MAX_HALVINGS):
            there = sets.at(beta + step)
            if there[0] >= here:
                break
            step = step / 2
        beta, (here, score, information) = beta + step, there
        if np.abs(beta).max() > 50:
            break
    raise DataError(
        "Fine-Gray regression: expected a maximum, found none, as where a group has no event; "
        "leave a column out, or join groups"
    )


@dataclass(frozen=True, slots=True)
class _Sets:
    """Who is at risk at each event, those who had a competing one with their weights.

    Arrays over rows have the rows' order; those over `times` are over the times of events.
    """

    matrix: Floats
    time: Floats
    event: Bools
    competed: Bools
    uncensored: Floats
    """Share uncensored just before each row's time."""
    times: Floats
    deaths: Floats
    in_view: Floats
    """Share uncensored just before each of `times`."""

    @classmethod
    def of(cls, follow_up: FollowUp, competed: Bools, matrix: Floats) -> _Sets:
        time, event = follow_up.time, follow_up.event
        lost = replace(follow_up, event=~(event | competed))
        curve = SurvivalCurve.of(lost)
        shares = np.concatenate([[1.0], curve.survival])
        times, deaths = np.unique(time[event], return_counts=True)

        def before(at: Floats) -> Floats:
            return shares[np.searchsorted(curve.time, at, side="left")]

        return cls(matrix, time, event, competed, before(time), times, deaths.astype(np.float64),
                   before(times))  # fmt: skip

    def moments(self, beta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the weight at risk at each time, and the sums of columns and of their squares."""
        hazard = np.exp(self.matrix @ beta)
        k = self.matrix.shape[1]
        squares = np.einsum("ni,nj->nij", self.matrix, self.matrix).reshape(-1, k * k)
        rows = np.column_stack([np.ones(hazard.size), self.matrix, squares]) * hazard[:, None]
        still = self._from(rows)
        gone = self._gone(rows, self.times) * self.in_view[:, None]
        total = still + gone
        return total[:, 0], total[:, 1 : k + 1], total[:, k + 1 :].reshape(-1, k, k)

    def _from(self, rows: Floats) -> Floats:
        """Add rows over those whose time is at or after each of `times`."""
        order = np.argsort(self.time, kind="stable")
        later = np.cumsum(rows[order][::-1], axis=0)[::-1]
        first = np.searchsorted(self.time[order], self.times, side="left")
        return np.asarray(later[first])

    def _gone(self, rows: Floats, at: Floats) -> Floats:
        """Add rows over their share uncensored, of those who had a competing event before."""
        own = self.competed
        order = np.argsort(self.time[own], kind="stable")
        added = np.cumsum((rows[own] / self.uncensored[own, None])[order], axis=0)
        added = np.vstack([np.zeros((1, rows.shape[1])), added])
        return np.asarray(added[np.searchsorted(self.time[own][order], at, side="left")])

    def at(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Return the log likelihood, its score and its information."""
        weight, sums, squares = self.moments(beta)
        means = sums / weight[:, None]
        predictor = self.matrix[self.event] @ beta
        value = float(predictor.sum() - self.deaths @ np.log(weight))
        score = self.matrix[self.event].sum(axis=0) - self.deaths @ means
        spread = squares / weight[:, None, None] - np.einsum("ti,tj->tij", means, means)
        return value, score, np.einsum("t,tij->ij", self.deaths, spread)

    def influence(self, beta: Floats) -> Floats:
        """Return each row's part of the score, that through the censoring curve included.

        The η and ψ of Fine and Gray, J Am Stat Assoc 1999;94:496, shape (n, n_terms).
        """
        weight, sums, _ = self.moments(beta)
        means, step = sums / weight[:, None], self.deaths / weight
        hazard = np.exp(self.matrix @ beta)[:, None]

        def added(parts: Floats) -> Floats:
            return np.vstack([np.zeros((1, parts.shape[1])), np.cumsum(parts, axis=0)])

        # of the hazard and of the means, plainly and with the share uncensored, by each time
        rise, drift = added(step[:, None]), added(means * step[:, None])
        held = (step * self.in_view)[:, None]
        rise_in, drift_in = added(held), added(means * held)
        until = np.searchsorted(self.times, self.time, side="right")
        own = np.zeros(self.matrix.shape)
        own[self.event] = self.matrix[self.event] - means[until[self.event] - 1]
        own -= hazard * (self.matrix * rise[until] - drift[until])
        left = self.matrix * (rise_in[-1] - rise_in[until]) - (drift_in[-1] - drift_in[until])
        own -= np.where(self.competed, 1.0, 0.0)[:, None] * hazard * left / self.uncensored[:, None]
        return own + self._through_censoring(hazard, rise_in, drift_in)

    def _through_censoring(self, hazard: Floats, rise_in: Floats, drift_in: Floats) -> Floats:
        lost = ~(self.event | self.competed)
        moments, counts = np.unique(self.time[lost], return_counts=True)
        if not moments.size:
            return np.zeros(self.matrix.shape)
        gone = self._gone(np.column_stack([hazard, self.matrix * hazard]), moments)
        seen = np.searchsorted(self.times, moments, side="left")
        q = gone[:, 1:] * (rise_in[-1] - rise_in[seen]) - gone[:, :1] * (
            drift_in[-1] - drift_in[seen]
        )
        at_risk = self.time.size - np.searchsorted(np.sort(self.time), moments, side="left")
        per_row = q / at_risk[:, None]
        summed = np.vstack(
            [np.zeros((1, q.shape[1])), np.cumsum(per_row * (counts / at_risk)[:, None], axis=0)]
        )
        found = -summed[np.searchsorted(moments, self.time, side="right")]
        found[lost] += per_row[np.searchsorted(moments, self.time[lost])]
        return np.asarray(found)


# Competing risks as they are printed.


def competing_table(
    table: pd.DataFrame,
    time: str,
    event: str,
    competing: Sequence[str],
    *,
    groups: str | None = None,
    at: Sequence[float] = (),
    level: float = 0.95,
    unit: str = "row",
) -> tuple[ResultTable, list[IncidenceCurve]]:
    """Describe the cumulative incidence by group at times.

    Parameters
    ----------
    table, time, event, groups, at, level, unit
        As for :func:`~cardio_stats.survival.survival_table`, `event` with the value that counts.
    competing : sequence of str
        Values of the status that make the event impossible.

    Returns
    -------
    made : ResultTable
    curves : list of IncidenceCurve
    """
    found = Competing.of(table, time, event, competing)
    curves = (
        [IncidenceCurve.of(found, level=level)]
        if groups is None
        else incidence_by(table, found, groups, level)
    )
    estimates = [curve.at(moment, unit=unit) for curve in curves for moment in at]
    by_curve = [estimates[i * len(at) : (i + 1) * len(at)] for i in range(len(curves))]
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Cumulative incidence of {found.follow_up.label}" + (f" by {groups}" if groups else ""),
        (groups or "", "n", "events", *(f"risk by {moment:g} {ci}" for moment in at)),
        tuple(
            (curve.label or "all", f"{curve.follow_up.n}", f"{curve.follow_up.n_events}",
             *(ratio_text(item) if item.low is None else f"{item.value:.3f} ({item.low:.3f} to "
               f"{item.high:.3f})" for item in own))
            for curve, own in zip(curves, by_curve, strict=True)
        ),
        (
            "Aalen-Johansen, log-log intervals.",
            *found.follow_up.sentences(unit),
            *([] if at else ["--at TIMES adds the risk by these times."]),
        ),
        tuple(estimates),
    ), curves  # fmt: skip


def fine_gray_table(
    table: pd.DataFrame,
    time: str,
    event: str,
    features: Sequence[str],
    competing: Sequence[str],
    *,
    coding: Coding = AS_THEY_STAND,
    level: float = 0.95,
    unit: str = "row",
) -> ResultTable:
    """Print subdistribution and cause-specific hazard ratios next to each other.

    Parameters
    ----------
    table, time, event, features, competing, coding, level, unit
        As for :func:`fit_fine_gray`.
    """
    common: dict[str, Any] = {"coding": coding, "level": level, "unit": unit}
    model = fit_fine_gray(table, time, event, features, competing=competing, **common)
    cause = fit_cox(table, time, event, features, **common)
    own = tuple(
        ratio.replace(name=f"cause_specific_{ratio.name}", note="") for ratio in cause.hazard_ratios
    )
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Competing-risks regression of {model.follow_up.label}",
        ("Variable", f"sHR {ci}", "p", f"cause-specific HR {ci}", "p "),
        tuple(
            (term, ratio_text(ratio), p_text(ratio.p_value), ratio_text(other),
             p_text(other.p_value))
            for term, ratio, other in zip(model.terms, model.hazard_ratios, own, strict=True)
        ),
        (
            *model.follow_up.sentences(unit),
            "sHR: Fine and Gray's subdistribution hazard ratio; cause-specific HR: Cox regression "
            "with competing events censored. The first is of the risk, the second of the rate.",
            *reference_note([f"{p.column}={p.levels[0]}" for p in model.predictors if p.levels]),
        ),
        (*model.hazard_ratios, *own),
    )  # fmt: skip
