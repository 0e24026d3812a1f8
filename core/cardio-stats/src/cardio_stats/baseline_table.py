"""The rows of a Table 1: one variable described by group and tested."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cardio_stats._numerics.columns import column_named, kind_in, kind_of, level_labels, numbers
from cardio_stats._numerics.display import BLANK, ResultTable, number_text, p_text
from cardio_stats._numerics.validate import Floats, Ints, numeric_column
from cardio_stats._numerics.watching import tell
from cardio_stats.contingency import categorical_test, chi2_2x2, chi2_rxc, fisher_exact
from cardio_stats.errors import DataError, every
from cardio_stats.estimate import Estimate
from cardio_stats.means import TTest, anova, kruskal_wallis, mann_whitney, ttest
from cardio_stats.tables import PATIENTS, plain_name

# Standardised mean differences: how far groups lie apart, whatever their size.


def smd_of_means(samples: Sequence[ArrayLike]) -> Estimate:
    """Return the standardised difference of the means of two groups, or its mean over all pairs.

    Parameters
    ----------
    samples : sequence of array-like, shape (n_i,)
        Two or more groups; NaN is missing and left out.

    Returns
    -------
    Estimate
        ``|m1 - m2|`` / sqrt((s1² + s2²) / 2) with SDs of n - 1, as R's tableone; without a sign.

    Raises
    ------
    DataError
        A group of fewer than two known values, or two groups without any spread.

    References
    ----------
    Austin PC. Stat Med 2009;28:3083.

    Examples
    --------
    >>> round(smd_of_means([[150, 160, 170, 180], [140, 150, 155]]).value, 3)
    1.571
    """
    known = [column[~np.isnan(column)] for column in (numeric_column(s, "group") for s in samples)]
    if min(column.size for column in known) < 2:
        raise DataError("standardised difference: expected two known values in every group")
    pairs = [
        _divided(abs(float(a.mean() - b.mean())), float((a.var(ddof=1) + b.var(ddof=1)) / 2))
        for a, b in combinations(known, 2)
    ]
    return _estimate(pairs, sum(column.size for column in known))


def smd_of_counts(counts: ArrayLike) -> Estimate:
    """Return the standardised difference of the shares of categories.

    Parameters
    ----------
    counts : array-like of int, shape (n_groups, n_levels)
        Two groups or more, of which the mean over all pairs is given.

    Returns
    -------
    Estimate
        Yang and Dalton's Mahalanobis distance of the shares of all levels but one, with their
        multinomial covariances averaged over both groups. Of two levels it is
        ``|p1 - p2|`` / sqrt((p1 (1 - p1) + p2 (1 - p2)) / 2).

    Raises
    ------
    DataError
        A group without a known value, one level only, or two groups each of one level.

    References
    ----------
    Yang D, Dalton JE. SAS Global Forum 2012, paper 335.

    Examples
    --------
    >>> round(smd_of_counts([[30, 10], [20, 20]]).value, 3)
    0.535
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or (table.sum(axis=1) == 0).any():
        raise DataError("standardised difference: expected two levels, and known values in groups")
    pairs = [_distance(a / a.sum(), b / b.sum()) for a, b in combinations(table, 2)]
    return _estimate(pairs, int(table.sum()))


def _distance(p: Floats, q: Floats) -> float:
    """Return the distance of two sets of shares, levels that neither group has left out."""
    there = p + q > 0
    p, q = p[there][1:], q[there][1:]
    if p.size == 0:  # both groups have the same one level
        return 0.0
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    if np.linalg.matrix_rank(spread) < p.size:
        raise DataError("standardised difference: groups share no level; give the counts")
    return float(np.sqrt((p - q) @ np.linalg.solve(spread, p - q)))


def _divided(difference: float, variance: float) -> float:
    if variance == 0 and difference > 0:
        raise DataError("standardised difference: groups without spread; give the means")
    return difference / float(np.sqrt(variance)) if variance else 0.0


def _estimate(pairs: Sequence[float], n: int) -> Estimate:
    method = "standardised mean difference" + (", mean over pairs" if len(pairs) > 1 else "")
    return Estimate("smd", float(np.mean(pairs)), method=method, n=n)


ContinuousTest = Literal["student", "welch", "rank"]
CategoricalTest = Literal["chi2", "n_minus_1", "fisher"]
Summary = Literal["mean_sd", "median_iqr"]

_YES = frozenset({"1", "yes"})
MAX_LEVELS = 20
MAX_CODES = 5
LARGEST_CODE = 10


