"""A run, from the request to the report: one direction, one loop."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.executors import Executor, parse_executor
from cardio_core.config import NeedBlock, RunConfig
from cardio_core.context import LOG, Context
from cardio_core.errors import ConfigError, HookError
from cardio_core.io.atomic import read_json, write_json
from cardio_core.io.hashing import digest
from cardio_core.io.places import cache_dir
from cardio_core.io.truth_file import is_synthetic
from cardio_core.runner.arms import Arm, make_arm
from cardio_core.runner.beginning import begin, default_out, log_to
from cardio_core.runner.collect import collect, write_csv
from cardio_core.runner.folds import FoldJob, run_fold
from cardio_core.runner.fusing import unfitted
from cardio_core.runner.judge import judge, write_judged
from cardio_core.runner.manifest import Manifest, now
from cardio_core.runner.needs import (
    Resolved,
    artifacts_of,
    guard_other,
    guard_unchanged,
    keep_for_new,
    plan_needs,
    resolve_needs,
    tested_of,
)
from cardio_core.runner.progress import Echo, Progress
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import (
    Setup,
    find_data,
    set_up,
    why_hollow,
    without_hollow_fusions,
)
from cardio_core.splits import Fold
from cardio_core.types.features import flag_counts
from cardio_core.types.predictions import Scored


def run(request: RunRequest, echo: Echo) -> Path:
    """Do everything that a request asks for and return the run directory.

    Parameters
    ----------
    request : RunRequest
        What was asked for.
    echo : callable
        Takes each line that the user is to see.

    Raises
    ------
    CardioError
        In one line. What was finished stays on disk; `resume` goes on from there.
    """
    setup = set_up(request)
    announce(request, setup, echo)
    spoken, echo = echo, _also_logged(echo)
    out = request.out or default_out(setup)
    cache = cache_dir()
    inputs = find_data(setup, request, cache)
    ctx = Context(
        setup.task,
        seed=request.seed,
        device=setup.devices[0],
        cache=cache,
        strict=request.strict,
        _inputs=inputs,
    )
    executor = parse_executor(request.executor)
    if request.dry_run:
        return _dry_run(setup, ctx, out, echo)
    manifest = begin(out, request, setup, inputs)
    handler = log_to(out)
    try:
        needs = resolve_needs(
            request, setup.task, setup.config, out, lambda asked: run(asked, spoken)
        )
        guard_unchanged(manifest.content["needs"], needs)
        manifest.update(needs=[need.to_dict() for need in needs])
        with executor:
            _work(setup, ctx, executor, manifest, needs, out, echo)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        manifest.update(status="interrupted" if interrupted else "failed", error=_said_of(error))
        raise
    finally:
        LOG.removeHandler(handler)
        handler.close()
    return out


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
        echo("Synthetic data: the plugin's twin with known truth, because no --data was given.")
    for path in filter(is_synthetic, request.data):
        echo(f"Synthetic data: {path.name} was made by code; its truth.json lies with it.")
    for line in plan_needs(request, setup.task, setup.config):
        echo(f"Need: {line}.")
    title = next(t.title for t in setup.plugin.info.tasks if t.name == setup.task.name)
    echo(f"Task: {setup.task.name} ({title}); protocols: {', '.join(setup.protocols)}.")
    for line in setup.said:
        echo(line)


def _work(
    setup: Setup,
    ctx: Context,
    executor: Executor,
    manifest: Manifest,
    needs: Sequence[Resolved],
    out: Path,
    echo: Echo,
) -> None:
    with manifest.stage("features"):
        arms = [
            make_arm(setup, ctx, executor, protocol, needs, echo) for protocol in setup.protocols
        ]
    _record_cohort(out, arms, manifest)
    setup = _supported(setup, arms, manifest, echo)
    splits: dict[str, Any] = {
        arm.protocol: arm.plan.to_dict(arm.prepared.features.table) for arm in arms
    }
    _guard_needs(needs, arms, setup.config)
    write_json(out / "splits.json", {"protocols": splits})
    manifest.update(split_digest=digest(splits))
    if arms[0].prepared.cohort.outcome:
        echo(f"Outcome: {arms[0].prepared.cohort.outcome}")
    for arm in arms:
        echo(_describe(arm))
    jobs = [job for arm in arms for job in _jobs(setup, ctx, arm, needs, out)]
    keep_for_new(needs, out)
    with manifest.stage("training"):
        _do(jobs, executor, setup, echo)
    jobs = _with_weights(jobs, setup, manifest, echo)
    with manifest.stage("evaluation"):
        scored: dict[str, Scored] = {}
        for arm in arms:
            tested = [job for job in jobs if job.protocol == arm.protocol and job.test.size]
            scored[arm.protocol] = collect(tested, arm.plan, arm.truth, setup.task)
            echo(f"  evaluating {arm.protocol}: intervals, tables, figures")
            judged = judge(setup.plugin, arm.config, ctx.replace(protocol=arm.protocol), tested,
                           scored[arm.protocol], arm.prepared.cohort)  # fmt: skip
            write_judged(out, arm.protocol, judged)
        write_csv(out / "predictions.csv", scored, setup.task)
    finish(out, manifest)
    echo(f"Report: {out / 'report.html'}")


def finish(out: Path, manifest: Manifest) -> None:
    """Merge the protocols' metrics, build the report and close the manifest."""
    from cardio_core.report.build import build_report

    parts = [read_json(path) for path in sorted((out / "judged").glob("*.json"))]
    write_json(out / "metrics.json", [row for part in parts for row in part["metrics"]])
    notes = [*manifest.content["notes"], *(note for part in parts for note in part["notes"])]
    manifest.update(status="done", finished=now(), notes=list(dict.fromkeys(notes)))
    shutil.rmtree(out / "judged")
    build_report(out)
    manifest.add_outputs(out)


