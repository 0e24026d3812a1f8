"""`cardio plugins`."""

from __future__ import annotations

import json

import click

from cardio_core.cli.stats.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    lazy={
        "list": ("cardio_core.cli.plugins:list_", "Every installed plugin, broken ones with why."),
        "info": (
            "cardio_core.cli.plugins_info:info",
            "One plugin: tasks, models, settings, columns.",
        ),
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
    from cardio_core.compute.installing import install_plugin
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
        click.echo(f"No plugin is installed. Install one: {install_plugin()}")
    for plugin in found:
        click.echo(f"{plugin.name}  {plugin.version}  ({plugin.distribution})")
        if plugin.info:
            click.echo(f"    {plugin.info.title}")
            click.echo(f"    tasks: {', '.join(task.name for task in plugin.info.tasks)}")
        else:
            click.echo(f"    broken: {plugin.reason}")
        for fault in plugin.more:
            click.echo(f"    and: {fault}")
