"""Survival over time after Kaplan and Meier, by group, with the log-rank test.

statsmodels' SurvfuncRight gives the same shares and standard errors to 1e-15, and survdiff the same
p; of a restricted mean and of the log-log limits that R's survfit prints it has neither.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from cardio_stats._numerics.columns import level_labels, numbers
from cardio_stats._numerics.display import BLANK, ResultTable, interval_text, number_text, p_text
from cardio_stats._numerics.intervals import (
    independent_difference,
    normal_quantile,
    wald_limits,
)
from cardio_stats._numerics.validate import (
    Bools,
    Floats,
    Ints,
    SampleCount,
    checked_level,
    same_length,
    sample_count,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

Labels = np.ndarray[tuple[int], np.dtype[np.object_]]

# Times and events of a table, checked: who was followed how long, and to what end.


@dataclass(frozen=True, slots=True)
class FollowUp:
    """How long each was followed, and whether that ended with the event.

    Attributes
    ----------
    time : ndarray, shape (n,)
        At least 0, in the unit of the table.
    event : ndarray of bool, shape (n,)
        False where the time is censored: the event had not happened by then.
    rows : ndarray of int, shape (n,)
        Positions in the table.
    n_dropped : int
        Rows without a time or an event, and those that :meth:`only` left out.
    label : str
        The event in words: ``"status = 2"``.
    note : str
        What to know about the event; empty without.
    """

    time: Floats
    event: Bools
    rows: Ints
    n_dropped: int
    label: str
    note: str = ""

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.time.size)

    @property
    def n_events(self) -> int:
        """Number of rows that end with the event."""
        return int(np.count_nonzero(self.event))

    def counted(self, unit: str | None) -> SampleCount:
        """Return the fields of an estimate that describe these rows."""
        return sample_count(self.n, None, unit, self.n_dropped)

    def sentences(self, unit: str) -> list[str]:
        """Say how many were followed, and what to know about the event."""
        dropped = f" {self.n_dropped} dropped for missing values." if self.n_dropped else ""
        return [
            f"{self.n} {unit}s, {self.n_events} events.{dropped}",
            *([self.note] if self.note else []),
        ]

    def part(self, keep: Bools) -> FollowUp:
        """Return one group, which may have no event; the others do not count as dropped."""
        return replace(self, time=self.time[keep], event=self.event[keep], rows=self.rows[keep])

    def only(self, keep: Bools) -> FollowUp:
        """Return these rows alone; the others count as dropped.

        Raises
        ------
        DataError
            No event among them.
        """
        n_left = int(np.count_nonzero(~keep))
        retained = replace(self.part(keep), n_dropped=self.n_dropped + n_left)
        if retained.n_events == 0:
            raise DataError(
                f"{self.label}: expected events among the {retained.n} complete rows, found none "
                f"({n_left} more rows miss a value)"
            )
        return retained


def follow_up_of(table: pd.DataFrame, time: str, event: str) -> FollowUp:
    """Read times and events from two columns of a table.

    Parameters
    ----------
    table : DataFrame
    time : str
        Column of the time to the event, or to the last that is known.
    event : str
        Column of 1 (the event happened at that time) and 0 (censored), or ``column=value`` for
        the value that counts, as ``status=2``: all other values are then censored.

    Returns
    -------
    FollowUp
        Of the rows where both are known.

    Raises
    ------
    DataError
        A column that is missing; text among the times; a time below 0; an event that does not
        occur, or of more than two values without one being named.

    Examples
    --------
    >>> table = pd.DataFrame({"days": [5, 8, 8, 12], "status": [1, 0, 1, 0]})
    >>> found = follow_up_of(table, "days", "status")
    >>> found.n, found.n_events
    (4, 2)
    """
    column, value = _column_and_value(table, event)
    if column == time:
        raise DataError(f"column {time!r}: is both time and event; choose another event")
    times = numbers(table, time)
    happened, label, note = _happened(table, column, value)
    below = np.flatnonzero(times < 0)
    if below.size:
        raise DataError(
            f"column {time!r}: expected times of 0 or more, found {times[below[0]]:g} in data row "
            f"{below[0] + 1}"
            + (f" and {below.size - 1} more" if below.size > 1 else "")
            + "; correct them, or leave these rows out"
        )
    known = ~(np.isnan(times) | np.isnan(happened))
    found = FollowUp(
        times[known],
        happened[known] == 1,
        np.flatnonzero(known).astype(np.int64),
        int(np.count_nonzero(~known)),
        label,
        note,
    )
    if found.n_events == 0:
        raise DataError(
            f"{label}: expected events with a known time, found none among {found.n} rows "
            f"({found.n_dropped} without time or event)"
        )
    return found


def _column_and_value(table: pd.DataFrame, event: str) -> tuple[str, str | None]:
    """Part ``status=2``, unless a column bears that whole name."""
    if event in table.columns or "=" not in event:
        return event, None
    column, _, value = event.rpartition("=")
    return column.strip(), value.strip()


def _happened(table: pd.DataFrame, name: str, value: str | None) -> tuple[Floats, str, str]:
    """Return 1, 0 and NaN, the event in words, and what to know about it."""
    labels, found = level_labels(table, name)
    if not found:
        raise DataError(f"column {name!r}: expected events, found all values missing")
    if value is None:
        if len(found) > 2 or not set(found) <= {"0", "1"}:
            some = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
            raise DataError(
                f"column {name!r}: expected 0 (censored) and 1 (event), found {some}; say which "
                f"value is the event, for example {name}={found[-1]}"
            )
        value = "1"
    else:
        value = _as_written(value, found)
    if value not in found:
        raise DataError(
            f"column {name!r}: event {value!r} does not occur; found {', '.join(found[:5])}"
        )
    others = [label for label in found if label != value]
    happened = np.where(labels == "", np.nan, (labels == value).astype(float))
    note = ""
    if len(others) > 1:
        counts = ", ".join(f"{label}: {int((labels == label).sum())}" for label in others)
        note = (
            f"{name} has other values than {value} ({counts}), all taken as censored. If one of "
            "them makes the event impossible (death before it), it is a competing event, and "
            "1 - survival is too high for the risk: name it with --competing "
            "(cumulative_incidence)."
        )
    return happened, f"{name} = {value}", note


def _as_written(value: str, found: list[str]) -> str:
    """Return 2.0 as 2, where the column holds it so."""
    if value in found:
        return value
    try:
        return f"{float(value):.15g}"
    except ValueError:
        return value


def log_log_limits(share: Floats, se: Floats, z: float, at_ends: float) -> tuple[Floats, Floats]:
    """Return limits on the scale of log(-log share), `at_ends` where a share is 0 or 1."""
    low, high = np.full(share.shape, at_ends), np.full(share.shape, at_ends)
    inside = (share > 0) & (share < 1)
    reach = z * se[inside] / (share[inside] * np.log(share[inside]))
    low[inside], high[inside] = (share[inside] ** np.exp(sign * reach) for sign in (-1, 1))
    return low, high


METHOD = "Kaplan-Meier, log-log interval of Greenwood's variance"
_SAME = 1e-9
"""How near one half a product of fractions counts as one half."""


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A survival curve: a step at each time at which an event happened.

    Attributes
    ----------
    label : str
        The group; empty for everybody.
    time, survival, low, high : ndarray, shape (n_times,)
        Survival from that time on, and its pointwise limits; NaN where survival is 0.
    se : ndarray, shape (n_times,)
        Greenwood's standard error of survival.
    follow_up : FollowUp
        Who was followed.
    level : float
    """

    label: str
    time: Floats
    survival: Floats
    low: Floats
    high: Floats
    se: Floats
    follow_up: FollowUp
    level: float

    @classmethod
    def of(cls, follow_up: FollowUp, *, label: str = "", level: float = 0.95) -> SurvivalCurve:
        """Estimate the curve; see :func:`kaplan_meier`."""
        z = normal_quantile(checked_level(level))
        moments = np.unique(follow_up.time[follow_up.event])
        died, at_risk = _counts(follow_up.time, follow_up.event, moments)
        survival: Floats = np.cumprod(1 - died / at_risk, dtype=np.float64)
        left = np.where(died < at_risk, at_risk - died, np.inf)  # where none is, survival is 0
        error = survival * np.sqrt(np.cumsum(died / (at_risk * left)))  # Greenwood
        limits = log_log_limits(survival, error, z, np.nan)
        return cls(label, moments, survival, *limits, error, follow_up, level)

    def at_risk(self, time: float) -> int:
        """Return how many are followed to `time` or beyond."""
        return int(np.count_nonzero(self.follow_up.time >= time))

    def at(self, time: float, *, unit: str = "row") -> Estimate:
        """Return survival at a time.

        Raises
        ------
        DataError
            Nobody was followed as long, and survival is not 0 yet.
        """
        step = int(np.searchsorted(self.time, time, side="right")) - 1
        value = 1.0 if step < 0 else float(self.survival[step])
        longest = float(self.follow_up.time.max())
        if time > longest and value > 0:
            raise DataError(
                f"{self.label or 'survival'} at {time:g}: expected a time of at most {longest:g}, "
                "the longest follow-up; choose an earlier one",
                code="too_large",
            )
        known = step >= 0 and not math.isnan(self.low[step])
        return self._estimate(
            f"survival[{self._named(f'{time:g}')}]",
            value,
            float(self.low[step]) if known else None,
            float(self.high[step]) if known else None,
            unit,
            {
                "n_at_risk": float(self.at_risk(time)),
                "se": 0.0 if step < 0 else float(self.se[step]),
            },
        )

    def median(self, *, unit: str = "row") -> Estimate | None:
        """Return the time by which half had the event, None where more than half never had it.

        The limits are the times at which those of the curve pass one half (Brookmeyer, Crowley,
        Biometrics 1982;38:29). A limit that is never passed is None.
        """
        value, low, high = self.half_times()
        if value is None:
            return None
        return self._estimate(f"median[{self.label}]" if self.label else "median", value, low,
                              high, unit, {})  # fmt: skip

    def half_times(self) -> tuple[float | None, float | None, float | None]:
        """Return when survival and its lower and upper limits pass one half, None where never."""
        return self._passed(self.survival), self._passed(self.low), self._passed(self.high)

    def restricted_mean(self, until: float, *, unit: str = "row") -> Estimate:
        """Return the mean time without the event up to a time: the area under the curve.

        Parameters
        ----------
        until : float
            Named beforehand, and at most the longest follow-up.
        unit : str

        Returns
        -------
        Estimate
            With Greenwood's variance (R: ``print(survfit(...), rmean = until)``).
            :func:`~cardio_stats.independent_difference` of two groups is the gain in mean time.

        Raises
        ------
        DataError
            A time of 0 or beyond everybody's follow-up.

        References
        ----------
        Royston P, Parmar MKB. BMC Med Res Methodol 2013;13:152.

        Examples
        --------
        >>> curve = kaplan_meier([1, 2, 2, 3, 5], [1, 1, 0, 1, 0])
        >>> round(curve.restricted_mean(3).value, 2)
        2.4
        """
        longest = float(self.follow_up.time.max())
        if not 0 < until <= longest:
            raise DataError(
                f"mean time up to {until:g}: expected a time above 0 and of at most {longest:g}, "
                "the longest follow-up; choose another"
            )
        inside = self.time < until
        steps = np.concatenate([[0.0], self.time[inside], [until]])
        areas = np.diff(steps) * np.concatenate([[1.0], self.survival[inside]])
        left = areas[::-1].cumsum()[::-1][1:]  # from each event to the end
        died, at_risk = _counts(self.follow_up.time, self.follow_up.event, self.time[inside])
        alive = np.where(died < at_risk, at_risk - died, np.inf)
        se = float(np.sqrt(np.sum(left**2 * died / (at_risk * alive))))
        value, name = float(areas.sum()), f"restricted_mean[{self._named(f'{until:g}')}]"
        limits = wald_limits(value, se, self.level)
        return self._estimate(name, value, *limits, unit, {"se": se}).replace(
            method="area under Kaplan-Meier, Greenwood's variance, Wald interval"
        )

    def _passed(self, curve: Floats) -> float | None:
        """Return when a curve falls below one half; halfway to the next step where it is that."""
        below = np.flatnonzero(curve <= 0.5 + _SAME)
        if not below.size:
            return None
        first = int(below[0])
        if curve[first] >= 0.5 - _SAME and first + 1 < self.time.size:
            return float(self.time[first] + self.time[first + 1]) / 2
        return float(self.time[first])

    def _named(self, time: str) -> str:
        return f"{self.label}, {time}" if self.label else time

    def _estimate(
        self,
        name: str,
        value: float,
        low: float | None,
        high: float | None,
        unit: str,
        extra: dict[str, float],
    ) -> Estimate:
        return Estimate(
            name,
            value,
            low,
            high,
            self.level,
            METHOD,
            **self.follow_up.counted(unit),
            extra={**extra, "n_events": float(self.follow_up.n_events)},
        )


