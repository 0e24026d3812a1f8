"""What somebody asked for: everything that the command line can say about a run."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardio_core.registry import Plugin
from cardio_core.runner.lock import guard_free
from cardio_core.training.loggers import Tracking
from cardio_core.types.info import Option, Task
from cardio_stats.errors import ConfigError
from cardio_stats.layout import LAYOUT, Layout

if TYPE_CHECKING:
    from cardio_core.config import RunConfig

# Options that a plugin's task brings to the command line, understood: settings and files.

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
    facts : mapping of Path to mapping
        What a person states of each file (``--facts FILE``), by column.
    """

    settings: tuple[tuple[Option, str], ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    facts: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)

    @property
    def sets(self) -> tuple[str, ...]:
        """The settings as `--set` takes them.

        Examples
        --------
        >>> Given(((Option("voxel-mm", "Distances", "load.voxel_mm"), "4,4,4"),)).sets
        ('load.voxel_mm=[4,4,4]',)
        """
        return tuple(f"{option.setting}={_listed(text)}" for option, text in self.settings)

    def sentence(self, what: str, sets: Iterable[str] = ()) -> tuple[str, ...]:
        """Return the sentence that keeps with a result how it was asked for; none for nothing.

        Examples
        --------
        >>> Given(((Option("base", "The base", "load.base_mm"), "30"),)).sentence("Measured")
        ('Measured with load.base_mm=30.',)
        """
        text = ", ".join((*sets, *self.sets))
        return (f"{what} with {text}.",) if text else ()


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
    >>> [takes(item, state) for item in ("run", "predict")]
    [True, False]
    >>> [takes(item, septum) for item in ("run", "predict")]
    [False, True]
    """
    if option.column:
        return command in _ONE_RECORDING
    return command != "predict" or option.for_new


def with_given(config: RunConfig, values: Given, sets: Iterable[str] = ()) -> RunConfig:
    """Lay the settings that options stand for over a configuration.

    `sets` are those of ``--set``: one setting is given in one way.

    Raises
    ------
    ConfigError
        If a value is not one of the setting; the message names the option as it was typed.
    """
    from cardio_core.config import merge, parse_sets, validated

    also = {text.partition("=")[0].strip() for text in sets}
    for option, text in values.settings:
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
    deepest = max(errors, key=lambda item: len(item["loc"]))
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
        raise ConfigError(f"--{option.name} {text}: no such file; check the path")
    return path.resolve()


def _unknown(name: str, plugin: str, task: Task, command: str, own: Iterable[str]) -> str:
    known = [f"--{option.name}" for option in task.options if takes(command, option)]
    near = difflib.get_close_matches(f"--{name}", [*known, *own], n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    brings = f"brings {', '.join(known)}" if known else "adds no option"
    return (
        f"--{name}: no such option of cardio {command}{meant} "
        f"({plugin}, task {task.name}, {brings}; --help lists all)"
    )


Protocols = Literal["both", "paper", "honest"]


@dataclass(frozen=True)
class RunRequest:
    """One request for a run; the fields are the options of `cardio run`.

    `given` is what was said with options that the plugin's task brings.
    `for_need` marks a run that another run makes first: of a configuration file it takes only what
    the file says of its own task. `same_as` is a finished run that is repeated: data and settings
    must be those that it was made from. `layout` is how its tables are laid out. `all_figures`
    draws what the page does not show open, too.
    """

    plugin: str
    task: str | None = None
    data: tuple[Path, ...] = ()
    config: str | None = None
    sets: tuple[str, ...] = ()
    needs_from: Mapping[str, Path] = field(default_factory=dict)
    protocol: Protocols = "both"
    device: str = "auto"
    n_devices: int = 1
    precision: str = "32"
    seed: int = 0
    executor: str = "local"
    out: Path | None = None
    resume: bool = False
    strict: bool = False
    smoke: bool = False
    dry_run: bool = False
    command: str = ""
    for_need: bool = False
    outcome: str | None = None
    event: str | None = None
    negative: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    primary: str | None = None
    covariates: tuple[str, ...] = ()
    given: Given = NOTHING_GIVEN
    track: str | None = None
    same_as: Path | None = None
    layout: Layout = field(default_factory=LAYOUT.get)
    all_figures: bool = False

    def settings(self) -> dict[str, Any]:
        """Return the options that stand for settings, as a tree of the configuration."""
        outcome = {
            "column": self.outcome, "event": self.event,
            "negative": list(self.negative), "missing": list(self.missing),
        }  # fmt: skip
        requested = {key: value for key, value in outcome.items() if value}
        tree: dict[str, Any] = {"outcome": requested} if requested else {}
        if self.primary is not None:
            tree["primary"] = self.primary
        if self.covariates:
            tree["covariates"] = list(self.covariates)
        return tree


# What the user typed, checked before anything slow: before imports, cohorts and earlier tasks.


def check_typed(request: RunRequest) -> None:
    """Check all of a request that files alone can answer.

    Raises
    ------
    ConfigError
        If a path does not exist, `out` holds a run that is at work or not to be resumed, there is
        none to resume, or what is to track the training is not installed. The message names the
        option and the path as they were typed.
    """
    check_data(request.data)
    _check_config(request.config)
    if request.track is not None:
        Tracking.parse(request.track)
    if request.out is not None:
        guard_free(request.out)
        check_out(request.out, request.resume)


def find_task(plugin: Plugin, name: str | None) -> Task:
    """Return the named or the default task."""
    try:
        return plugin.info.task(name or plugin.info.default_task)
    except KeyError:
        known = ", ".join(task.name for task in plugin.info.tasks)
        raise ConfigError(
            f"plugin {plugin.info.name!r} has no task {name!r}; it has {known}"
        ) from None


def announce_data(request: RunRequest, echo: Callable[[str], None]) -> None:
    """Say first what decides about every number that follows: data that are no patients'."""
    if not request.data:
        echo("Synthetic data: made by the plugin, with known truth, because no --data was given.")
        return
    from cardio_core.io.synthetic import is_synthetic

    for path in filter(is_synthetic, request.data):
        echo(f"Synthetic data: {path.name} was made by code; its truth.json lies with it.")


def say_difficulty(request: RunRequest, inputs: Sequence[Path], say: Callable[[str], None]) -> None:
    """Name the difficulty of a synthetic cohort, and the setting that chooses another."""
    from cardio_core.io.synthetic import difficulty_of

    another = "" if request.data else "; --set difficulty=NAME takes another"
    for named in filter(None, map(difficulty_of, inputs)):
        say(f"Difficulty of the synthetic cohort: {named}{another}.")


def check_data(data: Sequence[Path]) -> None:
    """Raise where one of the paths after ``--data`` does not exist."""
    for path in data:
        if not path.exists():
            raise ConfigError(
                f"--data {path}: no such file or folder; check the path", code="missing"
            )


def _check_config(config: str | None) -> None:
    """Check what looks like a file; a name is looked for in the plugin later."""
    if config is None or Path(config).is_file():
        return
    if Path(config).suffix.lower() in (".yaml", ".yml") or Path(config).name != config:
        raise ConfigError(f"--config {config}: no such file; check the path")


def check_out(out: Path, resume: bool) -> None:
    """Raise ConfigError unless a folder can take a new run, or holds the one to be resumed."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: expected a folder, found a file")
    begun = (out / "manifest.json").exists()
    if begun and not resume:
        raise ConfigError(
            f"--out {out}: already holds a run; go on with --resume or choose another --out",
            code="exists",
        )
    if resume and not begun:
        raise ConfigError(
            f"--resume: --out {out} holds no run to go on with; leave --resume out", code="missing"
        )
