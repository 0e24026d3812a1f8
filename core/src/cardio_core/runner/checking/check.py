"""A check of a cohort: tables, paths, recordings, duplicates, outcome and covariates at once."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.compute.executors import parse_executor
from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.errors import CardioError, ConfigError, DataError, HookError
from cardio_core.io.cohort_table import forgiving
from cardio_core.io.cohorts.telling import notes_on_tables
from cardio_core.io.cohorts.template import column_of
from cardio_core.io.places import open_cache
from cardio_core.runner.accounts import account, summed
from cardio_core.runner.calls import call
from cardio_core.runner.checking.findings import Finding, in_order
from cardio_core.runner.checking.recordings import Read, ReadJob, find_duplicates, read_patient
from cardio_core.runner.checking.summary import missing_covariates, outcome_summary
from cardio_core.runner.checking.tables import TablePart, look_at_tables
from cardio_core.runner.measuring.finding import find_recordings
from cardio_core.runner.preparing.clinical import checked_covariates
from cardio_core.runner.preparing.features import UnusableCohortError
from cardio_core.runner.preparing.outcome import give_outcome, with_outcome
from cardio_core.runner.preparing.patients import guard_covariates, patient_labels
from cardio_core.runner.progress import Echo, Progress
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import Setup, find_data, set_up
from cardio_core.runner.standing.elsewhere import alike
from cardio_core.splits import link_subjects
from cardio_core.types.samples import Cohort, Quarantined, SampleSet


def check_data(request: RunRequest, echo: Echo | None = None) -> dict[str, Any]:
    """Return everything that is wrong with a cohort, and who is in it.

    Parameters
    ----------
    request : RunRequest
        As `cardio run` would be asked.
    echo : callable, optional
        Takes progress lines.

    Returns
    -------
    dict
        JSON-ready: plugin, task, path, n_recordings, n_usable, n_quarantined, n_patients and
        n_samples of the usable ones, `usable` (recording_id, patient_id, n_samples), `quarantined`
        (recording_id, hook, reason), `findings` (see `Finding`; those that stop a run first),
        `without_outcome` (row, study_id, patient_id, reason), `outcome` and `covariates` (counts by
        patient), `no_outcome` (what says who has the outcome of the task, and is not there; None
        where it is; `to_measure` and `to_table` are commands that need none), `files` (what became
        of every file that was searched, and `files_summed` of all), `notes`.

    Raises
    ------
    ConfigError
        If what was asked for does not exist.
    DataError
        If a cohort table cannot be read at all.
    """
    setup = set_up(request)
    inputs = find_data(setup, request, open_cache())
    tables = look_at_tables(inputs, tuple(setup.plugin.info.paths))
    with forgiving():
        setup = with_outcome(setup, inputs)
        checked_covariates(setup, inputs)
        config = setup.config.for_protocol(setup.protocols[0])
        ctx = Context(
            setup.task, cache=open_cache(), outcome=config.outcome.column, _inputs=inputs,
            _quarantined=[],
        )  # fmt: skip
        cohort, unread, no_outcome = _loaded(setup, config, ctx, tables)
    if no_outcome:
        ctx = ctx.replace(mode="predict")  # they are read as `cardio measure` reads them
    findings = [*tables.findings, *unread]
    people, rows = _people(cohort), _rows(cohort, tables.numbers)
    reads = read_all(setup, config, ctx, cohort, request.executor, echo)
    findings += find_duplicates(reads, people, rows)
    quarantined = [*cohort.quarantined, *(row for read in reads for row in read.quarantined)]
    findings += [
        Finding(
            "set aside", "recording", row.reason, _row_of(row, rows, tables), who=row.recording_id
        )
        for row in quarantined
        if _study_of(row.recording_id, tables.numbers) not in tables.bad_paths
    ]
    usable = [row for read in reads for row in read.usable]
    patients = list(dict.fromkeys(str(row["patient_id"]) for row in usable))
    target = setup.task.targets[0]
    labels = None
    if cohort.targets is not None and len(cohort.samples):
        labels = patient_labels(cohort, cohort.samples.table, cohort.targets, target)
    bad = {row.recording_id for row in quarantined}
    files = account(cohort, {row.recording_id: row.exclusion for row in quarantined})
    asked = (*config.covariates, *((config.outcome.column,) if config.outcome.column else ()))
    return {
        "plugin": setup.plugin.info.name,
        "task": setup.task.name,
        "path": ", ".join(str(path) for path in request.data),
        "n_recordings": len(usable) + len(bad),
        "n_usable": len(usable),
        "n_quarantined": len(bad),
        "n_patients": len(patients),
        "n_samples": sum(row["n_samples"] for row in usable),
        "usable": usable,
        "quarantined": [row.cells() for row in quarantined],
        "findings": [one.to_dict() for one in in_order(findings)],
        "without_outcome": _without(cohort, labels, tables, target.name),
        "outcome": outcome_summary(labels, patients, target),
        "no_outcome": no_outcome or None,
        "to_measure": _to_measure(request),
        "to_table": None if tables.names else _to_table(setup, request),
        "covariates": []
        if no_outcome and not config.covariates
        else missing_covariates(cohort.table, patients, setup.task, config.covariates),
        "files": [line.cells() for line in files],
        "files_summed": summed(files, setup.plugin.info.recording, used_is="usable"),
        "notes": list(dict.fromkeys([*map(str, cohort.notes), *_on_tables(setup, inputs, asked)])),
    }


def _on_tables(setup: Setup, inputs: Iterable[Path], asked: Collection[str]) -> tuple[str, ...]:
    return notes_on_tables(inputs, setup.plugin.info, used=asked, named=True)


def _loaded(
    setup: Setup, config: RunConfig, ctx: Context, tables: TablePart
) -> tuple[Cohort, list[Finding], str]:
    """Load headers and targets; a cohort of nobody where the table has to be mended first.

    Where recordings can be loaded without targets and not with them, they are, and the last of what
    is returned says what is missing: to be measured, nobody needs an outcome.
    """
    if tables.findings and (tables.rows is None or tables.rows.empty):
        return _nobody(tables), [], ""
    no_outcome = ""
    try:
        cohort: Cohort = call(setup.plugin, "load", ctx, config)
    except (ConfigError, DataError, HookError) as error:
        excused = not isinstance(error, HookError) and config.outcome.column is None
        found, nothing = _without_targets(setup, config, ctx, tables) if excused else (None, "")
        if found is not None:
            cohort, no_outcome = found, str(error)
        elif nothing and nothing != str(error) and not tables.names:
            raise DataError(f"{nothing} (and for cardio run: {error})") from error
        elif tables.findings and not isinstance(error, ConfigError):
            why = f"no recording was read, because of what stands here or of this: {error}"
            return _nobody(tables), [Finding("stops", "table", why)], ""
        else:
            raise
    if config.outcome.column is not None:
        cohort = give_outcome(cohort, config.outcome, ctx.task)
    guard_covariates(cohort, config.covariates, ctx.task.targets)
    cohort = replace(cohort, quarantined=(*cohort.quarantined, *ctx._quarantined))
    return cohort, [], no_outcome


def _without_targets(
    setup: Setup, config: RunConfig, ctx: Context, tables: TablePart
) -> tuple[Cohort | None, str]:
    """Load as `cardio measure` does; where that finds nothing either, return what it said."""
    ctx._quarantined.clear()
    new = ctx.replace(mode="predict")
    try:
        if tables.names:
            cohort: Cohort = call(setup.plugin, "load", new, config)
        else:  # folders are searched to their ends
            cohort = find_recordings(setup.plugin, config, new, ctx._inputs).cohort
    except UnusableCohortError as error:
        if not error.quarantined:
            return None, str(error)
        return replace(_nobody(tables), quarantined=error.quarantined), ""
    except CardioError as error:
        return None, str(error)
    known = len(cohort.samples) or cohort.quarantined or ctx._quarantined
    return (cohort if known else None), ""


def _to_measure(request: RunRequest) -> str:
    task = ["--task", request.task] if request.task else []
    paths = [str(path) for path in request.data]
    return shlex.join(["cardio", "measure", "--plugin", request.plugin, *task, *paths])


def _to_table(setup: Setup, request: RunRequest) -> str | None:
    """Return the command that makes a table of recordings; None where none can."""
    try:
        column_of(setup.plugin.info, setup.task)
    except ConfigError:
        return None
    task = ["--task", request.task] if request.task else []
    places = [word for path in request.data for word in ("--from", str(path))]
    words = ["cardio", "data", "template", request.plugin, *task, *places, "--out", "cohort.csv"]
    return shlex.join(words)


def _nobody(tables: TablePart) -> Cohort:
    ids = ("recording_id", "study_id", "patient_id")
    empty = pd.DataFrame({name: pd.Series([], dtype=object) for name in ids})
    empty.index = pd.Index([], name="sample_id")
    return Cohort(SampleSet(empty, []), {}, None, tables.rows)


def read_all(
    setup: Setup, config: RunConfig, ctx: Context, cohort: Cohort, workers: str, echo: Echo | None
) -> list[Read]:
    """Open and preprocess every recording of a cohort, a job a patient, in patients' order."""
    groups = cohort.samples.table.groupby("patient_id", sort=True).indices
    own = ctx.replace(_inputs=(), cache=None)
    jobs = []
    for positions in groups.values():
        samples = cohort.samples.take(positions)
        files = {name: cohort.own_files(name) for name in samples.table.index}
        jobs.append(ReadJob(setup.plugin.info.name, config, own, samples, files))
    progress = Progress("reading", len(jobs), echo, "patients")
    with (
        progress,
        parse_executor(workers) as executor,
        alike(executor, setup.plugin, folders=(), inputs=ctx._inputs),
    ):
        return executor.map(read_patient, jobs, on_done=lambda _: progress.advance())