@dataclass(frozen=True, slots=True)
class TableOneChoices:
    """How a Table 1 is made; papers differ in all of it.

    Attributes
    ----------
    continuous_test : {"student", "welch", "rank"}
        Student's t or analysis of variance; Welch's; Mann-Whitney or Kruskal-Wallis.
    categorical_test : {"chi2", "n_minus_1", "fisher"}
        Fisher's test replaces chi-square wherever an expected count is below 5.
    yates : bool
        Continuity correction of 2x2 tables under "chi2".
    ddof : {0, 1}
        Divisor n - ddof of the printed SD. The tests always use n - 1.
    summary : {"mean_sd", "median_iqr"}
        How continuous variables are printed.
    categorical, continuous : tuple of str
        Columns whose kind is given instead of detected.
    ranked : tuple of str
        Columns printed as median (quartiles) and tested by ranks, whatever the rest gets.
    smd : bool
        Whether a column gives the standardised mean differences between the groups.
    reference : mapping of str to str
        The level of a categorical column that is not printed where there are two, and is printed
        first where there are more.
    unit : str
        What a row is.
    titles : mapping of str to str
        Words for columns, as readers are to see them: ``{"age_y": "Age (years)"}``. A column of 0
        and 1, or of no and yes, that has a title is printed as its title alone.
    group_titles : mapping of str to str
        Words for groups: ``{"1": "Responder"}``.
    explain_fisher : bool
        Whether a note says why Fisher's test stands in the column of tests.
    """

    continuous_test: ContinuousTest = "welch"
    categorical_test: CategoricalTest = "chi2"
    yates: bool = False
    ddof: Literal[0, 1] = 1
    summary: Summary = "mean_sd"
    categorical: tuple[str, ...] = ()
    continuous: tuple[str, ...] = ()
    ranked: tuple[str, ...] = ()
    smd: bool = False
    reference: Mapping[str, str] = field(default_factory=dict)
    unit: str = "patient"
    titles: Mapping[str, str] = field(default_factory=dict)
    group_titles: Mapping[str, str] = field(default_factory=dict)
    explain_fisher: bool = True

    def title(self, name: str) -> str:
        """Return what readers are to see in place of a column's name."""
        return self.titles.get(name, name)


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows of each group, in the order of its columns; no group where nothing divides them.

    Attributes
    ----------
    labels : tuple of str
    members : tuple of ndarray of int
        Positions of the rows of each group.
    n_dropped : int
        Rows without a group.
    everybody : ndarray of int
        Positions of all rows that are described.
    """

    labels: tuple[str, ...]
    members: tuple[Ints, ...]
    n_dropped: int
    everybody: Ints


def groups_of(table: pd.DataFrame, by: str) -> Groups:
    """Return the groups of a column, in numerical or alphabetical order.

    Raises
    ------
    DataError
        Fewer than two groups, more than 20, or a group of one row.
    """
    column = column_named(table, by)
    known = column.dropna()
    if kind_of(column, by) == "number" and len(known):
        values = numbers(table, by)
        levels = np.unique(values[~np.isnan(values)])
        found = [
            (f"{level:g}", np.flatnonzero(values == level).astype(np.int64)) for level in levels
        ]
    else:
        text = column.astype("string")
        found = [
            (level, np.flatnonzero((text == level).fillna(False).to_numpy(bool)).astype(np.int64))
            for level in sorted(known.astype(str).unique())
        ]
    if len(found) < 2:
        named = f" ({found[0][0]!r} in every row)" if found else ": every value is missing"
        raise DataError(
            f"column {by!r}: expected two or more groups, found {len(found)}{named}; choose a "
            "column of groups"
        )
    if len(found) > MAX_LEVELS:
        raise DataError(
            f"column {by!r}: expected at most {MAX_LEVELS} groups, found {len(found)}; choose a "
            "column of groups"
        )
    for label, members in found:
        if len(members) < 2:
            raise DataError(
                f"column {by!r}: expected at least 2 rows in every group, found 1 in {label!r}; "
                "merge it with another group or leave it out"
            )
    labels, rows = zip(*found, strict=True)
    return Groups(labels, rows, int(len(column) - len(known)), np.concatenate(rows))


@dataclass(frozen=True, slots=True)
class Described:
    """One variable's rows, its test if there is one, and what is to be said about it."""

    rows: list[tuple[str, ...]]
    estimates: list[Estimate]
    notes: list[str]


