"""`cardio data template`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cardio_core.cli.completion import plugin_names


@click.command()
@click.argument("plugin", shell_complete=plugin_names)
@click.option("--task", help="One of the plugin's tasks; its default task without this.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The CSV to write; else it is printed."
)
@click.option("--json", "as_json", is_flag=True, help="Print the columns as JSON.")
def template(plugin: str, task: str | None, out: Path | None, as_json: bool) -> None:
    """Write a cohort table to fill in: the columns that PLUGIN reads, and two example rows.

    Columns that you do not have may go, and any others may be added: docs/cohort.md.
    """
    from cardio_core.errors import ConfigError
    from cardio_core.io.atomic import write_text
    from cardio_core.io.cohorts.template import template_columns, template_csv
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
    if out is None:
        click.echo(template_csv(columns), nl=False)
    elif out.exists():
        raise ConfigError(f"--out {out}: exists already; choose another name, nothing was written")
    else:
        write_text(out, template_csv(columns))
    wide = max(len(column.name) for column in columns)
    for column in columns:
        line = f"{column.name.ljust(wide)}  {column.holds}  ({column.read_for})"
        click.echo(line, err=out is None)
    said = ["Delete the two EXAMPLE rows when yours are in."]
    if chosen.any_outcome:
        said.append("An outcome of your own: a column of any name, and --outcome NAME.")
    if out is not None:
        said.append(f"Then: cardio data check {out} --plugin {plugin} --task {chosen.name}")
    for line in said:
        click.echo(line, err=out is None)
