"""What kind of outcome a table tells: two values, several classes, or a number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.studies.guessing import guessed
from cardio_core.studies.reading.called import NUMBERED, label_of, parts, speaks_of

KINDS = {"binary": "binary", "classes": "multiclass", "number": "continuous"}
"""As the user says it, and as a target has it."""

DECIDED = ("pred", "y_pred", "pred_class", "predicted", "prediction", "predicted_class", "yhat",
           "y_hat", "class_pred", "pred_label")  # fmt: skip
MOST_CLASSES = 10


def kind_of_outcome(
    table: pd.DataFrame, outcome: str, kind: str | None, event: str | None, besides: Iterable[str]
) -> str:
    """Return ``binary``, ``classes`` or ``number``: as the user says, else where it is plain.

    Two values are binary, words are classes, and so are whole numbers after which columns of
    probabilities are called; other numbers of more than `MOST_CLASSES` values are a number.

    Raises
    ------
    ConfigError
        An event of an outcome that has none.
    DataError
        A few whole numbers that may be either.
    """
    values = table[outcome].dropna()
    n = values.nunique()
    if event is not None:
        if kind in ("number", "classes"):
            raise ConfigError(f"--event {event}: an outcome of --kind {kind} has none")
        return "binary"
    if kind is not None or n <= 2:
        return kind or "binary"
    if not pd.api.types.is_numeric_dtype(values):
        return "classes"
    labels = [label_of(value) for value in values.unique()]
    whole = bool((values == values.round()).all())
    if n <= MOST_CLASSES and whole:
        if class_sets(table, labels, [outcome, *besides]):
            return "classes"
        raise DataError(
            f"column {outcome!r}: expected an outcome of two values, found {n} whole numbers "
            f"({', '.join(sorted(labels)[:4])}{', ...' if n > 4 else ''}); say --kind number, or "
            "--kind classes"
        )
    return "number"


def class_sets(
    table: pd.DataFrame, classes: Sequence[str], besides: Iterable[str] = ()
) -> dict[str, dict[str, str]]:
    """Return the sets of columns that hold a probability of every class, by what they share.

    ``.pred_A``, ``.pred_B`` and ``.pred_C`` of tidymodels are the set ``.pred``; ``rf_A`` and
    ``glm_A`` belong to two sets; columns called by the classes alone (caret) are
    ``probabilities``.

    Examples
    --------
    >>> table = pd.DataFrame({"rf_A": [0.2], "rf_B": [0.5], "rf_C": [0.3], "age_A": [1.0]})
    >>> class_sets(table, ["A", "B", "C"])
    {'rf': {'A': 'rf_A', 'B': 'rf_B', 'C': 'rf_C'}}
    """
    return {
        name: own
        for name, own in started_sets(table, classes, besides).items()
        if len(own) == len(classes)
    }


def started_sets(
    table: pd.DataFrame, classes: Sequence[str], besides: Iterable[str] = ()
) -> dict[str, dict[str, str]]:
    """Return sets of numeric columns called after classes, those that lack a class too."""
    taken = set(besides)
    found: dict[str, dict[str, str]] = {}
    # of classes of which one ends like another (mild, not mild) the longer name goes first
    longest = sorted(classes, key=lambda one: -len(parts(one)))
    for column in map(str, table.columns):
        if column in taken or not pd.api.types.is_numeric_dtype(table[column]):
            continue
        said = next((one for one in longest if speaks_of(column, one)), None)
        if said is not None:
            found.setdefault(_shared(column, said), {}).setdefault(said, column)
    return {name: {one: own[one] for one in classes if one in own} for name, own in found.items()}


def _shared(column: str, value: str) -> str:
    """Return what stands before the class in a column's name."""
    if NUMBERED.match(column):
        return "probabilities"
    words = list(re.finditer(r"[^\W_]+", column))
    before = column[: words[-max(1, len(parts(value)))].start()]
    return before.rstrip(" _.:-") or "probabilities"


def decided_column(
    table: pd.DataFrame, classes: Sequence[str], besides: Iterable[str]
) -> str | None:
    """Return the column of decided classes by its name and its values, None without one."""
    found = guessed(DECIDED, table, besides)
    if found is None:
        return None
    said = {label_of(value) for value in table[found].dropna().unique()}
    return found if said <= set(classes) else None


def columns_in(sets: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return every column of some sets."""
    return [column for own in sets.values() for column in own.values()]
