"""Survival by group as it is printed: medians, survival at times, the log-rank test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import level_labels
from cardio_core.stats.foundation.display import (
    BLANK,
    ResultTable,
    interval_text,
    number_text,
    p_text,
)
from cardio_core.stats.survival.follow_up import FollowUp, follow_up_of
from cardio_core.stats.survival.product_limit import SurvivalCurve, kaplan_meier, log_rank
from cardio_core.types.estimate import Estimate

MOST_GROUPS = 12


def survival_table(
    table: pd.DataFrame,
    time: str,
    event: str,
    *,
    groups: str | None = None,
    at: Sequence[float] = (),
    level: float = 0.95,
    unit: str = "row",
) -> tuple[ResultTable, list[SurvivalCurve]]:
    """Describe survival by group: medians, survival at times, and the log-rank test.

    Parameters
    ----------
    table : DataFrame
    time, event : str
        As for :func:`~cardio_core.stats.survival.follow_up.follow_up_of`.
    groups : str, optional
        Column of the groups; everybody is one without.
    at : sequence of float
        Times at which survival and the number at risk are given.
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
    curves, test = [kaplan_meier(follow_up, level=level)], None
    if groups is not None:
        follow_up, labels = _grouped(table, follow_up, groups)
        curves = [
            kaplan_meier(_part(follow_up, labels == label), label=str(label), level=level)
            for label in level_labels(table, groups)[1]
            if label in labels
        ]
        if len(curves) > 1:
            test = log_rank(follow_up, labels, unit=unit)
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
    followed = _median_follow_up(follow_up, level, unit)
    estimates += [one for one in (followed, test) if one is not None]
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


def _grouped(
    table: pd.DataFrame, follow_up: FollowUp, groups: str
) -> tuple[FollowUp, np.ndarray[tuple[int], np.dtype[np.object_]]]:
    labels = level_labels(table, groups)[0][follow_up.rows]
    known = labels != ""
    kept = labels[known]
    if len(set(kept)) > MOST_GROUPS:
        raise DataError(
            f"column {groups!r}: expected at most {MOST_GROUPS} groups, found {len(set(kept))}; "
            "cut a measurement into bands, or give it to a Cox model"
        )
    return follow_up.only(known), kept


def _part(follow_up: FollowUp, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> FollowUp:
    """Return one group, which may have no event."""
    return replace(
        follow_up, time=follow_up.time[keep], event=follow_up.event[keep], rows=follow_up.rows[keep]
    )


def _median_follow_up(follow_up: FollowUp, level: float, unit: str) -> Estimate | None:
    if follow_up.event.all():
        return None
    found = kaplan_meier(replace(follow_up, event=~follow_up.event), level=level).median(unit=unit)
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
        BLANK if one is None else number_text(one, spread=width) for one in (value, low, high)
    )
    return f"{value_text} ({limits[0]} to {limits[1]})"
