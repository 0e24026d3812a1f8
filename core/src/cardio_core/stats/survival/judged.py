"""A score of a table judged against who had the event when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import numbers
from cardio_core.stats.foundation.validate import Floats
from cardio_core.stats.survival.concordance import harrell_c, uno_c
from cardio_core.stats.survival.follow_up import FollowUp, follow_up_of
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
