"""Columns of a clinical table: found by name, read as numbers or as categories, never guessed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, numeric_column

Kind = Literal["number", "category"]
Column = pd.Series


def column_named(table: pd.DataFrame, name: str) -> Column:
    """Return one column of the table.

    Raises
    ------
    DataError
        No such column (with the nearest names), several of that name, or one that can be read in
        two ways (``attrs["doubts"]`` of a table that cardio read says so).
    """
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
            + "; correct the cells, leave them empty, or say that it means missing"
            + (f" (--missing {first.iloc[0]})" if len(set(first)) == 1 else "")
        )
    return "category"


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
    if kind_of(column, name) == "category":
        found = column.dropna()
        if len(found):
            raise DataError(
                f"column {name!r}: expected numbers, found text {str(found.iloc[0])!r}; "
                "choose a column of numbers"
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
            if labels == ["0", "1"]:  # R's TRUE and FALSE are read as numbers
                event = {"true": "1", "false": "0"}.get(event.lower(), event)
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
                f"one is the event, for example --event {labels[1]}"
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
