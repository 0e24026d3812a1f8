"""Columns of a clinical table: found by name, read as numbers or as categories, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, Ints, numeric_column

Kind = Literal["number", "category"]
Column = pd.Series


def column_named(table: pd.DataFrame, name: str) -> Column:
    """Return one column of the table.

    Raises
    ------
    DataError
        No such column (with the nearest names), or several of that name.
    """
    if name not in table.columns:
        by_small = {str(column).lower(): str(column) for column in table.columns}
        near = [by_small[found] for found in get_close_matches(name.lower(), by_small, n=3)]
        some = ", ".join([str(column) for column in table.columns][:5])
        hint = f"nearest: {', '.join(near)}" if near else f"its {table.shape[1]} begin with {some}"
        raise DataError(f"column {name!r}: not in the table; {hint}")
    n_times = int((table.columns == name).sum())
    if n_times > 1:
        raise DataError(f"column {name!r}: found {n_times} times; rename all but one")
    return table[name]


def kind_of(column: Column, name: str) -> Kind:
    """Say whether a column holds numbers or categories.

    Numbers written as text are numbers. A column in which some cells are numbers and others text
    is neither: a unit, a comment or a typing error has slipped in, and guessing would drop data.

    Raises
    ------
    DataError
        Numbers and text in one column.
    """
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return "number"
    known = column.dropna()
    parsed = pd.to_numeric(known, errors="coerce")
    if parsed.notna().all() and len(known):
        return "number"
    if parsed.notna().any():
        first = known[parsed.isna()]
        row = column.index.get_loc(first.index[0])
        raise DataError(
            f"column {name!r}: expected numbers, found text {str(first.iloc[0])!r} in data row "
            f"{int(row) + 1 if isinstance(row, int) else first.index[0]}"
            + (f" and {len(first) - 1} more" if len(first) > 1 else "")
            + "; correct the cells or leave them empty"
        )
    return "category"


def numbers(table: pd.DataFrame, name: str) -> Floats:
    """Return a numeric column as floats, NaN where missing.

    Raises
    ------
    DataError
        No such column, text, an infinite number, or no value at all.
    """
    column = column_named(table, name)
    if kind_of(column, name) == "category":
        found = column.dropna()
        if len(found):
            raise DataError(
                f"column {name!r}: expected numbers, found text {str(found.iloc[0])!r}; "
                "choose a column of numbers"
            )
    values = numeric_column(pd.to_numeric(column), f"column {name!r}")
    if np.isnan(values).all():
        raise DataError(
            f"column {name!r}: expected values, found all {values.size} missing; choose another"
        )
    return values


def binary_outcome(table: pd.DataFrame, name: str, event: str | None = None) -> tuple[Floats, str]:
    """Return an outcome as 0, 1 and NaN, and the label of what counts as the event.

    Parameters
    ----------
    table : DataFrame
    name : str
    event : str, optional
        Which of two values is the event; needed unless the values are 0 and 1.

    Raises
    ------
    DataError
        Other than two values, one class only, or an event that does not occur.
    """
    column = column_named(table, name)
    known = column.dropna()
    if not len(known):
        raise DataError(
            f"column {name!r}: expected an outcome, found all values missing; choose another"
        )
    if kind_of(column, name) == "number":
        values = numbers(table, name)
        labels = [f"{value:.15g}" for value in np.unique(values[~np.isnan(values)])]
        as_text = np.array(["" if np.isnan(value) else f"{value:.15g}" for value in values])
        if event is not None:
            try:
                event = f"{float(event):.15g}"
            except ValueError:
                raise DataError(
                    f"column {name!r}: event {event!r} does not occur; found {', '.join(labels)}"
                ) from None
    else:
        as_text = column.astype("string").fillna("").to_numpy(dtype=str)
        labels = sorted(known.astype(str).unique())
    if len(labels) != 2:
        raise DataError(
            f"column {name!r}: expected an outcome of two values, found "
            f"{len(labels)} ({', '.join(labels[:4])}{', ...' if len(labels) > 4 else ''})"
            + (
                "; with one class there is nothing to predict"
                if len(labels) == 1
                else "; recode it, or choose another column"
            )
        )
    if event is None:
        if labels != ["0", "1"]:
            raise DataError(
                f"column {name!r}: expected 0 and 1, found {labels[0]} and {labels[1]}; say which "
                f"one is the event, for example event={labels[1]}"
            )
        event = "1"
    if event not in labels:
        raise DataError(
            f"column {name!r}: event {event!r} does not occur; found {', '.join(labels)}"
        )
    outcome = np.where(as_text == "", np.nan, (as_text == event).astype(float))
    return outcome, event


def require_one_row_each(table: pd.DataFrame, patient: str) -> None:
    """Refuse a table in which a patient has several rows, or a row has no patient.

    The tests of a Table 1 and of a logistic regression take rows as independent, and no form of
    theirs for repeated rows is offered.

    Examples
    --------
    >>> require_one_row_each(pd.DataFrame({"id": ["p1", "p2"]}), "id")
    """
    column = column_named(table, patient)
    if column.isna().any():
        raise DataError(
            f"column {patient!r}: expected a patient in every row, found {int(column.isna().sum())}"
            " rows without one; fill them in, or leave these rows out"
        )
    counts = column.value_counts(sort=True)
    if len(counts) < len(column):
        raise DataError(
            f"column {patient!r}: expected one row a patient, found {len(column)} rows of "
            f"{len(counts)} ({str(counts.index[0])!r} has {counts.iloc[0]}); rows count as "
            "independent here: keep one row each, or each patient's mean"
        )


@dataclass(frozen=True, slots=True)
class Design:
    """Outcome and predictors on the rows where all of them are known.

    Attributes
    ----------
    matrix : ndarray, shape (n, n_terms)
        Without intercept.
    outcome : ndarray of 0 and 1, shape (n,)
    terms : tuple of str
        A numeric column keeps its name; a category gives ``column=level`` for every level but the
        first (in alphabetical order), which is the reference.
    features : tuple of str
        The column that each term comes from.
    target, event : str
    rows : ndarray of int, shape (n,)
        Positions of the rows in the table.
    n_dropped : int
        Rows left out because a value was missing.
    """

    matrix: Floats
    outcome: Floats
    terms: tuple[str, ...]
    features: tuple[str, ...]
    target: str
    event: str
    rows: Ints
    n_dropped: int

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.outcome.size)

    @property
    def n_events(self) -> int:
        """Number of rows with the event."""
        return int(self.outcome.sum())

    def only(self, features: Sequence[str]) -> Design:
        """Return the design with these features only, on the same rows."""
        keep = [index for index, feature in enumerate(self.features) if feature in features]
        return replace(
            self,
            matrix=self.matrix[:, keep],
            terms=tuple(self.terms[index] for index in keep),
            features=tuple(self.features[index] for index in keep),
        )


def terms_of(table: pd.DataFrame, name: str) -> tuple[Floats, tuple[str, ...]]:
    """Return a predictor as columns, shape (n_rows, n_terms), with a label each; NaN is missing."""
    column = column_named(table, name)
    if not column.notna().any():
        raise DataError(
            f"column {name!r}: expected values, found all {len(column)} missing; leave it out"
        )
    if kind_of(column, name) == "number":
        return numbers(table, name)[:, np.newaxis], (name,)
    levels = sorted(column.dropna().astype(str).unique())
    if len(levels) < 2:
        raise DataError(
            f"column {name!r}: expected a predictor that varies, found {levels[0]!r} in every row; "
            "leave it out"
        )
    text = column.astype("string")
    matrix = np.column_stack(
        [(text == level).fillna(False).to_numpy(float) for level in levels[1:]]
    )
    matrix[column.isna().to_numpy()] = np.nan
    return matrix, tuple(f"{name}={level}" for level in levels[1:])


def design_of(
    table: pd.DataFrame, target: str, features: Sequence[str], *, event: str | None = None
) -> Design:
    """Put an outcome and its predictors side by side, on complete rows.

    Parameters
    ----------
    table : DataFrame
        One row an observation.
    target : str
    features : sequence of str
        Each once; numbers, or text of two or more levels.
    event : str, optional
        See :func:`binary_outcome`.

    Raises
    ------
    DataError
        A column that is missing, mixed, constant or empty; fewer than two rows in a class.
    """
    if not features:
        raise DataError("predictors: expected at least one column, found none")
    repeated = sorted({name for name in features if list(features).count(name) > 1})
    if repeated or target in features:
        raise DataError(
            f"predictors: column {(repeated or [target])[0]!r} is named twice; name each column "
            "once, and not the target"
        )
    outcome, event = binary_outcome(table, target, event)
    encoded = [terms_of(table, name) for name in features]
    matrix = np.column_stack([columns for columns, _ in encoded])
    terms = tuple(term for _, names in encoded for term in names)
    sources = tuple(name for name, (_, names) in zip(features, encoded, strict=True) for _ in names)
    known = ~(np.isnan(outcome) | np.isnan(matrix).any(axis=1))
    design = Design(
        matrix[known],
        outcome[known],
        terms,
        sources,
        target,
        event,
        np.flatnonzero(known).astype(np.int64),
        int(np.count_nonzero(~known)),
    )
    _require_variation(design)
    return design


def _require_variation(design: Design) -> None:
    names = ", ".join(dict.fromkeys(design.features))
    if min(design.n_events, design.n - design.n_events) < 2:
        raise DataError(
            f"{design.target} on {names}: expected at least 2 rows with and 2 without the event, "
            f"found {design.n_events} and {design.n - design.n_events} among {design.n} complete "
            f"rows ({design.n_dropped} dropped); too few for a regression"
        )
    for term, column in zip(design.terms, design.matrix.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"predictor {term!r}: expected values that vary, found {column[0]:g} in all "
                f"{design.n} complete rows; leave it out"
            )