@overload
def kaplan_meier(time: ArrayLike, event: ArrayLike, *, level: float = ...) -> SurvivalCurve: ...
@overload
def kaplan_meier(
    time: ArrayLike, event: ArrayLike, by: ArrayLike, *, level: float = ...
) -> list[SurvivalCurve]: ...
def kaplan_meier(
    time: ArrayLike, event: ArrayLike, by: ArrayLike | None = None, *, level: float = 0.95
) -> SurvivalCurve | list[SurvivalCurve]:
    """Estimate survival over time from times of which some are censored.

    Parameters
    ----------
    time : array-like, shape (n,)
        To the event, or to the last that is known. Rows in which anything is missing are left out.
    event : array-like of 0 and 1, shape (n,)
        1 where the event happened at that time, 0 where it is censored.
    by : array-like, shape (n,), optional
        The group of each row.
    level : float

    Returns
    -------
    SurvivalCurve, or list of SurvivalCurve
        One a group, where there are groups. Limits on the scale of log(-log survival), which
        keeps them within 0 and 1 (R: ``survfit(conf.type = "log-log")``).

    Raises
    ------
    DataError
        As :func:`follow_up_of`; more than 12 groups.

    Notes
    -----
    Censoring must not tell of the event: who leaves has the prospects of who stays. A patient who
    was censored at the time of an event was still at risk at it.

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457. Kalbfleisch JD, Prentice RL. The statistical
    analysis of failure time data (1980).

    Examples
    --------
    >>> curve = kaplan_meier([1, 2, 2, 3, 5], [1, 1, 0, 1, 0])
    >>> [round(float(item), 3) for item in curve.survival]
    [0.8, 0.6, 0.3]
    >>> [item.label for item in kaplan_meier([1, 2, 2, 3, 5], [1, 1, 0, 1, 0], by=list("aabbb"))]
    ['a', 'b']
    """
    if by is None:
        return SurvivalCurve.of(followed(time, event)[0], level=level)
    follow_up, table = followed(time, event, by)
    return [
        SurvivalCurve.of(follow_up.part(inside), label=label, level=level)
        for label, inside in by_group(table, follow_up, "by")
    ]