def _supported(setup: Setup, arms: Sequence[Arm], manifest: Manifest, echo: Echo) -> Setup:
    """Leave out the rows that the cohort cannot support, and say why.

    Raises
    ------
    ConfigError
        If no row is left.
    """
    reasons: dict[str, str] = {}
    for arm in arms:
        reasons |= arm.prepared.cohort.unsupported
    titles = {model.name: model.title for model in setup.task.models}
    left_out = {name: reason for name, reason in reasons.items() if name in setup.models}
    notes = [f"Row {titles[name]} is left out: {reason}." for name, reason in left_out.items()]
    for note in notes:
        echo(note)
    models = tuple(name for name in setup.models if name not in left_out)
    if not models:
        raise ConfigError(f"this cohort supports none of the rows asked for. {' '.join(notes)}")
    kept = without_hollow_fusions(setup.task, models)
    for note in (hollow := why_hollow(setup.task, models, kept)):
        echo(note)
    models, notes = kept, [*notes, *hollow]
    manifest.update(models=list(models), notes=[*manifest.content["notes"], *notes])
    return replace(setup, models=models)


def _jobs(
    setup: Setup, ctx: Context, arm: Arm, needs: Sequence[Resolved], out: Path
) -> list[FoldJob]:
    """Return one job a row and fold; after the honest arm's folds, or the only arm's, the final."""
    table = arm.prepared.features.table
    y = arm.truth.targets.stratum(table, [target.name for target in setup.task.targets])
    everyone = np.flatnonzero(~arm.truth.ignored & (setup.task.uses_unlabelled | ~pd.isna(y)))
    folds = list(arm.plan.folds)
    if arm.protocol == setup.protocols[0]:
        folds.append(Fold(0, -1, everyone, np.empty(0, int)))
    jobs = []
    for fold in folds:
        final = fold.index < 0
        name = "final" if final else fold.name
        place = "final" if final else f"{arm.protocol}-{name}"
        for model in setup.models:
            own = ctx.replace(
                protocol=arm.protocol,
                fold=name,
                model=model,
                _inputs=(),
                _needs={n.need.task: artifacts_of(n, arm.protocol, name) for n in needs},
                _tested={
                    n.need.task: tested_of(n, arm.protocol, name)
                    for n in needs
                    if n.need.patients == "same"
                },
            )
            fuses = setup.task.model(model).fuses
            jobs.append(
                FoldJob(
                    plugin=setup.plugin.info.name,
                    protocol=arm.protocol,
                    config=arm.config,
                    ctx=own,
                    features=arm.prepared.features,
                    targets=arm.truth.targets,
                    train=fold.train[~arm.truth.ignored[fold.train]],
                    test=fold.test,
                    unit=arm.plan.unit,
                    overlap=arm.plan.overlap,
                    out=out / "models" / place / model,
                    members=tuple(name for name in fuses if name in setup.models),
                )
            )
    return jobs


