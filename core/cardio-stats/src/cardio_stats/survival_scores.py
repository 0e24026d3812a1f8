"""Whether the score is higher in who has the event earlier: Harrell's and Uno's C."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_stats._numerics.columns import numbers
from cardio_stats._numerics.intervals import logit_limits, wald_limits
from cardio_stats._numerics.validate import Bools, Floats, Ints, checked_level
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.survival import Censoring, FollowUp, SurvivalCurve, follow_up_of

BLOCK = 512


def harrell_c(
    follow_up: FollowUp, score: Floats, *, level: float = 0.95, unit: str = "row"
) -> Estimate:
    """Return the share of comparable pairs in which who has the event first has the higher score.

    Parameters
    ----------
    follow_up : FollowUp
    score : ndarray, shape (n,)
        Higher means an earlier event.
    level : float
    unit : str

    Returns
    -------
    Estimate
        Ties of the score count one half. The error is the infinitesimal jackknife's, as in R's
        ``survival::concordance``; ``extra["n_pairs"]`` counts the comparable pairs.

    Raises
    ------
    DataError
        No pair can be compared.

    Notes
    -----
    Which pairs can be compared depends on who was censored: with much censoring the value is not
    that of the population but of these follow-up times; compare it with :func:`uno_c`.

    References
    ----------
    Harrell FE, Califf RM, Pryor DB, et al. JAMA 1982;247:2543.
    """
    return _concordance(
        follow_up, score, np.ones(follow_up.n), "harrell_c",
        "Harrell's C, infinitesimal jackknife", level, unit,
    )  # fmt: skip


def uno_c(
    follow_up: FollowUp,
    score: Floats,
    *,
    until: float | None = None,
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Return Harrell's C with each pair weighted for those whom censoring took away.

    Parameters
    ----------
    follow_up, score, level, unit
        As for :func:`harrell_c`.
    until : float, optional
        Events after it do not count; all by default. The weights of late events grow without
        bound: choose a time at which a good part is still followed.

    Returns
    -------
    Estimate
        Each event weighs 1/G², where G is the share that was uncensored just before it (R:
        ``concordance(timewt = "n/G2", ymax = until)``). As there, the error takes the weights as
        known.

    References
    ----------
    Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ. Stat Med 2011;30:1105.
    """
    uncensored = Censoring.of(follow_up).before(follow_up.time)
    counted = follow_up.event & (follow_up.time <= (np.inf if until is None else until))
    weights = np.zeros(follow_up.n)
    weights[counted] = uncensored[counted] ** -2.0
    words = "" if until is None else f" of events up to {until:g}"
    return _concordance(
        follow_up, score, weights, "uno_c",
        f"Uno's C{words}, infinitesimal jackknife, weights as known", level,
        unit,
    )  # fmt: skip


def _concordance(
    follow_up: FollowUp,
    score: Floats,
    weights: Floats,
    name: str,
    method: str,
    level: float,
    unit: str,
) -> Estimate:
    checked_level(level)
    time, event = follow_up.time, follow_up.event
    rank = np.unique(score, return_inverse=True)[1].astype(np.int64)
    order = np.lexsort((~event, time))
    place = np.empty(time.size, dtype=np.int64)
    place[order] = np.arange(time.size)
    # Who is compared with an event stands behind all events of its time.
    behind = np.searchsorted(np.sort(time), time[event], side="left")
    at_once = np.searchsorted(np.sort(time[event]), time[event], side="right")
    at_once -= np.searchsorted(np.sort(time[event]), time[event], side="left")
    first = behind + at_once
    weight = weights[event]
    n_later = time.size - first
    lower = _added_beyond(place, rank, np.ones(time.size), first, rank[event])
    higher = _added_beyond(-first, -rank[event], weight, -place, -rank)
    sorted_first = np.sort(first)
    passed = np.concatenate([[0.0], np.cumsum(weight[np.argsort(first, kind="stable")])])
    n_earlier = passed[np.searchsorted(sorted_first, place, side="right")]
    total = float(weight @ n_later)
    if total == 0:
        raise DataError(
            f"{follow_up.label}: expected an event after which somebody was still followed, found "
            f"none among {follow_up.n_events} events; no pair can be compared",
            code="degenerate",
        )
    value = float(weight @ lower) / total
    influence = higher - value * n_earlier
    influence[event] += weight * (lower - value * n_later)
    se = float(np.sqrt(np.sum(influence**2))) / total
    low, high = wald_limits(value, se, level, within=(0.0, 1.0))
    return Estimate(
        name,
        value,
        low,
        high,
        level,
        method,
        **follow_up.counted(unit),
        extra={"se": se, "n_events": float(follow_up.n_events),
               "n_pairs": float(n_later[weight > 0].sum())},
    )  # fmt: skip


