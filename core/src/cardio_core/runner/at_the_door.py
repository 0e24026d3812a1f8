"""What the user typed, checked before anything slow: before imports, cohorts and earlier tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cardio_core.errors import ConfigError
from cardio_core.registry import Plugin
from cardio_core.runner.request import RunRequest
from cardio_core.runner.standing.lock import guard_free
from cardio_core.training.track.tracking import Tracking
from cardio_core.types.info import Task


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
    from cardio_core.io.truth_file import is_synthetic

    for path in filter(is_synthetic, request.data):
        echo(f"Synthetic data: {path.name} was made by code; its truth.json lies with it.")


def say_difficulty(request: RunRequest, inputs: Sequence[Path], say: Callable[[str], None]) -> None:
    """Name the difficulty of a synthetic cohort, and the setting that chooses another."""
    from cardio_core.io.truth_file import difficulty_of

    another = "" if request.data else "; --set difficulty=NAME takes another"
    for named in filter(None, map(difficulty_of, inputs)):
        say(f"Difficulty of the synthetic cohort: {named}{another}.")


def check_data(data: Sequence[Path]) -> None:
    """Raise where one of the paths after ``--data`` does not exist."""
    for path in data:
        if not path.exists():
            raise ConfigError(f"--data {path}: no such file or folder")


def _check_config(config: str | None) -> None:
    """Check what looks like a file; a name is looked for in the plugin later."""
    if config is None or Path(config).is_file():
        return
    if Path(config).suffix.lower() in (".yaml", ".yml") or Path(config).name != config:
        raise ConfigError(f"--config {config}: no such file")


def check_out(out: Path, resume: bool) -> None:
    """Raise ConfigError unless a folder can take a new run, or holds the one to be resumed."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: expected a folder, found a file")
    begun = (out / "manifest.json").exists()
    if begun and not resume:
        raise ConfigError(
            f"--out {out}: already holds a run; go on with --resume or choose another --out"
        )
    if resume and not begun:
        raise ConfigError(f"--resume: --out {out} holds no run to go on with")
