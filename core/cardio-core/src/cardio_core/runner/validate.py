"""A check of a cohort: tables, paths, recordings, duplicates, outcome and covariates at once."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cardio_core.compute.executors import at_once, parse_executor
from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.errors import CardioError, ConfigError, DataError, HookError
from cardio_core.evaluation.clinical_model import by_patient
from cardio_core.fold_assignment import link_subjects
from cardio_core.io.cohort import find_cohort_table, notes_on_tables
from cardio_core.io.cohort_columns import COLUMNS, label_of
from cardio_core.io.cohort_table import SEPARATOR, existing_paths, forgiving, inspect_cohort_table
from cardio_core.io.cohort_template import column_of
from cardio_core.io.hashing import file_digest
from cardio_core.io.store import open_cache
from cardio_core.runner.fingerprints import Seen, Watched, fingerprint, same_signals
from cardio_core.runner.hook_calls import call
from cardio_core.runner.inputs import find_recordings
from cardio_core.runner.outcome import give_outcome, with_outcome
from cardio_core.runner.patients import checked_covariates, guard_covariates, patient_labels
from cardio_core.runner.prepare import (
    UnusableCohortError,
    account,
    make_patient,
    no_samples,
    summed,
)
from cardio_core.runner.progress import Echo, Progress, Slow, several
from cardio_core.runner.provenance import alike
from cardio_core.runner.request import RunRequest
from cardio_core.runner.setup import Setup, find_data, opened, set_up
from cardio_core.types.info import Target, Task
from cardio_core.types.samples import Cohort, Quarantined, SampleSet

# Who is in a cohort: patients with and without outcome, by class, and what is known of them.

EVENTS_A_PREDICTOR = 10
"""Patients of the rarer class that a rule of thumb asks for each predictor of a regression."""


def outcome_summary(labels: pd.Series | None, patients: Sequence[str], target: Target) -> Any:
    """Count patients with and without outcome, and by class; None where patients have none."""
    if labels is None:
        return None
    known = labels[labels.index.isin(set(patients))]
    about: dict[str, Any] = {
        "target": target.name,
        "n_with": len(known),
        "n_without": len(patients) - len(known),
    }
    if target.kind == "continuous":
        numbers = known.astype(float)
        if len(numbers):
            quartiles = numbers.quantile([0, 0.5, 1])
            about["range"] = [float(value) for value in quartiles]
        return about | {"n_predictors": len(known) // (2 * EVENTS_A_PREDICTOR)}
    counts = {str(name): int((known == name).sum()) for name in target.classes}
    rarest = min(counts.values(), default=0)
    return about | {"by_class": counts, "n_predictors": rarest // EVENTS_A_PREDICTOR}


def missing_covariates(
    table: pd.DataFrame | None, patients: Sequence[str], task: Task, requested: Sequence[str]
) -> list[dict[str, Any]]:
    """Count the patients who lack each covariate: those asked for, read by the task, or known."""
    if table is None:
        return []
    named = [*requested, *task.columns, *(str(name) for name in table.columns)]
    chosen = [
        name
        for name in dict.fromkeys(named)
        if name in requested or (name in COLUMNS and COLUMNS[name].use == "patient")
    ]
    known = by_patient(table, chosen).reindex(list(patients))
    counts = []
    for name in chosen:
        absent = name not in known.columns
        n = len(patients) if absent else int(known[name].isna().sum())
        if n:
            row = {"column": name, "label": label_of(name), "n_missing": n, "absent": absent}
            counts.append(row | {"read_for": task.columns.get(name, "")})
    return counts


def sentences(answer: Mapping[str, Any]) -> list[str]:
    """Return the summary in words, a sentence a line."""
    n_bad = answer["n_recordings"] - answer["n_usable"]
    lines = [
        f"{answer['n_usable']} of {answer['n_recordings']} recordings can be used by "
        f"{answer['plugin']} {answer['task']}: {several(answer['n_patients'], 'patient')}, "
        f"{several(answer['n_samples'], 'sample')}" + (f"; {n_bad} cannot." if n_bad else ".")
    ]
    outcome = answer["outcome"]
    if answer["no_outcome"]:
        if answer["n_usable"]:
            lines.append(f"To be measured, they need no outcome: {answer['to_measure']}")
        lines.append(f"cardio run needs one, and none is known: {answer['no_outcome']}.")
        if answer["n_usable"] and answer["to_table"]:
            lines.append(f"A table to write it into: {answer['to_table']}")
    if outcome is None:
        return lines
    name = outcome["target"]
    lines.append(
        f"Outcome {name}: known of {outcome['n_with']} patients, missing of {outcome['n_without']}"
        + (", who are not tested." if outcome["n_without"] else ".")
    )
    if "by_class" in outcome:
        shown = ", ".join(f"{n} {key}" for key, n in outcome["by_class"].items())
        lines.append(f"By class: {shown}.")
    elif "range" in outcome:
        low, middle, high = outcome["range"]
        lines.append(f"From {low:g} to {high:g}, median {middle:g}.")
    n = outcome["n_predictors"]
    few = "no clinical predictor" if not n else f"about {n} clinical predictor{'s' * (n > 1)}"
    rule = (
        f"{EVENTS_A_PREDICTOR} patients of the rarer class for each"
        if "by_class" in outcome
        else f"{2 * EVENTS_A_PREDICTOR} patients for each"
    )
    lines.append(f"Enough for {few} in a regression (rule of thumb: {rule}).")
    return lines


# What a check found: where, what, and what to do.

Weight = Literal["stops", "set aside", "noted"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes
    ----------
    weight : {"stops", "set aside", "noted"}
        What `cardio run` does with it: stops, goes on without that recording, or says it.
    kind : {"table", "path", "recording", "duplicate"}
    says : str
        What was expected, what was found, and what to do.
    row : int or None
        In the file, as a spreadsheet counts: the header is row 1.
    column : str
        Of the table; empty where the row is meant.
    who : str
        Id of the recording or the study; empty where there is none.
    cell : str
        What stood in the cell.
    """

    weight: Weight
    kind: Literal["table", "path", "recording", "duplicate"]
    says: str
    row: int | None = None
    column: str = ""
    who: str = ""
    cell: str = ""

    @property
    def place(self) -> str:
        """``"row 5, age_y"``."""
        parts = [f"row {self.row}" if self.row else "", self.column or self.who]
        return ", ".join(part for part in parts if part)

    def line(self) -> str:
        """Return the finding in one line, with the cell where it is short."""
        shown = f" ({self.cell!r})" if self.cell and len(self.cell) <= 40 else ""
        return f"{self.place}{shown}: {self.says}" if self.place else self.says

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with those that stop a run first, then by row, each once."""
    weights = {"stops": 0, "set aside": 1, "noted": 2}
    once = dict.fromkeys(findings)
    return sorted(once, key=lambda item: (weights[item.weight], item.row or 0, item.who))


# The cohort tables of a check: bad cells, wrong paths, and which row a study stands in.

_SUFFIXES = ("", ".hea", ".dat", ".atr")


@dataclass(frozen=True)
class TablePart:
    """What the tables among some inputs hold.

    `numbers` is the row in the file of each study, `bad_paths` the studies with a path that leads
    nowhere, whose recordings need not be told again.
    """

    names: tuple[str, ...]
    rows: pd.DataFrame | None
    numbers: Mapping[str, int]
    findings: tuple[Finding, ...]
    bad_paths: frozenset[str]


def look_at_tables(inputs: Iterable[Path], paths: tuple[str, ...]) -> TablePart:
    """Read every cohort table as far as it can be read.

    Raises
    ------
    DataError
        If one cannot be read at all.
    """
    files = [file for path in inputs if (file := find_cohort_table(path)) is not None]
    findings: list[Finding] = []
    rows: list[pd.DataFrame] = []
    numbers: dict[str, int] = {}
    bad: set[str] = set()
    for path in files:
        table = inspect_cohort_table(path, paths)
        findings += [
            Finding("stops", "table", problem.says, problem.row, problem.column, cell=problem.cell)
            for problem in table.problems
        ]
        rows.append(table.rows)
        numbers |= table.numbers
        for column in (name for name in paths if name in table.rows.columns):
            wrong = _wrong_paths(table.rows[column], table.numbers, path.parent)
            findings += wrong
            bad |= {item.who for item in wrong}
    return TablePart(
        tuple(path.name for path in files),
        pd.concat(rows) if rows else None,
        numbers,
        tuple(findings),
        frozenset(bad),
    )


def _wrong_paths(cells: pd.Series, numbers: Mapping[str, int], folder: Path) -> list[Finding]:
    findings = []
    for study, cell in cells.items():
        for path in cell:
            if any(path.with_suffix(suffix).exists() for suffix in _SUFFIXES if not path.suffix):
                continue  # a WFDB record may be named without its suffix
            try:
                existing_paths((path,))
            except DataError as error:
                shown = path.relative_to(folder) if path.is_relative_to(folder) else path
                findings.append(
                    Finding("set aside", "path", str(error), numbers.get(str(study)),
                            str(cells.name), str(study), str(shown))
                )  # fmt: skip
    return findings


# Reading every recording of a cohort, in processes, and finding those that stand there twice.


@dataclass(frozen=True)
class ReadJob:
    """Everything a worker needs to read one patient's recordings."""

    plugin: str
    config: RunConfig
    ctx: Context
    samples: SampleSet
    files: Mapping[str, tuple[Path, ...]]
    may_open: tuple[Path, ...]


