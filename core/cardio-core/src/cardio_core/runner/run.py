"""A run, from the request to the report: one direction, one loop."""

from __future__ import annotations

import json
import logging
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cardio_core.compute.devices import cpu_count
from cardio_core.compute.executors import Executor, parse_executor
from cardio_core.compute.processes import Interrupted, one_thread
from cardio_core.compute.resource_errors import resource_error
from cardio_core.config import Protocol, dump_yaml
from cardio_core.context import LOG, Context
from cardio_core.fold_assignment import find_plan
from cardio_core.io.cohort import shown_of
from cardio_core.io.hashing import digest
from cardio_core.io.places import without_places
from cardio_core.io.run_artifact import RunKind, manifest_in
from cardio_core.io.store import bound_cache, open_cache
from cardio_core.io.synthetic import difficulty_of, is_synthetic
from cardio_core.runner.contract import contract_lines, contract_of
from cardio_core.runner.embeddings import keep_applicability
from cardio_core.runner.evaluate import (
    Judged,
    collect,
    judge,
    shown_entries,
    shown_first,
    write_csv,
    write_judged,
    write_table_one,
)
from cardio_core.runner.filling import failure
from cardio_core.runner.fits import FoldJob, jobs_of
from cardio_core.runner.lock import locked
from cardio_core.runner.manifest import Manifest, first_entries, now
from cardio_core.runner.needs import (
    guard_unchanged,
    keep_for_new,
    made_first,
    plan_needs,
    resolve_needs,
)
from cardio_core.runner.outcome import with_outcome
from cardio_core.runner.overlap import record
from cardio_core.runner.patients import checked_covariates
from cardio_core.runner.prepare import (
    PatientJob,
    guard_enough,
    load_cohort,
    make_features,
    patient_jobs,
    set_aside,
)
from cardio_core.runner.progress import STAGES, Display, Echo, Progress, Stage, several
from cardio_core.runner.protocols import ProtocolData, Session, load_first, prepare_protocol
from cardio_core.runner.provenance import NotTheSameError, alike, ground_of
from cardio_core.runner.request import (
    RunRequest,
    announce_data,
    check_out,
    check_typed,
    say_difficulty,
)
from cardio_core.runner.resume import guard_ground, guard_settings_of, tolerated_note
from cardio_core.runner.setup import Setup, default_out, find_data, set_up
from cardio_core.runner.train import Timed, fit_all
from cardio_core.runner.trial import try_first_fold
from cardio_core.training.loggers import Tracking
from cardio_core.types.notes import Note
from cardio_core.types.plans import Nested, RandomSamples, Sites
from cardio_core.types.predictions import Scored
from cardio_core.types.samples import Cohort
from cardio_stats._numerics.watching import duration, roughly
from cardio_stats.errors import DataError, ResourceError
from cardio_stats.files import read_json, sweep_cache, sweep_run, write_json, write_text
from cardio_stats.layout import laid_out

# What runs on this machine took, kept in the cache, so that a dry run can say what is to come.

_DECIDES = ("preprocess", "featurize", "train", "search", "inner", "evaluate", "explain")


@dataclass(frozen=True)
class Speeds:
    """One finished run: median seconds of a fit by ``"model protocol"``, and of the evaluation.

    `n_workers` fits ran at a time, on `n_patients`; the run directory has `n_bytes`.
    """

    fits: Mapping[str, float]
    evaluation_s: float
    n_patients: int
    n_workers: int
    n_bytes: int
    finished: str

    def seconds(self, n_fits: Mapping[str, int], n_patients: int) -> float | None:
        """Return what fits and evaluation should take; None where a fit was never timed."""
        if set(n_fits) - set(self.fits):
            return None
        in_turn = sum(n * self.fits[what] for what, n in n_fits.items())
        larger = n_patients / max(1, self.n_patients)
        return larger * in_turn / max(1, self.n_workers) + self.evaluation_s


def keep_speeds(session: Session, timed: Timed) -> None:
    """Keep what a finished run took, in place of what the last one with its settings did."""
    manifest, files = session.manifest.content, session.out.rglob("*")
    speeds = Speeds(
        fits=dict(timed.fits),
        evaluation_s=manifest["stages"]["evaluation"],
        n_patients=manifest["data"]["n_patients"],
        n_workers=timed.n_workers,
        n_bytes=sum(path.stat().st_size for path in files if path.is_file()),
        finished=now(),
    )
    with suppress(OSError):
        write_json(_file(session.setup, open_cache()), vars(speeds))