def _added_beyond(
    place: Ints, rank: Ints, weight: Floats, query_place: Ints, query_rank: Ints
) -> Floats:
    """Add, for each query, the weights of all points at or beyond its place and below its rank.

    A point of equal rank counts half. Blocks of points are sorted by rank, so that a query takes
    whole blocks by a search, and one block point by point.
    """
    order = np.argsort(place, kind="stable")
    place, rank, weight = place[order], rank[order], weight[order]
    in_turn = np.argsort(query_rank, kind="stable")  # neighbours search in the same memory
    query_place, query_rank = query_place[in_turn], query_rank[in_turn]
    start = np.searchsorted(place, query_place, side="left")
    found = np.zeros(query_place.size)
    for first in range(0, place.size, BLOCK):
        ranks, weights = rank[first : first + BLOCK], weight[first : first + BLOCK]
        whole = start <= first
        by_rank = np.argsort(ranks, kind="stable")
        added = np.concatenate([[0.0], np.cumsum(weights[by_rank])])
        below = np.searchsorted(ranks[by_rank], query_rank[whole], side="left")
        equal = np.searchsorted(ranks[by_rank], query_rank[whole], side="right")
        found[whole] += (added[below] + added[equal]) / 2
        partly = np.flatnonzero((start > first) & (start < first + ranks.size))
        for chunk in np.array_split(partly, partly.size // 4096 + 1):
            own = query_rank[chunk, np.newaxis]
            share = 0.5 * (ranks < own) + 0.5 * (ranks <= own)
            share *= np.arange(first, first + ranks.size) >= start[chunk, np.newaxis]
            found[chunk] += share @ weights
    unsorted = np.empty(found.size)
    unsorted[in_turn] = found
    return unsorted


# Scores against what had happened by a time: AUC and Brier score, weighted for censoring.

WEIGHTED = "weighted for censoring (Kaplan-Meier)"


def timed_auc(
    follow_up: FollowUp, score: Floats, time: float, *, level: float = 0.95, unit: str = "row"
) -> Estimate:
    """Return how well a score tells who has the event by a time from who has not.

    Parameters
    ----------
    follow_up : FollowUp
    score : ndarray, shape (n,)
        Higher means an earlier event.
    time : float
    level : float
    unit : str

    Returns
    -------
    Estimate
        The cumulative/dynamic AUC: cases had the event by `time`, controls were followed beyond
        it. Ties count one half. The error allows for the estimated weights (R:
        ``riskRegression::Score``, ``timeROC``), the limits are Wald's on the log odds.
        ``extra`` has ``n_cases``, ``n_controls`` and ``n_censored``, censored before `time` and
        in neither group.

    Raises
    ------
    DataError
        Fewer than two cases or controls at that time.

    References
    ----------
    Uno H, Cai T, Tian L, Wei LJ. J Am Stat Assoc 2007;102:527. Blanche P, Dartigues JF,
    Jacqmin-Gadda H. Stat Med 2013;32:5381.
    """
    checked_level(level)
    censoring, weights, had_it, beyond = _weighed(follow_up, time)
    n = follow_up.n
    cases, controls = weights * had_it / n, weights * beyond / n
    lower = _share_below(score, controls)
    higher = cases.sum() - _share_below(score, cases)
    share_cases, share_controls = float(cases.sum()), float(controls.sum())
    value = float(cases @ lower) / (share_cases * share_controls)
    for_cases = cases * (lower / share_controls - value) / share_cases
    for_controls = controls * (higher / share_cases - value) / share_controls
    # a control's weight is the same for all and cancels
    moved = censoring.moved_by(n * for_cases, follow_up.time)
    influence = n * (for_cases + for_controls) + moved
    se = _error(influence)
    low, high = wald_limits(value, se, level, within=(0.0, 1.0))
    note = ""
    if 0 < value < 1 and se > 0:
        low, high = logit_limits(value, se, level)
    else:
        note = "One score tells all cases from all controls: the interval says nothing."
    return Estimate(
        f"auc_at[{time:g}]",
        value,
        low,
        high,
        level,
        f"cumulative/dynamic AUC, {WEIGHTED}, logit interval",
        **follow_up.counted(unit),
        note=note,
        extra={"se": se, "time": float(time), **_counts(had_it, beyond)},
    )


def timed_brier(
    follow_up: FollowUp, risk: Floats, time: float, *, level: float = 0.95, unit: str = "row"
) -> tuple[Estimate, Estimate]:
    """Return the mean squared error of predicted risks by a time, and the gain on one risk for all.

    Parameters
    ----------
    follow_up : FollowUp
    risk : ndarray, shape (n,)
        Predicted probability of the event by `time`.
    time : float
    level : float
    unit : str

    Returns
    -------
    brier, scaled : Estimate
        Brier's score, and 1 - its ratio to that of the Kaplan-Meier risk of everybody (the "index
        of prediction accuracy"). The error of the first allows for the estimated weights (R:
        ``riskRegression::Score``); the second has no interval.

    Raises
    ------
    DataError
        A risk below 0 or above 1; fewer than two cases or controls at that time.

    References
    ----------
    Graf E, Schmoor C, Sauerbrei W, Schumacher M. Stat Med 1999;18:2529. Gerds TA, Schumacher M.
    Biom J 2006;48:1029. Kattan MW, Gerds TA. Diagn Progn Res 2018;2:7.
    """
    checked_level(level)
    require_risks(risk)
    censoring, weights, had_it, beyond = _weighed(follow_up, time)
    loss = weights * np.where(had_it, (1 - risk) ** 2, np.where(beyond, risk**2, 0.0))
    value = float(loss.mean())
    until = np.where(had_it, follow_up.time, np.nextafter(time, np.inf))
    se = _error(loss - value + censoring.moved_by(loss, until))
    low, high = wald_limits(value, se, level, within=(0.0, 1.0))
    common = follow_up.counted(unit)
    extra = {"time": float(time), **_counts(had_it, beyond)}
    brier = Estimate(
        f"brier_at[{time:g}]", value, low, high, level, f"{WEIGHTED}, Wald interval", **common,
        extra={"se": se, **extra},
    )  # fmt: skip
    for_all = 1 - SurvivalCurve.of(follow_up).at(time).value
    null = weights * np.where(had_it, (1 - for_all) ** 2, np.where(beyond, for_all**2, 0.0))
    scaled = Estimate(
        f"scaled_brier_at[{time:g}]", 1 - value / float(null.mean()),
        method=f"1 - Brier score / that of the Kaplan-Meier risk, {WEIGHTED}", **common,
        extra={"null_brier": float(null.mean()), **extra},
    )  # fmt: skip
    return brier, scaled


def observed_over_expected(
    follow_up: FollowUp, risk: Floats, time: float, *, level: float = 0.95, unit: str = "row"
) -> Estimate:
    """Return the Kaplan-Meier risk by a time over the mean predicted one; 1 is right.

    Parameters
    ----------
    follow_up, risk, time, level, unit
        As for :func:`timed_brier`.

    Returns
    -------
    Estimate
        ``extra`` has ``observed`` and ``expected``. The limits are those of the observed risk.

    References
    ----------
    McLernon DJ, Giardiello D, Van Calster B, et al. Ann Intern Med 2023;176:105.
    """
    require_risks(risk)
    survival = SurvivalCurve.of(follow_up, level=level).at(time)
    expected, observed = float(risk.mean()), 1 - survival.value
    if expected == 0:
        raise DataError("predicted risks: expected some above 0, found 0 in every row")
    limits = (survival.high, survival.low)
    low, high = (None if limit is None else (1 - limit) / expected for limit in limits)
    return Estimate(
        f"observed_over_expected_at[{time:g}]", observed / expected, low, high, level,
        "Kaplan-Meier risk / mean predicted risk, log-log interval",
        **follow_up.counted(unit),
        extra={"observed": observed, "expected": expected, "time": float(time)},
    )  # fmt: skip


def require_risks(risk: Floats) -> None:
    """Refuse what is no probability."""
    if risk.min() < 0 or risk.max() > 1:
        raise DataError(
            f"predicted risks: expected probabilities from 0 to 1, found {risk.min():.3g} to "
            f"{risk.max():.3g}; divide percentages by 100, or give what is no risk as score",
            code="out_of_range",
        )


def _weighed(follow_up: FollowUp, time: float) -> tuple[Censoring, Floats, Bools, Bools]:
    """Return weights, and who had the event by a time and who was followed beyond it."""
    had_it = follow_up.event & (follow_up.time <= time)
    beyond = follow_up.time > time
    n_cases, n_controls = int(had_it.sum()), int(beyond.sum())
    if min(n_cases, n_controls) < 2:
        raise DataError(
            f"at {time:g}: expected at least 2 rows with the event by then and 2 that were "
            f"followed beyond, found {n_cases} and {n_controls} of {follow_up.n}; choose a time "
            f"within the follow-up ({follow_up.time.min():g} to {follow_up.time.max():g})",
            code="too_few",
        )
    censoring = Censoring.of(follow_up)
    weights = np.zeros(follow_up.n)
    weights[had_it] = 1 / censoring.before(follow_up.time[had_it])
    weights[beyond] = 1 / censoring.at(time)
    return censoring, weights, had_it, beyond


def _share_below(score: Floats, weights: Floats) -> Floats:
    """Return the weight of all below each row's score, and half of those that have it."""
    order = np.argsort(score, kind="stable")
    added = np.concatenate([[0.0], np.cumsum(weights[order])])
    ordered = score[order]
    below = added[np.searchsorted(ordered, score, side="left")]
    return np.asarray((below + added[np.searchsorted(ordered, score, side="right")]) / 2)


def _error(influence: Floats) -> float:
    return float(influence.std(ddof=1) / np.sqrt(influence.size))


def _counts(had_it: Bools, beyond: Bools) -> dict[str, float]:
    n_cases, n_controls = int(had_it.sum()), int(beyond.sum())
    return {
        "n_cases": float(n_cases),
        "n_controls": float(n_controls),
        "n_censored": float(had_it.size - n_cases - n_controls),
    }


# A score of a table judged against who had the event when.


def timed_estimates(
    table: pd.DataFrame,
    time: str,
    event: str,
    score: str,
    *,
    at: Sequence[float] = (),
    is_risk: bool = False,
    level: float = 0.95,
    unit: str = "row",
) -> tuple[list[Estimate], FollowUp, Floats]:
    """Judge a score of the event: concordance, and AUC, Brier score and calibration at times.

    Parameters
    ----------
    table : DataFrame
    time, event : str
        As for :func:`~cardio_stats.survival.follow_up_of`.
    score : str
        Column; higher means an earlier event.
    at : sequence of float
    is_risk : bool
        The score is the predicted probability of the event by the one time of `at`.
    level : float
    unit : str

    Returns
    -------
    estimates : list of Estimate
    follow_up : FollowUp
        Of the rows where the score is known.
    scores : ndarray, shape (n,)
    """
    follow_up = follow_up_of(table, time, event)
    if score in (time, event.partition("=")[0]):
        raise DataError(f"column {score!r}: is both outcome and score; choose another score")
    values = numbers(table, score)[follow_up.rows]
    known = ~np.isnan(values)
    follow_up, values = follow_up.only(known), values[known]
    if np.ptp(values) == 0:
        raise DataError(
            f"column {score!r}: expected scores that vary, found {values[0]:g} in every row; "
            "choose another column"
        )
    estimates = score_estimates(follow_up, values, at, level, unit)
    if is_risk:
        (moment,) = at
        estimates += timed_brier(follow_up, values, moment, level=level, unit=unit)
        estimates.append(observed_over_expected(follow_up, values, moment, level=level, unit=unit))
    return estimates, follow_up, values


def risk_groups(
    follow_up: FollowUp, risk: Floats, time: float, *, n_groups: int = 5, level: float = 0.95
) -> list[tuple[float, Estimate]]:
    """Return the mean predicted and the Kaplan-Meier risk by a time, in groups of rising risk.

    Parameters
    ----------
    follow_up : FollowUp
    risk : ndarray, shape (n,)
        Predicted probabilities of the event by `time`.
    time : float
    n_groups : int
        By quantiles; equal risks stay together, so there may be fewer. A group that nobody of was
        followed as long is left out.
    level : float
    """
    edges = np.unique(np.quantile(risk, np.linspace(0, 1, n_groups + 1)[1:-1]))
    number = np.searchsorted(edges, risk, side="left")
    found = []
    for group in np.unique(number):
        inside = number == group
        try:
            at = SurvivalCurve.of(follow_up.part(inside), level=level).at(time)
        except DataError:
            continue
        low, high = (None if value is None else 1 - value for value in (at.high, at.low))
        observed = at.replace(name="observed_risk", value=1 - at.value, low=low, high=high)
        found.append((float(risk[inside].mean()), observed))
    return found


def score_estimates(
    follow_up: FollowUp, score: Floats, at: Sequence[float], level: float, unit: str
) -> list[Estimate]:
    """Return both concordances, and the AUC at each time; Uno's C counts events up to the last."""
    # first, as it says what is wrong with a time
    at_times = [timed_auc(follow_up, score, moment, level=level, unit=unit) for moment in at]
    return [
        harrell_c(follow_up, score, level=level, unit=unit),
        uno_c(follow_up, score, until=max(at, default=None), level=level, unit=unit),
        *at_times,
    ]
