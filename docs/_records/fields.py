"""Fields of a record's texts, filled in from what a study stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_FIELD = re.compile(r"\{([^{}]+)\}")


def filled(value: Any, data: Any) -> Any:
    """Return a nested value with every ``{path|format}`` in its texts taken from `data`.

    A text that is one field with an empty format becomes what was found, a number as a number.

    Parameters
    ----------
    value : nested lists, dicts and texts
    data : nested lists and dicts
        A path is keys joined by ``/``; in a list a position, ``name=text&name=text`` for the one
        entry where it is so, the same after ``*`` for all such entries, or ``*`` for all. Between
        path and format may stand what is told of several: ``mean``, ``min``, ``max``, ``n``,
        ``any`` (how many are not empty), ``hold X`` (of how many `low` to `high` holds X); and
        ``percent`` of a share, ``number`` of one kept as text, ``sum`` of such, ``ci N``: a value
        with its interval to N digits. A condition ``name!=text`` leaves entries out.

    Examples
    --------
    >>> filled(["{a/b|.1f}°", "{c/*/d|mean|+.2f}"], {"a": {"b": 1.26}, "c": [{"d": -1}, {"d": 0}]})
    ['1.3°', '−0.50']
    >>> filled({"mean": "{a/x=2/y}"}, {"a": [{"x": 1, "y": 0.5}, {"x": 2, "y": 0.25}]})
    {'mean': 0.25}
    >>> filled("{auc|ci 2|}", {"auc": {"value": 0.754, "low": 0.601, "high": 0.849}})
    '0.75 (0.60 to 0.85)'
    """
    if isinstance(value, str):
        whole = _FIELD.fullmatch(value)
        if whole and not _format_of(whole[1]):
            return _found(whole[1], data)
        return _FIELD.sub(lambda field: _written(field[1], data), value)
    if isinstance(value, dict):
        return {key: filled(inside, data) for key, inside in value.items()}
    return [filled(inside, data) for inside in value] if isinstance(value, list) else value


def _written(field: str, data: Any) -> str:
    form = _format_of(field)
    return format(_found(field, data), form).replace("-", "−" if form else "-")


def _format_of(field: str) -> str:
    return field.rpartition("|")[2] if "|" in field else ""


def _found(field: str, data: Any) -> Any:
    """Return what a field asks for, before it is written."""
    path, *ways = field.split("|")[: field.count("|") or 1]
    try:
        found = _at(data, path.split("/"))
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{path}: nothing there ({error!r})") from error
    for way in ways:
        name, _, limit = way.partition(" ")
        found = _WAYS[name](found, limit)
    return found


def _interval(found: dict[str, float], digits: int) -> str:
    """Return a value with its limits, or alone where it has none."""
    value, *limits = (
        f"{found[name]:.{digits}f}".replace("-", "−")
        for name in ("value", "low", "high")
        if name in found
    )
    return f"{value} ({' to '.join(limits)})" if limits else value


_WAYS: dict[str, Callable[[Any, str], Any]] = {
    "mean": lambda found, _: sum(found) / len(found),
    "min": lambda found, _: min(found),
    "max": lambda found, _: max(found),
    "n": lambda found, _: len(found),
    "percent": lambda found, _: 100 * found,
    "any": lambda found, _: sum(map(bool, found)),
    "number": lambda found, _: json.loads(found),
    "sum": lambda found, _: sum(map(json.loads, found)),
    "ci": lambda found, digits: _interval(found, int(digits)),
    "hold": lambda found, limit: sum(one["low"] <= float(limit) <= one["high"] for one in found),
}


def _at(data: Any, keys: list[str]) -> Any:
    """Return what a path leads to.

    Raises
    ------
    ValueError
        A condition is met by none of a list's entries, or by more than one.
    """
    for place, key in enumerate(keys):
        if isinstance(data, dict) or key.lstrip("-").isdigit():
            data = data[int(key)] if isinstance(data, list) else data[key]
            continue
        wanted = [one.split("=") for one in key.lstrip("*").split("&") if one]
        chosen = [one for one in data if all(_meets(one, *condition) for condition in wanted)]
        if key.startswith("*"):
            return [_at(one, keys[place + 1 :]) for one in chosen]
        if len(chosen) != 1:
            raise ValueError(f"{key}: expected one such entry, found {len(chosen)}")
        data = chosen[0]
    return data


def _meets(one: dict[str, Any], name: str, text: str) -> bool:
    """Return whether an entry has what is asked for, or lacks what ``name!`` leaves out."""
    return (str(one[name.rstrip("!")]) == text) != name.endswith("!")
