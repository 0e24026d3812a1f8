"""Columns of a clinical table: found by name, read as numbers or as categories, never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_stats._numerics.spline_basis import spline_basis, spline_knots, spline_requested
from cardio_stats._numerics.validate import Floats, Ints, SampleCount, numeric_column, sample_count
from cardio_stats.errors import DataError, every
from cardio_stats.outcome import Outcome, Placed, place_words, words_in

Kind = Literal["number", "category"]
Column = pd.Series


def column_named(table: pd.DataFrame, name: str) -> Column:
    """Return one column of the table."""
    if name not in table.columns:
        by_small = {str(column).lower(): str(column) for column in table.columns}
        near = [by_small[found] for found in get_close_matches(name.lower(), by_small, n=3)]
        some = f"it has {columns_told(table, 5)}"
        hint = f"nearest: {', '.join(near)}" if near else some
        raise DataError(f"column {name!r}: not in the table; {hint}")
    n_times = int((table.columns == name).sum())
    if n_times > 1:
        raise DataError(f"column {name!r}: found {n_times} times; rename all but one")
    doubt = table.attrs.get("doubts", {}).get(name)
    if doubt:
        raise DataError(f"column {name!r}: {doubt}")
    return table[name]


def columns_told(table: pd.DataFrame, most: int) -> str:
    """Return the names of a table's columns, for the message that one is not among them.

    A "table" of one column is most often a letter or a list, and its "name" a line of that: it is
    not repeated.

    Parameters
    ----------
    table : DataFrame
    most : int
        How many names are told.

    Examples
    --------
    >>> columns_told(pd.DataFrame({"age_y": [60], "sex": ["F"], "died": [0]}), 2)
    'age_y, sex and 1 more'
    >>> columns_told(pd.DataFrame({"Dear Doctor": ["Yours"]}), 2)
    'one column only: is it a table, with a comma between its columns?'
    """
    names = [str(name) for name in table.columns]
    if len(names) == 1:
        return "one column only: is it a table, with a comma between its columns?"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def kind_of(column: Column, name: str) -> Kind:
    """Say whether a column holds numbers or categories.

    Numbers written as text are numbers. A column in which some cells are numbers and others text
    is neither: a unit, a comment or a typing error has slipped in, and guessing would drop data.
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
            + "; correct the cells, leave them empty, or say that it means missing"
            + (f" (--missing {first.iloc[0]})" if len(set(first)) == 1 else ""),
            code="not_a_number",
        )
    return "category"


def kind_in(table: pd.DataFrame, name: str) -> Kind:
    """Return what a column of a table holds; refuse numbers with a few cells of text."""
    column = column_named(table, name)
    strays = table.attrs.get("strays", {}).get(name)
    if strays:
        raise DataError(f"column {name!r}: {strays}")
    return kind_of(column, name)


def numbers(table: pd.DataFrame, name: str) -> Floats:
    """Return a numeric column as floats, NaN where missing.

    Raises
    ------
    DataError
        No such column, text, an infinite number, or no value at all.

    Examples
    --------
    >>> numbers(pd.DataFrame({"a": ["0.5", "70000000000000000000000"]}), "a").tolist()
    [0.5, 7e+22]
    """
    column = column_named(table, name)
    if kind_in(table, name) == "category":
        found = column.dropna()
        if len(found):
            raise DataError(
                f"column {name!r}: expected numbers, found text {str(found.iloc[0])!r}; "
                "choose a column of numbers",
                code="not_a_number",
            )
    # Text was refused above; what is left to coerce are whole numbers of more digits than 64 bits.
    values = numeric_column(pd.to_numeric(column, errors="coerce"), f"column {name!r}")
    if np.isnan(values).all():
        raise DataError(
            f"column {name!r}: expected values, found all {values.size} missing; choose another"
        )
    return values


def level_labels(table: pd.DataFrame, name: str) -> tuple[NDArray[np.object_], list[str]]:
    """Return a column's categories: the label of each row, "" where missing, and all in order.

    Numbers come first and by size, words in alphabetical order.

    Examples
    --------
    >>> table = pd.DataFrame({"race": [1.0, 10, 2, None], "nyha": ["II", "None", "I", "II"]})
    >>> level_labels(table, "race")[0].tolist(), level_labels(table, "race")[1]
    (['1', '10', '2', ''], ['1', '2', '10'])
    >>> level_labels(table, "nyha")[1]
    ['I', 'II', 'None']
    """
    column = column_named(table, name)
    codes, different = pd.factorize(column)
    labels = [
        str(value) if isinstance(value, str) else f"{float(value):.15g}" for value in different
    ]
    rows = np.array([*labels, ""], dtype=object)[codes]
    return rows, sorted(dict.fromkeys(labels), key=_by_size)


