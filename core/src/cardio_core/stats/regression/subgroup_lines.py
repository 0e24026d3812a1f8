"""Subgroups of a table, and what was estimated in each, as lines of a table and of a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import binary_outcome, level_labels, numbers
from cardio_core.stats.foundation.design import Design, terms_of
from cardio_core.stats.foundation.display import BLANK, ResultTable, p_text
from cardio_core.stats.foundation.validate import Bools, Floats
from cardio_core.types.estimate import Estimate

MOST_SUBGROUPS = 8


@dataclass(frozen=True, slots=True)
class Subgroups:
    """A column that parts the rows.

    Attributes
    ----------
    name : str
    labels : ndarray of str, shape (n,)
        "" where the column is missing.
    levels : tuple of str
    """

    name: str
    labels: NDArray[np.object_]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubgroupLine:
    """One line of a subgroup table, as a forest plot draws it.

    Attributes
    ----------
    column : str
        Empty for everybody.
    level : str
        Empty in the line that heads a column's subgroups.
    counts : str
        Rows and events.
    estimate : Estimate or None
        None where the subgroup is too small, and in a heading.
    text : str
        The estimate as it is printed.
    tests : tuple of str
        p-values as they are printed; of headings.
    """

    column: str
    level: str
    counts: str
    estimate: Estimate | None
    text: str
    tests: tuple[str, ...]


Made = tuple[ResultTable, list[SubgroupLine]]


@dataclass(frozen=True, slots=True)
class ExposedRows:
    """Outcome and exposure on the rows where both are known."""

    outcome: Floats
    exposure: Floats
    term: str
    target: str
    event: str
    rows: NDArray[np.int64]
    n_dropped: int
    column: str

    def design(self, keep: Bools, matrix: Floats, terms: Sequence[str]) -> Design:
        """Return these rows with the columns of `matrix`, shape (n, n_terms)."""
        return Design(
            matrix[keep], self.outcome[keep], tuple(terms), tuple(terms), self.target, self.event,
            self.rows[keep], self.n_dropped + int((~keep).sum()),
        )  # fmt: skip


Estimated = Callable[[Bools], Estimate]
Tested = Callable[[Subgroups, NDArray[np.object_]], list[Estimate]]


def subgroups_of(table: pd.DataFrame, by: str) -> Subgroups:
    """Part the rows by a column: its categories, or its values at the cuts that are named.

    Parameters
    ----------
    table : DataFrame
    by : str
        A column, or ``age:65`` and ``age:50:75`` for a number and where it is cut.

    Raises
    ------
    DataError
        A number without a cut that has more than 8 values, or one subgroup only.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [50, 65, 70, None]})
    >>> found = subgroups_of(table, "age:65")
    >>> found.labels.tolist(), found.levels
    (['below 65', '65 and above', '65 and above', ''], ('below 65', '65 and above'))
    """
    name, *cuts = [by] if by in table.columns else by.split(":")
    if cuts:
        labels, levels = _bands(numbers(table, name.strip()), by, cuts)
    else:
        labels, found = level_labels(table, name)
        levels = tuple(found)
        if len(levels) > MOST_SUBGROUPS:
            raise DataError(
                f"column {name!r}: expected at most {MOST_SUBGROUPS} subgroups, found "
                f"{len(levels)}; cut a number, as in {name}:{levels[len(levels) // 2]}, or group "
                "the categories"
            )
    if len(levels) < 2:
        raise DataError(
            f"column {name!r}: expected two subgroups or more, found {', '.join(levels) or 'none'}"
            f"{' at ' + ', '.join(cuts) if cuts else ''}; choose another column or cut"
        )
    return Subgroups(name.strip(), labels, levels)


def _bands(
    values: Floats, by: str, cuts: Sequence[str]
) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    try:
        edges = sorted(float(cut) for cut in cuts)
    except ValueError:
        raise DataError(
            f"subgroups {by!r}: expected a column and numbers such as age:65, found "
            f"{', '.join(cuts)}"
        ) from None
    words = [f"below {edges[0]:g}"]
    words += [f"{low:g} to below {high:g}" for low, high in pairwise(edges)]
    words.append(f"{edges[-1]:g} and above")
    number = np.searchsorted(edges, values, side="right")
    labels = np.where(np.isnan(values), "", np.array(words, dtype=object)[number])
    return labels, tuple(word for word in words if (labels == word).any())


def exposed_rows(table: pd.DataFrame, target: str, exposure: str, event: str | None) -> ExposedRows:
    """Read outcome and exposure.

    Raises
    ------
    DataError
        An exposure that is the target, or has more than two categories.
    """
    if target == exposure:
        raise DataError(f"column {target!r}: is both target and exposure; choose another")
    outcome, event = binary_outcome(table, target, event)
    matrix, terms = terms_of(table, exposure)
    if len(terms) > 1:
        raise DataError(
            f"column {exposure!r}: expected numbers or two categories, found {len(terms) + 1}; "
            "one odds ratio cannot hold them, join categories"
        )
    known = ~(np.isnan(outcome) | np.isnan(matrix[:, 0]))
    return ExposedRows(
        outcome[known], matrix[known, 0], terms[0], target, event,
        np.flatnonzero(known).astype(np.int64), int((~known).sum()), exposure,
    )  # fmt: skip


def in_subgroups(
    table: pd.DataFrame,
    found: ExposedRows,
    by: Sequence[str],
    estimated: Estimated,
    tested: Tested,
    what: str,
    text_of: Callable[[Estimate], str],
    tests: tuple[str, ...],
    level: float,
    unit: str,
) -> Made:
    """Estimate in everybody and in each subgroup, test each column, and print all of it.

    Raises
    ------
    DataError
        No column, or one that is the exposure; refusals of single subgroups become notes.
    """
    if not by:
        raise DataError("subgroups: expected at least one column, found none")
    parts = [subgroups_of(table, one) for one in by]
    for part in parts:
        if part.name in (found.column, found.target):
            raise DataError(
                f"column {part.name!r}: is both subgroup and exposure or target; choose another"
            )
    everybody = np.ones(found.outcome.size, dtype=bool)
    whole = estimated(everybody)
    estimates, notes = [whole], []
    blanks = ("",) * len(tests)
    lines = [SubgroupLine("", "all", _counts(found, everybody), whole, text_of(whole), blanks)]
    for part in parts:
        labels = part.labels[found.rows]
        try:
            results = tested(part, labels)
        except DataError as refusal:
            results = []
            notes.append(f"{part.name}: no test; {refusal}.")
        estimates += results
        cells = tuple(p_text(one.p_value) for one in results) + (BLANK,) * len(tests)
        lines.append(SubgroupLine(part.name, "", "", None, "", cells[: len(tests)]))
        for one in part.levels:
            keep = labels == one
            here, text = None, BLANK
            try:
                here = estimated(keep)
                text = text_of(here)
                estimates.append(here.replace(name=f"{here.name}[{part.name}={one}]"))
                notes += [f"{part.name}={one}: {here.note}"] if here.note else []
            except DataError as refusal:
                notes.append(f"{part.name}={one}: not estimated; {refusal}.")
            lines.append(SubgroupLine(part.name, one, _counts(found, keep), here, text, blanks))
        missing = int((labels == "").sum())
        if missing:
            notes.append(f"{part.name}: {missing} {unit}s in no subgroup (missing).")
    made = ResultTable(
        f"{what[0].upper()}{what[1:]} for {found.target} = {found.event} by subgroup",
        ("subgroup", "n (events)", f"{what} ({level * 100:g} % CI)", *tests),
        tuple(
            (f"  {line.level}" if line.column and line.level else line.level or line.column,
             line.counts, line.text, *line.tests)
            for line in lines
        ),
        (
            "p interaction: likelihood ratio of the product of subgroup and "
            f"{found.term}; read it, not which intervals leave no effect out.",
            *(["p equal AUC: chi-square of the AUCs around their mean (DeLong's variances)."]
              if len(tests) > 1 else []),
            f"The p-values are not corrected for the number of columns ({len(parts)}).",
            *([f"{found.n_dropped} {unit}s dropped for missing values."]
              if found.n_dropped else []),
            *notes,
        ),
        tuple(estimates),
    )  # fmt: skip
    return made, lines


def _counts(found: ExposedRows, keep: Bools) -> str:
    return f"{int(keep.sum())} ({int(found.outcome[keep].sum())})"
