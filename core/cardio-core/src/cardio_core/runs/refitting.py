"""A finished run, opened to be fitted again: its data, its settings, its folds; and the refits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cardio_core.compute.devices import device_list
from cardio_core.compute.executors import parse_executor
from cardio_core.config import EvaluateBlock, NeedBlock, ProtocolBlock
from cardio_core.context import Context
from cardio_core.fold_assignment import SplitPlan, strata_of
from cardio_core.io.places import typed_command
from cardio_core.io.run_artifact import DONE, SPLITS, FoldRecord, RunKind
from cardio_core.io.run_schema import NAMES
from cardio_core.io.settings_schema import settings_in
from cardio_core.io.store import load_table, open_cache, save_table
from cardio_core.runner.answers import settled
from cardio_core.runner.evaluate import collect
from cardio_core.runner.fits import FINAL, FoldJob, jobs_of, unfitted, without
from cardio_core.runner.manifest import Manifest, finished
from cardio_core.runner.needs import Resolved, guard_unchanged
from cardio_core.runner.patients import Truth
from cardio_core.runner.progress import Display, Progress, several
from cardio_core.runner.protocols import ProtocolData, Session, prepare_protocol, split
from cardio_core.runner.provenance import alike
from cardio_core.runner.request import RunRequest
from cardio_core.runner.run import run as make_run
from cardio_core.runner.setup import Setup, find_data
from cardio_core.runner.train import run_fold
from cardio_core.types.info import Target, Task
from cardio_core.types.predictions import Scored
from cardio_core.types.targets import Targets
from cardio_stats.errors import ConfigError
from cardio_stats.files import SafeName, whole_directory, write_json, write_text


@dataclass(frozen=True)
class Refit:
    """One way to fit the pipeline again: what it is called, its folds, its truth and its seed."""

    name: str
    plan: SplitPlan
    truth: Truth
    seed: int
    needs: tuple[Resolved, ...] = ()


@dataclass(frozen=True)
class Reopened:
    """A run as it stood before anything was fitted, and what came of it then.

    Attributes
    ----------
    made : mapping
        Its manifest.
    session : Session
        With the run's own seed; `out` is the folder of the study.
    honest : ProtocolData
        The honest protocol: features, truth and the folds of the run.
    observed : Scored
        What the run predicted out of fold.
    executor : str
        Where work is spread, as it was asked for.
    """

    made: Mapping[str, Any]
    session: Session
    honest: ProtocolData
    observed: Scored
    executor: str

    @property
    def task(self) -> Task:
        """The task, with the run's own primary model."""
        return replace(self.session.setup.task, primary=self.session.setup.primary)

    @property
    def targets(self) -> list[Target]:
        """The targets that the run predicted."""
        return [target for target in self.task.targets if target.name in self.observed.frames]

    @property
    def models(self) -> tuple[str, ...]:
        """The models that were run, in their order."""
        return self.session.setup.models

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.session.ctx.seed

    @property
    def evaluate(self) -> EvaluateBlock:
        """How the run was evaluated."""
        return self.honest.config.evaluate

    @property
    def block(self) -> ProtocolBlock:
        """The settings of the honest protocol."""
        return self.honest.config.protocols["honest"]

    @property
    def plan(self) -> SplitPlan:
        """The folds of the run."""
        return self.honest.plan

    @property
    def truth(self) -> Truth:
        """What really happened, by sample."""
        return self.honest.truth

    @property
    def table(self) -> pd.DataFrame:
        """The samples, with the ids of patients and persons."""
        return self.honest.prepared.features.table

    def strata(self) -> Any:
        """Return by what the samples are stratified, as whole numbers; -1 is unlabelled."""
        names = [target.name for target in self.task.targets]
        return strata_of(self.truth.targets.stratum(self.table, names))

    @property
    def cohort_table(self) -> pd.DataFrame | None:
        """The rows of the cohort table, where there is one."""
        return self.honest.prepared.cohort.table

    @property
    def shares_folds(self) -> bool:
        """Whether the task stands on an earlier one that shares its patients and folds."""
        return any(need.need.patients == "same" for need in self.session.needs)

    def say(self, line: str) -> None:
        """Show a line to the user."""
        self.session.say(line)

    def with_column(self, name: str, values: Any) -> Reopened:
        """Return the run with a column of its samples."""
        features = replace(self.honest.prepared.features, table=self.table.assign(**{name: values}))
        prepared = replace(self.honest.prepared, features=features)
        return replace(self, honest=replace(self.honest, prepared=prepared))

    def refit(
        self,
        name: str,
        *,
        seed: int | None = None,
        block: ProtocolBlock | None = None,
        targets: Targets | None = None,
        needs: str = "",
        sets: Sequence[str] = (),
    ) -> Refit:
        """Split the patients anew, before anything is fitted.

        Parameters
        ----------
        name : str
            Of the refit.
        seed : int, optional
            Of the folds and of the fits; the run's own without it.
        block : ProtocolBlock, optional
            Other settings of the protocol than the run's.
        targets : Targets, optional
            Other labels than the run's.
        needs : str
            With a name, earlier tasks on the same patients are run again, into ``needs/NAME`` of
            the study: folds that move take their models with them.
        sets : sequence of str
            Settings laid over those of such an earlier run.
        """
        seed = self.seed if seed is None else seed
        truth = self.truth if targets is None else replace(self.truth, targets=targets)
        session = replace(self.session, ctx=self.session.ctx.replace(seed=seed))
        if needs:
            own = tuple(
                self._again(need, needs, seed, sets) if need.need.patients == "same" else need
                for need in session.needs
            )
            session = replace(session, needs=own)
        plan = split(session, block or self.block, self.table, truth, "honest")
        return Refit(name, plan, truth, seed, session.needs)

    def say_cost(self, n: int) -> None:
        """Tell that the earlier tasks are run again, too."""
        tasks = [need.need.task for need in self.session.needs if need.need.patients == "same"]
        if tasks:
            self.say(
                f"Earlier task: {', '.join(tasks)} shares the folds, so it is run again "
                f"{several(n, 'time')}."
            )

    def fit(self, what: str, refits: Sequence[Refit]) -> None:
        """Fit what is not fitted yet, a fold a piece, spread over the workers.

        `what` names the folder of these refits, which a repeated command goes on with.
        """
        pieces = [piece for refit in refits for piece in self._pieces(what, refit)]
        todo = [piece for piece in pieces if not piece.out.exists()]
        session = self.session
        if len(todo) < len(pieces):
            self.say(
                f"{what.capitalize()}: {len(pieces) - len(todo)} of {len(pieces)} folds were "
                "fitted before."
            )
        with Progress(what, len(todo), session.say, "folds") as progress:
            session.executor.map(
                fit_piece, todo, devices=session.setup.devices,
                on_done=lambda _: progress.advance(),
            )  # fmt: skip
        shutil.rmtree(session.out / "work", ignore_errors=True)

    def predicted(self, what: str, refit: Refit, target: Target) -> pd.DataFrame:
        """Return what a refit predicted out of fold, all its folds together.

        A model that some fold could not fit is not in it.
        """
        files = [item / SafeName(target.name, ".npz") for item in self._folders(what, refit)]
        frames = [load_table(file) for file in files if file.is_file()]
        if not frames:
            return pd.DataFrame(columns=[*_COLUMNS])
        table = pd.concat(frames, ignore_index=True)
        return table[~table["model"].isin(self._lost(what, refit))].reset_index(drop=True)

    def unfitted(self, what: str, refits: Sequence[Refit]) -> dict[str, int]:
        """Return in how many refits a model could not be fitted, by model."""
        found: dict[str, int] = {}
        for model in (model for refit in refits for model in self._lost(what, refit)):
            found[model] = found.get(model, 0) + 1
        return found

    def _lost(self, what: str, refit: Refit) -> set[str]:
        places = (folder / _UNFITTED for folder in self._folders(what, refit))
        return {model for place in places for model in NAMES.read(place)}

    def _folders(self, what: str, refit: Refit) -> list[Path]:
        above = self.session.out / "refits" / what / SafeName(refit.name)
        return [above / fold.name for fold in refit.plan.folds]

    def _pieces(self, what: str, refit: Refit) -> list[Piece]:
        session = self.session
        work = session.out / "work" / what / SafeName(refit.name)
        own = replace(
            session, out=work, ctx=session.ctx.replace(seed=refit.seed),
            needs=refit.needs or session.needs,
        )  # fmt: skip
        by_fold: dict[str, list[FoldJob]] = {}
        for job in _jobs(own, replace(self.honest, plan=refit.plan, truth=refit.truth)):
            by_fold.setdefault(str(job.ctx.fold), []).append(job)
        above = session.out / "refits" / what / SafeName(refit.name)
        return [
            Piece(
                tuple(jobs), refit.plan, refit.truth, session.setup.task,
                work / "models" / f"honest-{fold}", above / fold,
            )
            for fold, jobs in by_fold.items()
        ]  # fmt: skip

    def _again(self, need: Resolved, name: str, seed: int, sets: Sequence[str]) -> Resolved:
        session, task = self.session, need.need.task
        folder = session.out / "needs" / name
        out = folder / task
        begun = (out / "manifest.json").is_file()
        if not begun or Manifest.open(out).content["status"] != DONE:
            # A file given to a need speaks for its task alone.
            settings = folder / f"{task}.yaml"
            settings.parent.mkdir(parents=True, exist_ok=True)
            stored = {"tasks": {task: settings_in(need.place)}}
            write_text(settings, yaml.safe_dump(stored, sort_keys=False))
            request = RunRequest(
                self.made["plugin"], task, data=session.ctx.replace(hook="load").inputs,
                config=str(settings), sets=tuple(sets), protocol="honest", seed=seed, out=out,
                needs_from={item.name: item for item in sorted((need.place / "needs").glob("*"))},
                device=session.setup.devices[0].kind, executor=self.executor, resume=begun,
                for_need=True,
            )  # fmt: skip
            make_run(request, session.say.for_need(task))
        return Resolved(need.need, out, f"{task}, run again with seed {seed}")