def _by_size(label: str) -> tuple[int, float, str]:
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def binary_outcome(
    table: pd.DataFrame, name: str, event: str | None = None, negative: Sequence[str] = ()
) -> tuple[Floats, Placed]:
    """Return an outcome as 0, 1 and NaN, and what each of its words became.

    Parameters
    ----------
    table : DataFrame
    name : str
    event : str, optional
        Which value is the event; needed unless everybody knows it of the two (`place_words`).
    negative : sequence of str
        Values without the event, where there are several; without them those of
        ``attrs["negative"]``, where a command keeps its --negative.

    Raises
    ------
    DataError
        No value at all.
    ConfigError
        As `place_words`.
    """
    column = column_named(table, name)
    if not column.notna().any():
        raise DataError(
            f"column {name!r}: expected an outcome, found all values missing; choose another"
        )
    words = words_in(column)
    if len(words) == 1:
        raise DataError(
            f"column {name!r}: expected an outcome of two values, found {words[0]!r} in every row; "
            "with one class there is nothing to predict"
        )
    named = tuple(negative) or table.attrs.get("negative", ())
    placed = place_words(column, Outcome(name, event, named))
    return placed.truth.to_numpy(dtype=float, na_value=np.nan), placed


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
            "independent here: keep one row each, or each patient's mean",
            code="duplicate",
        )


# Outcome and predictors as a regression needs them, on the rows where all are known.

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


