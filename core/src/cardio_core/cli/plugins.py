"""`cardio plugins`."""

from __future__ import annotations

import json

import click

from cardio_core.cli.main import LazyGroup
from cardio_core.types.info import PluginInfo


@click.group(
    cls=LazyGroup,
    lazy={
        "list": ("cardio_core.cli.plugins:list_", "Every installed plugin, broken ones with why."),
        "info": ("cardio_core.cli.plugins:info", "One plugin: tasks, models, targets, needs."),
        "new": ("cardio_core.cli.plugins_new:new", "Make a plugin that runs as it is."),
        "check": ("cardio_core.cli.plugins_check:check", "Whether a plugin keeps its contract."),
    },
)
def plugins() -> None:
    """What is installed, and what it can do."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List every installed plugin; a broken one with its reason."""
    from cardio_core.registry import list_plugins

    found = list(list_plugins())
    if as_json:
        rows = [
            {
                "name": plugin.name,
                "distribution": plugin.distribution,
                "version": plugin.version,
                "title": plugin.info.title if plugin.info else None,
                "tasks": [task.name for task in plugin.info.tasks] if plugin.info else [],
                "broken": plugin.reason or None,
                "more": list(plugin.more),
            }
            for plugin in found
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    if not found:
        click.echo("No plugin is installed. Install one: pip install ./plugins/NAME")
    for plugin in found:
        click.echo(f"{plugin.name}  {plugin.version}  ({plugin.distribution})")
        if plugin.info:
            click.echo(f"    {plugin.info.title}")
            click.echo(f"    tasks: {', '.join(task.name for task in plugin.info.tasks)}")
        else:
            click.echo(f"    broken: {plugin.reason}")
        for fault in plugin.more:
            click.echo(f"    and: {fault}")


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(name: str, as_json: bool) -> None:
    """Describe one plugin: its tasks, models, targets, needs, configurations and papers."""
    from cardio_core.config import named_configs
    from cardio_core.registry import open_plugin

    plugin = open_plugin(name)
    about = plugin.info
    configs = list(named_configs(about.configs))
    if as_json:
        click.echo(json.dumps(_as_dict(about, plugin.version, configs), indent=2))
        return
    click.echo(f"{about.name} {plugin.version}: {about.title}")
    for task in about.tasks:
        default = " (default)" if task.name == about.default_task else ""
        click.echo(f"\n  task {task.name}{default}: {task.title}, by {task.unit}")
        for target in task.targets:
            kind = ", ".join(target.classes) or target.unit
            click.echo(f"    target {target.name}: {target.kind} ({kind})")
        for model in task.models:
            click.echo(f"    model {model.name}: {model.title}")
        for need in task.needs:
            users = f", for {', '.join(need.models)}" if need.models else ""
            click.echo(f"    needs {need.task}, of {need.patients} patients{users}")
        if task.plans:
            click.echo(f"    split plans: nested, holdout, {', '.join(task.plans)}")
        for option in task.options:
            click.echo(f"    option {option.metavar}: {option.help}")
    click.echo(f"\n  configurations: {', '.join(configs)}")
    for paper in about.papers:
        click.echo(f"  cite: {paper}")


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
