"""Response to resynchronisation, computed from the measurements and never stored as 0/1 alone.

The same cohort answers differently under different definitions, so a definition is an object with
a name, and a patient without an outcome carries the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cardio_stats._numerics.validate import numeric_column
from cardio_stats.errors import DataError

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""A value on the boundary stays on it through the rounding of binary numbers."""


def lvesv15(lvesv_bl_ml: ArrayLike, lvesv_fu_ml: ArrayLike) -> Floats:
    """Return whether the end-systolic volume fell by at least 15 % of its baseline.

    Parameters
    ----------
    lvesv_bl_ml, lvesv_fu_ml : array-like, shape (n,)
        End-systolic volumes at baseline and follow-up in mL, by one method.

    Returns
    -------
    ndarray of float64, shape (n,)
        1 responder, 0 not, NaN where a volume is missing or not above 0.

    Examples
    --------
    >>> lvesv15([200, 200, 0, None], [170, 171, 10, 90])
    array([ 1.,  0., nan, nan])
    """
    before, after = _positive(lvesv_bl_ml, "lvesv_bl_ml"), _positive(lvesv_fu_ml, "lvesv_fu_ml")
    return _at_least((before - after) / before, 0.15)


def lvef5(lvef_bl_pct: ArrayLike, lvef_fu_pct: ArrayLike) -> Floats:
    """Return whether the ejection fraction rose by more than 5 absolute points.

    Parameters and result are those of `lvesv15`, with ejection fractions in %.

    Examples
    --------
    >>> lvef5([30, 30, 30], [35, 36, None])
    array([ 0.,  1., nan])
    """
    before, after = _positive(lvef_bl_pct, "lvef_bl_pct"), _positive(lvef_fu_pct, "lvef_fu_pct")
    change = after - before
    return np.where(np.isnan(change), np.nan, (change > 5 + TOLERANCE).astype(float))


def lvef5ge(lvef_bl_pct: ArrayLike, lvef_fu_pct: ArrayLike) -> Floats:
    """Return whether the ejection fraction rose by 5 absolute points or more.

    Examples
    --------
    >>> lvef5ge([30, 30, 30], [35, 34.9, None])
    array([ 1.,  0., nan])
    """
    before, after = _positive(lvef_bl_pct, "lvef_bl_pct"), _positive(lvef_fu_pct, "lvef_fu_pct")
    return _at_least(after - before, 5)


def nyha1(nyha_bl: ArrayLike, nyha_fu: ArrayLike) -> Floats:
    """Return whether the NYHA class improved by at least one.

    A patient in class I at baseline cannot improve and counts as no responder.

    Examples
    --------
    >>> nyha1([3, 3, 1, None], [2, 3, 1, 2])
    array([ 1.,  0.,  0., nan])
    """
    before, after = _positive(nyha_bl, "nyha_bl"), _positive(nyha_fu, "nyha_fu")
    return _at_least(before - after, 1)


def mlhfq5(mlhfq_bl: ArrayLike, mlhfq_fu: ArrayLike) -> Floats:
    """Return whether the Minnesota score fell by at least 5 points; a score of 0 is a score.

    Examples
    --------
    >>> mlhfq5([40, 40, 0], [35, 36, 0])
    array([1., 0., 0.])
    """
    before, after = numeric_column(mlhfq_bl, "mlhfq_bl"), numeric_column(mlhfq_fu, "mlhfq_fu")
    return _at_least(before - after, 5)


def composite_vision(
    nyha_bl: ArrayLike,
    nyha_fu: ArrayLike,
    lvef_bl_pct: ArrayLike,
    lvef_fu_pct: ArrayLike,
    lvesv_bl_ml: ArrayLike,
    lvesv_fu_ml: ArrayLike,
    mlhfq_bl: ArrayLike,
    mlhfq_fu: ArrayLike,
) -> Floats:
    """Return whether any part of the VISION-CRT composite improved.

    The parts are `nyha1`, `lvef5ge`, `lvesv15` and `mlhfq5`. One that improved decides. Without
    one, a missing part leaves the answer open: NaN, not 0.

    Examples
    --------
    >>> same = [200, 200]
    >>> composite_vision([3, 3], [2, 3], [30, 30], [None, 31], same, same, [9, 9], [9, None])
    array([ 1., nan])
    """
    of_function = nyha1(nyha_bl, nyha_fu), lvef5ge(lvef_bl_pct, lvef_fu_pct)
    parts = np.stack([*of_function, lvesv15(lvesv_bl_ml, lvesv_fu_ml), mlhfq5(mlhfq_bl, mlhfq_fu)])
    improved = (parts == 1).any(axis=0)
    unknown = np.isnan(parts).any(axis=0)
    return np.where(improved, 1.0, np.where(unknown, np.nan, 0.0))


