"""`cardio reproduce`: a finished run, made again from its recordings on, and compared."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cardio_core.errors import ConfigError
from cardio_core.io.atomic import write_json, write_text
from cardio_core.io.kept.settings import settings_in
from cardio_core.io.places import open_cache
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.progress import Echo
from cardio_core.runner.request import RunRequest
from cardio_core.runner.run import run as make
from cardio_core.runner.setup import set_up
from cardio_core.runner.standing.differing import (
    Difference,
    NotTheSameError,
    data_differ,
    differences,
    settings_differ,
)
from cardio_core.runner.standing.ground import ground_in, ground_of
from cardio_core.runner.standing.resuming import kept_contents
from cardio_core.studies.reproduce.installing import environment_of, to_install
from cardio_core.studies.reproduce.numbers import TOLERANCE, compare_numbers
from cardio_core.studies.reproduce.told import told

JSON, TEXT = "reproduce.json", "reproduce.txt"


def foretold(run: Path, request: RunRequest) -> list[str]:
    """Return what differs from then before anything is made, and what would bring it back.

    Parameters
    ----------
    run : Path
        A finished run.
    request : RunRequest
        Its own, to be repeated.

    Raises
    ------
    ConfigError
        If it is no finished run, or was not made by this command.
    """
    manifest = finished(run)
    now = ground_of(request, set_up(request))
    found = differences(ground_in(manifest), now)
    if not found:
        lines = ["Code, packages, device and machine are those of then."]
        return lines if "stands_on" in manifest else [*lines, _OLDER]
    lines = [f"Now differs: {one.words}." for one in found]
    lines += [f"To have what it was made with: {line}" for line in to_install(manifest, now)]
    return lines if "stands_on" in manifest else [*lines, _OLDER]


def reproduce(run: Path, request: RunRequest, *, anyway: bool, echo: Echo) -> dict[str, Any]:
    """Make a run again in a new folder and compare every number of the two.

    Features are made anew, and a synthetic cohort is, too: the cache is not asked.

    Parameters
    ----------
    run : Path
        A finished run.
    request : RunRequest
        Its own, with the folder to write in `out`.
    anyway : bool
        Whether other recordings, labels or settings than those of then are accepted.
    echo : callable
        Takes progress lines.

    Returns
    -------
    dict
        What `reproduce.json` holds; see `compared`.

    Raises
    ------
    ConfigError
        If it is no finished run, the folder holds something, or something changed.
    """
    finished(run)
    out = request.out
    if out is None or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise ConfigError(f"--out {out}: expected a new or an empty folder")
    asked = request if anyway else replace(request, same_as=run)
    try:
        with _own_cache():
            make(asked, echo)
    except NotTheSameError:
        shutil.rmtree(out, ignore_errors=True)  # nothing but its beginning is there
        raise
    return compared(run, out)


def compared(run: Path, again: Path) -> dict[str, Any]:
    """Compare two finished runs number by number, and write the answer into the second's folder.

    Returns
    -------
    dict
        ``verdict`` (equal, within rounding, differs), ``tolerance``, ``numbers`` (a file each),
        ``differs_from_then`` (what may explain it), ``environment`` (of then).
    """
    before, after = finished(run), finished(again)
    for name in ("plugin", "task"):
        if before[name] != after[name]:
            raise ConfigError(
                f"{again}: is a run of {name} {after[name]}, {run} of {before[name]}; name two "
                "runs of one command"
            )
    numbers = compare_numbers(run, again)
    why = [*_between(run, before, again, after)]
    answer = {
        "run": before["name"],
        "again": after["name"],
        "plugin": before["plugin"],
        "task": before["task"],
        "command": before["command"],
        "finished": [before["finished"], after["finished"]],
        "verdict": _verdict([one.differ for one in numbers], [one.within for one in numbers]),
        "tolerance": TOLERANCE,
        "numbers": [one.to_dict() for one in numbers],
        "differs_from_then": [vars(one) for one in why],
        "environment": environment_of(before),
        "to_install": to_install(before, ground_in(after)),
    }
    write_json(again / JSON, answer)
    write_text(again / TEXT, "\n".join(told(answer)) + "\n")
    return answer


def finished(run: Path) -> dict[str, Any]:
    """Return the manifest of a finished run.

    Raises
    ------
    ConfigError
        If it is none.
    """
    content = Manifest.open(run).content
    kind = content.get("kind", "run")
    if kind != "run":
        raise ConfigError(
            f"{run}: expected a run, found a folder that is {kind}; reproduce the run, or repeat "
            "its own command (manifest.json)"
        )
    if content["status"] != "done":
        raise ConfigError(f"{run}: this run is not finished ({content['status']}); resume it first")
    return content


_OLDER = (
    "It was made by an older cardio-core, which kept no digests of labels and code: that they are "
    "the same cannot be checked."
)


def _verdict(differ: list[int], within: list[int]) -> str:
    if any(differ):
        return "differs"
    return "within rounding" if any(within) else "equal"


def _between(
    run: Path, before: Mapping[str, Any], again: Path, after: Mapping[str, Any]
) -> Iterator[Difference]:
    """Yield what differs between two finished runs, from the data to the machine."""
    then, now = ground_in(before), ground_in(after)
    details = kept_contents(run), kept_contents(again)
    if all(details):
        yield from data_differ(then, now, *details)
    elif before["data"].get("digest") != after["data"].get("digest"):
        yield Difference("data", "files of recordings differ")
    if before.get("split_digest") != after.get("split_digest"):
        yield Difference("data", "patients fall into other folds")
    own = [settings_in(one)
           for one in (run, again)]  # fmt: skip
    needs = [{one["task"]: one["identity"] for one in made["needs"]} for made in (before, after)]
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