def describe(table: pd.DataFrame, name: str, groups: Groups, choices: TableOneChoices) -> Described:
    """Describe one column by group, as counts or as measurements."""
    as_counts = _is_categorical(table, name, choices)
    describe_kind = _counts if as_counts else _measurements
    described = describe_kind(table, name, groups, choices)
    if not choices.smd or not groups.members:
        return described
    cell, found = BLANK, []
    try:
        smd = _smd(table, name, groups, as_counts)
        cell, found = f"{smd.value:.3f}", [smd.replace(name=f"smd[{name}]", unit=choices.unit)]
    except DataError as refusal:
        described.notes.append(f"{choices.title(name)}: no SMD; {refusal}.")
    cells = [cell, *[""] * (len(described.rows) - 1)]
    rows = [(*row, smd) for row, smd in zip(described.rows, cells, strict=True)]
    return Described(rows, [*described.estimates, *found], described.notes)


def _smd(table: pd.DataFrame, name: str, groups: Groups, as_counts: bool) -> Estimate:
    if not as_counts:
        values = numbers(table, name)
        return smd_of_means([values[members] for members in groups.members])
    labels, levels = level_labels(table, name)
    by_group = [labels[members] for members in groups.members]
    return smd_of_counts([[int((item == level).sum()) for level in levels] for item in by_group])


def _measurements(
    table: pd.DataFrame, name: str, groups: Groups, choices: TableOneChoices
) -> Described:
    values = numbers(table, name)
    samples = [values[members] for members in groups.members]
    everybody = values[groups.everybody]
    ranked = name in choices.ranked or choices.summary == "median_iqr"
    by_rank = name in choices.ranked or choices.continuous_test == "rank"
    spread = float(np.nanstd(everybody))
    cells = [_measured(sample, choices.ddof, ranked, spread) for sample in (everybody, *samples)]
    kind = "median (quartiles)" if ranked else "mean ± SD"

    test: TTest = "welch" if choices.continuous_test == "welch" else "student"

    def compute() -> Estimate:
        if by_rank and len(samples) == 2:
            return mann_whitney(*samples, unit=choices.unit)
        if by_rank:
            return kruskal_wallis(samples, unit=choices.unit)
        if len(samples) == 2:
            return ttest(*samples, test=test, unit=choices.unit)
        return anova(samples, test=test, unit=choices.unit)

    title = choices.title(name)
    found, notes = _tested(compute, title) if samples else (None, [])
    p = p_text(found.p_value if found else None)
    label = "rank" if by_rank else test.capitalize()
    missing = str(int(np.isnan(everybody).sum()))
    row = (f"{title}, {kind}", *cells, missing, p, label if found else BLANK)
    return Described([row], _named(found, name), notes)


def _measured(sample: Floats, ddof: int, ranked: bool, spread: float) -> str:
    known = sample[~np.isnan(sample)]
    if known.size == 0:
        return BLANK
    partial = f" [{known.size}]" if known.size < sample.size else ""
    if ranked:
        low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
        low, middle, high = (number_text(v, spread=spread) for v in (low, middle, high))
        return f"{middle} ({low} to {high}){partial}"
    mean = number_text(float(known.mean()), spread=spread)
    if known.size <= ddof:
        return mean + partial
    return f"{mean} ± {number_text(float(known.std(ddof=ddof)), spread=spread)}{partial}"


def _counts(table: pd.DataFrame, name: str, groups: Groups, choices: TableOneChoices) -> Described:
    labels, ordered = level_labels(table, name)
    everybody = groups.everybody
    levels = [level for level in ordered if (labels[everybody] == level).any()]
    first = choices.reference.get(name)
    if first is not None:
        if first not in levels:
            raise DataError(
                f"column {name!r}: reference {first!r} does not occur; found {', '.join(levels)}"
            )
        levels = [first, *(level for level in levels if level != first)]
    by_group = [labels[members] for members in groups.members]
    columns = [labels[everybody], *by_group]
    all_counts = np.array(
        [[int((column == level).sum()) for column in columns] for level in levels]
    )
    counts = all_counts[:, 1:]

    def compute() -> Estimate:
        filled = counts[:, counts.sum(axis=0) > 0].T
        if filled.shape[0] < len(by_group):
            raise DataError("a group has no known value; leave it out")
        if filled.shape[1] < 2:
            raise DataError("it has one value only; leave it out")
        if choices.categorical_test == "fisher":
            return fisher_exact(filled, unit=choices.unit)
        if filled.shape != (2, 2):
            return chi2_rxc(filled, unit=choices.unit)
        n_minus_1 = choices.categorical_test == "n_minus_1"
        return chi2_2x2(
            filled, yates=choices.yates and not n_minus_1, n_minus_1=n_minus_1, unit=choices.unit
        )

    title = choices.title(name)
    found, notes = _tested(compute, title) if by_group else (None, [])
    if found and found.name == "fisher_p" and found.seed is None and not choices.explain_fisher:
        notes = []
    missing = str(int((labels[everybody] == "").sum()))
    label = categorical_test(found) if found else BLANK
    tail = (missing, p_text(found.p_value if found else None), label)
    all_totals = all_counts.sum(axis=0)
    shares = [
        tuple(_share(k, n) for k, n in zip(row, all_totals, strict=True)) for row in all_counts
    ]
    if len(levels) <= 2:
        text = f" = {levels[-1]}"
        if name in choices.titles:
            text = "" if levels[-1].lower() in _YES else f": {levels[-1]}"
        rows = [(f"{title}{text}, n (%)", *shares[-1], *tail)]
    else:
        empty = ("",) * (len(groups.labels) + 1)
        rows = [(f"{title}, n (%)", *empty, *tail)]
        rows += [
            (f"  {level}", *share, "", "", "") for level, share in zip(levels, shares, strict=True)
        ]
    return Described(rows, _named(found, name), notes)