def known_speeds(setup: Setup, cache: Path) -> Speeds | None:
    """Return what the last run with these settings took on this machine, None without one."""
    try:
        return Speeds(**read_json(_file(setup, cache)))
    except (OSError, DataError, TypeError):
        return None


def _file(setup: Setup, cache: Path) -> Path:
    settings = {
        protocol: setup.config.for_protocol(protocol).model_dump(mode="json", include=set(_DECIDES))
        for protocol in setup.protocols
    }
    info, device = setup.plugin.info, setup.devices[0]
    key = digest([info.name, setup.task.name, settings, device.name, device.precision])
    return cache / "speeds" / f"{info.name}-{setup.task.name}-{key[:16]}.json"


# A rehearsal: what would run, how long and how big, as far as that can be known before.

_HERE_S, _LOOK_S, _CHUNK_S = 4.0, 60.0, 10.0
"""Features are made in this process for so long, then by all workers; a chunk of work takes so."""

_SHOWN = 6


def rehearse(
    setup: Setup,
    ctx: Context,
    executor: Executor,
    out: Path,
    cache: Path,
    echo: Echo | None = None,
) -> Iterator[str]:
    """Yield the lines that say what would run; nothing is written in the run directory.

    Features are made for a minute, or until all are there, and kept in the cache for the run. So
    what is said to be set aside is what the run sets aside: it reads the same files of the cache.

    Raises
    ------
    DataError
        Where the run would stop because of what is set aside.
    """
    config = setup.config.for_protocol(setup.protocols[0])
    cohort, digests = load_cohort(setup.plugin, config, ctx)
    table = cohort.samples.table
    n_patients = int(table["patient_id"].nunique())
    yield (
        f"Data: {len(table)} recordings of {n_patients} patients, "
        f"{len(cohort.quarantined)} quarantined."
    )
    models = [name for name in setup.models if name not in cohort.unsupported]
    yield f"Models: {', '.join(models)}. Would write {out}."
    for name in (item for item in setup.models if item in cohort.unsupported):
        yield f"Left out: {name}: {cohort.unsupported[name]}."
    folds = {name: _n_folds(setup, name, cohort) for name in setup.protocols}
    n_fits = {
        f"{model} {protocol}": n + (protocol == setup.protocols[0])
        for protocol, n in folds.items()
        for model in models
    }
    text = " + ".join(f"{n} {name}" for name, n in folds.items())
    yield f"Fits: {sum(n_fits.values())} ({len(models)} models x ({text} + 1 final))."
    jobs = {
        protocol: patient_jobs(
            setup.plugin, setup.config.for_protocol(protocol), ctx, cohort, digests.all_files
        )
        for protocol in setup.protocols
    }
    todo = {job.folder: job for own in jobs.values() for job in own if not job.folder.exists()}
    try:
        each_s = _look(list(todo.values()), executor, echo)
    except DataError as error:
        yield f"Features: {len(todo)} are to be made; no time, because one cannot be: {error}"
    else:
        shown = {protocol: tuple(_set_aside(own, cohort)) for protocol, own in jobs.items()}
        alike = len(set(shown.values())) == 1
        for protocol, lines in list(shown.items())[: 1 if alike else None]:
            yield lines[0] if alike else f"Protocol {protocol}: {lines[0][0].lower()}{lines[0][1:]}"
            yield from lines[1:]
        for protocol, own in jobs.items():
            if all(job.folder.exists() for job in own):
                found = [*cohort.quarantined, *set_aside(own)]
                guard_enough(found, cohort, setup.config.for_protocol(protocol), ctx)
        yield _features(len(todo), sum(not folder.exists() for folder in todo), each_s)
    speeds = known_speeds(setup, cache)
    yield _time(speeds, n_fits, n_patients)
    if setup.task.needs_of(models):
        yield "The time of an earlier task that is made first is not in this."
    yield _disk(speeds, out, n_patients)


def _n_folds(setup: Setup, protocol: Protocol, cohort: Cohort) -> int:
    table = cohort.samples.table
    patients = set(table["patient_id"])
    _, plan = find_plan(setup.config.protocols[protocol], setup.task.plans, patients)
    if isinstance(plan, Nested):
        return plan.k * plan.repeats
    if isinstance(plan, RandomSamples):
        return max(1, plan.k)
    if isinstance(plan, Sites) and "site_id" in table.columns:
        return int(table["site_id"].nunique())
    return 1


