"""A finished run, opened to be fitted again: its data, its configuration, its folds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from cardio_core.compute.devices import device_list
from cardio_core.compute.executors import parse_executor
from cardio_core.config import NeedBlock, RunConfig, validated
from cardio_core.context import Context
from cardio_core.evaluation.aggregate import pooled
from cardio_core.evaluation.clinical_model import with_clinical_model
from cardio_core.fold_assignment import SplitPlan
from cardio_core.io.places import typed_command
from cardio_core.io.run_artifact import SPLITS, FoldRecord
from cardio_core.io.run_schema import NAMES
from cardio_core.io.settings_schema import settings_in
from cardio_core.io.store import load_table, open_cache, save_table
from cardio_core.registry import resolve
from cardio_core.runner.evaluate import collect
from cardio_core.runner.fits import FINAL, FoldJob, jobs_of, unfitted, without
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.needs import Resolved, guard_unchanged
from cardio_core.runner.outcome import asked_task
from cardio_core.runner.patients import Truth
from cardio_core.runner.progress import Display, Progress, several
from cardio_core.runner.protocols import Arm, make_arm
from cardio_core.runner.provenance import alike
from cardio_core.runner.request import RunRequest
from cardio_core.runner.run import run
from cardio_core.runner.session import Session
from cardio_core.runner.setup import Setup, find_data, open_with_defaults
from cardio_core.runner.train import run_fold
from cardio_core.types.info import Target, Task
from cardio_core.types.predictions import Scored
from cardio_stats._numerics.intervals import bootstrapped
from cardio_stats._numerics.validate import Floats, Ints
from cardio_stats.auc_covariance import RankedRows
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.estimate import Estimate
from cardio_stats.files import SafeName, whole_directory, write_json, write_text
from cardio_stats.resampling import Units, resample


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
    typed = typed_command(run, made)
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


# The whole pipeline on one fold of one refit: what a worker does at a time, and what is kept.

_UNFITTED = "unfitted.json"
_KEPT = (
    "unit_id", "recording_id", "time_s", "patient_id", "subject_id", "repeat", "fold", "model",
    "y_true", "predicted",
)  # fmt: skip


@dataclass(frozen=True)
class Refit:
    """One way to fit the pipeline again: what it is called, its folds, its truth and its seed."""

    name: str
    plan: SplitPlan
    truth: Truth
    seed: int
    needs: tuple[Any, ...] = ()


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


def fit_refits(again: Again, what: str, refits_: Sequence[Refit]) -> None:
    """Fit what is not fitted yet, a fold a piece, spread over the run's workers."""
    pieces = [piece for refit in refits_ for piece in _pieces(again, what, refit)]
    todo = [piece for piece in pieces if not piece.out.exists()]
    session = again.session
    if len(todo) < len(pieces):
        session.say(
            f"{what.capitalize()}: {len(pieces) - len(todo)} of {len(pieces)} folds were fitted "
            "before."
        )
    with Progress(what, len(todo), session.say, "folds") as progress:
        session.executor.map(
            fit_piece, todo, devices=session.setup.devices, on_done=lambda _: progress.advance()
        )
    shutil.rmtree(session.out / "work", ignore_errors=True)


def fit_piece(piece: Piece, device: Any = None) -> Path:
    """Fit every model on the piece's fold and keep what it says of the tested patients."""
    if piece.out.exists():
        return piece.out
    kept: list[FoldJob] = list(piece.jobs)
    for fuses in (False, True):
        for job in kept:
            if bool(job.members) == fuses:
                run_fold(job, device)
        kept = without(piece.jobs, set(unfitted([job for job in piece.jobs if job.out.exists()])))
    reasons = unfitted([job for job in piece.jobs if job.out.exists()])

    def fill(folder: Path) -> None:
        if kept:
            frames = collect(kept, piece.plan, piece.truth, piece.task).frames
            for name, frame in frames.items():
                own = [one for one in frame.columns if one in _KEPT or one.startswith("score")]
                save_table(folder / SafeName(name, ".npz"), frame[own])
        write_json(folder / _UNFITTED, {model: why for (_, model), why in reasons.items()})

    whole_directory(piece.out, fill)
    shutil.rmtree(piece.work, ignore_errors=True)
    return piece.out


def predicted(again: Again, what: str, refit: Refit, target: Target) -> pd.DataFrame:
    """Return what a refit predicted out of fold, all its folds together.

    A model that some fold could not fit is not in it.
    """
    folders = [piece_folder(again.session.out, what, refit, fold.name) for fold in refit.plan.folds]
    files = [folder / SafeName(target.name, ".npz") for folder in folders]
    frames = [load_table(file) for file in files if file.is_file()]
    if not frames:
        return pd.DataFrame(columns=[*_KEPT])
    table = pd.concat(frames, ignore_index=True)
    lost = {model for folder in folders for model in NAMES.read(folder / _UNFITTED)}
    return table[~table["model"].isin(lost)].reset_index(drop=True)