def _named(found: Estimate | None, column: str) -> list[Estimate]:
    return [found.replace(name=f"table_one[{column}]")] if found else []


def _share(k: int, n: int) -> str:
    return f"{k} ({100 * k / n:.1f})" if n else BLANK


def _tested(compute: Callable[[], Estimate], title: str) -> tuple[Estimate | None, list[str]]:
    """Return the test, or the reason why there is none."""
    try:
        found = compute()
    except DataError as refusal:
        return None, [f"{title}: not tested; {refusal}."]
    note = found.note
    if found.name == "fisher_p" and found.seed is not None and not note:
        note = f"p is not exact: {found.method}."
    return found, [f"{title}: {note}"] if note else []


def _is_categorical(table: pd.DataFrame, name: str, choices: TableOneChoices) -> bool:
    if name in choices.categorical or name in choices.reference:
        return True
    if name in choices.continuous or name in choices.ranked:
        return False
    column = column_named(table, name)
    if kind_in(table, name) == "category":
        return True
    values = np.unique(column.dropna().to_numpy(float))
    codes = (values == np.round(values)).all() and values[0] >= 0 and values[-1] <= LARGEST_CODE
    return values.size <= 2 or bool(codes and values.size <= MAX_CODES)


# Table 1: each variable described by group, with tests that are named, not assumed.


AS_USUAL = TableOneChoices()


def table_one(
    table: pd.DataFrame,
    by: str | None = None,
    columns: Sequence[str] | None = None,
    *,
    choices: TableOneChoices = AS_USUAL,
) -> ResultTable:
    """Describe the columns of a table by group.

    Parameters
    ----------
    table : DataFrame
        One row a patient.
    by : str or None
        Column of the groups: two or more, each of at least 2 rows. Rows without a group are
        dropped and counted. None describes all rows together and tests nothing.
    columns : sequence of str or None
        What to describe; None takes every column that can be described and names the others.
    choices : TableOneChoices
        Tests, their corrections, and what is printed.

    Returns
    -------
    ResultTable
        Per variable the overall and the group summaries, the number of missing values, p and the
        test that gave it. A variable without a valid test has a dash and a note.

    Raises
    ------
    DataError
        A column that is missing, mixes text with numbers, or (where named) holds nothing; fewer
        than two groups, or a group of one.

    Notes
    -----
    A column is categorical if it is text, has at most two values, or holds whole numbers from 0
    to 10 of at most five values (NYHA class); `choices` overrides this. A variable of two levels
    is printed as its last level (1, or the last in alphabetical order). Percentages are of the
    known values. p-values are not corrected for their number.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"arm": ["ON"] * 4 + ["OFF"] * 4,
    ...                   "qrs_ms": [150, 160, 170, 180, 140, 150, 155, None]})
    >>> made = table_one(t, by="arm", columns=["qrs_ms"])
    >>> made.rows[0][:4]
    ('qrs_ms, mean ± SD', '157.9 ± 13.5 [7]', '148.3 ± 7.6 [3]', '165.0 ± 12.9')
    >>> made.rows[0][4:]
    ('1', '0.088', 'Welch')
    """
    everybody = np.arange(len(table), dtype=np.int64)
    groups = Groups((), (), 0, everybody) if by is None else groups_of(table, by)
    for name in (
        *choices.categorical, *choices.continuous, *choices.ranked, *choices.reference,
    ):  # fmt: skip
        column_named(table, name)  # a misspelt choice would change nothing, and nobody would know
    if columns is not None and by in columns:
        raise DataError(
            f"column {by!r}: names the groups and cannot be described by them; leave it out"
        )
    rows: list[tuple[str, ...]] = []
    estimates: list[Estimate] = []
    notes: list[str] = []
    skipped: dict[str, list[str]] = {}
    names = [str(c) for c in table.columns if c != by] if columns is None else list(columns)
    every(*(partial(_notdescribe, table, name, choices) for name in names))
    for place, name in enumerate(names):
        tell("columns", place, len(names))
        reason = _notdescribe(table, name, choices)
        if reason and columns is not None:
            raise DataError(f"column {name!r}: cannot be described, it is {reason}; leave it out")
        if reason:
            skipped.setdefault(reason, []).append(name)
            continue
        described = describe(table, name, groups, choices)
        rows += described.rows
        notes += described.notes
        estimates += described.estimates
    if not rows:
        where = "" if by is None else f" by {by}"
        raise DataError(f"table 1{where}: expected a column to describe, found none")
    skip_notes = [f"Not described, {why}: {', '.join(them)}." for why, them in skipped.items()]
    return ResultTable(
        "Table 1" if by is None else f"Table 1 by {by}",
        _heading(table, by, groups, choices),
        tuple(rows),
        (*_footnotes(groups, choices, estimates, by), *notes, *skip_notes),
        tuple(estimates),
    )