def _look(todo: list[PatientJob], executor: Executor, echo: Echo | None) -> float:
    """Make features for a minute at most; return the seconds that each of the last took."""
    began, done, each_s = time.monotonic(), 0, 0.0
    n_workers = getattr(executor, "n_workers", None) or cpu_count()  # here, or of a cluster
    with Progress("features", len(todo), echo, "patients") as progress:
        while done < len(todo) and (spent := time.monotonic() - began) < _LOOK_S:
            here = spent < _HERE_S
            n = 1 if here else max(n_workers, round(_CHUNK_S / max(each_s, 1e-3)))
            start = time.monotonic()
            if here:
                make_features(todo[done])
                progress.advance()
            else:
                some = todo[done : done + n]
                executor.map(make_features, some, on_done=lambda _: progress.advance())
            done += n
            each_s = (time.monotonic() - start) / n
            # In this process one at a time; the workers share what is left.
            each_s = each_s / n_workers if here else each_s
    return each_s


def _set_aside(jobs: list[PatientJob], cohort: Cohort) -> Iterator[str]:
    """Say what `preprocess` and `featurize` set aside, of those that were looked at."""
    seen = [job for job in jobs if job.folder.exists()]
    found = list({row.recording_id: row for row in set_aside(seen)}.values())
    n_seen, n_all = sum(len(job.samples) for job in seen), len(cohort.samples)
    which = several(n_all, "recording")
    if n_seen < n_all:
        which = f"the {n_seen} recordings looked at so far, out of {n_all}"
    end = ":" if found else "."
    yield f"Set aside when they are read: {len(found) or 'none'} of {which}{end}"
    for row in found[:_SHOWN]:
        yield f"  {row.recording_id}: {row.reason}"
    if len(found) > _SHOWN:
        yield f"  and {len(found) - _SHOWN} more"
    if len(found) > _SHOWN or n_seen < n_all:
        yield "  `cardio data check` reads and lists all of them."


def _features(n_requested: int, n_left: int, each_s: float) -> str:
    if not n_requested:
        return "Features: all are in the cache."
    if not n_left:
        made = f"{n_requested} were made, one a patient and setting"
        return f"Features: all are in the cache now; {made}."
    left = max(1.0, n_left * each_s)
    return (
        f"Features: {n_requested - n_left} were made and {n_left} are to be, one a patient and "
        f"setting: roughly {roughly(left)} more (patients differ)."
    )


def _time(speeds: Speeds | None, n_fits: dict[str, int], n_patients: int) -> str:
    seconds = None if speeds is None else speeds.seconds(n_fits, n_patients)
    if speeds is None or seconds is None:
        return (
            "Time of fits and evaluation: unknown before the first run with these settings on this "
            "machine; a run says it as soon as two fits of each model are done."
        )
    return (
        f"Time of fits and evaluation: about {duration(seconds)}, as in the run that finished "
        f"{speeds.finished[:16].replace('T', ' ')} with these settings and {speeds.n_patients} "
        "patients; a busy machine takes longer."
    )


def _disk(speeds: Speeds | None, out: Path, n_patients: int) -> str:
    place = next(path for path in (out, *out.absolute().parents) if path.exists())
    free = f"{shutil.disk_usage(place).free / 1e9:.0f} GB are free there"
    if speeds is None:
        return f"Disk: {free}."
    size = speeds.n_bytes * max(1.0, n_patients / max(1, speeds.n_patients)) / 1e6
    return f"Disk: about {max(1, round(size))} MB for the run directory; {free}."


# Where a run is begun, or gone on with: only as the run that it was, on the same ground.


def guard_same(out: Path, request: RunRequest, setup: Setup) -> tuple[Manifest, list[str]] | None:
    """Return the run that `out` holds, and what is tolerated of it now; None where it holds none.

    Raises
    ------
    NotTheSameError
        If that is another run than this one, or would go on with other code.
    """
    if not (out / "manifest.json").exists():
        return None
    manifest = Manifest.open(out)
    kind = manifest.content.get("kind", RunKind.RUN)
    if kind != RunKind.RUN:
        raise NotTheSameError(f"{out}: holds no run, but a folder that is {kind}; name another")
    now = ground_of(request, setup)
    tolerated = guard_ground(
        out, manifest.content, setup, now, identity=_identity(request, setup), seed=request.seed
    )
    return manifest, tolerated_note(tolerated)


