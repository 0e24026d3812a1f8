"""Whether the score is higher in who has the event earlier: Harrell's and Uno's C."""

from __future__ import annotations

import numpy as np

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import wald_limits
from cardio_core.stats.foundation.validate import Floats, Ints, checked_level, unit_count
from cardio_core.stats.survival.censoring import Censoring
from cardio_core.stats.survival.follow_up import FollowUp
from cardio_core.types.estimate import Estimate

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
            f"none among {follow_up.n_events} events; no pair can be compared"
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
        **unit_count(follow_up.n, None, unit),
        n_dropped=follow_up.n_dropped,
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
