"""Recordings, read as every command reads them: the plugin's `load`, then one opened by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cardio_core.context import Context
from cardio_core.runner.hook_calls import call
from cardio_core.runner.prepare import UnusableCohortError, load_recordings
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import Setup, set_up
from cardio_core.types.redaction import without_names
from cardio_core.types.samples import Cohort, sealed
from cardio_stats.errors import DataError

MOST_FRAMES = 40

Read = Callable[[Path, Path], Sequence[str]]


def opens(plugin: str, task: str, *, whole: bool = False, mode: Any = "predict",
          measures: bool = False, sets: tuple[str, ...] = ()) -> Read:  # fmt: skip
    """Return what loads the damaged file (or its `whole` folder) and opens what it holds.

    With `measures`, each recording is put through `preprocess` and `featurize`, too.
    """

    def read(folder: Path, file: Path) -> list[str]:
        setup = _set_up(plugin, task, sets)
        config = setup.config.for_protocol("honest")
        given = {"protocol": "honest"} if mode == "fit" else {}
        ctx = Context(setup.task, mode=mode, cache=None, _inputs=((folder if whole else file),),
                      **given)  # fmt: skip
        try:
            cohort = load_recordings(setup.plugin, config, ctx)
        except UnusableCohortError as error:
            return [one.reason for one in error.quarantined] or [str(error)]
        said = [one.reason for one in cohort.quarantined]
        said += [one.why for one in cohort.seen if one.why]
        aside: list[str] = []
        for _, value in cohort.samples.opened(lambda _, why, to=aside: to.append(str(why))):
            said += _decoded(value, file)
        said += aside
        if measures:
            said += _measured(setup, config, ctx, cohort)
        return said

    return read


def _measured(setup: Setup, config: Any, ctx: Context, cohort: Cohort) -> Iterator[str]:
    own = ctx.replace(_inputs=(), _quarantined=[])
    try:
        preprocessed = call(setup.plugin, "preprocess", own, config, samples=sealed(cohort.samples))
        if len(preprocessed):
            call(setup.plugin, "featurize", own, config, samples=preprocessed)
    except DataError as error:
        yield str(error)
    yield from (one.reason for one in own._quarantined)


def _decoded(value: Any, file: Path) -> Iterator[str]:
    """Decode the frames of a loop, which is opened without them."""
    loop = getattr(value, "loop", value)
    if not hasattr(loop, "frames") or not hasattr(loop, "n_frames"):
        return
    try:
        for frame in loop.frames(0, min(loop.n_frames, MOST_FRAMES)):
            frame.max()
    except DataError as error:
        yield without_names(str(error), [file])


@cache
def _set_up(plugin: str, task: str, sets: tuple[str, ...]) -> Setup:
    request = RunRequest(plugin, task, (), "smoke", sets, protocol="honest", device="cpu",
                         executor="local:1")  # fmt: skip
    return set_up(request)