def trend_notes(table: pd.DataFrame, features: Sequence[str], coding: Coding) -> list[str]:
    """Name the columns of 3 to 6 whole numbers that enter as one trend, and how many they are.

    Such numbers are often codes of categories (race 1, 2, 3), for which a trend means nothing.
    """
    notes = []
    for name in features:
        if name in coding.categorical or name in coding.reference:
            continue
        if name not in table.columns and spline_requested(name):
            continue
        column = column_named(table, name)
        if kind_in(table, name) == "number":
            values = np.unique(pd.to_numeric(column).dropna().to_numpy(float))
            if 3 <= values.size <= 6 and (values == np.round(values)).all():
                notes.append(
                    f"{name} has {values.size} whole values: entered as one trend; --categorical "
                    f"{name} compares each with the first."
                )
    return notes


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
    predictors : tuple of Predictor
        How each feature enters; empty where the columns were made by hand.
    """

    matrix: Floats
    outcome: Floats
    terms: tuple[str, ...]
    features: tuple[str, ...]
    target: str
    event: str
    rows: Ints
    n_dropped: int
    predictors: tuple[Predictor, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """``column=level`` of every column of categories."""
        return tuple(
            f"{predictor.column}={predictor.levels[0]}"
            for predictor in self.predictors
            if predictor.levels
        )

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.outcome.size)

    @property
    def n_events(self) -> int:
        """Number of rows with the event."""
        return int(self.outcome.sum())

    def counted(self, unit: str | None) -> SampleCount:
        """Return the fields of an estimate that describe these rows."""
        return sample_count(self.n, None, unit, self.n_dropped)

    def only(self, features: Sequence[str]) -> Design:
        """Return the design with these features only, on the same rows."""
        keep = [index for index, feature in enumerate(self.features) if feature in features]
        return replace(
            self,
            matrix=self.matrix[:, keep],
            terms=tuple(self.terms[index] for index in keep),
            features=tuple(self.features[index] for index in keep),
            predictors=tuple(
                predictor for predictor in self.predictors if predictor.feature in features
            ),
        )


@dataclass(frozen=True, slots=True)
class Predictor:
    """How a column enters a regression, so that new rows can enter in the same way.

    Attributes
    ----------
    feature, column : str
        As it was asked for, ``"rcs(age_y, 4)"``, and the column of the table.
    terms : tuple of str
        A label for each coefficient: ``column``, ``column=level``, or ``column`` and
        ``column'`` for the parts of a spline.
    levels : tuple of str
        Of categories, the reference first; empty of a number.
    knots : tuple of float
        Of a spline; empty without one.
    spread : tuple of float
        Least, lower quartile, median, upper quartile and greatest of the known values of a number.
    """

    feature: str
    column: str
    terms: tuple[str, ...]
    levels: tuple[str, ...] = ()
    knots: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()

    @classmethod
    def of(cls, table: pd.DataFrame, feature: str, coding: Coding = AS_THEY_STAND) -> Predictor:
        """Settle levels and knots by the values of a table.

        Raises
        ------
        DataError
            As :meth:`Coding.levels` and `spline_knots`; no value.
        """
        curved = None if feature in table.columns else spline_requested(feature)
        name = feature if curved is None else curved[0]
        column = column_named(table, name)
        if not column.notna().any():
            raise DataError(
                f"column {name!r}: expected values, found all {len(column)} missing; leave it out"
            )
        as_categories = name in coding.categorical or name in coding.reference
        if curved is not None or (not as_categories and kind_in(table, name) == "number"):
            values = numbers(table, name)
            spread = tuple(np.nanquantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist())
            if curved is None:
                return cls(name, name, (name,), spread=spread)
            knots = spline_knots(values, curved[1], name)
            parts = (name, *(name + "'" * i for i in range(1, curved[1] - 1)))
            return cls(feature, name, parts, knots=knots, spread=spread)
        levels = coding.levels(table, name)
        return cls(name, name, tuple(f"{name}={level}" for level in levels[1:]), tuple(levels))

    def columns(self, table: pd.DataFrame) -> Floats:
        """Return the columns of a design, shape (n_rows, n_terms); NaN is missing.

        Raises
        ------
        DataError
            As :func:`numbers`; a level that is none of `levels`.
        """
        if not self.levels:
            return spline_basis(numbers(table, self.column), self.knots)
        rows, found = level_labels(table, self.column)
        strange = [level for level in found if level not in self.levels]
        if strange:
            raise DataError(
                f"column {self.column!r}: expected the levels {', '.join(self.levels)}, found "
                f"{', '.join(strange)}; a model knows nothing of other levels",
                code="unknown",
            )
        matrix = np.column_stack([(rows == level).astype(float) for level in self.levels[1:]])
        matrix[rows == ""] = np.nan
        return matrix


def terms_of(
    table: pd.DataFrame, feature: str, coding: Coding = AS_THEY_STAND
) -> tuple[Floats, tuple[str, ...]]:
    """Return a predictor as columns, shape (n_rows, n_terms), with a label each; NaN is missing."""
    predictor = Predictor.of(table, feature, coding)
    return predictor.columns(table), predictor.terms


def design_of(
    table: pd.DataFrame,
    target: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    coding: Coding = AS_THEY_STAND,
) -> Design:
    """Put an outcome and its predictors side by side, on complete rows."""
    if not features:
        raise DataError("predictors: expected at least one column, found none", code="missing")
    repeated = sorted({name for name in features if list(features).count(name) > 1})
    if repeated or target in features:
        raise DataError(
            f"predictors: column {(repeated or [target])[0]!r} is named twice; name each column "
            "once, and not the target"
        )
    coding.require(features)
    every(
        partial(binary_outcome, table, target, event),
        *(partial(terms_of, table, name, coding) for name in features),
    )
    outcome, placed = binary_outcome(table, target, event)
    event = placed.event
    predictors = tuple(Predictor.of(table, name, coding) for name in features)
    matrix = np.column_stack([predictor.columns(table) for predictor in predictors])
    terms = tuple(term for predictor in predictors for term in predictor.terms)
    sources = tuple(predictor.feature for predictor in predictors for _ in predictor.terms)
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
        predictors,
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
    require_varying(design.terms, design.matrix)


def require_varying(terms: Sequence[str], matrix: Floats) -> None:
    """Refuse a column of a regression that is the same in every row."""
    for term, column in zip(terms, matrix.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"predictor {term!r}: expected values that vary, found {column[0]:g} in all "
                f"{len(column)} complete rows; leave it out",
                code="degenerate",
            )


def collinear(what: str, terms: Sequence[str]) -> DataError:
    """Return the refusal of predictors of which one is a sum of others."""
    return DataError(
        f"{what}: expected predictors that are not sums of each other, found collinear ones among "
        f"{', '.join(terms)}; leave one out",
        code="degenerate",
    )


def require_more_rows(what: str, n: int, terms: Sequence[str], more: int = 1) -> None:
    """Refuse a regression of as many coefficients, `more` than the terms, as rows."""
    if n <= len(terms) + more:
        raise DataError(
            f"{what}: expected more rows than the {len(terms) + more} coefficients, found {n}; "
            "take fewer predictors",
            code="too_few",
        )
