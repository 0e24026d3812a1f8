"""Screening many codes against the outcome, on training patients only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core import stats
from cardio_core.api import DataError
from cardio_spect_polar.response.config import ScreenBlock

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Screen:
    """What a screen found.

    Attributes
    ----------
    table : DataFrame, one row a code that was tested
        Columns code (its number from 0), r (correlation with the outcome), p (of one test),
        p_max_t (adjusted for all of them), q (Benjamini and Hochberg).
    entered : tuple of int
        Numbers of the codes that enter, best first.
    passed : int
        How many of them are below the threshold; the others enter because some had to.
    """

    table: pd.DataFrame
    entered: tuple[int, ...]
    passed: int


def screen_codes(
    codes: Floats,
    outcome: Floats,
    candidates: Sequence[int],
    settings: ScreenBlock,
    *,
    seed: int = 0,
) -> Screen:
    """Test each candidate against the outcome and choose.

    Parameters
    ----------
    codes : ndarray, shape (n, k)
        Of labelled training patients.
    outcome : ndarray of 0 and 1, shape (n,)
    candidates : sequence of int
        Which codes are tested; constant ones are left out.
    settings : ScreenBlock
    seed : int
        Of the permutations.

    Returns
    -------
    Screen
        `p` is a permutation p under ``max_t`` and ``bh``, and that of a likelihood-ratio test of
        a univariable logistic regression under ``p``, as published.

    Notes
    -----
    Under ``max_t`` the chance that any code of a meaningless map enters by passing is `alpha`;
    under ``p`` about ``alpha`` times the number of codes enter.
    """
    varying = [i for i in candidates if np.ptp(codes[:, i]) > 1e-9 * np.abs(codes[:, i]).max()]
    if not varying:
        return Screen(pd.DataFrame(columns=["code", "r", "p", "p_max_t", "q"]), (), 0)
    found = stats.max_t_screen(
        codes[:, varying], outcome, n_permutations=settings.n_permutations, seed=seed
    )
    alone = (
        [1.0 if (p := univariable_p(codes[:, i], outcome)) is None else p for i in varying]
        if settings.by == "p"
        else [estimate.extra["p_unadjusted"] for estimate in found]
    )
    table = pd.DataFrame(
        {
            "code": varying,
            "r": [estimate.value for estimate in found],
            "p": alone,
            "p_max_t": [estimate.p_value for estimate in found],
            "q": stats.benjamini_hochberg(alone),
        }
    )
    column = {"max_t": "p_max_t", "bh": "q", "p": "p"}[settings.by]
    ranked = table.assign(size=table["r"].abs()).sort_values(
        [column, "size"], ascending=[True, False], kind="stable"
    )
    passed = int((ranked[column] < settings.alpha).sum())
    n_entered = max(passed, settings.at_least)
    if settings.at_most is not None:
        n_entered = min(n_entered, settings.at_most)
    entered = tuple(int(i) for i in ranked["code"][:n_entered])
    return Screen(table, entered, min(passed, n_entered))


def univariable_p(values: Floats, outcome: Floats) -> float | None:
    """Return the likelihood-ratio p of one column, shape (n,); None where it cannot be fitted."""
    table = pd.DataFrame({"value": values, "outcome": outcome})
    try:
        model = stats.fit_logistic(table, "outcome", ["value"])
    except DataError:
        return None
    return float(model.odds_ratios[0].extra["p_likelihood_ratio"])
