"""A run, from the request to the report: one direction, one loop."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from cardio_core.compute.executors import Executor, parse_executor
from cardio_core.compute.lacking import lacking
from cardio_core.compute.threads import one_thread
from cardio_core.config import Protocol
from cardio_core.context import LOG, Context
from cardio_core.errors import CardioError, LackingError
from cardio_core.io.atomic import sweep_cache, sweep_run, write_json, write_text
from cardio_core.io.kept.results import JUDGED
from cardio_core.io.places import open_cache
from cardio_core.runner.at_the_door import announce_data, check_out, check_typed, say_difficulty
from cardio_core.runner.beginning import begin, default_out, guard_same, log_to
from cardio_core.runner.dry_run import rehearse
from cardio_core.runner.fitting.applicable import keep_applicability
from cardio_core.runner.fitting.fit import fit_all
from cardio_core.runner.fitting.jobs import FoldJob, jobs_of
from cardio_core.runner.interrupted import Interrupted, how_to_go_on
from cardio_core.runner.judging.collect import collect, write_csv
from cardio_core.runner.judging.judge import judge, write_judged
from cardio_core.runner.judging.table_one import write_table_one
from cardio_core.runner.manifest import Manifest, now
from cardio_core.runner.preparing.arms import Arm, load_first, make_arm
from cardio_core.runner.preparing.clinical import checked_covariates
from cardio_core.runner.preparing.needs import (
    guard_unchanged,
    keep_for_new,
    made_first,
    plan_needs,
    resolve_needs,
)
from cardio_core.runner.preparing.outcome import with_outcome
from cardio_core.runner.preparing.record import record
from cardio_core.runner.progress import STAGES, Display, Echo
from cardio_core.runner.progress.look import Stage
from cardio_core.runner.request import RunRequest
from cardio_core.runner.session import Session
from cardio_core.runner.setup import Setup, find_data, set_up
from cardio_core.runner.speeds import keep_speeds, speeds_of
from cardio_core.runner.standing.differing import NotTheSameError
from cardio_core.runner.standing.elsewhere import alike
from cardio_core.runner.standing.lock import locked
from cardio_core.runner.standing.resuming import guard_settings_of
from cardio_core.training.track.tracking import Tracking
from cardio_core.types.predictions import Scored
from cardio_core.types.samples import Cohort
from cardio_core.types.wordless import place_of, text_of


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
    with _shown(request, echo) as display, parse_executor(request.executor) as executor:
        return _run(request, executor, display)


@contextmanager
def _shown(request: RunRequest, echo: Echo) -> Iterator[Display]:
    if isinstance(echo, Display):
        yield echo
        return
    with Display(echo, STAGES) as display:
        announce_data(request, display)
        yield display


def _run(request: RunRequest, executor: Executor, say: Display) -> Path:
    """Run with the workers that are there: those of a run also serve the tasks that it needs."""
    with say.stage("starting"):
        setup = set_up(request)
        announce(request, setup, say)
        out = request.out or default_out(setup)
        out = out.absolute() if executor.remote else out
    with _telling_how_to_go_on(request, out, say):
        with say.stage("data", "" if request.data else "making or finding the synthetic cohort"):
            inputs = find_data(setup, request, open_cache())
        say_difficulty(request, inputs, say)
        setup = with_outcome(setup, inputs)
        checked_covariates(setup, inputs)
        if request.same_as is not None:
            guard_settings_of(request.same_as, setup, request.seed)
        guard_same(out, request, setup)
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
        _make(request, setup, ctx, executor, out, say)
    return out


def _tracking(request: RunRequest, out: Path) -> Tracking | None:
    """Return where curves go; those of a run that another makes first lie beside that one's."""
    if request.track is None:
        return None
    return Tracking.parse(request.track, out.parent.parent.name if request.for_need else out.name)


def _make(
    request: RunRequest, setup: Setup, ctx: Context, executor: Executor, out: Path, say: Display
) -> None:
    """Meet the needs, then do the work; the manifest says how it ended."""
    with locked(out):
        if request.out is not None:
            check_out(out, request.resume)  # as it is now that nobody else works there
        _hold(request, setup, ctx, executor, out, say)


