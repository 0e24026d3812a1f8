"""`cardio plugins info`."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from cardio_core.cli.completion import plugin_names, task_names
from cardio_core.types.info import PluginInfo, Target, Task

if TYPE_CHECKING:
    from cardio_core.io.cohorts.template import TemplateColumn
    from cardio_core.registry.settings import Setting

_WIDTH = 100
_NUMBERED = re.compile(r"\d+$")


@click.command()
@click.argument("name", shell_complete=plugin_names)
@click.option(
    "--task",
    shell_complete=task_names,
    help="With --settings or --columns: one task; else the default one.",
)
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
        found: dict[str, list[Any]] = {}
        if settings:
            found["settings"] = _settings(about, chosen)
        if columns:
            found["columns"] = _columns(about, chosen)
        if as_json:
            rows = {name: [_plain(row) for row in rows] for name, rows in found.items()}
            click.echo(json.dumps(rows, indent=2))
            return
        click.echo(f"{about.name} {plugin.version}, task {chosen.name}: {chosen.title}")
        for name, rows_of in found.items():
            click.echo(f"\n{_HEADS[name]}")
            for row in rows_of:
                for line in _LINES[name](row):
                    click.echo(line)
        return
    configs = list(named_configs(about.configs))
    if as_json:
        click.echo(json.dumps(_as_dict(about, plugin.version, configs), indent=2))
        return
    click.echo(f"{about.name} {plugin.version}: {about.title}")
    for one in about.tasks:
        default = " (default)" if one.name == about.default_task else ""
        click.echo(f"\n  task {one.name}{default}: {one.title}, by {one.unit}")
        for line in _target_lines(one.targets):
            click.echo(f"    target {line}")
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
    some = f" [--task {'|'.join(one.name for one in about.tasks)}]" if len(about.tasks) > 1 else ""
    for more in ("settings", "columns"):
        click.echo(f"  {more}: cardio plugins info {name} --{more}{some}")


def _target_lines(targets: Sequence[Target]) -> Iterator[str]:
    """Yield a line a target; targets that differ by their last number alone share one."""
    kinds = {one.name: f"{one.kind} ({', '.join(one.classes) or one.unit})" for one in targets}
    for (_, kind), run in groupby(kinds, lambda name: (_NUMBERED.sub("", name), kinds[name])):
        names = list(run)
        if len(names) > 1:
            yield f"{names[0]} ... {names[-1]}: {len(names)}, each {kind}"
        else:
            yield f"{names[0]}: {kind}"


def _settings(about: PluginInfo, task: Task) -> list[Setting]:
    from cardio_core.registry.settings import settings_of

    return list(settings_of(about, task))


def _columns(about: PluginInfo, task: Task) -> list[TemplateColumn]:
    from cardio_core.io.cohorts.template import template_columns

    return template_columns(about, task)


def _plain(row: Any) -> dict[str, object]:
    """Return a row as JSON holds it."""
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in vars(row).items()
    }


def _setting_lines(one: Setting) -> Iterator[str]:
    from cardio_core.registry.described import other_lines, setting_words, shown, usual_lines

    usual = usual_lines(one)
    others = "".join(
        f"; {shown(value)} in {name}"
        for name, value in one.elsewhere.items()
        if not isinstance(value, Mapping)
    )
    yield _filled(f"{one.path}{'' if usual else f' = {shown(one.default)}'}{others}", 2, more=6)
    yield _filled(setting_words(one), 6)
    for line in usual:
        yield _filled(line, 8, more=4)
    for name in one.elsewhere:
        if different := other_lines(one, name):
            yield f"      in {name}:"
            for line in different:
                yield _filled(line, 8, more=4)


def _column_lines(one: TemplateColumn) -> Iterator[str]:
    from cardio_core.registry.described import column_words

    yield f"  {one.name}"
    yield _filled(column_words(one), 6)


def _filled(text: str, indented: int, more: int = 0) -> str:
    """Return a text in lines of the page's width; `more` sets those after the first further in."""
    return textwrap.fill(
        text, _WIDTH, initial_indent=" " * indented, subsequent_indent=" " * (indented + more),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


_HEADS = {
    "settings": "Settings (--set PATH=VALUE, or a YAML file for --config), with their defaults:",
    "columns": "Columns of the cohort table (cardio data template writes one):",
}
_LINES: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "settings": _setting_lines, "columns": _column_lines,
}  # fmt: skip


def _as_dict(about: PluginInfo, version: str, configs: list[str]) -> dict[str, object]:
    return {
        "name": about.name,
        "version": version,
        "title": about.title,
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
