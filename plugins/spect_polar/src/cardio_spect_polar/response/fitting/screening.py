"""Screening many codes against the outcome, on training patients only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import DataError
from cardio_spect_polar.response.config import ScreenBlock

Floats = NDArray[np.float64]
Kind = Literal["binary", "multiclass", "continuous"]


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
    kind: Kind = "binary",
) -> Screen:
    """Test each candidate against the outcome and choose.

    Parameters
    ----------
    codes : ndarray, shape (n, k)
        Of labelled training patients.
    outcome : ndarray, shape (n,)
        0 and 1, numbers of classes, or values: see `kind`.
    candidates : sequence of int
        Which codes are tested; constant ones are left out.
    settings : ScreenBlock
    seed : int
        Of the permutations.
    kind : {"binary", "multiclass", "continuous"}
        Of the outcome. Several classes are each tested against the others, and p-values of a code's
        best one are multiplied by their number.

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
    classes = sorted(set(outcome)) if kind == "multiclass" else []
    one_each = [(outcome == code).astype(np.float64) for code in classes] or [outcome]
    tested = [_tested(codes[:, varying], one, settings, seed) for one in one_each]
    best = np.argmin([part["p"] for part in tested], axis=0)
    table = pd.DataFrame({"code": varying})
    for name in ("r", "p", "p_max_t"):
        each = np.array([part[name] for part in tested])[best, np.arange(len(varying))]
        table[name] = each if name == "r" else np.minimum(1.0, each * len(one_each))
    if settings.by == "p":
        alone = [univariable_p(codes[:, i], outcome, kind) for i in varying]
        table["p"] = [1.0 if p is None else p for p in alone]
    table["q"] = stats.benjamini_hochberg(table["p"].tolist())
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


def _tested(
    codes: Floats, outcome: Floats, settings: ScreenBlock, seed: int
) -> dict[str, list[float]]:
    found = stats.max_t_screen(codes, outcome, n_permutations=settings.n_permutations, seed=seed)
    return {
        "r": [float(estimate.value) for estimate in found],
        "p": [float(estimate.extra["p_unadjusted"]) for estimate in found],
        "p_max_t": [float(estimate.p_value or 0.0) for estimate in found],
    }


def univariable_p(values: Floats, outcome: Floats, kind: Kind = "binary") -> float | None:
    """Return the p of one column, shape (n,); None where it cannot be fitted.

    Of the likelihood-ratio test of a logistic regression, of one-way analysis of variance where
    there are several classes, of Pearson's correlation with a number.
    """
    if kind != "binary":
        from scipy.stats import f_oneway, pearsonr

        known = np.isfinite(values)
        groups = [values[known & (outcome == code)] for code in sorted(set(outcome))]
        enough = known.sum() > 2 and np.ptp(values[known]) > 0
        if kind == "continuous":
            return float(pearsonr(values[known], outcome[known]).pvalue) if enough else None
        p = float(f_oneway(*groups).pvalue) if enough and min(map(len, groups)) > 1 else np.nan
        return p if np.isfinite(p) else None
    table = pd.DataFrame({"value": values, "outcome": outcome})
    try:
        model = stats.fit_logistic(table, "outcome", ["value"])
    except DataError:
        return None
    return float(model.odds_ratios[0].extra["p_likelihood_ratio"])
