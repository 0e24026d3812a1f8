"""Survival over time after Kaplan and Meier, by group, with the log-rank test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.validate import Bools, Floats, checked_level, unit_count
from cardio_core.stats.survival.follow_up import FollowUp
from cardio_core.types.estimate import Estimate

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
    follow_up : FollowUp
        Who was followed.
    level : float
    """

    label: str
    time: Floats
    survival: Floats
    low: Floats
    high: Floats
    follow_up: FollowUp
    level: float

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
                "the longest follow-up; choose an earlier one"
            )
        known = step >= 0 and not math.isnan(self.low[step])
        return self._estimate(
            f"survival[{self._named(f'{time:g}')}]",
            value,
            float(self.low[step]) if known else None,
            float(self.high[step]) if known else None,
            unit,
            {"n_at_risk": float(self.at_risk(time))},
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
            **unit_count(self.follow_up.n, None, unit),
            n_dropped=self.follow_up.n_dropped,
            extra={**extra, "n_events": float(self.follow_up.n_events)},
        )


def kaplan_meier(follow_up: FollowUp, *, label: str = "", level: float = 0.95) -> SurvivalCurve:
    """Estimate survival over time from times of which some are censored.

    Parameters
    ----------
    follow_up : FollowUp
    label : str
        The group that these are.
    level : float

    Returns
    -------
    SurvivalCurve
        Limits on the scale of log(-log survival), which keeps them within 0 and 1 (R:
        ``survfit(conf.type = "log-log")``).

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
    >>> import pandas as pd
    >>> from cardio_core.stats.survival.follow_up import follow_up_of
    >>> table = pd.DataFrame({"days": [1, 2, 2, 3, 5], "died": [1, 1, 0, 1, 0]})
    >>> curve = kaplan_meier(follow_up_of(table, "days", "died"))
    >>> [round(float(one), 3) for one in curve.survival]
    [0.8, 0.6, 0.3]
    """
    z = normal_quantile(checked_level(level))
    moments = np.unique(follow_up.time[follow_up.event])
    died, at_risk = _counts(follow_up.time, follow_up.event, moments)
    survival: Floats = np.cumprod(1 - died / at_risk, dtype=np.float64)
    left = np.where(died < at_risk, at_risk - died, np.inf)  # where none is, survival is 0
    error = survival * np.sqrt(np.cumsum(died / (at_risk * left)))  # Greenwood
    low, high = np.full(survival.shape, np.nan), np.full(survival.shape, np.nan)
    inside = (survival > 0) & (survival < 1)
    log = np.log(survival[inside])
    reach = z * error[inside] / (survival[inside] * log)
    low[inside] = survival[inside] ** np.exp(-reach)
    high[inside] = survival[inside] ** np.exp(reach)
    return SurvivalCurve(label, moments, survival, low, high, follow_up, level)


def log_rank(
    follow_up: FollowUp, groups: np.ndarray[tuple[int], np.dtype[np.object_]], *, unit: str = "row"
) -> Estimate:
    """Ask whether survival differs between groups, with equal weight on every event.

    Parameters
    ----------
    follow_up : FollowUp
    groups : ndarray, shape (n,)
        The group of each of its rows.
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
    """
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
        **unit_count(follow_up.n, None, unit),
        p_value=float(chdtrc(df, statistic)),
        n_dropped=follow_up.n_dropped,
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