def _do(jobs: Sequence[FoldJob], executor: Executor, setup: Setup, echo: Echo) -> None:
    todo = [job for job in jobs if not job.out.exists()]
    if len(todo) < len(jobs):
        echo(f"Resumed: {len(jobs) - len(todo)} of {len(jobs)} fits were finished before.")
    progress = Progress("fits", len(todo), echo)
    for stage in ([job for job in todo if not job.members], [job for job in todo if job.members]):
        executor.map(
            run_fold,
            stage,
            devices=setup.devices,
            on_done=lambda done: progress.advance(_short(done)),
        )
    progress.close()


def _with_weights(
    jobs: Sequence[FoldJob], setup: Setup, manifest: Manifest, echo: Echo
) -> list[FoldJob]:
    """Leave every fused row that some fold could not weigh out of its protocol, and say why.

    Out of the first protocol, it is out of the manifest's models too: new patients get no score of
    a row that nobody has tested.
    """
    reasons = unfitted(jobs)
    notes = [
        f"Row {setup.task.model(name).title} is left out of protocol {protocol}: {reason}."
        for (protocol, name), reason in reasons.items()
    ]
    for note in notes:
        echo(note)
    models = [name for name in setup.models if (setup.protocols[0], name) not in reasons]
    manifest.update(models=models, notes=[*manifest.content["notes"], *notes])
    return [job for job in jobs if (job.protocol, str(job.ctx.model)) not in reasons]


def _short(folder: Path) -> str:
    return f"{folder.parent.name} {folder.name}"


def _record_cohort(out: Path, arms: Sequence[Arm], manifest: Manifest) -> None:
    first = arms[0]
    table = first.prepared.cohort.samples.table
    write_json(
        out / "cohort.json",
        {
            "recordings": list(table.index),
            "patients": sorted(set(table["patient_id"])),
            "subjects": sorted(set(first.prepared.features.table["subject_id"])),
            "files": list(first.prepared.own_files),
        },
    )
    if manifest.content["data"].get("digest") not in (None, first.prepared.digest):
        raise ConfigError(
            "the data changed since this run began; start a new run instead of --resume"
        )
    quarantined = {
        (q.recording_id, q.hook, q.reason): vars(q) for a in arms for q in a.prepared.quarantined
    }
    manifest.update(
        data=manifest.content["data"]
        | {
            "digest": first.prepared.digest,
            "n_recordings": len(table),
            "n_patients": int(table["patient_id"].nunique()),
            "n_samples": len(first.prepared.features),
        },
        quarantined=list(quarantined.values()),
        outcome=first.prepared.cohort.outcome,
        excluded={why: list(ids) for why, ids in first.prepared.cohort.excluded.items()},
        flags=flag_counts(first.prepared.features.table),
        notes=[*first.prepared.cohort.notes],
    )


def _guard_needs(needs: Sequence[Resolved], arms: Sequence[Arm], config: RunConfig) -> None:
    prepared = arms[0].prepared
    for resolved in needs:
        if resolved.need.patients == "other":
            guard_other(
                resolved,
                set(prepared.own_files),
                set(prepared.cohort.samples.table["patient_id"]),
                other_people=config.needs.get(resolved.need.task, NeedBlock()).other_people,
            )


def _dry_run(setup: Setup, ctx: Context, out: Path, echo: Echo) -> Path:
    """Load the headers and say what would run; write nothing."""
    from cardio_core.runner.prepare import load_cohort

    config = setup.config.for_protocol(setup.protocols[0])
    cohort, _ = load_cohort(setup.plugin, config, ctx)
    table = cohort.samples.table
    echo(f"Data: {len(table)} recordings of {table['patient_id'].nunique()} patients, "
         f"{len(cohort.quarantined)} quarantined.")  # fmt: skip
    echo(f"Rows: {', '.join(setup.models)}. Would write {out}.")
    return out


def _describe(arm: Arm) -> str:
    table = arm.prepared.features.table
    fold = arm.plan.folds[0]
    patients = table["patient_id"]
    what = f"{len(arm.plan.folds)} fold(s) by {arm.plan.unit}, plan {arm.plan.plan}"
    sizes = (
        f"first fold: train {len(fold.train)} samples of {patients.iloc[fold.train].nunique()} "
        f"patients, test {len(fold.test)} of {patients.iloc[fold.test].nunique()}"
    )
    stamp = f" OPTIMISTIC: {arm.plan.overlap}." if arm.plan.overlap else ""
    return f"{arm.protocol}: {what}; {sizes}.{stamp}"


def _also_logged(echo: Echo) -> Echo:
    def say(line: str) -> None:
        LOG.info(line.strip())
        echo(line)

    return say