_WHO = {"id", "pid", "mrn", "patient", "subject"}
"""Words in the name of a column that says who it is, if its values all differ."""


def _notdescribe(table: pd.DataFrame, name: str, choices: TableOneChoices) -> str:
    """Say why a column has no place in a Table 1, or nothing."""
    column = column_named(table, name)
    known = column.dropna()
    if not len(known):
        return "empty"
    n_distinct = known.nunique()
    if name in choices.categorical or name in choices.reference:
        return "" if n_distinct <= MAX_LEVELS else f"text of more than {MAX_LEVELS} levels"
    is_number = kind_in(table, name) == "number"
    words = set(re.findall(r"[^\W_]+", name.lower()))
    who = plain_name(name) in PATIENTS or (words & _WHO and n_distinct == len(known))
    if who and name not in choices.continuous:
        return "an identifier"
    if not is_number and n_distinct > MAX_LEVELS:
        return f"text of more than {MAX_LEVELS} levels"
    return ""


def _heading(
    table: pd.DataFrame, by: str | None, groups: Groups, choices: TableOneChoices
) -> tuple[str, ...]:
    n_all = len(table) - groups.n_dropped
    each = (
        f"{choices.group_titles.get(label, f'{by} = {label}')} (n = {len(members)})"
        for label, members in zip(groups.labels, groups.members, strict=True)
    )
    smd = ("SMD",) if choices.smd and groups.labels else ()
    return ("Variable", f"all (n = {n_all})", *each, "missing", "p", "test", *smd)


def _footnotes(
    groups: Groups, choices: TableOneChoices, estimates: list[Estimate], by: str | None
) -> list[str]:
    many = len(groups.labels) > 2
    continuous = {
        "student": "one-way analysis of variance" if many else "Student's t",
        "welch": "Welch's analysis of variance" if many else "Welch's t",
        "rank": "Kruskal-Wallis" if many else "Mann-Whitney",
    }[choices.continuous_test]
    categorical = {
        "chi2": "chi-square "
        + ("with" if choices.yates else "without")
        + " Yates' correction for 2x2 tables",
        "n_minus_1": "chi-square with n - 1 for 2x2 tables",
        "fisher": "Fisher's test",
    }[choices.categorical_test]
    if choices.categorical_test != "fisher":
        categorical += ", Fisher's test where an expected count is below 5"
    n = sum(estimate.p_value is not None for estimate in estimates)
    counted = "" if n else "No p-values. "
    if n > 1:
        counted = f"{n} p-values, not corrected for their number. "
    if by is None:
        return [
            f"SD divided by n{' - 1' if choices.ddof else ''}. Percentages are of known values; "
            "[n] is the number of known values where some are missing."
        ]
    notes = [
        f"Continuous: {continuous}; SD divided by n{' - 1' if choices.ddof else ''}. "
        f"Categorical: {categorical}.",
        f"{counted}Percentages are of known values; [n] is the number of known "
        "values where some are missing.",
    ]
    if choices.smd:
        notes.append(
            "SMD: standardised mean difference, without sign; of categories Yang and Dalton's"
            + (", the mean over pairs of groups." if many else ".")
        )
    if groups.n_dropped:
        notes.append(f"{groups.n_dropped} rows without {by} were dropped.")
    return notes
