"""A score of a table judged against who had the event when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import numbers
from cardio_core.stats.foundation.validate import Floats
from cardio_core.stats.survival.concordance import harrell_c, uno_c
from cardio_core.stats.survival.follow_up import FollowUp, follow_up_of
from cardio_core.stats.survival.product_limit import kaplan_meier
from cardio_core.stats.survival.timed_scores import observed_over_expected, timed_auc, timed_brier
from cardio_core.types.estimate import Estimate


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
        As for :func:`~cardio_core.stats.survival.follow_up.follow_up_of`.
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
        part = replace(
            follow_up,
            time=follow_up.time[inside],
            event=follow_up.event[inside],
            rows=follow_up.rows[inside],
        )
        try:
            at = kaplan_meier(part, level=level).at(time)
        except DataError:
            continue
        low, high = (None if one is None else 1 - one for one in (at.high, at.low))
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
