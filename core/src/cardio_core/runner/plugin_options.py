"""Options that a plugin's task brings to the command line, understood: settings and files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardio_core.errors import ConfigError
from cardio_core.types.info import Option, Task

if TYPE_CHECKING:
    from cardio_core.config import RunConfig

_ONE_RECORDING = ("measure", "predict")
"""Commands that may be given one recording, with the files that belong to it."""


@dataclass(frozen=True)
class Given:
    """What a command was given beyond its own options.

    Attributes
    ----------
    settings : tuple of (Option, str)
        Options that stand for settings, each with the words after it.
    files : mapping of str to Path
        Files that belong to the one recording, by the name of their option.
    """

    settings: tuple[tuple[Option, str], ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def sets(self) -> tuple[str, ...]:
        """The settings as `--set` takes them.

        Examples
        --------
        >>> Given(((Option("voxel-mm", "Distances", "load.voxel_mm"), "4,4,4"),)).sets
        ('load.voxel_mm=[4,4,4]',)
        """
        return tuple(f"{option.setting}={_listed(text)}" for option, text in self.settings)

    def told(self, what: str, sets: Iterable[str] = ()) -> tuple[str, ...]:
        """Return the sentence that keeps with a result how it was asked for; none for nothing.

        Examples
        --------
        >>> Given(((Option("base", "The base", "load.base_mm"), "30"),)).told("Measured")
        ('Measured with load.base_mm=30.',)
        """
        said = ", ".join((*sets, *self.sets))
        return (f"{what} with {said}.",) if said else ()


NOTHING_GIVEN = Given()


def understood(
    typed: Mapping[str, str], plugin: str, task: Task, command: str, own: Iterable[str] = ()
) -> Given:
    """Tell what options mean that a command itself does not have.

    Parameters
    ----------
    typed : mapping of str to str
        What was typed, by the option's name without dashes; empty where nothing followed it.
    plugin : str
        Name of the plugin.
    task : Task
        Whose options they may be.
    command : str
        ``"measure"``, say.
    own : iterable of str
        The command's own options, with their dashes: for a misspelt one.

    Raises
    ------
    ConfigError
        In one line, which names what the task takes.
    """
    known = {option.name: option for option in task.options}
    settings, files = [], {}
    for name, text in typed.items():
        option = known.get(name)
        if option is None:
            raise ConfigError(_unknown(name, plugin, task, command, own))
        if not takes(command, option):
            raise ConfigError(_not_here(option, command))
        if not text:
            raise ConfigError(f"--{name}: expected a value after it: {option.metavar}")
        if option.column:
            files[name] = _file(option, text)
        else:
            settings.append((option, text))
    return Given(tuple(settings), files)


def takes(command: str, option: Option) -> bool:
    """Whether a command takes an option: a file belongs to one recording, a run keeps its settings.

    Examples
    --------
    >>> state, septum = Option("state", "State", "load.state"), Option("septum", "S", column="s")
    >>> [takes(one, state) for one in ("run", "predict")]
    [True, False]
    >>> [takes(one, septum) for one in ("run", "predict")]
    [False, True]
    """
    if option.column:
        return command in _ONE_RECORDING
    return command != "predict" or option.for_new


def with_given(config: RunConfig, given: Given, sets: Iterable[str] = ()) -> RunConfig:
    """Lay the settings that options stand for over a configuration.

    `sets` are those of ``--set``: one setting is given in one way.

    Raises
    ------
    ConfigError
        If a value is not one of the setting; the message names the option as it was typed.
    """
    from cardio_core.config import merge, parse_sets, validated

    also = {text.partition("=")[0].strip() for text in sets}
    for option, text in given.settings:
        if option.setting in also:
            raise ConfigError(
                f"--{option.name} and --set {option.setting} are the same setting; give one of them"
            )
        (line,) = Given(((option, text),)).sets
        try:
            tree: dict[str, Any] = merge(config.model_dump(mode="json"), parse_sets([line]))
            config = validated(type(config), tree, "")
        except ConfigError as error:
            unit = f" in {option.unit}" if option.unit else ""
            raise ConfigError(
                f"--{option.name} {text}: expected {option.form}{unit} ({option.setting}); "
                f"{_why(error)}"
            ) from error
    return config


def lacks_setting(config: Any, path: str) -> bool:
    """Whether a configuration has no such setting.

    Examples
    --------
    >>> from cardio_core.config import RunConfig
    >>> lacks_setting(RunConfig(), "inner.k"), lacks_setting(RunConfig(), "inner.kk")
    (False, True)
    """
    for part in path.split("."):
        if part not in getattr(type(config), "model_fields", {}):
            return True
        config = getattr(config, part)
    return False


def _why(error: ConfigError) -> str:
    """Return what is wrong with a value: where it may be of several kinds, with the nearest one."""
    errors: list[Any] = getattr(error.__cause__, "errors", list)()
    if not errors:
        return str(error)
    deepest = max(errors, key=lambda one: len(one["loc"]))
    return f"{deepest['msg'].lower()}, found {deepest['input']!r}"


def _listed(text: str) -> str:
    """Write a value with commas as the list that it is."""
    is_list = "," in text and not text.lstrip().startswith(("[", "{"))
    return f"[{text}]" if is_list else text


def _not_here(option: Option, command: str) -> str:
    if option.column:
        return (
            f"--{option.name}: a file of one recording; cardio {command} takes such files from the "
            f"column {option.column} of the cohort table"
        )
    return (
        f"--{option.name}: cardio {command} keeps {option.setting} as it is in the run's "
        "config.yaml; leave the option out"
    )


def _file(option: Option, text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ConfigError(f"--{option.name} {text}: no such file")
    return path.resolve()


def _unknown(name: str, plugin: str, task: Task, command: str, own: Iterable[str]) -> str:
    known = [f"--{option.name}" for option in task.options if takes(command, option)]
    near = difflib.get_close_matches(f"--{name}", [*known, *own], n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    brings = f"brings {', '.join(known)}" if known else "brings no option of its own"
    return (
        f"--{name}: no such option of cardio {command}{meant} "
        f"({plugin}, task {task.name}, {brings}; --help lists all)"
    )