@contextmanager
def reopen(
    run: Path,
    manifest: Manifest,
    say: Display,
    *,
    data: Sequence[Path] = (),
    needs_from: Mapping[str, Path] | None = None,
    device: str = "auto",
    executor: str = "local",
) -> Iterator[Reopened]:
    """Prepare a finished run's data as the run did, and check that they are the same.

    Parameters
    ----------
    run : Path
        A finished run of the honest protocol; it is not changed.
    manifest : Manifest
        Of the folder that the refits are written into.
    say : Display
    data : sequence of Path
        Where the data lie now; as the run's own command says without them.
    needs_from : mapping of str to Path, optional
        Where runs of earlier tasks lie now.
    device, executor : str
        As for ``cardio run``.

    Raises
    ------
    ConfigError
        If the data or an earlier task cannot be found, or are not those of the run.
    """
    made = finished(run, RunKind.RUN, honest=True, fitted=True)
    plugin, task, config = settled(run, made)
    devices = device_list(device, 1, made["device"]["precision"])
    models = tuple(made["models"])
    setup = Setup(plugin, task, config, devices, ("honest",), models, made["primary"], ())
    typed = typed_command(run, made)
    places = tuple(data) or tuple(map(Path, _after(typed, "--data")))
    lost = next((place for place in places if not place.exists()), None)
    if lost is not None:
        raise ConfigError(f"{lost}: the data of {run} do not lie there; say where with --data PATH")
    if not places and made["data"]["source"] == "real":
        raise ConfigError(f"{run}: its command does not say where its data lie; give --data PATH")
    request = RunRequest(made["plugin"], data=places, seed=made["seed"])
    inputs = find_data(setup, request, open_cache())
    ctx = Context(
        task, outcome=config.outcome.column, seed=made["seed"], device=devices[0],
        cache=open_cache(), _inputs=inputs,
    )  # fmt: skip
    needs = _needs(run, made, setup, needs_from, typed)
    out = manifest.path.parent
    with (
        parse_executor(executor) as workers,
        alike(workers, plugin, folders=(out, open_cache()), inputs=inputs),
    ):
        out, run = (item.absolute() if workers.remote else item for item in (out, run))
        session = Session(setup, ctx, workers, manifest, needs, out, say)
        honest = prepare_protocol(session, "honest")
        _guard_same(run, made, honest)
        yield Reopened(made, session, honest, _observed(run, session, honest), executor)


