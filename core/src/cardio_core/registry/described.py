"""Settings and columns in words, as the command line and the site show them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cardio_core.io.cohorts.template import TemplateColumn
from cardio_core.registry.settings import Setting


def setting_words(one: Setting) -> str:
    """Return what a setting does and takes.

    The words of its author stay as they are: a first letter made large would change what names a
    function or a value (``torch.compile``, ``nested``).

    Examples
    --------
    >>> one = Setting("load.min_s", "number", "s", 10, {}, "a shorter recording is quarantined")
    >>> setting_words(one)
    'a shorter recording is quarantined. Takes: number, in s.'
    """
    unit = f", in {one.unit}" if one.unit else ""
    return f"{_sentence(one.meaning)}Takes: {one.takes}{unit}."


def column_words(one: TemplateColumn) -> str:
    """Return what a column holds, means and is read for.

    Examples
    --------
    >>> column_words(TemplateColumn("age_y", "number in years", "Age at the study.", "Table 1", ""))
    'number in years. Age at the study. Read for: Table 1.'
    """
    return f"{_sentence(one.holds)}{_sentence(one.meaning)}Read for: {one.read_for.rstrip('.')}."


def shown(value: object) -> str:
    """Return a value as ``--set`` takes it."""
    return json.dumps(value, ensure_ascii=False)


def usual_lines(one: Setting) -> list[str]:
    """Return the values below a default that holds settings, a ``path=value`` each; else nothing.

    Examples
    --------
    >>> usual_lines(Setting("needs.a.settings", "settings", "", {"train": {"depth": 18}}, {}, ""))
    ['needs.a.settings.train.depth=18']
    >>> usual_lines(Setting("train.depth", "18 or 50", "", 18, {}, ""))
    []
    """
    return [f"{path}={shown(value)}" for path, value in _leaves(one.path, one.default)]


def other_lines(one: Setting, name: str) -> list[str]:
    """Return what of `usual_lines` is another in a configuration, or stands only there."""
    usual = dict(_leaves(one.path, one.default))
    return [
        f"{path}={shown(value)}"
        for path, value in _leaves(one.path, one.elsewhere[name])
        if path not in usual or usual[path] != value
    ]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what stands below a mapping; of a value that is none, or is empty, nothing."""
    if not isinstance(value, Mapping):
        return
    for name, inside in value.items():
        here = f"{path}.{name}"
        if isinstance(inside, Mapping) and inside:
            yield from _leaves(here, inside)
        else:
            yield here, inside


def _sentence(words: str) -> str:
    return f"{words.rstrip('.')}. " if words else ""
