"""Table 1: each variable described by group, with tests that are named, not assumed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import column_named, kind_of
from cardio_core.stats.foundation.display import ResultTable
from cardio_core.stats.groups.baseline_rows import (
    MAX_LEVELS,
    Groups,
    TableOneChoices,
    describe,
    groups_of,
)
from cardio_core.types.estimate import Estimate


def table_one(
    table: pd.DataFrame, by: str | None, columns: Sequence[str] | None, *, choices: TableOneChoices
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
    >>> made = table_one(t, "arm", ["qrs_ms"], choices=TableOneChoices(
    ...     continuous_test="welch", categorical_test="chi2", yates=False, ddof=1))
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
        raise DataError(f"column {by!r}: names the groups, and cannot be described by them")
    rows: list[tuple[str, ...]] = []
    estimates: list[Estimate] = []
    notes: list[str] = []
    skipped: dict[str, list[str]] = {}
    for name in [str(c) for c in table.columns if c != by] if columns is None else columns:
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
    is_number = kind_of(column, name) == "number"
    words = set(re.findall(r"[^\W_]+", name.lower()))
    if words & _WHO and n_distinct == len(known) and name not in choices.continuous:
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