def _identity(request: RunRequest, setup: Setup) -> str:
    requested = {
        "config": dump_yaml(setup.config),
        "task": setup.task.name,
        "protocols": setup.protocols,
        "models": setup.models,
        "primary": setup.primary,
        "seed": request.seed,
    }
    return digest(requested)


def begin(out: Path, request: RunRequest, setup: Setup, inputs: Sequence[Path]) -> Manifest:
    """Make the run directory, or open the one that is to be resumed.

    Raises
    ------
    NotTheSameError
        If the folder holds another run than this one.
    """
    path = out / "manifest.json"
    if begun := guard_same(out, request, setup):
        manifest, notes = begun
        known = manifest.content.get("tolerated", ())
        manifest.update(tolerated=list(dict.fromkeys([*known, *notes])))
        return manifest
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "config.yaml", dump_yaml(setup.config))
    info = setup.plugin.info
    device = setup.devices[0]
    real = request.data and not any(map(is_synthetic, inputs))
    manifest = Manifest(path, {})
    manifest.update(
        **first_entries(
            RunKind.RUN,
            out.name,
            request.command,
            plugin=info.name,
            plugin_version=setup.plugin.version,
            task=setup.task.name,
            task_title=setup.task.title,
            papers=list(info.papers),
            protocols=list(setup.protocols),
            models=list(setup.models),
            model_titles={model.name: model.title for model in setup.task.models},
            baselines=[model.name for model in setup.task.models if model.baseline],
            primary=setup.primary,
            targets=[vars(target) for target in setup.task.targets],
            outcome_column=setup.config.outcome.column,
            words=dict(info.words),
            config_digest=_identity(request, setup),
            seed=request.seed,
            device={
                "name": device.name,
                "reason": device.reason,
                "precision": device.precision,
                "n": len(setup.devices),
            },
            stands_on=ground_of(request, setup),
            contract=contract_of(setup.plugin, setup.task.name),
            data={
                "source": "real" if real else "synthetic",
                "path_shown": shown_of(inputs),
                "difficulty": None if real else ", ".join(filter(None, map(difficulty_of, inputs))),
            },
            messages=list(setup.messages),
        )
    )
    return manifest


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object a line."""
        row = {
            "time": now(),
            "level": record.levelname.lower(),
            "message": without_places(record.getMessage()),
        }
        for key in ("hook", "model", "fold"):
            if getattr(record, key, None):
                row[key] = getattr(record, key)
        return json.dumps(row)


class _Log(logging.FileHandler):
    """A log that keeps silent where it cannot be written: what the run writes next says why."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Print no traceback."""

    def close(self) -> None:
        """Let go of what cannot be written any more."""
        with suppress(OSError):
            super().close()


def log_to(out: Path) -> logging.Handler:
    """Write the run's log as JSON lines, without patient identifiers."""
    handler = _Log(out / "log.jsonl", encoding="utf-8")
    handler.setFormatter(_JsonLines())
    LOG.setLevel(logging.INFO)
    LOG.disabled = False  # as whatever configured logging before may have left it
    LOG.propagate = False
    LOG.addHandler(handler)
    return handler


# Ctrl-C: what is finished, and the command that goes on from there.


def how_to_go_on(
    request: RunRequest, out: Path, last: Stage | None, stopped: str = "Interrupted"
) -> str:
    """Return the one line that a stopped run ends with.

    `last` is the stage that was counted last; None where nothing was. `stopped` says what happened,
    if nothing else does. A run that has no directory yet begins again.

    Examples
    --------
    >>> request = RunRequest("toy", command="cardio run --plugin toy")
    >>> how_to_go_on(request, Path("runs/not-begun"), None)
    'Interrupted before anything was finished. Begin again with: cardio run --plugin toy'
    """
    command = request.command or "the same call"
    if not (out / "manifest.json").is_file():
        before = f"{stopped} before anything was finished. " if stopped else ""
        return f"{before}Begin again with: {command}"
    if request.out is None:
        command += f" --out {shlex.quote(str(out))}"
    if not request.resume:
        command += " --resume"
    finished = f"Finished and kept: {last.what}, {last.counted()}." if last and last.done else ""
    return " ".join(filter(None, (stopped and f"{stopped}.", finished, f"Go on with: {command}")))