def unfitted_in(again: Again, what: str, refits_: Sequence[Refit]) -> dict[str, int]:
    """Return in how many refits a model could not be fitted, by model."""
    found: dict[str, int] = {}
    for refit in refits_:
        lost: set[str] = set()
        for fold in refit.plan.folds:
            lost |= set(
                NAMES.read(piece_folder(again.session.out, what, refit, fold.name) / _UNFITTED)
            )
        for model in lost:
            found[model] = found.get(model, 0) + 1
    return found


def piece_folder(out: Path, what: str, refit: Refit, fold: str) -> Path:
    """Return where a piece is kept: ``refits/WHAT/NAME/FOLD``."""
    return out / "refits" / what / SafeName(refit.name) / fold


def _pieces(again: Again, what: str, refit: Refit) -> list[Piece]:
    session, arm = again.session, again.arm
    work = session.out / "work" / what / SafeName(refit.name)
    own: Session = replace(
        session, out=work, ctx=session.ctx.replace(seed=refit.seed),
        needs=refit.needs or session.needs,
    )  # fmt: skip
    planned: Arm = replace(arm, plan=refit.plan, truth=refit.truth)
    by_fold: dict[str, list[FoldJob]] = {}
    for job in refits(own, planned):
        by_fold.setdefault(str(job.ctx.fold), []).append(job)
    return [
        Piece(
            tuple(jobs), refit.plan, refit.truth, session.setup.task,
            work / "models" / f"honest-{fold}", piece_folder(session.out, what, refit, fold),
        )
        for fold, jobs in by_fold.items()
    ]  # fmt: skip


# Earlier tasks on the same patients, made again: folds that move take their models with them.


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


# The leading metric of each model, and intervals that draw patients, with all refits of each.

MOST_CELLS = 400_000_000
"""Rows times models times refits times resamples: beyond it fewer resamples are drawn."""
RESAMPLES, FEWEST_RESAMPLES = 2000, 200

Weighted = Callable[[Floats], Floats]
"""From counts of units, shape (n_resamples, n_units), to the metric of each resample."""


@dataclass(frozen=True)
class Measure:
    """The metric by which models are ranked: `sign` is 1 where more is better, else -1."""

    name: str
    title: str
    sign: int
    chance: float | None = None

    def better(self, one: float, other: float) -> bool:
        """Whether a value is better than another; NaN is better than nothing."""
        return bool(self.sign * one > self.sign * other)


def measure_of(target: Target) -> Measure:
    """Return the metric that leads a run's report for a target of this kind."""
    if target.kind == "binary":
        return Measure("auc", "AUC", 1, 0.5)
    if target.kind == "multiclass":
        return Measure("macro_f1", "macro F1", 1)
    unit = f", {target.unit}" if target.unit else ""
    return Measure("mae", f"mean absolute error{unit}", -1)


def values_of(frame: pd.DataFrame, target: Target) -> dict[str, float]:
    """Return each model's metric, pooled out of fold; undefined ones are left out.

    Parameters
    ----------
    frame : DataFrame
        As `Scored.frames` has it.
    target : Target
    """
    found = {}
    for model in map(str, frame["model"].unique()):
        weighted, n_units = _weighted(pooled(frame, target, model), target, None)
        value = float(weighted(np.ones((1, n_units)))[0]) if n_units else np.nan
        if np.isfinite(value):
            found[model] = value
    return found