def by_group(table: pd.DataFrame, follow_up: FollowUp, groups: str) -> Iterator[tuple[str, Bools]]:
    """Yield each group of a column with who of those followed is in it, in its order."""
    labels = level_labels(table, groups)[0][follow_up.rows]
    _require_few(labels[labels != ""], groups)
    for label in level_labels(table, groups)[1]:
        if (labels == label).any():
            yield label, labels == label


def followed(
    time: ArrayLike, event: ArrayLike, by: ArrayLike | None = None
) -> tuple[FollowUp, pd.DataFrame]:
    """Return who was followed, from columns, and these as a table."""
    columns = {"time": time, "event": event} | ({} if by is None else {"by": by})
    same_length(**{name: np.asarray(column) for name, column in columns.items()})
    table = pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})
    return follow_up_of(table, "time", "event"), table


def log_rank(time: ArrayLike, event: ArrayLike, by: ArrayLike, *, unit: str = "row") -> Estimate:
    """Ask whether survival differs between groups, with equal weight on every event.

    Parameters
    ----------
    time, event, by
        As for :func:`kaplan_meier`.
    unit : str

    Returns
    -------
    Estimate
        The chi-square with its p; ``extra["df"]`` is the number of groups less one.

    Notes
    -----
    It has little power against curves that cross.

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966;50:163. Peto R, Peto J. J R Stat Soc A 1972;135:185.

    Examples
    --------
    >>> round(log_rank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], list("aababb")).value, 3)
    2.557
    """
    follow_up, table = followed(time, event, by)
    return _log_rank(*_grouped(table, follow_up, "by"), unit)


