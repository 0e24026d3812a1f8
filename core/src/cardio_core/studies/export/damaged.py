"""Files of a run that are looked into before they leave, and cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cardio_core.compute.lacking import lacking
from cardio_core.errors import CardioError, DataError


@contextmanager
def looking_into(name: str) -> Iterator[None]:
    """Tell of any error of a library within the block that the file is damaged.

    Archives, arrays, weights and JSON are read without their readers, to see everything that they
    hold: what raises, and what, is not to be foreseen.

    Parameters
    ----------
    name : str
        The file's.

    Raises
    ------
    DataError

    Examples
    --------
    >>> import json
    >>> with looking_into("linear.json"):
    ...     json.loads("{")
    Traceback (most recent call last):
    cardio_core.errors.DataError: linear.json: expected a file that can be looked into, found a \
damaged one (JSONDecodeError); put back a whole copy of the run
    """
    try:
        yield
    except CardioError:
        raise
    except Exception as error:
        if lacking(error) is not None:
            raise
        raise DataError.unusable(
            name,
            "a file that can be looked into",
            f"a damaged one ({type(error).__name__})",
            "put back a whole copy of the run",
        ) from error