def over_refits(
    frames: Sequence[pd.DataFrame],
    target: Target,
    pairs: Sequence[tuple[str, str]] = (),
    *,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[dict[str, Estimate], dict[tuple[str, str], Estimate]]:
    """Return each model's mean metric over refits, and mean differences, with intervals.

    Patients are drawn, each with what all refits said of him: the refits share their patients, so
    more refits steady the mean and do not narrow what the patients leave open.

    Parameters
    ----------
    frames : sequence of DataFrame
        One a refit, as `Scored.frames` has it.
    target : Target
    pairs : sequence of (model, other)
        Whose differences are asked for.
    level : float
    seed : int

    Returns
    -------
    dict of str to Estimate
        By model: those that every refit has.
    dict of (str, str) to Estimate
        The first less the second, where both are there.
    """
    measure = measure_of(target)
    models = sorted(set.intersection(*({str(m) for m in f["model"].unique()} for f in frames)))
    people = sorted({str(one) for f in frames for one in f["subject_id"].unique()})
    code = {one: number for number, one in enumerate(people)}
    rows = {m: [pooled(f, target, m) for f in frames] for m in models}
    weighted: dict[str, list[Weighted]] = {}
    for model in models:
        made = [_weighted(one, target, code) for one in rows[model]]
        weighted[model] = [one for one, _ in made]
    ones = np.ones((1, len(people)))
    values = {m: float(np.mean([one(ones)[0] for one in weighted[m]])) for m in models}
    models = [m for m in models if np.isfinite(values[m])]
    if not models or len(people) < 5:
        raise DataError(
            f"{target.name}: expected five patients or more and a model that every refit could "
            f"fit, found {len(people)} and {len(models)}"
        )
    asked = [pair for pair in pairs if set(pair) <= set(models)]

    def statistic(counts: Floats) -> Floats:
        means = {m: np.mean([one(counts) for one in weighted[m]], axis=0) for m in models}
        differences = [means[a] - means[b] for a, b in asked]
        return np.stack([*(means[m] for m in models), *differences], axis=1)

    cells = sum(len(one) for m in models for one in rows[m])
    n_resamples = max(FEWEST_RESAMPLES, min(RESAMPLES, MOST_CELLS // max(1, cells)))
    drawn = resample(statistic, Units(len(people)), n_resamples, seed).values
    within = f", each with all {len(frames)} refits" if len(frames) > 1 else ""

    def estimate(name: str, value: float, column: int) -> Estimate:
        bare = Estimate(name, value, n=len(people), unit="patient", n_patients=len(people))
        return bootstrapped(bare, drawn[:, column], level, seed, n_resamples, within=within)

    own = {m: estimate(measure.name, values[m], n) for n, m in enumerate(models)}
    compared = {
        (a, b): estimate(f"{measure.name}_difference", values[a] - values[b], len(models) + n)
        for n, (a, b) in enumerate(asked)
    }
    return own, compared


def _weighted(
    rows: pd.DataFrame, target: Target, code: Mapping[str, int] | None
) -> tuple[Weighted, int]:
    """Return the metric as a function of how often each unit was drawn, and the number of units.

    Without `code` every row is a unit.
    """
    if target.kind != "multiclass":
        score = f"score:{target.classes[1]}" if target.kind == "binary" else "score"
        rows = rows[rows[["y_true", "unit_id", score]].notna().all(axis=1)]
    codes: Ints = np.arange(len(rows)).astype(np.int64)
    if code is not None:
        codes = np.asarray(rows["subject_id"].astype(str).map(code), dtype=np.int64)
    n_units = len(rows) if code is None else len(code)
    if target.kind == "binary":
        truth = (rows["y_true"] == target.classes[1]).to_numpy(bool)
        return _area(truth, rows[score].to_numpy(float), codes), n_units
    if target.kind == "multiclass":
        return _macro_f1(rows, target, codes, n_units), n_units
    error = np.abs(rows["score"].to_numpy(float) - rows["y_true"].to_numpy(float))
    sums = _sums(np.column_stack([error, np.ones(len(error))]), codes, n_units)

    def mean_error(counts: Floats) -> Floats:
        total = counts @ sums
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total[:, 0] / total[:, 1])

    return mean_error, n_units


def _area(truth: np.ndarray, score: Floats, codes: Ints) -> Weighted:
    if truth.all() or not truth.any():
        return lambda counts: np.full(len(counts), np.nan)
    return RankedRows.of(truth, score, codes).aucs


def _macro_f1(rows: pd.DataFrame, target: Target, codes: Ints, n_units: int) -> Weighted:
    """Return the mean F1 of the scored classes that occur."""
    truth, said = rows["y_true"].to_numpy(object), rows["predicted"].to_numpy(object)
    classes = [
        name for name in target.classes if name not in target.unscored and (truth == name).any()
    ]
    columns = []
    for name in classes:
        is_one, says_one = truth == name, said == name
        columns += [is_one & says_one, is_one.astype(float) + says_one]
    if not columns:
        return lambda counts: np.full(len(counts), np.nan)
    sums = _sums(np.column_stack(columns).astype(float), codes, n_units)

    def mean_f1(counts: Floats) -> Floats:
        total = counts @ sums
        with np.errstate(invalid="ignore", divide="ignore"):
            by_class = 2 * total[:, ::2] / total[:, 1::2]
        return np.asarray(np.nanmean(np.where(np.isfinite(by_class), by_class, np.nan), axis=1))

    return mean_f1


def _sums(columns: Floats, codes: Ints, n_units: int) -> Floats:
    sums = np.zeros((n_units, columns.shape[1]))
    np.add.at(sums, codes, columns)
    return sums