def _log_rank(follow_up: FollowUp, groups: Labels, unit: str) -> Estimate:
    names = sorted(set(groups.tolist()))
    if len(names) < 2:
        raise DataError(f"log-rank test: expected two groups or more, found {len(names)}")
    codes = np.searchsorted(np.array(names, dtype=object), groups)
    _require_overlap(follow_up, codes, names)
    moments = np.unique(follow_up.time[follow_up.event])
    died, at_risk = np.stack(
        [
            _counts(follow_up.time[codes == code], follow_up.event[codes == code], moments)
            for code in range(len(names))
        ],
        axis=1,
    )
    everybody, deaths = at_risk.sum(axis=0), died.sum(axis=0)
    share = at_risk / everybody
    # All of the groups add to nothing, so the first is left out.
    surplus = (died - deaths * share).sum(axis=1)[1:]
    spread = deaths * (everybody - deaths) / np.maximum(everybody - 1, 1)
    covariance = (np.diag((spread * share).sum(axis=1)) - (spread * share) @ share.T)[1:, 1:]
    try:
        statistic = surplus @ np.linalg.solve(covariance, surplus)
    except np.linalg.LinAlgError:
        raise DataError(
            "log-rank test: expected groups that are at risk at the same times, found some that "
            "are not; leave the group that ends before the first event of the others out"
        ) from None
    df = len(names) - 1
    return Estimate(
        "log_rank_chi2",
        float(statistic),
        method=f"log-rank test, {df} df",
        **follow_up.counted(unit),
        p_value=float(chdtrc(df, statistic)),
        extra={"df": float(df), "n_events": float(follow_up.n_events)},
    )