@dataclass(frozen=True)
class Read:
    """What became of one patient's recordings.

    Attributes
    ----------
    usable : list of dict
        recording_id, patient_id, n_samples.
    quarantined : tuple of Quarantined
    prints : dict of str to array
        What each recording looks like, by recording.
    digests : dict of str to tuple of str
        SHA-256 of each recording's own files.
    """

    usable: list[dict[str, Any]]
    quarantined: tuple[Quarantined, ...]
    prints: dict[str, str]
    digests: dict[str, tuple[str, ...]]


def read_patient(job: ReadJob, device: Any = None) -> Read:
    """Open and preprocess one patient's recordings."""
    table = job.samples.table
    seen: dict[int, Seen] = {}
    watched = SampleSet(table, Watched(job.samples.values, seen))
    plugin = opened(job.plugin)
    made = make_patient(plugin, job.config, job.ctx, watched, job.may_open, featurize=False)
    n_samples = Counter(() if made.samples is None else made.samples.table["recording_id"])
    quarantined = list(made.quarantined)
    refused = {row.recording_id for row in quarantined}
    usable = []
    for recording, patient in zip(table["recording_id"], table["patient_id"], strict=True):
        if recording in refused:
            continue
        if not n_samples[recording]:
            reason = "preprocess made no sample of it"
            quarantined.append(Quarantined(recording, "preprocess", reason))
            continue
        row = {"recording_id": recording, "patient_id": patient, "n_samples": n_samples[recording]}
        usable.append(row)
    names = list(table["recording_id"])
    return Read(
        usable,
        tuple(quarantined),
        {
            str(names[place]): fingerprint(file.looks)
            for place, file in seen.items()
            if file.looks is not None
        },
        {
            str(name): tuple(file_digest(path) for path in job.files[name] if path.is_file())
            for name in names
        },
    )