def _jobs(session: Session, data: ProtocolData) -> list[FoldJob]:
    """Return the jobs of a protocol's folds, without the final models and without a display."""
    return [replace(job, pulse=None) for job in jobs_of(session, data) if job.ctx.fold != FINAL]


def _needs(
    run: Path,
    made: Mapping[str, Any],
    setup: Setup,
    needs_from: Mapping[str, Path] | None,
    typed: Sequence[str],
) -> tuple[Resolved, ...]:
    """Return the earlier tasks, met by what met them in the run."""
    by_task = needs_from or {
        task: Path(path)
        for task, _, path in (item.partition("=") for item in _after(typed, "--from-run"))
    }
    found = []
    for need in setup.task.needs_of(setup.models):
        block = setup.config.needs.get(need.task, NeedBlock())
        if block.skip:
            continue
        place = by_task.get(need.task, run / "needs" / need.task)
        if need.task not in by_task and block.instead:
            place = Path(block.instead)
        if not place.exists():
            raise ConfigError(
                f"{run}: needs a run of {need.task}, which does not lie in {place}; say where with "
                f"--from-run {need.task}=RUN"
            )
        found.append(Resolved(need, place, f"{need.task}, as in the run"))
    guard_unchanged(made["needs"], found)
    return tuple(found)