def _counts(time: Floats, event: Bools, moments: Floats) -> tuple[Floats, Floats]:
    """Return how many had the event at each moment, and how many were followed up to it."""
    had, followed = np.sort(time[event]), np.sort(time)
    died = np.searchsorted(had, moments, "right") - np.searchsorted(had, moments, "left")
    at_risk = time.size - np.searchsorted(followed, moments, "left")
    return died.astype(np.float64), at_risk.astype(np.float64)


def _require_overlap(follow_up: FollowUp, codes: np.ndarray, names: list[str]) -> None:
    first = float(follow_up.time[follow_up.event].min())
    for code, name in enumerate(names):
        if not _still_there(follow_up.time[codes == code], first):
            raise DataError(
                f"log-rank test: expected every group at risk at the first event ({first:g}), "
                f"found group {name!r} censored before; leave it out"
            )


def _still_there(times: Floats, first: float) -> bool:
    there: Bools = times >= first
    return bool(there.any())


# Survival by group as it is printed: medians, survival at times, the log-rank test.

MOST_GROUPS = 12


def survival_table(
    table: pd.DataFrame,
    time: str,
    event: str,
    *,
    groups: str | None = None,
    at: Sequence[float] = (),
    mean_until: float | None = None,
    level: float = 0.95,
    unit: str = "row",
) -> tuple[ResultTable, list[SurvivalCurve]]:
    """Describe survival by group: medians, survival at times, and the log-rank test.

    Parameters
    ----------
    table : DataFrame
    time, event : str
        As for :func:`~cardio_stats.survival.follow_up_of`.
    groups : str, optional
        Column of the groups; everybody is one without.
    at : sequence of float
        Times at which survival and the number at risk are given.
    mean_until : float, optional
        Time up to which the mean time without the event is given, and its gain on the first group.
    level : float
    unit : str

    Returns
    -------
    made : ResultTable
        A row a group.
    curves : list of SurvivalCurve
        For the figure.

    Raises
    ------
    DataError
        More than 12 groups; a time beyond everybody's follow-up; no event.
    """
    follow_up = follow_up_of(table, time, event)
    curves, test = [SurvivalCurve.of(follow_up, level=level)], None
    if groups is not None:
        follow_up, labels = _grouped(table, follow_up, groups)
        curves = [
            SurvivalCurve.of(follow_up.part(inside), label=label, level=level)
            for label, inside in by_group(table, follow_up, groups)
        ]
        if len(curves) > 1:
            test = _log_rank(follow_up, labels, unit)
    shown, notes = [], []
    estimates: list[Estimate] = []
    for curve in curves:
        median = curve.median(unit=unit)
        estimates += [median] if median else []
        cells = [_median(curve)]
        for moment in at:
            try:
                found = curve.at(moment, unit=unit)
            except DataError as refusal:
                if len(curves) == 1:
                    raise
                notes.append(f"{refusal}.")
                cells += [BLANK, "0"]
                continue
            estimates.append(found)
            cells += [interval_text(found), f"{found.extra['n_at_risk']:.0f}"]
        label = curve.label or "all"
        shown.append((label, f"{curve.follow_up.n}", f"{curve.follow_up.n_events}", *cells))
    if at and not any(e.name.startswith("survival") for e in estimates):
        raise DataError(notes[0].removesuffix("."))
    if mean_until is not None:
        means = [curve.restricted_mean(mean_until, unit=unit) for curve in curves]
        gains = [
            independent_difference(mean, means[0], name=f"mean_gain[{curve.label} - "
                                   f"{curves[0].label}, {mean_until:g}]")
            for mean, curve in zip(means[1:], curves[1:], strict=True)
        ]  # fmt: skip
        estimates += [*means, *gains]
        notes += [
            f"Mean time up to {mean_until:g}: "
            + "; ".join(f"{value.name.partition('[')[2][:-1]} {interval_text(value, number_text)}"
                        for value in (*means, *gains)) + "."
        ]  # fmt: skip
    followed = _median_follow_up(follow_up, level, unit)
    estimates += [value for value in (followed, test) if value is not None]
    ci = f"({level * 100:g} % CI)"
    heads = [h for t in at for h in (f"survival at {t:g} {ci}", f"at risk at {t:g}")]
    title = f"Time to {follow_up.label}" + (f" by {groups}" if groups else "")
    made = ResultTable(
        title,
        (groups or "", "n", "events", f"median {time} {ci}", *heads),
        tuple(shown),
        (
            f"Kaplan-Meier; log-log intervals of Greenwood's variance. Times are in the unit of "
            f"{time}; {BLANK}: not reached.",
            *([f"Log-rank test: chi2 {test.value:.2f}, {test.extra['df']:.0f} df, p "
               f"{p_text(test.p_value)}."] if test else []),
            *([f"Median follow-up {interval_text(followed, number_text)} (reverse Kaplan-Meier)."]
              if followed else []),
            *follow_up.sentences(unit),
            *dict.fromkeys(notes),
        ),
        tuple(estimates),
    )  # fmt: skip
    return made, curves