def find_duplicates(
    reads: Sequence[Read], people: Mapping[str, str], rows: Mapping[str, int]
) -> list[Finding]:
    """Return recordings that hold one file, or one signal, under two names.

    Parameters
    ----------
    reads : sequence of Read
    people : mapping of recording to person
        Ids that `subject_link` joins are one person.
    rows : mapping of recording to row of the table
    """
    owner: dict[str, str] = {}
    pairs: dict[tuple[str, str], str] = {}
    for name, own in ((name, own) for read in reads for name, own in read.digests.items()):
        for digest in own:
            first = owner.setdefault(digest, name)
            if first != name:
                pairs[first, name] = "the same file"
    for pair in same_signals(
        {name: found for read in reads for name, found in read.prints.items()}
    ):
        if not {pair, pair[::-1]} & set(pairs):
            pairs[pair] = "the same signal, in another file,"
    return [_duplicate(what, value, other, people, rows) for (value, other), what in pairs.items()]


def _duplicate(
    what: str, text: str, other: str, people: Mapping[str, str], rows: Mapping[str, int]
) -> Finding:
    if rows.get(text, 0) > rows.get(other, 0):
        text, other = other, text
    shared = people[text] == people[other]
    where = f"row {rows[text]}" if text in rows else f"recording {text}"
    do = "keep one"
    if not shared:
        do = "remove one, or link the patients with subject_link if they are one person"
    whose = "of the same patient" if shared else "of another patient"
    return Finding(
        "noted" if shared else "stops",
        "duplicate",
        f"{what} as {where}, {whose}; {do}",
        rows.get(other),
        who=other,
    )


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
    with forgiving():
        inputs = find_data(setup, request, open_cache())
        tables = look_at_tables(inputs, tuple(setup.plugin.info.paths))
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
    requested = (*config.covariates, *((config.outcome.column,) if config.outcome.column else ()))
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
        "findings": [item.to_dict() for item in in_order(findings)],
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
        "notes": list(
            dict.fromkeys([*map(str, cohort.notes), *_on_tables(setup, inputs, requested)])
        ),
    }


def _on_tables(setup: Setup, inputs: Iterable[Path], requested: Collection[str]) -> tuple[str, ...]:
    return notes_on_tables(inputs, setup.plugin.info, used=requested, named=True)


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
    return Cohort(no_samples(), {}, None, tables.rows)


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
        sidecars = tuple(file for name in samples.table.index for file in cohort.files[name])
        jobs.append(ReadJob(setup.plugin.info.name, config, own, samples, files, sidecars))
    number_of = {str(job.samples.table.index[0]): number for number, job in enumerate(jobs)}
    with (
        parse_executor(workers) as executor,
        alike(executor, setup.plugin, folders=(), inputs=ctx._inputs),
    ):
        slow = Slow([list(map(str, job.samples.table.index)) for job in jobs], at_once(executor))
        with Progress("reading", len(jobs), echo, "patients", under_way=slow) as progress:

            def done(read: Read) -> None:
                slow.done(number_of[next(iter(read.digests))])
                progress.advance()

            return executor.map(read_patient, jobs, on_done=done)


