"""From files to `measurements.csv`, a sheet a recording and one page; no label, no model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.compute.executors import Executor, at_once, executor_for
from cardio_core.compute.processes import Interrupted, one_thread
from cardio_core.context import Context
from cardio_core.io.cohort import shown_of
from cardio_core.io.hashing import digest
from cardio_core.io.run_artifact import DONE, RunKind
from cardio_core.report.measured import THUMBNAILS, write_page
from cardio_core.report.measurements import columns_file
from cardio_core.runner.facts import questions, write_template
from cardio_core.runner.filling import MANIFEST, filling
from cardio_core.runner.inputs import Found, find_recordings
from cardio_core.runner.lock import guard_free
from cardio_core.runner.manifest import Manifest, first_entries, now
from cardio_core.runner.measure_tables import (
    RECORDINGS_TABLE,
    TABLE,
    UNFINISHED,
    Done,
    Job,
    Line,
    Results,
    Summary,
    holds_measurements,
    measure_patient,
)
from cardio_core.runner.prepare import FILES, UnusableCohortError, no_samples
from cardio_core.runner.progress import Echo, Progress, Slow
from cardio_core.runner.provenance import alike, code_of
from cardio_core.runner.request import NOTHING_GIVEN, Given, RunRequest
from cardio_core.runner.setup import Setup, default_out, set_up
from cardio_core.types.redaction import without_names
from cardio_core.types.samples import Cohort
from cardio_stats.errors import ConfigError
from cardio_stats.files import SafeName

PATIENTS = "patients"
"""In the folder of what is unfinished: a file a patient who is measured already."""
PAGE, RECORDINGS_PAGE, SHEETS = "measurements.html", "recordings.html", "sheets"


@dataclass(frozen=True)
class MeasureRequest:
    """One request; the fields are the options of `cardio measure`.

    `given` is what was said with options that the plugin's task brings.
    """

    plugin: str
    inputs: tuple[Path, ...]
    task: str | None = None
    out: Path | None = None
    mapping: Path | None = None
    sheets: bool = True
    config: str | None = None
    sets: tuple[str, ...] = ()
    executor: str = "local"
    given: Given = NOTHING_GIVEN
    resume: bool = False
    command: str = ""


@one_thread()
def measure(
    request: MeasureRequest,
    echo: Echo | None = None,
    on_line: Callable[[dict[str, Any]], None] | None = None,
) -> Summary:
    """Measure every recording of the inputs.

    Parameters
    ----------
    request : MeasureRequest
        What was asked for.
    echo : callable, optional
        Takes lines of progress.
    on_line : callable, optional
        Takes each recording as JSON has it, when all are done.

    Returns
    -------
    Summary
        Counts; `n_measured` of 0 means that nothing could be measured, and `first_reason` why.

    Raises
    ------
    ConfigError
        If an input does not exist, the folder holds measurements, `resume` is asked for and it
        holds none to go on with, or a setting is wrong.
    """
    setup, config, ctx = _set_up(request)
    plugin, task = setup.plugin, setup.task
    out = request.out or default_out(setup, "measurements")
    identity = digest([code_of(plugin), task.source, config.model_dump(mode="json"),
                       request.sheets, repr(request.given.facts)])  # fmt: skip
    anew = _begins_anew(out, request, identity)
    others = [item.name for item in plugin.info.tasks if item.source != task.source]
    # Tasks that read the same recordings measure the same: its name would only puzzle.
    as_task = f", task {task.name}" if others else ""
    message = f" (measured as --task {task.name}; there is also {', '.join(others)})"
    summary = Summary(out, plugin.info.name, task.name, other_tasks=message if others else "")
    try:
        found = find_recordings(plugin, config, ctx, request.inputs)
    except UnusableCohortError as error:
        found = Found(Cohort(no_samples(), {}, quarantined=error.quarantined), ())
        if not error.quarantined:
            summary.first_reason = str(error)
            return summary
    if echo is not None:
        for text in questions(found.cohort):
            echo(text)
    n_patients = found.cohort.samples.table["patient_id"].nunique()
    executor = executor_for(request.executor, n_patients)
    out = out.absolute() if executor.remote else out
    first = first_entries(
        RunKind.MEASURED, out.name, request.command, plugin=plugin.info.name,
        plugin_version=plugin.version, task=task.name, identity=identity,
        data={"source": "given", "path_shown": shown_of(request.inputs)},
    )  # fmt: skip
    if anew:
        for name in (MANIFEST, *_OWN):
            (out / name).unlink(missing_ok=True)
    with filling(out, first, echo, resumes=True, others=True) as manifest:
        for name in _OWN:  # made again from what is kept of each patient
            (out / name).unlink(missing_ok=True)
        try:
            with executor, alike(executor, plugin, folders=(out,), inputs=request.inputs):
                done = _measure_all(setup, config, ctx, found.cohort, request, executor, out, echo)
        except KeyboardInterrupt:
            n = sum(1 for _ in (out / UNFINISHED / PATIENTS).glob("*.json"))
            many = f"{n} patient(s) are kept in {out / UNFINISHED}"
            raise Interrupted(f"Interrupted. {many}; go on with --resume") from None
        lines = [*(item.lines for item in done), *((line,) for line in _refused(found))]
        results = Results(found.cohort, lines, plugin.info.recording)
        results.count(summary)
        if on_line is not None:
            for row in results.as_json():
                on_line(row)
        _finish(out, manifest, request, found, results, summary, as_task)
    return summary


def _begins_anew(out: Path, request: MeasureRequest, identity: str) -> bool:
    """Whether the folder is to be begun, not gone on with."""
    guard_free(out)
    begun = (out / MANIFEST).is_file()
    content = Manifest.open(out).content if begun else {}
    if begun and content.get("kind") != RunKind.MEASURED:
        raise ConfigError(f"--out {out}: holds something else; name a new folder", code="exists")
    state = content.get("status")
    if holds_measurements(out) and (not begun or state == DONE):
        raise ConfigError(f"--out {out} already holds {TABLE}; choose another folder")
    unfinished = begun and state != DONE
    if not request.resume and unfinished:
        raise ConfigError(
            f"--out {out}: holds measurements that are not finished ({state}); go on with --resume "
            "or choose another --out"
        )
    if request.resume and not unfinished:
        raise ConfigError(
            f"--resume: --out {out} holds no measurements to go on with; leave --resume out"
        )
    if unfinished and content.get("identity") != identity:
        raise ConfigError(
            f"--out {out}: was begun with another task, other settings or other code; repeat its "
            "command (places.json) with --resume, or start anew with another --out"
        )
    return not unfinished


_OWN = (
    TABLE, columns_file(Path(TABLE)).name, RECORDINGS_TABLE,
    columns_file(Path(RECORDINGS_TABLE)).name, FILES, PAGE, RECORDINGS_PAGE,
)  # fmt: skip


def _finish(
    out: Path,
    manifest: Manifest,
    request: MeasureRequest,
    found: Found,
    results: Results,
    summary: Summary,
    as_task: str,
) -> None:
    """Write the tables and the pages, and say at last that it is done."""
    plugin = f"{summary.plugin} {manifest.content['plugin_version']}"
    message = request.given.sentence("Measured", request.sets)
    summary.files = results.write(out, request.mapping)
    absent = [summary.not_found] if summary.not_found else []
    summary.notes = tuple(dict.fromkeys((*message, *map(str, found.cohort.notes), *absent)))
    about: dict[str, Any] = {
        "by": f"{plugin}{as_task}", "made": now(),
        "notes": tuple(filter(None, (*summary.notes, summary.files))),
    }  # fmt: skip
    if results.several:
        write_page(out / RECORDINGS_PAGE, out / RECORDINGS_TABLE, **about)
    also = RECORDINGS_PAGE if results.several else ""
    write_page(out / PAGE, out / TABLE, of=summary.of, by_recording=also, **about)
    shutil.rmtree(out / SHEETS / THUMBNAILS, ignore_errors=True)
    shutil.rmtree(out / UNFINISHED, ignore_errors=True)
    data = manifest.content["data"] | {"n_recordings": summary.n_recordings}
    manifest.close(data=data, n_measured=summary.n_measured)


def write_facts_template(request: MeasureRequest, path: Path) -> tuple[int, int]:
    """Write the table of what files do not say, for a person to fill in; nothing is measured.

    Returns
    -------
    (int, int)
        Recordings, and those of which something is missing.

    Raises
    ------
    ConfigError, UnusableCohortError
        As of `measure`, or the file is there already.
    """
    setup, config, ctx = _set_up(request)
    cohort = find_recordings(setup.plugin, config, ctx, request.inputs).cohort
    return len(cohort.facts), write_template(path, cohort)


def _set_up(request: MeasureRequest) -> tuple[Setup, Any, Context]:
    setup = set_up(
        RunRequest(
            request.plugin,
            request.task,
            request.inputs,
            request.config,
            request.sets,
            protocol="honest",
            device="cpu",
            executor=request.executor,
            given=request.given,
        ),
        imports=False,
    )
    supplied = request.given
    ctx = Context(
        setup.task,
        mode="predict",
        measuring=True,
        device=None,
        cache=None,
        _option_files=supplied.files,
        _facts=supplied.facts,
    )
    return setup, setup.config.for_protocol("honest"), ctx


def _measure_all(
    setup: Setup,
    config: Any,
    ctx: Context,
    cohort: Cohort,
    request: MeasureRequest,
    executor: Executor,
    out: Path,
    echo: Echo | None,
) -> list[Done]:
    """Measure patient by patient; what was measured before is not measured again."""
    sheets = out / SHEETS if request.sheets else None
    jobs = list(_jobs(setup, config, ctx, cohort, sheets, out / UNFINISHED / PATIENTS))
    recordings = [list(map(str, job.samples.table["recording_id"])) for job in jobs]
    slow = Slow(recordings, at_once(executor))
    with Progress("measuring", len(jobs), echo, "patients", under_way=slow) as progress:

        def count(done: Done) -> None:
            slow.done(done.number)
            progress.advance()

        return executor.map(measure_patient, jobs, on_done=count)


def _jobs(
    setup: Setup, config: Any, ctx: Context, cohort: Cohort, sheets: Path | None, retained: Path
) -> Iterator[Job]:
    own = ctx.replace(_inputs=(), _facts={}, protocol=None, progress=None)
    patients = cohort.samples.table["patient_id"].astype(str).to_numpy()
    sheet_names = SafeName.of_all(map(str, cohort.samples.table["recording_id"]), ".png")
    rows_of: dict[str, list[int]] = {}
    for row, patient in enumerate(patients):
        rows_of.setdefault(patient, []).append(row)
    for number, rows in enumerate(rows_of.values()):
        samples = cohort.samples.take(np.array(rows))
        names = [str(name) for name in samples.table["recording_id"]]
        yield Job(
            number,
            setup.plugin.info.name,
            config,
            own,
            samples,
            {name: tuple(cohort.files[name]) for name in names},
            {name: cohort.own_files(name) for name in names},
            sheets,
            {name: sheet_names[name] for name in names},
            retained,
        )


def _refused(found: Found) -> Iterator[Line]:
    """Return a line for each recording that `load` set aside, and each input without one."""
    known = set(found.cohort.samples.table["recording_id"].astype(str))
    taken = set(known)
    table = found.cohort.table
    whose = {} if table is None else table["patient_id"].astype(str).to_dict()
    for row in found.cohort.quarantined:
        if row.recording_id in known:
            continue
        taken.add(row.recording_id)
        files = tuple(found.cohort.files.get(row.recording_id, row.files))
        reason = without_names(row.reason, files)
        patient = whose.get(row.recording_id, row.recording_id)
        yield Line(
            row.recording_id, patient, files, reason=reason, study_id=row.recording_id,
            excluded=row.code,
        )  # fmt: skip
    numbers = (str(n) for n in range(1, 10**9) if str(n) not in taken)
    for path, reason in found.refused:
        name = next(numbers)
        taken.add(name)
        reason = without_names(reason, (path,))
        yield Line(name, name, (path,), reason=reason, study_id=name)
