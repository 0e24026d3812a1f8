"""What a test asserts of an error: its class, its code and the thing that it names, no sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from cardio_stats.errors import CardioError, Code

E = TypeVar("E", bound=CardioError)


def names(text: object, *things: object) -> bool:
    """Return whether a text names each thing, as a word by itself, whatever else it says.

    Parameters
    ----------
    text : object
        An error, or what a command printed.
    *things : object
        Files, columns, options, values.

    Examples
    --------
    >>> names("cohort.csv: expected a column age_y, found none; add it", "cohort.csv", "age_y")
    True
    >>> names("--outer: expected 5 folds, found 15", "--out"), names("15 folds", 5)
    (False, False)
    """
    return all(
        re.search(rf"(?<![\w.-]){re.escape(str(thing))}(?![\w-]|\.\w)", str(text))
        for thing in things
    )


@contextmanager
def refuses(
    kind: type[E], *things: object, code: Code | None = None
) -> Iterator[pytest.ExceptionInfo[E]]:
    """Expect an error of a class, with a code, that names things.

    Parameters
    ----------
    kind : type
        The error's class, or one above it.
    *things : object
        What the message has to name, as `names` looks for it.
    code : Code, optional
        By default the one of `kind`: an error with another code is another fault.

    Yields
    ------
    pytest.ExceptionInfo
        Holds the error, once it was raised.

    Raises
    ------
    AssertionError
        If the error has another code, or names one of the things not.

    Examples
    --------
    >>> from cardio_stats.errors import DataError
    >>> with refuses(DataError, "age_y", code="missing"):
    ...     raise DataError("age_y: expected a column, found none; add it", code="missing")
    """
    __tracebackhide__ = True
    with pytest.raises(kind) as caught:
        yield caught
    error = caught.value
    assert error.code == (code or kind.code), f"code {error.code}: {error}"
    missing = [thing for thing in things if not names(error, thing)]
    assert not missing, f"{missing} not named: {error}"
