"""Outcome and predictors as a regression needs them, on the rows where all are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.columns import (
    binary_outcome,
    column_named,
    kind_of,
    level_labels,
    numbers,
)
from cardio_core.stats.foundation.validate import Floats, Ints

MAX_LEVELS = 20
"""More categories than this are names, dates or misread numbers; each would cost a coefficient."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How columns enter a regression where that is not as they stand.

    Attributes
    ----------
    categorical : tuple of str
        Columns of categories, though numbers: an odds ratio for each level but the reference.
    reference : mapping of str to str
        The level of a column with which the others are compared; such a column is categorical.
        Without one it is the first, by size or in alphabetical order.
    """

    categorical: tuple[str, ...] = ()
    reference: Mapping[str, str] = field(default_factory=dict)

    def require(self, features: Sequence[str]) -> None:
        """Refuse a column that is no predictor: it is misspelt, and nobody would know."""
        for name in (*self.categorical, *self.reference):
            if name not in features:
                raise DataError(
                    f"column {name!r}: is coded as categories, but is no predictor; expected one "
                    f"of {', '.join(features)}"
                )

    def only(self, features: Sequence[str]) -> Coding:
        """Return what is said of these columns."""
        return Coding(
            tuple(name for name in self.categorical if name in features),
            {name: level for name, level in self.reference.items() if name in features},
        )

    def levels(self, table: pd.DataFrame, name: str) -> list[str]:
        """Return the levels of a column of categories, the reference first.

        Raises
        ------
        DataError
            More than 20 levels, one only, or a reference that does not occur.
        """
        _, levels = level_labels(table, name)
        if len(levels) < 2:
            raise DataError(
                f"column {name!r}: expected a predictor that varies, found {levels[0]!r} in every "
                "row; leave it out"
            )
        if len(levels) > MAX_LEVELS:
            raise DataError(
                f"column {name!r}: expected numbers or at most {MAX_LEVELS} categories, found "
                f"{len(levels)} different texts such as {levels[0]!r}; correct or group them, or "
                "leave the column out"
            )
        first = self.reference.get(name, levels[0])
        if first not in levels:
            raise DataError(
                f"column {name!r}: reference {first!r} does not occur; found {', '.join(levels)}"
            )
        return [first, *(level for level in levels if level != first)]


AS_THEY_STAND = Coding()


def trends(table: pd.DataFrame, features: Sequence[str], coding: Coding) -> dict[str, int]:
    """Return the columns of 3 to 6 whole numbers that enter as one trend, and how many they are.

    Such numbers are often codes of categories (race 1, 2, 3), for which a trend means nothing.
    """
    found = {}
    for name in features:
        if name in coding.categorical or name in coding.reference:
            continue
        column = column_named(table, name)
        if kind_of(column, name) == "number":
            values = np.unique(pd.to_numeric(column).dropna().to_numpy(float))
            if 3 <= values.size <= 6 and (values == np.round(values)).all():
                found[name] = int(values.size)
    return found


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
        reference, which is the first by size or in alphabetical order unless the coding says.
    features : tuple of str
        The column that each term comes from.
    target, event : str
    rows : ndarray of int, shape (n,)
        Positions of the rows in the table.
    n_dropped : int
        Rows left out because a value was missing.
    references : tuple of str
        ``column=level`` of every column of categories.
    """

    matrix: Floats
    outcome: Floats
    terms: tuple[str, ...]
    features: tuple[str, ...]
    target: str
    event: str
    rows: Ints
    n_dropped: int
    references: tuple[str, ...] = ()

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
            references=tuple(one for one in self.references if one.rpartition("=")[0] in features),
        )


def terms_of(
    table: pd.DataFrame, name: str, coding: Coding = AS_THEY_STAND
) -> tuple[Floats, tuple[str, ...]]:
    """Return a predictor as columns, shape (n_rows, n_terms), with a label each; NaN is missing."""
    column = column_named(table, name)
    if not column.notna().any():
        raise DataError(
            f"column {name!r}: expected values, found all {len(column)} missing; leave it out"
        )
    as_categories = name in coding.categorical or name in coding.reference
    if not as_categories and kind_of(column, name) == "number":
        return numbers(table, name)[:, np.newaxis], (name,)
    _, *others = coding.levels(table, name)
    rows, _ = level_labels(table, name)
    matrix = np.column_stack([(rows == level).astype(float) for level in others])
    matrix[rows == ""] = np.nan
    return matrix, tuple(f"{name}={level}" for level in others)


def design_of(
    table: pd.DataFrame,
    target: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    coding: Coding = AS_THEY_STAND,
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
        See :func:`~cardio_core.stats.foundation.columns.binary_outcome`.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

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
    coding.require(features)
    outcome, event = binary_outcome(table, target, event)
    encoded = [terms_of(table, name, coding) for name in features]
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
        tuple(
            f"{name}={coding.levels(table, name)[0]}"
            for name, (_, names) in zip(features, encoded, strict=True)
            if names != (name,)
        ),
    )
    _require_variation(design)
    return design


def reference_note(references: Sequence[str]) -> list[str]:
    """Say which levels the others are compared with, where there are categories."""
    return [f"Reference: {', '.join(references)}."] if references else []


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
