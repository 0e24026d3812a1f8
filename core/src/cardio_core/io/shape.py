"""Whether what a file of a run directory says has the shape that its readers count on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cardio_core.errors import DataError

_WORDS = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false",
    list: "a list", dict: "named values", type(None): "nothing",
}  # fmt: skip

Shape = Any
"""A type, a tuple of types, ``[shape]`` of every item, or ``{name: shape}``; a name that ends in
``?`` may be missing. Names that are not in a shape may hold anything."""


def require(content: Any, shape: Shape, path: Path) -> None:
    """Raise unless the content of a file has that shape.

    Parameters
    ----------
    content : object
        As JSON was read.
    shape : Shape
        A `float` is met by whole numbers, too; none of the numbers by true and false.
    path : Path
        Of the file, for the message.

    Raises
    ------
    DataError
        Naming the first place that differs.

    Examples
    --------
    >>> require({"n": 3, "more": [1]}, {"n": int, "names?": [str]}, Path("a.json"))
    >>> require({"n": ["x", 2]}, {"n": [str]}, Path("runs/a.json"))
    Traceback (most recent call last):
    cardio_core.errors.DataError: a.json: expected a text at n, found a whole number; ...
    """
    wrong = _first_wrong(content, shape, "")
    if wrong is not None:
        where, expected, found = wrong
        raise DataError(
            f"{path.name}: expected {expected}{f' at {where}' if where else ''}, found {found}; "
            "the file was changed or is damaged: put back a whole copy of it"
        )


def _first_wrong(content: Any, shape: Shape, where: str) -> tuple[str, str, str] | None:
    kind: Any = type(shape) if isinstance(shape, dict | list) else shape
    if not _is(content, kind):
        return where, _named(kind), _WORDS.get(type(content), "something else")
    inner: list[tuple[Any, Shape, str]] = []
    if isinstance(shape, list):
        inner = [(item, shape[0], where) for item in content]
    elif isinstance(shape, Mapping):
        for key, own in shape.items():
            name = key.removesuffix("?")
            place = f"{where}.{name}" if where else name
            if name in content:
                inner.append((content[name], own, place))
            elif name == key:
                return place, _named(own), "nothing"
    return next((w for one in inner if (w := _first_wrong(*one)) is not None), None)


def _is(content: Any, kind: Any) -> bool:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if isinstance(content, bool):
        return bool in kinds
    return isinstance(content, tuple(kinds)) or (float in kinds and isinstance(content, int))


def _named(shape: Shape) -> str:
    kind: Any = type(shape) if isinstance(shape, dict | list) else shape
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(_WORDS.get(one, one.__name__) for one in kinds)
