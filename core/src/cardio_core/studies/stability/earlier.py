"""Earlier tasks on the same patients, made again: folds that move take their models with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from cardio_core.io.atomic import write_text
from cardio_core.io.kept.settings import settings_in
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.preparing.needs import Resolved
from cardio_core.runner.progress.words import several
from cardio_core.runner.request import RunRequest
from cardio_core.runner.run import run
from cardio_core.studies.stability.opening import Again


def needs_for(
    again: Again, name: str, *, seed: int, executor: str, sets: Sequence[str] = ()
) -> tuple[Resolved, ...]:
    """Return the session's needs, those of the same patients made again on other folds.

    Parameters
    ----------
    again : Again
    name : str
        Of the refit; its earlier runs lie in ``needs/NAME`` of the study and are resumed there.
    seed : int
        Of the folds and of the fits.
    executor : str
    sets : sequence of str
        Settings laid over those of the earlier run.
    """
    return tuple(
        _again(again, need, again.session.out / "needs" / name, seed, executor, sets)
        if need.need.patients == "same"
        else need
        for need in again.session.needs
    )


def has_same(again: Again) -> bool:
    """Whether the task stands on an earlier one that shares its patients and folds."""
    return any(need.need.patients == "same" for need in again.session.needs)


def say_cost(again: Again, n: int) -> None:
    """Tell that the earlier tasks are run again, too."""
    tasks = [need.need.task for need in again.session.needs if need.need.patients == "same"]
    if tasks:
        again.session.say(
            f"Earlier task: {', '.join(tasks)} shares the folds, so it is run again "
            f"{several(n, 'time')}."
        )


def _again(
    again: Again, need: Resolved, folder: Path, seed: int, executor: str, sets: Sequence[str]
) -> Resolved:
    task, place = need.need.task, need.place
    out = folder / task
    begun = (out / "manifest.json").is_file()
    if not begun or Manifest.open(out).content["status"] != "done":
        # A file given to a need speaks for its task alone.
        stored = settings_in(place)
        settings = folder / f"{task}.yaml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        write_text(settings, yaml.safe_dump({"tasks": {task: stored}}, sort_keys=False))
        session = again.session
        asked = RunRequest(
            again.made["plugin"], task, data=session.ctx.replace(hook="load").inputs,
            config=str(settings), sets=tuple(sets), protocol="honest", seed=seed, out=out,
            needs_from={one.name: one for one in sorted((place / "needs").glob("*"))},
            device=session.setup.devices[0].kind, executor=executor, resume=begun, for_need=True,
        )  # fmt: skip
        run(asked, session.say.for_need(task))
    return Resolved(need.need, out, f"{task}, run again with seed {seed}")
