"""A rehearsal: what would run, how long and how big, as far as that can be known before."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from cardio_core.compute.devices import cpu_count
from cardio_core.compute.executors import Executor
from cardio_core.config import Protocol
from cardio_core.context import Context
from cardio_core.errors import DataError
from cardio_core.runner.preparing.features import PatientJob, load_cohort, make_features
from cardio_core.runner.preparing.features import patient_jobs as jobs_of
from cardio_core.runner.progress.words import duration, roughly
from cardio_core.runner.setup import Setup
from cardio_core.runner.speeds import Speeds, known_speeds
from cardio_core.splits import find_plan
from cardio_core.types.plans import Nested, RandomSamples, Sites
from cardio_core.types.samples import Cohort

_LONG_S = 20.0


def rehearse(
    setup: Setup, ctx: Context, executor: Executor, out: Path, cache: Path
) -> Iterator[str]:
    """Yield the lines that say what would run; nothing is written in the run directory.

    The features of two patients are made where none are known, and kept in the cache for the run.
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
    folds = {name: _n_folds(setup, name, cohort) for name in setup.protocols}
    n_fits = {
        f"{model} {protocol}": n + (protocol == setup.protocols[0])
        for protocol, n in folds.items()
        for model in models
    }
    told = " + ".join(f"{n} {name}" for name, n in folds.items())
    yield f"Fits: {sum(n_fits.values())} ({len(models)} models x ({told} + 1 final))."
    todo: dict[Path, PatientJob] = {}
    for protocol in setup.protocols:
        settings = setup.config.for_protocol(protocol)
        jobs = jobs_of(setup.plugin, settings, ctx, cohort, digests.all_files)
        todo |= {job.folder: job for job in jobs if not job.folder.exists()}
    yield _features(list(todo.values()), getattr(executor, "n_workers", None) or cpu_count())
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


def _features(todo: list[PatientJob], n_workers: int) -> str:
    """Time two patients, the second if the first, which also imports, is not long."""
    if not todo:
        return "Features: all are in the cache."
    n_there = f"{len(todo)} are to be made, one a patient and setting"
    took = 0.0
    for job in todo[:2]:
        began = time.monotonic()
        try:
            make_features(job)
        except DataError as error:
            return f"Features: {n_there}; no time, because the first cannot be made: {error}"
        took = time.monotonic() - began
        if took > _LONG_S:
            break
    left = took * max(0, len(todo) - 2) / n_workers
    if left < 1:
        return f"Features: {n_there}, in a second or two."
    return (
        f"Features: {n_there}, roughly {roughly(left)} (one was timed: {took:.1f} s, "
        f"{n_workers} at a time; patients differ)."
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