def _people(cohort: Cohort) -> dict[str, str]:
    table = cohort.samples.table
    if not len(table):
        return {}
    return dict(zip(table.index.astype(str), link_subjects(table), strict=True))


def _rows(cohort: Cohort, numbers: Mapping[str, int]) -> dict[str, int]:
    studies = cohort.samples.table["study_id"].astype(str)
    return {str(name): numbers[one] for name, one in studies.items() if one in numbers}


def _study_of(recording: str, numbers: Mapping[str, int]) -> str:
    """Return the study of a recording that `load` set aside: its id, or that before a number."""
    name = str(recording)
    return name if name in numbers else name.rpartition("-")[0]


def _row_of(row: Quarantined, rows: Mapping[str, int], tables: TablePart) -> int | None:
    known = rows.get(str(row.recording_id))
    return known or tables.numbers.get(_study_of(row.recording_id, tables.numbers))


def _without(
    cohort: Cohort, labels: pd.Series | None, tables: TablePart, target: str
) -> list[dict[str, Any]]:
    """Return the rows of the table whose patient has no outcome."""
    if labels is None or tables.rows is None:
        return []
    loaded = set(cohort.samples.table["study_id"].astype(str))
    rows: Sequence[Any] = [
        (str(study), str(patient))
        for study, patient in tables.rows["patient_id"].items()
        if str(patient) not in labels.index and str(study) in loaded
    ]
    return [
        {
            "row": tables.numbers.get(study),
            "study_id": study,
            "patient_id": patient,
            "reason": f"{target} is missing",
        }
        for study, patient in rows
    ]
