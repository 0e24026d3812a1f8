"""`cardio data template`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardio_core.cli.completion import plugin_names, task_names

if TYPE_CHECKING:
    from cardio_core.runner.checking.draft import Draft


@click.command()
@click.argument("plugin", shell_complete=plugin_names)
@click.option(
    "--task",
    shell_complete=task_names,
    help="One of the plugin's tasks; its default task without this.",
)
@click.option(
    "--from",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A row for each study found there, at any depth, in place of the example rows; may be "
    "repeated.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The CSV to write; else it is printed."
)
@click.option("--json", "as_json", is_flag=True, help="Print the columns as JSON.")
def template(
    plugin: str, task: str | None, inputs: tuple[Path, ...], out: Path | None, as_json: bool
) -> None:
    """Write a cohort table to fill in: the columns that PLUGIN reads, and two example rows.

    With --from, a row for each study of a folder of recordings: patients get running numbers, paths
    start at the folder of the table, and the rest is yours to fill in. Columns that you do not have
    may go, and any others may be added: docs/cohort.md.
    """
    from cardio_core.errors import ConfigError
    from cardio_core.io.atomic import write_text
    from cardio_core.io.cohorts.template import (
        PATIENT,
        table_csv,
        template_columns,
        template_csv,
    )
    from cardio_core.registry import require_installed
    from cardio_core.runner.at_the_door import find_task
    from cardio_core.runner.setup import open_with_defaults

    require_installed(plugin)
    opened = open_with_defaults(plugin)
    chosen = find_task(opened, task)
    columns = template_columns(opened.info, chosen)
    if as_json:
        click.echo(json.dumps([vars(column) for column in columns], indent=2))
        return
    if inputs and out is None:
        raise ConfigError("--from: expected --out TABLE.csv, for paths start at the table's folder")
    if out is not None and out.exists():
        raise ConfigError(f"--out {out}: exists already; choose another name, nothing was written")
    if out is None:
        click.echo(template_csv(columns), nl=False)
        said = ["Delete the two EXAMPLE rows when yours are in."]
    elif inputs:
        from cardio_core.runner.checking.draft import draft

        made = draft(plugin, chosen.name, inputs, out, click.echo)
        rows = [{PATIENT: number, made.column: cell} for number, cell in made.rows]
        write_text(out, table_csv([column.name for column in columns], rows))
        said = list(_found(made, plugin, inputs))
    else:
        write_text(out, template_csv(columns))
        said = ["Delete the two EXAMPLE rows when yours are in."]
    wide = max(len(column.name) for column in columns)
    for column in columns:
        line = f"{column.name.ljust(wide)}  {column.holds}  ({column.read_for})"
        click.echo(line, err=out is None)
    if chosen.any_outcome:
        said.append("An outcome of your own: a column of any name, and --outcome NAME.")
    if out is not None:
        said.append(f"Then: cardio data check {out} --plugin {plugin} --task {chosen.name}")
    for line in said:
        click.echo(line, err=out is None)


def _found(made: Draft, plugin: str, inputs: tuple[Path, ...]) -> Iterator[str]:
    """Yield what was found, and what is left to do."""
    from cardio_core.report.words import counted

    yield (
        f"Found {counted(made.n_recordings, 'recording')} in {counted(len(made.rows), 'study')} of "
        f"{counted(made.n_patients, 'patient')}: a row a study, its recordings in {made.column}."
    )
    if made.n_refused:
        where = " ".join(map(str, inputs))
        yield (
            f"Without a row, because it cannot be used: {counted(made.n_refused, 'recording')}; "
            f"cardio data check {where} --plugin {plugin} says why."
        )
    if made.told_apart:
        yield "Which studies are of one patient was told by the files: look whether it is right."
    else:
        yield (
            "No file says whose it is, so each stands as a patient: give recordings of one person "
            "one patient_id, or that person is trained on and tested."
        )
    if made.several:
        yield (
            f"{counted(made.several, 'patient')} with several studies: timepoint says which is the "
            "baseline."
        )
    yield "The patients are numbered: put your study's own numbers there, never a name."
