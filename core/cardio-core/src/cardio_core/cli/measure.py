"""`cardio measure`."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cardio_core.cli import options
from cardio_stats.errors import DataError


@click.command(cls=options.WithPluginOptions)
@click.argument("inputs", nargs=-1, required=True, type=options.PATH)
@options.PLUGIN
@options.TASK
@options.path("--out", "Folder for the results.  [default: measurements/...]")
@options.MAPPING
@click.option(
    "--resume", is_flag=True, help="Go on with the measurements in --out that were stopped."
)
@options.path(
    "--mapping-template",
    "Write a CSV of what each file says and lacks, for filling in, and measure nothing; it names "
    "files.",
)
@options.path("--facts", "That CSV, filled in.")
@click.option("--no-sheets", is_flag=True, help="Measure only; draw no sheet a recording.")
@options.CONFIG
@options.SETS
@options.EXECUTOR
@options.JSON
@options.group_readable
def measure(
    inputs: tuple[Path, ...],
    plugin: str,
    mapping_template: Path | None,
    facts: Path | None,
    no_sheets: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Measure recordings: no labels, no model.

    INPUT is a file, a folder (searched with its subfolders) or a cohort table, which needs no
    outcome. Writes measurements.csv (one line a recording, or a study of several; until all are
    measured it grows in the folder unfinished), sheets to check by eye, measurements.html, and
    files.csv, which says of every file that was read whether it was used. Recordings are numbered,
    unless a cohort table names them. What files lack is asked for in one table before anything is
    decoded; what can be measured without it is. Exits with 3 if nothing could be measured.
    """
    from cardio_core.registry import require_installed

    require_installed(plugin)
    own = options.given(plugin, settings["task"])

    from cardio_core.runner.facts import read_facts
    from cardio_core.runner.measure import PAGE, MeasureRequest, write_facts_template
    from cardio_core.runner.measure import measure as do
    from cardio_core.runner.measure_tables import TABLE

    n_printed = 0

    def print_line(line: dict[str, Any]) -> None:
        nonlocal n_printed
        begin = ",\n" if n_printed else '{\n"recordings": [\n'
        click.echo(f"{begin}{json.dumps(line, allow_nan=False)}", nl=False)
        n_printed += 1

    if facts is not None:
        own = replace(own, facts=read_facts(facts))
    command = shlex.join(options.typed())
    request = MeasureRequest(
        plugin, inputs, sheets=not no_sheets, given=own, command=command, **settings
    )
    if mapping_template is not None:
        n_recordings, n_lacking = write_facts_template(request, mapping_template)
        click.echo(
            f"{n_recordings} recordings, {n_lacking} of which lack something: {mapping_template}. "
            "Fill it in, and give it back with --facts."
        )
        return
    done = do(request, lambda line: click.echo(line, err=True), print_line if as_json else None)
    refused = done.n_recordings - done.n_measured
    if as_json:
        about = {"plugin": done.plugin, "task": done.task, "out": str(done.out),
                 "n_recordings": done.n_recordings, "n_measured": done.n_measured,
                 "n_refused": refused, "notes": list(done.notes),
                 "files": done.files or None}  # fmt: skip
        rest = json.dumps(about, indent=0)[2:]
        click.echo(("\n],\n" if n_printed else '{\n"recordings": [],\n') + rest)
    if not done.n_measured:
        raise DataError(
            f"none of {done.n_recordings or len(inputs)} {done.of}(s) could be measured; the "
            f"first: {done.first_reason}{done.other_tasks}"
        )
    studies = "study " if done.n_measured == 1 else "studies "
    counted = [f"{done.n_measured} {studies if done.of == 'study' else ''}measured"]
    counted += [f"{refused} refused"] if refused else []
    counted += [f"{done.n_flagged} flagged"] if done.n_flagged else []
    for line in (*done.notes, *([done.files] if done.files else [])):
        click.echo(line, err=True)
    click.echo(f"{', '.join(counted)}: {done.out / TABLE}", err=as_json)
    click.echo(f"To check by eye: {done.out / PAGE}", err=as_json)