def _guard_same(run: Path, made: Mapping[str, Any], data: ProtocolData) -> None:
    if data.prepared.digest != made["data"]["digest"]:
        raise ConfigError(
            f"{run}: the data are not those of the run (their digests differ); give the run's own "
            "with --data PATH, or run it again"
        )
    split_record = SPLITS.read(run / "splits.json").protocols.get("honest")
    stored = () if split_record is None else split_record.folds
    drawn = data.plan.to_dict(data.prepared.features.table)["folds"]
    if [FoldRecord(item["name"], tuple(item["train"]), tuple(item["test"])) for item in drawn] != [
        *stored
    ]:
        raise ConfigError(
            f"{run}: its folds cannot be drawn again (another version of the plugin or of a "
            "library?); run its command again and use that run"
        )


def _observed(run: Path, session: Session, data: ProtocolData) -> Scored:
    jobs = _jobs(replace(session, out=run), data)
    gone = next((job for job in jobs if not (job.out / "chosen.json").is_file()), None)
    if gone is not None:
        raise ConfigError(
            f"{run}: {gone.out.relative_to(run)} is not there, though the run is finished; run its "
            "command again"
        )
    return collect(jobs, data.plan, data.truth, session.setup.task)


def _after(words: Sequence[str], option: str) -> list[str]:
    """Return what was typed after an option, however often.

    Examples
    --------
    >>> _after(["--data", "a", "--data=b"], "--data")
    ['a', 'b']
    """
    found = [word for before, word in pairwise(words) if before == option]
    return found + [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]


# The whole pipeline on one fold of one refit: what a worker does at a time, and what is kept.

_UNFITTED = "unfitted.json"
_COLUMNS = (
    "unit_id", "recording_id", "time_s", "patient_id", "subject_id", "repeat", "fold", "model",
    "y_true", "predicted",
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """All models on one fold of one refit.

    `work` is where models lie while it runs; `out` appears when it is done, with predictions alone.
    """

    jobs: tuple[FoldJob, ...]
    plan: SplitPlan
    truth: Truth
    task: Task
    work: Path
    out: Path


def fit_piece(piece: Piece, device: Any = None) -> Path:
    """Fit every model on the piece's fold and keep what it says of the tested patients."""
    if piece.out.exists():
        return piece.out
    jobs: list[FoldJob] = list(piece.jobs)
    for fuses in (False, True):
        for job in jobs:
            if bool(job.members) == fuses:
                run_fold(job, device)
        jobs = without(piece.jobs, set(unfitted([job for job in piece.jobs if job.out.exists()])))
    reasons = unfitted([job for job in piece.jobs if job.out.exists()])

    def fill(folder: Path) -> None:
        if jobs:
            frames = collect(jobs, piece.plan, piece.truth, piece.task).frames
            for name, frame in frames.items():
                own = [
                    column
                    for column in frame.columns
                    if column in _COLUMNS or column.startswith("score")
                ]
                save_table(folder / SafeName(name, ".npz"), frame[own])
        write_json(folder / _UNFITTED, {model: why for (_, model), why in reasons.items()})

    whole_directory(piece.out, fill)
    shutil.rmtree(piece.work, ignore_errors=True)
    return piece.out
