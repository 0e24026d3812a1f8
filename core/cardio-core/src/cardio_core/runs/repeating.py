"""A finished run, made again by its own command; and what differs between two runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cardio_core.cli.run import request_of
from cardio_core.io.places import typed_command
from cardio_core.io.run_artifact import RunKind
from cardio_core.io.settings_schema import settings_in
from cardio_core.io.store import open_cache
from cardio_core.runner.manifest import finished
from cardio_core.runner.progress import Echo
from cardio_core.runner.provenance import (
    Difference,
    NotTheSameError,
    data_differ,
    differences,
    ground_of,
    settings_differ,
)
from cardio_core.runner.request import RunRequest
from cardio_core.runner.resume import kept_contents
from cardio_core.runner.run import run as make_run
from cardio_core.runner.setup import set_up
from cardio_stats.errors import ConfigError


@dataclass(frozen=True)
class Repetition:
    """A finished run, about to be made again.

    Attributes
    ----------
    run : Path
    manifest : mapping
        Of the run.
    request : RunRequest
        Its own, with another folder and, where given, other places.
    """

    run: Path
    manifest: Mapping[str, Any]
    request: RunRequest

    @classmethod
    def of(
        cls,
        run: Path,
        out: Path,
        *,
        data: Sequence[Path] = (),
        executor: str | None = None,
        device: str | None = None,
    ) -> Repetition:
        """Read the request of a finished run from the command that its manifest keeps.

        Raises
        ------
        ConfigError
            If it is no finished run, names no command of this core, or what it names is not here.
        """
        manifest = finished(run, RunKind.RUN)
        return cls(run, manifest, _repeated(run, manifest, out, data, executor, device))

    def differences(self) -> tuple[list[Difference], dict[str, Any]]:
        """Return what differs from then in code, packages, device and machine, and those of now."""
        now = ground_of(self.request, set_up(self.request))
        return differences(self.manifest["stands_on"], now), now

    def make(self, *, anyway: bool, echo: Echo) -> Path:
        """Make the run again in its new folder.

        Features are made anew, and a synthetic cohort is, too: the cache is not asked.

        Parameters
        ----------
        anyway : bool
            Whether other recordings, labels or settings than those of then are accepted.
        echo : callable
            Takes progress lines.

        Raises
        ------
        ConfigError
            If the folder holds something, or something changed.
        """
        out = self.request.out
        if out is None or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
            raise ConfigError(f"--out {out}: expected a new or an empty folder", code="exists")
        request = self.request if anyway else replace(self.request, same_as=self.run)
        try:
            with _own_cache():
                return make_run(request, echo)
        except NotTheSameError:
            shutil.rmtree(out, ignore_errors=True)  # nothing but its beginning is there
            raise


_DROPPED = {"--out": True, "--track": True, "--resume": False, "--dry-run": False, "--json": False}
"""Words that are not repeated, and whether each has a value."""


def _repeated(
    run: Path,
    manifest: Mapping[str, Any],
    out: Path,
    data: Sequence[Path],
    executor: str | None,
    device: str | None,
) -> RunRequest:
    """Return the request that made a run, with another folder and, where given, other places."""
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
    program, *words = typed_command(run, manifest) or [""]
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
    repeated = [*_without(words[words.index("run") + 1 :], dropped)]
    return [
        *_with_settings(repeated, run),
        *(item for pair in more for item in pair),
        "--out",
        str(out),
    ]


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


def differences_between(run: Path, again: Path) -> list[Difference]:
    """Return what differs between two finished runs, from the data to the machine."""
    made = finished(run, RunKind.RUN), finished(again, RunKind.RUN)
    return [*_between(run, made[0], again, made[1])]


def _between(
    run: Path, before: Mapping[str, Any], again: Path, after: Mapping[str, Any]
) -> Iterator[Difference]:
    then, now = before["stands_on"], after["stands_on"]
    yield from data_differ(then, now, kept_contents(run), kept_contents(again))
    if before.get("split_digest") != after.get("split_digest"):
        yield Difference("data", "patients fall into other folds")
    own = [settings_in(item)
           for item in (run, again)]  # fmt: skip
    needs = [{item["task"]: item["identity"] for item in made["needs"]} for made in (before, after)]
    for task in sorted({*needs[0], *needs[1]}):
        if needs[0].get(task) != needs[1].get(task):
            yield Difference("data", f"{task}, which it needs, came from another run")
    yield from settings_differ({"seed": before["seed"]} | own[0], {"seed": after["seed"]} | own[1])
    yield from differences(then, now)
    workers = then.get("executor"), now.get("executor")
    if None not in workers and workers[0] != workers[1]:
        words = f"the executor is {workers[1]}, was {workers[0]} (no number depends on it)"
        yield Difference("machine", words, tolerated=True)


@contextmanager
def _own_cache() -> Iterator[None]:
    """Give a run a cache of its own: features of another day may have been made otherwise."""
    before = os.environ.get("CARDIO_CACHE")
    # Inside the user's own, where `cardio data forget` finds what a killed one leaves.
    above = open_cache() / "again"
    above.mkdir(exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=above) as place:
        os.environ["CARDIO_CACHE"] = place
        try:
            yield
        finally:
            if before is None:
                del os.environ["CARDIO_CACHE"]
            else:
                os.environ["CARDIO_CACHE"] = before
