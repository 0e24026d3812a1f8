"""YAML as plain values: no name twice, no text that unfolds into more than it is."""

from __future__ import annotations

import re
from typing import Any

import yaml

from cardio_core.types.parsing.malformed import MOST_LEVELS, MalformedError, shown

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
    cardio_core.types.parsing.malformed.MalformedError: 'seed' twice in one place, line 2
    """
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
    for one in _BRACKET.findall(text):
        level += 1 if one in "[{" else -1
        if level > 2 * MOST_LEVELS:
            raise MalformedError("too many levels")


def _measured(node: yaml.Node, sizes: dict[int, int], level: int) -> int:
    """Return how many values a node stands for; each is looked at once, however often it is meant.

    A node that is looked at now has size 0: met again, it holds itself.
    """
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
        inner = [one for pair in node.value for one in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = list(node.value)
    size = 1 + sum(_measured(one, sizes, level + 1) for one in inner)
    if size > MOST_VALUES:
        raise MalformedError(f"anchors that stand for more than {MOST_VALUES} values")
    sizes[id(node)] = size
    return size


def _require_once(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        name = key.tag, key.value
        if name in seen:
            line = key.start_mark.line + 1
            raise MalformedError(f"{shown(key.value)} twice in one place, line {line}")
        seen.add(name)
