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
from cardio_core.runner.preparing.features import (
    PatientJob,
    guard_enough,
    load_cohort,
    make_features,
    set_aside,
)
from cardio_core.runner.preparing.features import patient_jobs as jobs_of
from cardio_core.runner.progress import Echo, Progress
from cardio_core.runner.progress.words import several
from cardio_core.runner.setup import Setup
from cardio_core.runner.speeds import Speeds, known_speeds
from cardio_core.splits import find_plan
from cardio_core.stats.foundation.watching import duration, roughly
from cardio_core.types.plans import Nested, RandomSamples, Sites
from cardio_core.types.samples import Cohort

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
    for name in (one for one in setup.models if one in cohort.unsupported):
        yield f"Left out: {name}: {cohort.unsupported[name]}."
    folds = {name: _n_folds(setup, name, cohort) for name in setup.protocols}
    n_fits = {
        f"{model} {protocol}": n + (protocol == setup.protocols[0])
        for protocol, n in folds.items()
        for model in models
    }
    told = " + ".join(f"{n} {name}" for name, n in folds.items())
    yield f"Fits: {sum(n_fits.values())} ({len(models)} models x ({told} + 1 final))."
    jobs = {
        protocol: jobs_of(
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
        shown = {protocol: tuple(_told(own, cohort)) for protocol, own in jobs.items()}
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


def _told(jobs: list[PatientJob], cohort: Cohort) -> Iterator[str]:
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


def _features(n_asked: int, n_left: int, each_s: float) -> str:
    if not n_asked:
        return "Features: all are in the cache."
    if not n_left:
        return (
            f"Features: all are in the cache now; {n_asked} were made, one a patient and setting."
        )
    left = max(1.0, n_left * each_s)
    return (
        f"Features: {n_asked - n_left} were made and {n_left} are to be, one a patient and "
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