@one_thread()
def run(request: RunRequest, echo: Echo) -> Path:
    """Do everything that a request asks for and return the run directory.

    `echo` takes each line that the user is to see. A `Display` is one already at work: that of the
    command line, which has announced the data.

    Raises
    ------
    CardioError
        In one line. What was finished stays on disk; `resume` goes on from there.
    Interrupted
        Where the user stopped it; the message says what is finished and how to go on.
    """
    check_typed(request)
    with (
        laid_out(request.layout), _shown(request, echo) as display,
        parse_executor(request.executor) as executor,
    ):  # fmt: skip
        return _run(request, executor, display)


@contextmanager
def _shown(request: RunRequest, echo: Echo) -> Iterator[Display]:
    if isinstance(echo, Display):
        yield echo
        return
    with Display(echo, STAGES) as display:
        announce_data(request, display)
        yield display


HOOKS_OF_WORKERS = ("preprocess", "featurize", "train", "predict")
"""Files of a task's folder that workers import while recordings are looked through."""


def _run(request: RunRequest, executor: Executor, say: Display) -> Path:
    """Run with the workers that are there: those of a run also serve the tasks that it needs."""
    with say.stage("starting"):
        setup = set_up(request)
        announce(request, setup, say)
        out = request.out or default_out(setup)
        out = out.absolute() if executor.remote else out
    with _saying_how_to_go_on(request, out, say):
        with say.stage("data", "" if request.data else "making or finding the synthetic cohort"):
            inputs = find_data(setup, request, open_cache())
        say_difficulty(request, inputs, say)
        setup = with_outcome(setup, inputs)
        checked_covariates(setup, inputs)
        if request.same_as is not None:
            guard_settings_of(request.same_as, setup, request.seed)
        guard_same(out, request, setup)
        if not request.dry_run and setup.devices[0].kind == "cpu":
            executor.start([f"{setup.task.folder}.{hook}" for hook in HOOKS_OF_WORKERS])
        ctx = Context(
            setup.task,
            outcome=setup.config.outcome.column,
            seed=request.seed,
            device=setup.devices[0],
            cache=open_cache(),
            strict=request.strict,
            _inputs=inputs,
            _tracking=_tracking(request, out),
        )
        if request.dry_run:
            with (
                alike(executor, setup.plugin, folders=(open_cache(),), inputs=inputs),
                say.stage("dry run"),
            ):
                for line in rehearse(setup, ctx, executor, out, open_cache(), say):
                    say(line)
            return out
        with locked(out):
            if request.out is not None:
                check_out(out, request.resume)  # as it is now that nobody else works there
            _hold(request, setup, ctx, executor, out, say)
    return out


def _tracking(request: RunRequest, out: Path) -> Tracking | None:
    """Return where curves go; those of a run that another makes first lie beside that one's."""
    if request.track is None:
        return None
    return Tracking.parse(request.track, out.parent.parent.name if request.for_need else out.name)


def _hold(
    request: RunRequest, setup: Setup, ctx: Context, executor: Executor, out: Path, say: Display
) -> None:
    file = out / "manifest.json"
    before = file.read_text(encoding="utf-8") if file.is_file() else None
    sweep_run(out)
    sweep_cache(open_cache())
    if gone := bound_cache(open_cache()):
        say(f"Cache: the oldest {gone / 1e9:.3g} GB were deleted; it is bounded (CARDIO_CACHE_GB).")
    manifest = begin(out, request, setup, ctx.replace(hook="load").inputs)
    handler = log_to(out)
    try:
        for note in manifest.content.get("tolerated", ()):
            say.note(note)
        with alike(executor, setup.plugin, folders=(out, open_cache()), inputs=ctx._inputs):
            session = Session(
                setup, ctx, executor, manifest, (), out, say, request.same_as, request.all_figures
            )
            cohorts: dict[Protocol, Cohort] = {}
            if made := made_first(request, setup, out):
                with manifest.stage("features"), say.stage("data"):
                    cohorts = load_first(session, made)

            def run_first(other: RunRequest) -> Path:
                return _run(other, executor, say.for_need(str(other.task)))

            needs = resolve_needs(request, setup, out, run_first)
            guard_unchanged(manifest.content["needs"], needs)
            manifest.update(needs=[need.to_dict() for need in needs])
            _work(replace(session, needs=tuple(needs)), cohorts)
    except NotTheSameError:
        if before is not None:
            write_text(file, before)
        raise
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        with suppress(OSError):  # of a full disk, the first error says more than the second
            manifest.update(status="interrupted" if interrupted else "failed", **failure(error))
        raise
    finally:
        LOG.removeHandler(handler)
        handler.close()


