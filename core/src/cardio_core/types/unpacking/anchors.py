"""YAML whose anchors repeat each other: nine short lines can stand for a billion values."""

from __future__ import annotations

from typing import Any

import yaml

MAX_VALUES = 100_000
"""Values that settings may stand for, repetitions counted: those of a run are a few hundred."""


def load_yaml(text: str) -> Any:
    r"""Parse YAML without code in it, and without repetitions beyond `MAX_VALUES`.

    Raises
    ------
    ValueError
        If its anchors stand for more, or for themselves.
    yaml.YAMLError
        If it is no YAML.

    Examples
    --------
    >>> load_yaml("a: &x [1, 2]\nb: *x")
    {'a': [1, 2], 'b': [1, 2]}
    """
    if "&" in text and "*" in text:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
        if _n_values(top, {}) > MAX_VALUES:
            raise ValueError(f"anchors that stand for more than {MAX_VALUES} values")
    return yaml.safe_load(text)


def _n_values(node: Any, known: dict[int, int]) -> int:
    """Count a node and all below it, as often as they are named; each is looked at once."""
    if id(node) not in known:
        known[id(node)] = MAX_VALUES + 1  # met again below itself, it has no end
        inner = node.value if isinstance(getattr(node, "value", None), list) else ()
        nodes = [one for item in inner for one in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_n_values(one, known) for one in nodes)
    return known[id(node)]
