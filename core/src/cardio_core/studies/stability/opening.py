"""A finished run, opened to be fitted again: its data, its configuration, its folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from cardio_core.compute.devices import device_list
from cardio_core.compute.executors import parse_executor
from cardio_core.config import NeedBlock, RunConfig, validated
from cardio_core.context import Context
from cardio_core.errors import ConfigError
from cardio_core.evaluation.patients.covariates import with_clinical_model
from cardio_core.io.kept.settings import settings_in
from cardio_core.io.places import open_cache
from cardio_core.io.run_artifact import SPLITS, FoldRecord, words_of
from cardio_core.registry import resolve
from cardio_core.runner.fitting.jobs import FINAL, FoldJob, jobs_of
from cardio_core.runner.judging.collect import collect
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.preparing.arms import Arm, make_arm
from cardio_core.runner.preparing.needs import Resolved, guard_unchanged
from cardio_core.runner.preparing.outcome import asked_task
from cardio_core.runner.progress import Display
from cardio_core.runner.request import RunRequest
from cardio_core.runner.session import Session
from cardio_core.runner.setup import Setup, find_data, open_with_defaults
from cardio_core.runner.standing.elsewhere import alike
from cardio_core.types.info import Task
from cardio_core.types.predictions import Scored


@dataclass(frozen=True)
class Asked:
    """How a run is to be opened: where its data lie now, and on what to work.

    `data` and `needs_from` are those of the run's own command where they are empty.
    """

    data: tuple[Path, ...] = ()
    needs_from: Mapping[str, Path] | None = None
    device: str = "auto"
    executor: str = "local"


@dataclass(frozen=True)
class Again:
    """A run as it stood before anything was fitted, and what came of it then.

    Attributes
    ----------
    run : Path
    made : mapping
        Its manifest.
    session : Session
        With the run's own seed; `out` is the folder of the study.
    arm : Arm
        The honest protocol: features, truth and the folds of the run.
    observed : Scored
        What the run predicted out of fold.
    """

    run: Path
    made: Mapping[str, Any]
    session: Session
    arm: Arm
    observed: Scored

    @property
    def task(self) -> Task:
        """The task, with the run's own primary model."""
        return replace(self.session.setup.task, primary=self.session.setup.primary)


def finished(run: Path) -> Mapping[str, Any]:
    """Return the manifest of a run that can be fitted again.

    Raises
    ------
    ConfigError
        If it is not finished, is no run of a plugin, or has no honest protocol.
    """
    made = Manifest.open(run).content
    kind = made.get("kind", "run")
    if kind != "run":
        raise ConfigError(
            f"{run}: expected a run of a plugin, found a folder that is {kind}; name the run itself"
        )
    if made["status"] != "done":
        raise ConfigError(f"{run}: this run is not finished ({made['status']}); resume it first")
    if "honest" not in made["protocols"]:
        raise ConfigError(
            f"{run}: expected a run of the honest protocol, found {', '.join(made['protocols'])} "
            "alone; run it with --protocol honest"
        )
    if not made["models"]:
        raise ConfigError(f"{run}: no model of this run could be fitted; its notes say why")
    return made


@contextmanager
def opened(run: Path, asked: Asked, out: Path, manifest: Manifest, say: Display) -> Iterator[Again]:
    """Prepare a run's data as the run did, and check that they are the same.

    Raises
    ------
    ConfigError
        If the data or an earlier task cannot be found, or are not those of the run.
    """
    made = finished(run)
    setup = _setup(run, made, asked)
    typed = words_of(made.get("command"))
    places = asked.data or tuple(map(Path, _after(typed, "--data")))
    lost = next((one for one in places if not one.exists()), None)
    if lost is not None:
        raise ConfigError(f"{lost}: the data of {run} do not lie there; say where with --data PATH")
    if not places and made["data"]["source"] == "real":
        raise ConfigError(f"{run}: its command does not say where its data lie; give --data PATH")
    request = RunRequest(made["plugin"], data=places, seed=made["seed"])
    inputs = find_data(setup, request, open_cache())
    ctx = Context(
        setup.task, outcome=setup.config.outcome.column, seed=made["seed"],
        device=setup.devices[0], cache=open_cache(), _inputs=inputs,
    )  # fmt: skip
    needs = _needs(run, made, setup, asked, typed)
    with (
        parse_executor(asked.executor) as executor,
        alike(executor, setup.plugin, folders=(out, open_cache()), inputs=inputs),
    ):
        out, run = (one.absolute() if executor.remote else one for one in (out, run))
        session = Session(setup, ctx, executor, manifest, needs, out, say)
        arm = make_arm(session, "honest")
        _guard_same(run, made, arm)
        yield Again(run, made, session, arm, _observed(run, session, arm))


