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

from cardio_core.cli.run import request_again
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
from cardio_core.runner.resume import stored_contents
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
        return cls(run, manifest, request_again(run, manifest, out, data, executor, device))

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


def differences_between(run: Path, again: Path) -> list[Difference]:
    """Return what differs between two finished runs, from the data to the machine."""
    made = finished(run, RunKind.RUN), finished(again, RunKind.RUN)
    return [*_between(run, made[0], again, made[1])]


def _between(
    run: Path, before: Mapping[str, Any], again: Path, after: Mapping[str, Any]
) -> Iterator[Difference]:
    then, now = before["stands_on"], after["stands_on"]
    yield from data_differ(then, now, stored_contents(run), stored_contents(again))
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
