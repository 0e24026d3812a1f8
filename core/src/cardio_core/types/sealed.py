"""What `preprocess` and `featurize` are given: values that the core opens, and no path."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from cardio_core.errors import ContractError
from cardio_core.types.samples import SampleSet

_DEEPEST = 4
_MOST_ITEMS = 1000


class Sealed(Sequence[Any]):
    """Values that are opened when they are asked for, and say nothing of where they come from.

    Parameters
    ----------
    values : sequence
        What `load` left, `SampleSet.opening` say.

    Raises
    ------
    ContractError
        When a value is asked for that shows a path: with it, a hook could find the cohort table,
        and in it the label. What begins with an underscore is not looked at, so that a value may
        keep its file to decode frames from it later.

    Examples
    --------
    >>> from cardio_core.types.samples import Opened
    >>> values = Sealed(Opened(("a.csv", "b.csv"), str.upper))
    >>> len(values), values[1], list(values[:1])
    (2, 'B.CSV', ['A.CSV'])
    >>> values.sources
    Traceback (most recent call last):
    AttributeError: values have no 'sources'; the core opens them: values[i], len(values)
    """

    __slots__ = ("_get", "_length")

    def __init__(self, values: Any) -> None:
        self._length = len(values)

        def get(position: Any) -> Any:
            return values[position]

        self._get = get

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: Any) -> Any:
        value = self._get(position)
        if not isinstance(position, int | np.integer):
            return Sealed(value)
        where = next(paths_in(value, "the value"), None)
        if where is not None:
            raise ContractError(
                f"{where} shows a path, from which a hook could find the cohort table; let the "
                "opener return what it read (arrays, numbers, text), or keep a file from which "
                "frames are decoded later in an attribute that begins with an underscore"
            )
        return value

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"values have no {name!r}; the core opens them: values[i], len(values)"
        )


def sealed(samples: SampleSet) -> SampleSet:
    """Return the same samples with values that tell nothing of their files.

    An array of numbers stays what it is.
    """
    values = samples.values
    plain = isinstance(values, np.ndarray) and values.dtype != object
    table = samples.table.copy()
    table.attrs = {}
    return SampleSet(table, values if plain or isinstance(values, Sealed) else Sealed(values))


def column_with_path(table: pd.DataFrame) -> str | None:
    """Return the first column of a sample table in which a path stands; None if there is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> table = pd.DataFrame({"site": ["a/b"], "file": [Path("a.csv")], "age_y": [60.0]})
    >>> column_with_path(table), column_with_path(table[["site", "age_y"]])
    ('file', None)
    """
    for name, column in table.items():
        texts = column.dtype == object or isinstance(
            column.dtype, pd.StringDtype | pd.CategoricalDtype
        )
        if texts and any(next(paths_in(cell, ""), None) is not None for cell in _different(column)):
            return str(name)
    return None


def _different(column: pd.Series[Any]) -> list[Any]:
    """Return the different cells of a column; all of them where they cannot be compared."""
    try:
        return list(column.unique())
    except TypeError:
        return list(column)


def paths_in(value: Any, where: str, depth: int = 0) -> Iterator[str]:
    """Yield the places in a value at which a path, or the text of one that exists, can be read.

    Containers and public attributes are looked through, four deep.

    Examples
    --------
    >>> from pathlib import Path
    >>> list(paths_in({"signal": np.zeros(3), "file": Path("a.csv")}, "the value"))
    ["the value['file']"]
    """
    if isinstance(value, os.PathLike) or (isinstance(value, str) and _is_path(value)):
        yield where
        return
    if depth == _DEEPEST or isinstance(value, str | bytes | int | float | complex | None):
        return
    for place, inner in _inside(value, where):
        yield from paths_in(inner, place, depth + 1)


def _is_path(text: str) -> bool:
    """Whether a text with a separator names something that exists; a bare word may, by chance."""
    parted = os.sep in text or (os.altsep is not None and os.altsep in text)
    return parted and len(text) < 4096 and text.isprintable() and os.path.exists(text)  # noqa: PTH110


def _inside(value: Any, where: str) -> list[tuple[str, Any]]:
    if isinstance(value, np.ndarray):
        items = enumerate(value.ravel()[:_MOST_ITEMS]) if value.dtype.kind in "OU" else ()
        return [(f"{where}[{n}]", item) for n, item in items]
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MOST_ITEMS]
        keys = [(f"a key of {where}", key) for key, _ in pairs]
        return [*keys, *((f"{where}[{key!r}]", item) for key, item in pairs)]
    if isinstance(value, tuple | list | set | frozenset):
        items = enumerate(list(value)[:_MOST_ITEMS])
        named = getattr(value, "_fields", None)
        return [(f"{where}.{named[n]}" if named else f"{where}[{n}]", item) for n, item in items]
    if isinstance(value, pd.DataFrame):
        return [(f"{where}[{name!r}]", column.to_numpy()) for name, column in value.items()]
    if isinstance(value, pd.Series):
        return [(where, value.to_numpy())]
    slots = getattr(type(value), "__slots__", ())
    names = [*getattr(value, "__dict__", ()), *((slots,) if isinstance(slots, str) else slots)]
    public = [name for name in names if not name.startswith("_")]
    return [(f"{where}.{name}", getattr(value, name, None)) for name in public]
