"""A run, from the request to the report: one direction, one loop."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from cardio_core.compute.executors import Executor, parse_executor
from cardio_core.compute.threads import one_thread
from cardio_core.context import LOG, Context
from cardio_core.errors import HookError
from cardio_core.io.atomic import read_json, write_json
from cardio_core.io.places import cache_dir
from cardio_core.io.truth_file import is_synthetic
from cardio_core.runner.beginning import begin, default_out, log_to
from cardio_core.runner.fitting.fit import fit_all
from cardio_core.runner.fitting.jobs import FoldJob, jobs_of
from cardio_core.runner.judging.collect import collect, write_csv
from cardio_core.runner.judging.judge import judge, write_judged
from cardio_core.runner.judging.table_one import write_table_one
from cardio_core.runner.manifest import Manifest, now
from cardio_core.runner.preparing.arms import Arm, make_arm
from cardio_core.runner.preparing.clinical import checked_covariates
from cardio_core.runner.preparing.features import load_cohort
from cardio_core.runner.preparing.needs import (
    guard_unchanged,
    keep_for_new,
    plan_needs,
    resolve_needs,
)
from cardio_core.runner.preparing.outcome import with_outcome
from cardio_core.runner.preparing.record import record
from cardio_core.runner.progress import Echo
from cardio_core.runner.request import RunRequest
from cardio_core.runner.session import Session
from cardio_core.runner.setup import Setup, find_data, set_up
from cardio_core.types.predictions import Scored


@one_thread()
def run(request: RunRequest, echo: Echo) -> Path:
    """Do everything that a request asks for and return the run directory.

    `echo` takes each line that the user is to see.

    Raises
    ------
    CardioError
        In one line. What was finished stays on disk; `resume` goes on from there.
    """
    with parse_executor(request.executor) as executor:
        return _run(request, executor, echo)


def _run(request: RunRequest, executor: Executor, echo: Echo) -> Path:
    """Run with the workers that are there: those of a run also serve the tasks that it needs."""
    setup = set_up(request)
    announce(request, setup, echo)
    spoken, echo = echo, _also_logged(echo)
    out = request.out or default_out(setup)
    cache = cache_dir()
    inputs = find_data(setup, request, cache)
    setup = with_outcome(setup, inputs)
    checked_covariates(setup, inputs)
    ctx = Context(
        setup.task,
        outcome=setup.config.outcome.column,
        seed=request.seed,
        device=setup.devices[0],
        cache=cache,
        strict=request.strict,
        _inputs=inputs,
    )
    if request.dry_run:
        return _dry_run(setup, ctx, out, echo)
    manifest = begin(out, request, setup, inputs)
    handler = log_to(out)
    try:
        needs = resolve_needs(
            request, setup.task, setup.config, out, lambda asked: _run(asked, executor, spoken)
        )
        guard_unchanged(manifest.content["needs"], needs)
        manifest.update(needs=[need.to_dict() for need in needs])
        _work(Session(setup, ctx, executor, manifest, tuple(needs), out, echo))
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        manifest.update(status="interrupted" if interrupted else "failed", error=_said_of(error))
        raise
    finally:
        LOG.removeHandler(handler)
        handler.close()
    return out


def _work(session: Session) -> None:
    """Prepare, fit, judge, finish."""
    with session.manifest.stage("features"):
        arms = [make_arm(session, protocol) for protocol in session.setup.protocols]
    session = record(session, arms)
    jobs = [job for arm in arms for job in jobs_of(session, arm)]
    keep_for_new(session.needs, session.out)
    with session.manifest.stage("training"):
        jobs = fit_all(session, jobs)
    with session.manifest.stage("evaluation"):
        _judge_all(session, arms, jobs)
        write_table_one(session, arms[0])
    _finish(session.out, session.manifest)
    session.say(f"Report: {session.out / 'report.html'}")


def _judge_all(session: Session, arms: Sequence[Arm], jobs: Sequence[FoldJob]) -> None:
    scored: dict[str, Scored] = {}
    for arm in arms:
        tested = [job for job in jobs if job.protocol == arm.protocol and job.test.size]
        scored[arm.protocol] = collect(tested, arm.plan, arm.truth, session.setup.task)
        session.say(f"  evaluating {arm.protocol}: intervals, tables, figures")
        judged = judge(session, arm, tested, scored[arm.protocol])
        write_judged(session.out, arm.protocol, judged)
    write_csv(session.out / "predictions.csv", scored, session.setup.task)


def _finish(out: Path, manifest: Manifest) -> None:
    """Merge the protocols' metrics, build the report and close the manifest."""
    from cardio_core.report.build import build_report

    parts = [read_json(path) for path in sorted((out / "judged").glob("*.json"))]
    write_json(out / "metrics.json", [row for part in parts for row in part["metrics"]])
    notes = [*manifest.content["notes"], *(note for part in parts for note in part["notes"])]
    manifest.update(status="done", finished=now(), notes=list(dict.fromkeys(notes)))
    shutil.rmtree(out / "judged")
    build_report(out)
    manifest.add_outputs(out)


def _said_of(error: BaseException) -> str:
    """Word an error for the manifest: what the system says, without the file that it names."""
    if isinstance(error, HookError):
        return error.kept
    if isinstance(error, OSError) and error.filename is not None:
        return f"{type(error).__name__}: {error.strerror}"
    return str(error)


def announce(request: RunRequest, setup: Setup, echo: Echo) -> None:
    """Say first what decides about every number that follows."""
    if not request.data:
        echo("Synthetic data: made by the plugin, with known truth, because no --data was given.")
    for path in filter(is_synthetic, request.data):
        echo(f"Synthetic data: {path.name} was made by code; its truth.json lies with it.")
    for line in plan_needs(request, setup.task, setup.config):
        echo(f"Need: {line}.")
    echo(f"Task: {setup.task.name} ({setup.task.title}); protocols: {', '.join(setup.protocols)}.")
    for line in setup.said:
        echo(line)


def _dry_run(setup: Setup, ctx: Context, out: Path, echo: Echo) -> Path:
    """Load the headers and say what would run; write nothing."""
    config = setup.config.for_protocol(setup.protocols[0])
    cohort, _ = load_cohort(setup.plugin, config, ctx)
    table = cohort.samples.table
    echo(f"Data: {len(table)} recordings of {table['patient_id'].nunique()} patients, "
         f"{len(cohort.quarantined)} quarantined.")  # fmt: skip
    echo(f"Models: {', '.join(setup.models)}. Would write {out}.")
    return out


def _also_logged(echo: Echo) -> Echo:
    def say(line: str) -> None:
        LOG.info(line.strip())
        echo(line)

    return say
