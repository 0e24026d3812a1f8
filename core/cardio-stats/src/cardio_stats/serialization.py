"""JSON without what JSON leaves open: names given twice, NaN, numbers beyond every size."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

# What is wrong with a text, in a few words that a message can hold.

MOST_LEVELS = 64
"""Of brackets in brackets: no file of ours has ten."""


class MalformedError(ValueError):
    """The text is none of its kind; the message says where, or by what, in a few words."""


def shown(name: object, most: int = 40) -> str:
    r"""Return a name of a file's as a message may print it: on one line, and not for ever.

    Examples
    --------
    >>> shown("seed"), shown("a" * 50, 10), shown("a\nb")
    ("'seed'", "'aaaaaaaaaa...'", "'a b'")
    """
    text = "".join(item if item.isprintable() else " " for item in str(name))
    return f"'{text[:most]}{'...' if len(text) > most else ''}'"


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
    cardio_stats.serialization.MalformedError: 'n' twice in one place
    >>> parse_json('[1e999]')
    Traceback (most recent call last):
    cardio_stats.serialization.MalformedError: a number too large
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


# YAML as plain values: no name twice, no text that unfolds into more than it is.

_BRACKET = re.compile(r"[\[\]{}]")
MOST_BYTES = 2_000_000
MOST_VALUES = 100_000
"""After every alias is written out: a few lines can stand for more values than any memory holds."""


def parse_yaml(text: str) -> Any:
    r"""Return the content of a YAML text of one document; None where it is empty.

    Raises
    ------
    MalformedError
        No YAML, a name twice in one place, too many levels or values, or a value of no kind
        (a month 13).

    Examples
    --------
    >>> parse_yaml("train: {epochs: 3}")
    {'train': {'epochs': 3}}
    >>> parse_yaml("seed: 1\nseed: 2")
    Traceback (most recent call last):
    cardio_stats.serialization.MalformedError: 'seed' twice in one place, line 2
    """
    import yaml  # an extra: the statistics do without

    if len(text) > MOST_BYTES:
        raise MalformedError(f"more than {MOST_BYTES // 1_000_000} MB of text")
    _require_few_brackets(text)
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _measured(node, {}, 0)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except MalformedError:
        raise
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "a character that no text has" if mark is None else f"line {mark.line + 1}"
        raise MalformedError(where) from None
    except RecursionError:
        raise MalformedError("too many levels") from None
    except (ValueError, TypeError, OverflowError, AttributeError, KeyError):
        raise MalformedError("a value of no kind") from None


def _require_few_brackets(text: str) -> None:
    """Raise where the reader itself would take minutes to find that there are too many."""
    level = 0
    for item in _BRACKET.findall(text):
        level += 1 if item in "[{" else -1
        if level > 2 * MOST_LEVELS:
            raise MalformedError("too many levels")


def _measured(node: yaml.Node, sizes: dict[int, int], level: int) -> int:
    """Return how many values a node stands for; each is looked at once, however often it is meant.

    A node that is looked at now has size 0: met again, it holds itself.
    """
    import yaml

    if id(node) in sizes:
        if not sizes[id(node)]:
            raise MalformedError("anchors that stand for themselves")
        return sizes[id(node)]
    if level > MOST_LEVELS:
        raise MalformedError("too many levels")
    sizes[id(node)] = 0
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        _require_once(node)
        inner = [item for pair in node.value for item in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = list(node.value)
    size = 1 + sum(_measured(item, sizes, level + 1) for item in inner)
    if size > MOST_VALUES:
        raise MalformedError(f"anchors that stand for more than {MOST_VALUES} values")
    sizes[id(node)] = size
    return size


def _require_once(node: yaml.MappingNode) -> None:
    import yaml

    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        name = key.tag, key.value
        if name in seen:
            line = key.start_mark.line + 1
            raise MalformedError(f"{shown(key.value)} twice in one place, line {line}")
        seen.add(name)
