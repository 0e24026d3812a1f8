"""The request of a finished run, read from the command that its manifest keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardio_core.cli.run import request_of
from cardio_core.errors import ConfigError
from cardio_core.io.run_artifact import words_of

if TYPE_CHECKING:
    from cardio_core.runner.request import RunRequest

_DROPPED = {"--out": True, "--track": True, "--resume": False, "--dry-run": False, "--json": False}
"""Words that are not repeated, and whether each has a value."""


def repeated(
    run: Path,
    manifest: Mapping[str, Any],
    out: Path,
    data: Sequence[Path] = (),
    executor: str | None = None,
    device: str | None = None,
) -> RunRequest:
    """Return the request that made a run, with another folder and, where given, other places.

    Raises
    ------
    ConfigError
        If the manifest names no command of this core, or what it names is not here.
    """
    words = _retyped(run, manifest, out, data, executor, device)
    try:
        request = request_of(words)
    except ConfigError as error:
        raise ConfigError(f"{run}: its command cannot be given here: {error}") from error
    if request.task not in (manifest["task"], None):
        raise ConfigError(
            f"{run}: was made by a run of {request.task}, which needs it; reproduce that one"
        )
    for path in request.data:
        if not path.exists():
            raise ConfigError(f"{run}: its data were {path}, which is not here; give --data PATH")
    for task, earlier in request.needs_from.items():
        if not earlier.exists():
            raise ConfigError(
                f"{run}: its {task} came from the run {earlier}, which is not here; go to the "
                "folder in which the command was given, or put that run back"
            )
    return request


def _retyped(
    run: Path,
    manifest: Mapping[str, Any],
    out: Path,
    data: Sequence[Path],
    executor: str | None,
    device: str | None,
) -> list[str]:
    """Return the words behind ``cardio run``."""
    program, *words = words_of(manifest.get("command")) or [""]
    if program != "cardio" or "run" not in words:
        raise ConfigError(
            f"{run}: its manifest names no command, because it was started from Python; repeat it "
            "there and compare the two with --against"
        )
    dropped = dict(_DROPPED)
    more = [("--data", str(path)) for path in data]
    more += [("--executor", executor)] if executor else []
    more += [("--device", device)] if device else []
    dropped |= {name: True for name, _ in more}
    kept = [*_without(words[words.index("run") + 1 :], dropped)]
    return [*_with_settings(kept, run), *(one for pair in more for one in pair), "--out", str(out)]


def _without(words: Sequence[str], dropped: Mapping[str, bool]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in dropped:
            yield word
        elif dropped[name] and not equals:
            next(rest, None)


def _with_settings(words: list[str], run: Path) -> Iterator[str]:
    """Put the run's own settings in the place of a file of settings that is not here any more."""
    before = ""
    for word in words:
        lost = before == "--config" and Path(word).suffix in (".yaml", ".yml")
        yield str(run / "config.yaml") if lost and not Path(word).is_file() else word
        before = word