def _positive(values: ArrayLike, name: str) -> Floats:
    column = numeric_column(values, name)
    return np.where(column > 0, column, np.nan)


def _at_least(change: Floats, limit: float) -> Floats:
    return np.where(np.isnan(change), np.nan, (change >= limit - TOLERANCE).astype(float))


@dataclass(frozen=True)
class Outcome:
    """A definition of response.

    Attributes
    ----------
    name, title : str
        Name in configurations; what it says.
    columns : tuple of str
        Columns of the cohort table, in the order of the rule's arguments.
    rule : callable
        From those columns to 1, 0 or NaN.
    measured : tuple of str
        Those of the columns that need one imaging method at both times.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rule: Callable[..., Floats]
    measured: tuple[str, ...] = ()


_LVESV = ("lvesv_bl_ml", "lvesv_fu_ml")
_LVEF = ("lvef_bl_pct", "lvef_fu_pct")
_NYHA = ("nyha_bl", "nyha_fu")
_MLHFQ = ("mlhfq_bl", "mlhfq_fu")
_VISION = (*_NYHA, *_LVEF, *_LVESV, *_MLHFQ)

OUTCOMES: Mapping[str, Outcome] = {
    outcome.name: outcome
    for outcome in (
        Outcome("LVESV15", "LVESV falls by ≥ 15 %", _LVESV, lvesv15, _LVESV),
        Outcome("LVEF5", "LVEF rises by > 5 points", _LVEF, lvef5, _LVEF),
        Outcome("LVEF5ge", "LVEF rises by ≥ 5 points", _LVEF, lvef5ge, _LVEF),
        Outcome("NYHA1", "NYHA improves by ≥ 1 class", _NYHA, nyha1),
        Outcome(
            "composite_VISION",
            "NYHA ≥ 1 class, LVEF ≥ 5 points, LVESV ≥ 15 % or MLHFQ ≥ 5 points better",
            _VISION,
            composite_vision,
            (*_LVEF, *_LVESV),
        ),
    )
}
"""The definitions by name."""


@dataclass(frozen=True)
class FollowUpRules:
    """What becomes of patients whose follow-up is not as planned.

    Attributes
    ----------
    died_or_transplanted : {"na", "nonresponder"}
        What death or transplantation before the follow-up counts as.
    window_days : (float, float) or None
        Days from implantation, both ends allowed; checked where the table says the days.
    """

    died_or_transplanted: Literal["na", "nonresponder"] = "na"
    window_days: tuple[float, float] | None = None


@dataclass(frozen=True)
class OutcomeColumn:
    """One outcome of every study.

    Attributes
    ----------
    outcome : Outcome
        The definition.
    values : Series of Int64
        1, 0 or NA, indexed as the table.
    reasons : Series of string
        Why a value is NA, or is 0 by rule; NA where the measurements decided.
    """

    outcome: Outcome
    values: pd.Series
    reasons: pd.Series

    def counts(self) -> dict[str, int]:
        """Return the number of responders, of others, and of patients by reason."""
        found = {
            "responder": int((self.values == 1).sum()),
            "nonresponder": int((self.values == 0).sum()),
            "NA": int(self.values.isna().sum()),
        }
        by_reason = self.reasons.value_counts().sort_index()
        return found | {str(reason): int(count) for reason, count in by_reason.items()}

    def text(self) -> str:
        """Return the numbers in words, each patient in one of them: the unknown with their reasons.

        ``"9 responders, 12 nonresponders, 4 not known (2 lost to follow-up)"``.
        """
        found = self.counts()
        named = ("responder", "nonresponder")
        n = [(found[name], name if found[name] == 1 else f"{name}s") for name in named]
        n.append((found["NA"], "not known"))
        parts = [f"{many} {words}" for many, words in n if many]
        why = self.reasons[self.values.isna()].value_counts().sort_index()
        reasons = ", ".join(f"{many} {reason}" for reason, many in why.items())
        return ", ".join(parts) + (f" ({reasons})" if reasons else "")


def compute_outcome(
    name: str, table: pd.DataFrame, rules: FollowUpRules | None = None
) -> OutcomeColumn:
    """Compute an outcome from a cohort table.

    Parameters
    ----------
    name : str
        One of `OUTCOMES`.
    table : DataFrame
        As `read_cohort_table` returns it. `followup_status`, `days_to_followup`, `vol_method` and
        `vol_method_fu` are used where they stand. The status says what happened before the
        follow-up and outranks values that stand there nevertheless.
    rules : FollowUpRules, optional

    Returns
    -------
    OutcomeColumn

    Raises
    ------
    DataError
        An unknown outcome, or a table without one of its columns.

    Examples
    --------
    >>> table = pd.DataFrame({"nyha_bl": [3, 3], "nyha_fu": [2, None],
    ...                       "followup_status": ["complete", "died"]})
    >>> found = compute_outcome("NYHA1", table, FollowUpRules("nonresponder"))
    >>> found.values.tolist(), found.reasons.tolist()
    ([1, 0], [<NA>, 'died before follow-up'])
    """
    outcome = _named(name)
    rules = rules or FollowUpRules()
    missing = [column for column in outcome.columns if column not in table.columns]
    if missing:
        raise DataError(
            f"outcome {name}: expected the columns {', '.join(outcome.columns)}, "
            f"found no {missing[0]!r}; add it to the cohort table or choose another outcome",
            code="missing",
        )
    used = table[list(outcome.columns)].copy()
    mixed = _methods_differ(table)
    used.loc[mixed, list(outcome.measured)] = np.nan
    values = outcome.rule(*(used[column] for column in outcome.columns))
    reasons = pd.Series(pd.NA, index=table.index, dtype="string")
    reasons[np.isnan(values)] = "a measurement is missing or not positive"
    if outcome.measured:
        reasons[np.isnan(values) & mixed] = "measured by different methods"
    late = _outside(table, rules.window_days)
    values[late], reasons[late] = np.nan, "follow-up outside its window"
    for status, reason in _STATUS_REASONS.items():
        at = _status_is(table, status)
        dead = status != "lost" and rules.died_or_transplanted == "nonresponder"
        values[at], reasons[at] = (0.0 if dead else np.nan), reason
    return OutcomeColumn(outcome, pd.Series(values, table.index, dtype="Int64"), reasons)


_STATUS_REASONS = {
    "lost": "lost to follow-up",
    "died": "died before follow-up",
    "transplant": "transplanted before follow-up",
}


def _named(name: str) -> Outcome:
    if name not in OUTCOMES:
        raise DataError(
            f"no outcome {name!r}; expected one of {', '.join(OUTCOMES)}", code="unknown"
        )
    return OUTCOMES[name]


def _status_is(table: pd.DataFrame, status: str) -> NDArray[np.bool_]:
    if "followup_status" not in table.columns:
        return np.zeros(len(table), dtype=bool)
    found = table["followup_status"].astype("string") == status
    return found.fillna(False).to_numpy(dtype=bool)


def _methods_differ(table: pd.DataFrame) -> NDArray[np.bool_]:
    if not {"vol_method", "vol_method_fu"} <= set(table.columns):
        return np.zeros(len(table), dtype=bool)
    before, after = (table[name].astype("string") for name in ("vol_method", "vol_method_fu"))
    return (before != after).fillna(False).to_numpy(dtype=bool)


def _outside(table: pd.DataFrame, window: tuple[float, float] | None) -> NDArray[np.bool_]:
    if window is None or "days_to_followup" not in table.columns:
        return np.zeros(len(table), dtype=bool)
    days = numeric_column(table["days_to_followup"], "days_to_followup")
    return (days < window[0]) | (days > window[1])