def _grouped(table: pd.DataFrame, follow_up: FollowUp, groups: str) -> tuple[FollowUp, Labels]:
    labels = level_labels(table, groups)[0][follow_up.rows]
    known = labels != ""
    _require_few(labels[known], groups)
    return follow_up.only(known), labels[known]


def _require_few(labels: Labels, groups: str) -> None:
    n_groups = len(set(labels))
    if n_groups > MOST_GROUPS:
        raise DataError(
            f"column {groups!r}: expected at most {MOST_GROUPS} groups, found {n_groups}; "
            "cut a measurement into bands, or give it to a Cox model"
        )


def _median_follow_up(follow_up: FollowUp, level: float, unit: str) -> Estimate | None:
    if follow_up.event.all():
        return None
    lost = replace(follow_up, event=~follow_up.event)
    found = SurvivalCurve.of(lost, level=level).median(unit=unit)
    if found is None:
        return None
    return found.replace(
        name="median_follow_up", method=f"reverse {found.method}",
        extra={"n_events": float(follow_up.n_events)},
    )  # fmt: skip


def _median(curve: SurvivalCurve) -> str:
    value, low, high = curve.half_times()
    if value is None and low is None:
        return BLANK
    width = value or low
    value_text, *limits = (
        BLANK if item is None else number_text(item, spread=width) for item in (value, low, high)
    )
    return f"{value_text} ({limits[0]} to {limits[1]})"