def refits(session: Session, arm: Arm) -> list[FoldJob]:
    """Return the jobs of an arm's folds, without the final models and without a display."""
    return [replace(job, pulse=None) for job in jobs_of(session, arm) if job.ctx.fold != FINAL]


def _setup(run: Path, made: Mapping[str, Any], asked: Asked) -> Setup:
    plugin = open_with_defaults(made["plugin"])
    task = plugin.info.task(made["task"])
    model: Any = resolve(plugin.info.config_of(task))
    config: RunConfig = validated(model, settings_in(run), "config.yaml")
    task = asked_task(with_clinical_model(task, config.covariates), config)
    devices = device_list(asked.device, 1, made["device"]["precision"])
    models = tuple(made["models"])
    return Setup(plugin, task, config, devices, ("honest",), models, made["primary"], ())


def _needs(
    run: Path, made: Mapping[str, Any], setup: Setup, asked: Asked, typed: Sequence[str]
) -> tuple[Resolved, ...]:
    """Return the earlier tasks, met by what met them in the run."""
    given = asked.needs_from or {
        task: Path(path)
        for task, _, path in (one.partition("=") for one in _after(typed, "--from"))
    }
    found = []
    for need in setup.task.needs_of(setup.models):
        block = setup.config.needs.get(need.task, NeedBlock())
        if block.skip:
            continue
        place = given.get(need.task, run / "needs" / need.task)
        if need.task not in given and block.instead:
            place = Path(block.instead)
        if not place.exists():
            raise ConfigError(
                f"{run}: needs a run of {need.task}, which does not lie in {place}; say where with "
                f"--from {need.task}=RUN"
            )
        found.append(Resolved(need, place, f"{need.task}, as in the run"))
    guard_unchanged(made["needs"], found)
    return tuple(found)


def _guard_same(run: Path, made: Mapping[str, Any], arm: Arm) -> None:
    if arm.prepared.digest != made["data"]["digest"]:
        raise ConfigError(
            f"{run}: the data are not those of the run (their digests differ); give the run's own "
            "with --data PATH, or run it again"
        )
    kept = SPLITS.read(run / "splits.json").protocols.get("honest")
    stored = () if kept is None else kept.folds
    drawn = arm.plan.to_dict(arm.prepared.features.table)["folds"]
    if [FoldRecord(one["name"], tuple(one["train"]), tuple(one["test"])) for one in drawn] != [
        *stored
    ]:
        raise ConfigError(
            f"{run}: its folds cannot be drawn again (another version of the plugin or of a "
            "library?); run its command again and use that run"
        )


def _observed(run: Path, session: Session, arm: Arm) -> Scored:
    jobs = refits(replace(session, out=run), arm)
    gone = next((job for job in jobs if not (job.out / "chosen.json").is_file()), None)
    if gone is not None:
        raise ConfigError(
            f"{run}: {gone.out.relative_to(run)} is not there, though the run is finished; run its "
            "command again"
        )
    return collect(jobs, arm.plan, arm.truth, session.setup.task)


def _after(words: Sequence[str], option: str) -> list[str]:
    """Return what was typed after an option, however often.

    Examples
    --------
    >>> _after(["--data", "a", "--data=b"], "--data")
    ['a', 'b']
    """
    found = [word for before, word in pairwise(words) if before == option]
    return found + [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
