"""The rows of a Table 1: one variable described by group and tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import column_named, kind_of, level_labels, numbers
from cardio_core.stats.foundation.display import BLANK, number_text, p_text
from cardio_core.stats.foundation.validate import Floats, Ints
from cardio_core.stats.groups.contingency import chi2_2x2, chi2_rxc, fisher_exact
from cardio_core.stats.groups.means import TTest, anova, ttest
from cardio_core.stats.groups.rank_tests import kruskal_wallis, mann_whitney
from cardio_core.stats.groups.standardised import smd_of_counts, smd_of_means
from cardio_core.types.estimate import Estimate

ContinuousTest = Literal["student", "welch", "rank"]
CategoricalTest = Literal["chi2", "n_minus_1", "fisher"]
Summary = Literal["mean_sd", "median_iqr"]

_YES = frozenset({"1", "yes"})
MAX_LEVELS = 20
MAX_CODES = 5
LARGEST_CODE = 10


@dataclass(frozen=True, slots=True)
class TableOneChoices:
    """How a Table 1 is made; what has no default differs between papers.

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
    """

    continuous_test: ContinuousTest
    categorical_test: CategoricalTest
    yates: bool
    ddof: Literal[0, 1]
    summary: Summary = "mean_sd"
    categorical: tuple[str, ...] = ()
    continuous: tuple[str, ...] = ()
    ranked: tuple[str, ...] = ()
    smd: bool = False
    reference: Mapping[str, str] = field(default_factory=dict)
    unit: str = "patient"
    titles: Mapping[str, str] = field(default_factory=dict)
    group_titles: Mapping[str, str] = field(default_factory=dict)

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
    return smd_of_counts([[int((one == level).sum()) for level in levels] for one in by_group])


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
    found, notes = _tested(compute, name, title) if samples else (None, [])
    p = p_text(found.p_value if found else None)
    label = "rank" if by_rank else test.capitalize()
    missing = str(int(np.isnan(everybody).sum()))
    row = (f"{title}, {kind}", *cells, missing, p, label if found else BLANK)
    return Described([row], [found] if found else [], notes)


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
    all_counts = np.array([[int((one == level).sum()) for one in columns] for level in levels])
    counts = all_counts[:, 1:]

    def compute() -> Estimate:
        filled = counts[:, counts.sum(axis=0) > 0].T
        if filled.shape[0] < len(by_group):
            raise DataError("a group has no known value")
        if filled.shape[1] < 2:
            raise DataError("it has one value only")
        if choices.categorical_test == "fisher":
            return fisher_exact(filled, unit=choices.unit)
        if filled.shape != (2, 2):
            return chi2_rxc(filled, unit=choices.unit)
        n_minus_1 = choices.categorical_test == "n_minus_1"
        return chi2_2x2(
            filled, yates=choices.yates and not n_minus_1, n_minus_1=n_minus_1, unit=choices.unit
        )

    title = choices.title(name)
    found, notes = _tested(compute, name, title) if by_group else (None, [])
    missing = str(int((labels[everybody] == "").sum()))
    label = _test_label(found)
    tail = (missing, p_text(found.p_value if found else None), label)
    all_totals = all_counts.sum(axis=0)
    shares = [
        tuple(_share(k, n) for k, n in zip(row, all_totals, strict=True)) for row in all_counts
    ]
    if len(levels) <= 2:
        said = f" = {levels[-1]}"
        if name in choices.titles:
            said = "" if levels[-1].lower() in _YES else f": {levels[-1]}"
        rows = [(f"{title}{said}, n (%)", *shares[-1], *tail)]
    else:
        empty = ("",) * (len(groups.labels) + 1)
        rows = [(f"{title}, n (%)", *empty, *tail)]
        rows += [
            (f"  {level}", *share, "", "", "") for level, share in zip(levels, shares, strict=True)
        ]
    return Described(rows, [found] if found else [], notes)


def _test_label(found: Estimate | None) -> str:
    if found is None:
        return BLANK
    if "simulated" in found.method:
        return "Fisher, simulated"
    return "Fisher" if "Fisher" in found.method else "chi2"


def _share(k: int, n: int) -> str:
    return f"{k} ({100 * k / n:.1f})" if n else BLANK


def _tested(
    compute: Callable[[], Estimate], name: str, title: str
) -> tuple[Estimate | None, list[str]]:
    """Return the test, or the reason why there is none."""
    try:
        found = compute()
    except DataError as refusal:
        return None, [f"{title}: not tested; {refusal}."]
    found = found.replace(name=f"table_one[{name}]")
    note = found.note
    if "simulated" in found.method and not note:
        note = f"p is not exact: {found.method}."
    return found, [f"{title}: {note}"] if note else []


def _is_categorical(table: pd.DataFrame, name: str, choices: TableOneChoices) -> bool:
    if name in choices.categorical or name in choices.reference:
        return True
    if name in choices.continuous or name in choices.ranked:
        return False
    column = column_named(table, name)
    if kind_of(column, name) == "category":
        return True
    values = np.unique(column.dropna().to_numpy(float))
    codes = (values == np.round(values)).all() and values[0] >= 0 and values[-1] <= LARGEST_CODE
    return values.size <= 2 or bool(codes and values.size <= MAX_CODES)