# How long patients stayed in view: weights that stand in for those whom censoring took away.


@dataclass(frozen=True, slots=True)
class Censoring:
    """The Kaplan-Meier curve of being uncensored, and how each row moves it.

    Who has the event at the time at which others are censored is out of view before them.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Distinct times of censoring, rising.
    hazard, at_risk : ndarray, shape (n_times,)
        Share of those still in view who are censored then, and their number.
    uncensored : ndarray, shape (n_times + 1,)
        Share never censored before each of the times, and after the last.
    """

    follow_up: FollowUp
    times: Floats
    hazard: Floats
    at_risk: Floats
    uncensored: Floats

    @classmethod
    def of(cls, follow_up: FollowUp) -> Censoring:
        """Estimate the curve."""
        time, event = follow_up.time, follow_up.event
        times, lost = np.unique(time[~event], return_counts=True)
        in_view = time.size - np.searchsorted(np.sort(time), times, side="left")
        just_had_it = np.searchsorted(np.sort(time[event]), times, side="right")
        just_had_it -= np.searchsorted(np.sort(time[event]), times, side="left")
        at_risk = (in_view - just_had_it).astype(np.float64)
        hazard = lost / at_risk
        return cls(
            follow_up, times, hazard, at_risk, np.concatenate([[1.0], np.cumprod(1 - hazard)])
        )

    def before(self, time: Floats) -> Floats:
        """Return the share uncensored just before each time."""
        return self.uncensored[np.searchsorted(self.times, time, side="left")]

    def at(self, time: float) -> float:
        """Return the share uncensored at a time.

        Raises
        ------
        DataError
            Nobody is in view any more.
        """
        share = float(self.uncensored[int(np.searchsorted(self.times, time, side="right"))])
        n_beyond = int(np.count_nonzero(self.follow_up.time > time))
        if share == 0 or n_beyond == 0:
            longest = float(self.follow_up.time.max())
            raise DataError(
                f"at {time:g}: expected patients who were followed longer, found none (the longest "
                f"time is {longest:g}); choose an earlier time"
            )
        return share

    def moved_by(self, weighed: Floats, until: Floats) -> Floats:
        """Return how each row's own censoring moves a sum of weighted terms.

        Parameters
        ----------
        weighed : ndarray, shape (n,)
            Terms that were divided by the share uncensored before `until`.
        until : ndarray, shape (n,)

        Returns
        -------
        ndarray, shape (n,)
            The influence of each row on the mean of the terms through the curve alone, by the
            martingale of its censoring.
        """
        n = weighed.size
        order = np.argsort(until)
        above = np.concatenate([[0.0], np.cumsum(weighed[order][::-1])])
        later = above[n - np.searchsorted(until[order], self.times, side="right")]
        rise = later / self.at_risk
        expected = np.concatenate([[0.0], np.cumsum(rise * self.hazard)])
        time, event = self.follow_up.time, self.follow_up.event
        # a row that is censored counts at its own time, one with the event no longer
        seen = np.where(
            event,
            np.searchsorted(self.times, time, side="left"),
            np.searchsorted(self.times, time, side="right"),
        )
        own = np.zeros(n)
        own[~event] = rise[np.searchsorted(self.times, time[~event])]
        return np.asarray(own - expected[seen])
