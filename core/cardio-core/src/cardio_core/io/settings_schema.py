"""Settings in YAML: those that a user or a plugin gives, and those that a run keeps."""

from __future__ import annotations

import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cardio_core.io.run_schema import Count, Entries, FileSchema, Share
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.files import read_text
from cardio_stats.serialization import MOST_BYTES, MalformedError, parse_yaml

Tree = dict[str, Any]

FILE = "config.yaml"
_WORDS = {
    str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list",
    tuple: "a list", dict: "named values", type(None): "nothing", bytes: "bytes",
    datetime.date: "a date", datetime.datetime: "a date", set: "a set of names",
}  # fmt: skip


def read_yaml(text: str, source: str) -> Tree:
    """Parse settings in YAML; `source` names them in errors.

    Raises
    ------
    ConfigError
        In one line: no YAML, or no settings by name.

    Examples
    --------
    >>> read_yaml("train: {epochs: 3}", "a.yaml")
    {'train': {'epochs': 3}}
    >>> read_yaml("- 3", "a.yaml")
    Traceback (most recent call last):
    cardio_stats.errors.ConfigError: a.yaml: expected settings by name (train: ...), found a list...
    """
    try:
        tree = parse_yaml(text)
    except MalformedError as error:
        raise ConfigError(
            f"{source}: expected settings in YAML, found something else ({error}); quote what is "
            "text, or correct it",
            code="damaged",
        ) from None
    if not isinstance(tree, dict | None):
        raise ConfigError(
            f"{source}: expected settings by name (train: ...), found {kind_of(tree)}; write a "
            "name before what is set"
        )
    return tree or {}


def read_settings(path: Path) -> Tree:
    """Read a file of settings that a user gives.

    Raises
    ------
    ConfigError
        As `read_yaml`; or if it is not in UTF-8, or too large for settings.
    """
    try:
        text = read_text(path, most_bytes=MOST_BYTES)
    except DataError as error:
        raise ConfigError(
            f"{path}: expected settings in YAML, found what cannot be read ({error})"
        ) from None
    return read_yaml(text.removeprefix("\ufeff"), str(path))


def settings_in(run: Path) -> Tree:
    """Return the settings that a run directory keeps.

    Raises
    ------
    ConfigError, DataError
        In one line: not there, not in UTF-8, or no settings.
    """
    text = read_text(run / FILE, most_bytes=MOST_BYTES)
    return read_yaml(text, FILE)


class InnerEntry(Entries):
    """How was chosen inside each training set."""

    k: Count | None = None
    validation_share: Share | None = None


class OverridesEntry(Entries):
    """Settings of one protocol."""

    inner: InnerEntry | None = None


class ProtocolEntry(Entries):
    """How one protocol divides and decides."""

    decision: str | None = None
    fusion: str | None = None
    overrides: OverridesEntry | None = None


class SettingsForm(Entries):
    """The settings that a report tells; the plugin's own schema knows the others."""

    protocols: dict[str, ProtocolEntry] | None = None
    inner: InnerEntry | None = None
    search: list[dict[str, Any]] | None = None
    evaluate: dict[str, Any] | None = None


SETTINGS = FileSchema("the settings of the run", SettingsForm)


@lru_cache(maxsize=4)
def kept_settings(text: str) -> Tree:
    """Return the settings of a run's ``config.yaml`` as its report tells them; change nothing.

    Raises
    ------
    ConfigError, DataError
    """
    tree = read_yaml(text, FILE)
    SETTINGS.check(tree, Path(FILE))
    return tree


def of_task(layer: Tree, task: str, source: str) -> Tree:
    """Return what a layer of settings says of one task below ``tasks``.

    Raises
    ------
    ConfigError
        If that is something else than settings by name.

    Examples
    --------
    >>> of_task({"tasks": {"beats": {"seed": 1}}}, "beats", "a.yaml")
    {'seed': 1}
    >>> of_task({"tasks": 5}, "beats", "a.yaml")
    Traceback (most recent call last):
    cardio_stats.errors.ConfigError: a.yaml: tasks: expected settings by name, found a number; ...
    """
    tasks = layer.get("tasks")
    own = tasks.get(task) if isinstance(tasks, dict) else None
    for where, found in (("tasks", tasks), (f"tasks.{task}", own)):
        if not isinstance(found, dict | None):
            raise ConfigError(
                f"{source}: {where}: expected settings by name, found {kind_of(found)}; write them "
                "below it, or leave it out"
            )
    return own or {}


def kind_of(value: Any) -> str:
    """Return what a value of YAML is, in words.

    Examples
    --------
    >>> kind_of(["a"]), kind_of(datetime.date(2020, 1, 1))
    ('a list', 'a date')
    """
    return _WORDS.get(type(value), "something else")
