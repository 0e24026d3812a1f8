"""`cardio plugins info`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from cardio_core.cli.completion import plugin_names
from cardio_core.types.info import PluginInfo, Task

_WIDTH = 100


@click.command()
@click.argument("name", shell_complete=plugin_names)
@click.option("--task", help="With --settings or --columns: one task; else the default one.")
@click.option("--settings", is_flag=True, help="Every setting: values, defaults, what it does.")
@click.option("--columns", is_flag=True, help="Every column of a cohort table that is read.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name: str, task: str | None, settings: bool, columns: bool, as_json: bool) -> None:
    """Describe one plugin: its tasks, models, targets, needs, configurations and papers.

    With --settings or --columns: what may be set for a task, or what its cohort table may hold.
    """
    from cardio_core.config import named_configs
    from cardio_core.registry import open_plugin
    from cardio_core.runner.at_the_door import find_task

    plugin = open_plugin(name)
    about = plugin.info
    if settings or columns:
        chosen = find_task(plugin, task)
        asked = {"settings": _settings, "columns": _columns}
        found = {
            name: list(rows(about, chosen))
            for name, rows in asked.items()
            if (settings if name == "settings" else columns)
        }
        if as_json:
            click.echo(json.dumps(found, indent=2))
            return
        click.echo(f"{about.name} {plugin.version}, task {chosen.name}: {chosen.title}")
        for name, rows in found.items():
            click.echo(f"\n{_HEADS[name]}")
            for row in rows:
                click.echo(_LINES[name](row))
        return
    configs = list(named_configs(about.configs))
    if as_json:
        click.echo(json.dumps(_as_dict(about, plugin.version, configs), indent=2))
        return
    click.echo(f"{about.name} {plugin.version}: {about.title}")
    for one in about.tasks:
        default = " (default)" if one.name == about.default_task else ""
        click.echo(f"\n  task {one.name}{default}: {one.title}, by {one.unit}")
        for target in one.targets:
            kind = ", ".join(target.classes) or target.unit
            click.echo(f"    target {target.name}: {target.kind} ({kind})")
        for model in one.models:
            click.echo(f"    model {model.name}: {model.title}")
        for need in one.needs:
            users = f", for {', '.join(need.models)}" if need.models else ""
            click.echo(f"    needs {need.task}, of {need.patients} patients{users}")
        if one.plans:
            click.echo(f"    split plans: nested, holdout, {', '.join(one.plans)}")
        for option in one.options:
            click.echo(f"    option {option.metavar}: {option.help}")
    click.echo(f"\n  configurations: {', '.join(configs)}")
    for paper in about.papers:
        click.echo(f"  cite: {paper}")


def _settings(about: PluginInfo, task: Task) -> Iterator[dict[str, object]]:
    from cardio_core.registry.settings import settings_of

    for one in settings_of(about, task):
        yield vars(one) | {"elsewhere": dict(one.elsewhere)}


def _columns(about: PluginInfo, task: Task) -> Iterator[dict[str, object]]:
    from cardio_core.io.cohorts.template import template_columns

    for one in template_columns(about, task):
        yield vars(one)


def _setting_line(row: dict[str, Any]) -> str:
    meaning = row["meaning"][:1].upper() + row["meaning"][1:]
    unit = f", {row['unit']}" if row["unit"] else ""
    others = "".join(
        f"; {json.dumps(value)} in {name}"
        for name, value in row["elsewhere"].items()
        if not isinstance(value, dict)
    )
    usual = "{...}" if isinstance(row["default"], dict) else json.dumps(row["default"])
    return _entry(f"{row['path']} = {usual}{others}", f"{row['takes']}{unit}. {meaning}")


def _column_line(row: dict[str, Any]) -> str:
    return _entry(row["name"], "; ".join(filter(None, (row["holds"], row["read_for"]))))


def _entry(head: str, body: str) -> str:
    """Return a head line with what it means below it, indented."""
    return f"  {head}\n" + textwrap.fill(
        body, _WIDTH, initial_indent="      ", subsequent_indent="      "
    )


_HEADS = {
    "settings": "Settings (--set PATH=VALUE, or a YAML file for --config), with their defaults:",
    "columns": "Columns of the cohort table (cardio data template writes one):",
}
_LINES = {"settings": _setting_line, "columns": _column_line}


def _as_dict(about: PluginInfo, version: str, configs: list[str]) -> dict[str, object]:
    return {
        "name": about.name,
        "version": version,
        "title": about.title,
        "api": list(about.api),
        "default_task": about.default_task,
        "configs": configs,
        "papers": list(about.papers),
        "tasks": [
            {
                "name": task.name,
                "title": task.title,
                "unit": task.unit,
                "targets": [vars(target) for target in task.targets],
                "models": [vars(model) for model in task.models],
                "needs": [vars(need) for need in task.needs],
                "plans": ["nested", "holdout", *task.plans],
                "options": [vars(option) for option in task.options],
            }
            for task in about.tasks
        ],
    }