@contextmanager
def _saying_how_to_go_on(request: RunRequest, out: Path, say: Display) -> Iterator[None]:
    """Let Ctrl-C, a full disk and lack of memory end with what is finished and how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if request.for_need:  # the run that needs this one says it, with its own command
            raise
        raise Interrupted(how_to_go_on(request, out, say.last)) from stop
    except Exception as error:
        machine = resource_error(error, place=out)
        if machine is None or request.for_need:
            raise
        tail = how_to_go_on(request, out, say.last, "")
        raise ResourceError(f"{machine}. {tail}", machine.redacted) from error


def _work(session: Session, cohorts: Mapping[Protocol, Cohort]) -> None:
    """Prepare, fit, judge, finish."""
    with session.manifest.stage("features"), session.say.stage("features"):
        protocols = [
            prepare_protocol(session, protocol, cohorts.get(protocol))
            for protocol in session.setup.protocols
        ]
    session = record(session, protocols)
    jobs = [job for data in protocols for job in jobs_of(session, data)]
    try_first_fold(session, protocols[0])
    keep_for_new(session.needs, session.out)
    with session.manifest.stage("training"), session.say.stage("training"):
        jobs, timed = fit_all(session, jobs)
        keep_applicability(session, protocols[0], jobs)
    with session.manifest.stage("evaluation"), session.say.stage("evaluation") as stage:
        metrics, notes = _judge_all(session, protocols, jobs, stage)
        write_table_one(session, protocols[0])
    with session.say.stage("report", "tables, figures and the page are written"):
        from cardio_core.report.page import build_report

        write_json(session.out / "metrics.json", metrics)
        every = [*session.manifest.content["notes"], *(note.to_dict() for note in notes)]
        once = {json.dumps(note): note for note in every}
        session.manifest.close(build_report, notes=list(once.values()))
    if timed.fits:
        keep_speeds(session, timed)
    session.say(f"Report: {session.out / 'report.html'}")


def _judge_all(
    session: Session, protocols: Sequence[ProtocolData], jobs: Sequence[FoldJob], stage: Stage
) -> tuple[list[dict[str, Any]], list[Note]]:
    scored: dict[str, Scored] = {}
    metrics: dict[str, list[dict[str, Any]]] = {}
    notes: dict[str, list[Note]] = {}
    judged: dict[str, Judged] = {}
    for data in protocols:
        tested = [job for job in jobs if job.protocol == data.protocol and job.test.size]
        scored[data.protocol] = collect(tested, data.plan, data.truth, session.setup.task)
        stage.doing = f"{data.protocol} protocol: explanations, intervals, tables, figures"
        session.say(stage.line())
        draws = not any(item.n_drawn for item in judged.values())
        judged[data.protocol] = judge(session, data, tested, scored[data.protocol], draws=draws)
    every = {name: item.report.figures for name, item in judged.items()}
    manifest = manifest_in(session.manifest.content, session.manifest.path, complete=False)
    figures = every if session.all_figures else shown_first(judged, manifest)
    for name, item in judged.items():
        metrics[name] = item.rows(name)
        notes[name] = write_judged(session.out, name, item, figures[name], session.executor)
    session.manifest.update(
        n_not_drawn=sum(item.n_not_drawn for item in judged.values())
        + sum(len(every[name]) - len(figures[name]) for name in every),
        shown={
            file: entry
            for name, item in judged.items()
            for file, entry in shown_entries(item.report, name).items()
        },
    )
    write_csv(session.out / "predictions.csv", scored, session.setup.task)
    in_order = sorted(scored)
    return [row for name in in_order for row in metrics[name]], [
        note for name in in_order for note in notes[name]
    ]


def announce(request: RunRequest, setup: Setup, echo: Echo) -> None:
    """Say what will be done, and what of it the user did not choose."""
    for line in plan_needs(request, setup):
        echo(f"Earlier task: {line}.")
    column = setup.config.outcome.column
    about = f"outcome {column}" if column else setup.task.title
    echo(f"Task: {setup.task.name} ({about}); protocols: {', '.join(setup.protocols)}.")
    for line in (*setup.messages, *contract_lines(setup.plugin, setup.task.name)):
        echo(line)