def _hold(
    request: RunRequest, setup: Setup, ctx: Context, executor: Executor, out: Path, say: Display
) -> None:
    file = out / "manifest.json"
    before = file.read_text(encoding="utf-8") if file.is_file() else None
    sweep_run(out)
    sweep_cache(open_cache())
    manifest = begin(out, request, setup, ctx.replace(hook="load").inputs)
    handler = log_to(out)
    try:
        for note in manifest.content.get("tolerated", ()):
            say.note(note)
        with alike(executor, setup.plugin, folders=(out, open_cache()), inputs=ctx._inputs):
            session = Session(setup, ctx, executor, manifest, (), out, say, request.same_as)
            asked = (request, setup.task, setup.config, setup.models, out)
            cohorts: dict[Protocol, Cohort] = {}
            if made := made_first(*asked):
                with manifest.stage("features"), say.stage("data"):
                    cohorts = load_first(session, made)
            needs = resolve_needs(
                *asked, lambda other: _run(other, executor, say.for_need(str(other.task)))
            )
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
            manifest.update(
                status="interrupted" if interrupted else "failed", error=_said_of(error)
            )
        raise
    finally:
        LOG.removeHandler(handler)
        handler.close()


@contextmanager
def _telling_how_to_go_on(request: RunRequest, out: Path, say: Display) -> Iterator[None]:
    """Let Ctrl-C, a full disk and lack of memory end with what is finished and how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if request.for_need:  # the run that needs this one says it, with its own command
            raise
        raise Interrupted(how_to_go_on(request, out, say.last)) from stop
    except Exception as error:
        machine = lacking(error, place=out)
        if machine is None or request.for_need:
            raise
        tail = how_to_go_on(request, out, say.last, "")
        raise LackingError(f"{machine}. {tail}", machine.kept) from error


def _work(session: Session, cohorts: Mapping[Protocol, Cohort]) -> None:
    """Prepare, fit, judge, finish."""
    with session.manifest.stage("features"), session.say.stage("features"):
        arms = [make_arm(session, one, cohorts.get(one)) for one in session.setup.protocols]
    session = record(session, arms)
    jobs = [job for arm in arms for job in jobs_of(session, arm)]
    keep_for_new(session.needs, session.out)
    with session.manifest.stage("training"), session.say.stage("training"):
        jobs, timed = fit_all(session, jobs)
        keep_applicability(session, arms[0], jobs)
    with session.manifest.stage("evaluation"), session.say.stage("evaluation") as stage:
        _judge_all(session, arms, jobs, stage)
        write_table_one(session, arms[0])
    with session.say.stage("report", "tables, figures and the page are written"):
        _finish(session.out, session.manifest)
    if timed.fits:
        speeds = speeds_of(timed.fits, session.manifest.content, timed.n_workers, session.out)
        keep_speeds(session.setup, open_cache(), speeds)
    session.say(f"Report: {session.out / 'report.html'}")


def _judge_all(
    session: Session, arms: Sequence[Arm], jobs: Sequence[FoldJob], stage: Stage
) -> None:
    scored: dict[str, Scored] = {}
    for arm in arms:
        tested = [job for job in jobs if job.protocol == arm.protocol and job.test.size]
        scored[arm.protocol] = collect(tested, arm.plan, arm.truth, session.setup.task)
        stage.doing = f"{arm.protocol} protocol: explanations, intervals, tables, figures"
        session.say(stage.line())
        judged = judge(session, arm, tested, scored[arm.protocol])
        write_judged(session.out, arm.protocol, judged, session.executor)
    write_csv(session.out / "predictions.csv", scored, session.setup.task)


def _finish(out: Path, manifest: Manifest) -> None:
    """Merge the protocols' metrics, build the report and close the manifest."""
    from cardio_core.report.build import build_report

    parts = [JUDGED.read(path) for path in sorted((out / "judged").glob("*.json"))]
    write_json(out / "metrics.json", [row for part in parts for row in part["metrics"]])
    notes = [*manifest.content["notes"], *(note for part in parts for note in part["notes"])]
    once = {json.dumps(note): note for note in notes}
    manifest.update(status="done", finished=now(), notes=list(once.values()))
    shutil.rmtree(out / "judged")
    build_report(out)
    manifest.add_outputs(out)


def _said_of(error: BaseException) -> str:
    """Word an error for the manifest: kind and place, and nothing that a file may hold."""
    if (machine := lacking(error)) is not None:
        return machine.kept
    said = text_of(error)
    if isinstance(error, CardioError):
        return said
    if isinstance(error, KeyboardInterrupt):  # our words on how to go on
        return str(error)
    kind = type(error).__name__
    return f"{kind}: {said}" if said else f"{kind} at {place_of(error)}"


def announce(request: RunRequest, setup: Setup, echo: Echo) -> None:
    """Say what will be done, and what of it the user did not choose."""
    for line in plan_needs(request, setup.task, setup.config, setup.models):
        echo(f"Earlier task: {line}.")
    column = setup.config.outcome.column
    about = f"outcome {column}" if column else setup.task.title
    echo(f"Task: {setup.task.name} ({about}); protocols: {', '.join(setup.protocols)}.")
    for line in setup.said:
        echo(line)
