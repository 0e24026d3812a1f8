"""JSON without what JSON leaves open: names given twice, NaN, numbers beyond every size."""

from __future__ import annotations

import json
import math
from typing import Any

from cardio_core.types.parsing.malformed import MOST_LEVELS, MalformedError, shown


def parse_json(text: str, *, finite: bool = True) -> Any:
    """Return the content of a JSON text.

    Parameters
    ----------
    text : str
    finite : bool
        Refuse NaN and infinite numbers, which Python's own reader takes.

    Raises
    ------
    MalformedError
        No JSON, a name twice in one object, too many levels, half a character, or, where `finite`,
        a number that is none.

    Examples
    --------
    >>> parse_json('{"n": [1, 2.5]}')
    {'n': [1, 2.5]}
    >>> parse_json('{"n": 1, "n": 2}')
    Traceback (most recent call last):
    cardio_core.types.parsing.malformed.MalformedError: 'n' twice in one place
    >>> parse_json('[1e999]')
    Traceback (most recent call last):
    cardio_core.types.parsing.malformed.MalformedError: a number too large
    """
    own: dict[str, Any] = {"parse_constant": _no_number, "parse_float": _number} if finite else {}
    try:
        content = json.loads(text, object_pairs_hook=_once, **own)
    except json.JSONDecodeError as error:
        raise MalformedError(f"line {error.lineno}") from None
    except MalformedError:
        raise
    except RecursionError:
        raise MalformedError("too many levels") from None
    except ValueError:  # more digits than Python takes
        raise MalformedError("a number too long") from None
    _require_few_levels(content)
    if "\\ud" in text or "\\uD" in text:
        _require_whole_characters(content)
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedError(f"{shown(twice)} twice in one place")
    return found


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise MalformedError("a number too large")
    return value


def _no_number(text: str) -> float:
    raise MalformedError(f"{text} in place of a number")


def _require_few_levels(content: Any) -> None:
    level = [content]
    for _ in range(MOST_LEVELS + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ] if isinstance(content, dict | list) else []  # fmt: skip
        if not level:
            return
    raise MalformedError("too many levels")


def _require_whole_characters(content: Any) -> None:
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MalformedError("half a character") from None