def _people(cohort: Cohort) -> dict[str, str]:
    table = cohort.samples.table
    if not len(table):
        return {}
    return dict(zip(table.index.astype(str), link_subjects(table), strict=True))


def _rows(cohort: Cohort, numbers: Mapping[str, int]) -> dict[str, int]:
    studies = cohort.samples.table["study_id"].astype(str)
    return {str(name): numbers[study] for name, study in studies.items() if study in numbers}


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


# A cohort table of the studies that files and folders hold, to be completed by hand.

_MANY = 8
"""Patients from which on processes are started sooner than all is read in this one."""


@dataclass(frozen=True)
class Draft:
    """What was found, a row a study.

    Attributes
    ----------
    column : str
        Of the recordings.
    rows : tuple of (str, str)
        Of each study the number of its patient, ``"P001"``, and the cell of its recordings.
    n_patients, n_recordings : int
    n_refused : int
        Recordings and inputs that cannot be used.
    several : int
        Patients with more than one study.
    distinguished : bool
        Whether something in the files says who is one patient: headers, or names of files.
    """

    column: str
    rows: tuple[tuple[str, str], ...]
    n_patients: int
    n_recordings: int
    n_refused: int
    several: int
    distinguished: bool


def draft(
    plugin: str, task: str | None, inputs: Sequence[Path], table: Path, echo: Echo | None = None
) -> Draft:
    """Find the studies of files and folders, searched to their ends, as `cardio measure` does.

    Every recording is read once, so that none gets a row that cannot be used. Nothing of a header
    is taken over; patients are numbered in the order in which they are found.

    Parameters
    ----------
    plugin, task : str
        Whose recordings they are.
    inputs : sequence of Path
        Files and folders.
    table : Path
        Where the table will stand: paths in its cells start at its folder.
    echo : callable, optional
        Takes lines of progress.

    Raises
    ------
    ConfigError
        If an input is missing or has a cohort table already, or the task takes several kinds of
        recordings that look alike.
    UnusableCohortError
        If nothing can be used.
    """
    request = RunRequest(plugin, task, tuple(inputs), protocol="honest", device="cpu")
    setup = set_up(request)
    column = column_of(setup.plugin.info, setup.task)
    for path in inputs:
        if path.exists() and (known := find_cohort_table(path)) is not None:
            raise ConfigError(
                f"--from {path}: has a cohort table already ({known.name}); expected recordings "
                f"without one; cardio data check {path} --plugin {plugin} says what is in it"
            )
    config = setup.config.for_protocol("honest")
    ctx = Context(setup.task, mode="predict", device=None, cache=None)
    found = find_recordings(setup.plugin, config, ctx, inputs)
    samples = found.cohort.samples.table
    workers = request.executor if samples["patient_id"].nunique() >= _MANY else "local:1"
    reads = read_all(setup, config, ctx, found.cohort, workers, echo)
    good = {str(row["recording_id"]) for read in reads for row in read.usable}
    usable = samples[samples["recording_id"].astype(str).isin(good)]
    if usable.empty:
        raise DataError(
            f"--from: expected recordings that can be used, found {len(samples)} that cannot; the "
            f"first: {next(row.reason for read in reads for row in read.quarantined)}"
        )
    folder = table.resolve().parent
    numbers: dict[str, str] = {}
    rows = []
    studies = usable.groupby(["patient_id", "study_id"], sort=False)["recording_id"]
    for (patient, _), recordings in studies:
        number = numbers.setdefault(str(patient), f"P{len(numbers) + 1:03d}")
        cells = [_cell(found.cohort, str(recording), folder) for recording in recordings]
        rows.append((number, SEPARATOR.join(cells)))
    n_studies = Counter(number for number, _ in rows)
    return Draft(
        column,
        tuple(rows),
        n_patients=len(numbers),
        n_recordings=len(usable),
        n_refused=len(found.cohort.quarantined) + len(found.refused) + len(samples) - len(usable),
        several=sum(n > 1 for n in n_studies.values()),
        distinguished=len(numbers) < len(usable),
    )


def _cell(cohort: Cohort, recording: str, folder: Path) -> str:
    """Return a recording's file, or the folder where it is several, as a cell names it."""
    own = cohort.own_files(recording)
    heads = {path.with_suffix("") for path in own}
    place = own[0] if len(heads) == 1 else Path(os.path.commonpath(own))
    try:
        shown = Path(os.path.relpath(place, folder)).as_posix()
    except ValueError:  # another drive
        shown = place.as_posix()
    if SEPARATOR in shown:
        raise ConfigError(
            f"{place.name}: expected a name without {SEPARATOR!r}, which separates files in a "
            "cell; rename it"
        )
    return shown
