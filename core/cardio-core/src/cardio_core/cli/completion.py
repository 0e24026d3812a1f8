"""`cardio completion`, and what completes names: of plugins, tasks and configurations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cardio_stats.errors import CardioError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from cardio_core.types.info import PluginInfo

_WHERE = {
    "bash": 'eval "$(cardio completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(cardio completion zsh)" in ~/.zshrc, after compinit',
    "fish": "cardio completion fish > ~/.config/fish/completions/cardio.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(_WHERE)))
def completion(shell: str) -> None:
    """Print what lets SHELL complete commands, options and names.

    For bash, put this into ~/.bashrc: eval "$(cardio completion bash)". zsh takes the same line
    with zsh in ~/.zshrc; for fish, write the output to ~/.config/fish/completions/cardio.fish.
    """
    from click import shell_completion

    from cardio_core.cli.main import cardio

    kinds: dict[str, type[shell_completion.ShellComplete]] = {
        "bash": shell_completion.BashComplete,
        "zsh": shell_completion.ZshComplete,
        "fish": shell_completion.FishComplete,
    }
    script = kinds[shell](cardio, {}, "cardio", "_CARDIO_COMPLETE").source()
    click.echo(f"# {_WHERE[shell]}\n{script}")


def plugin_names(_ctx: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Return the installed plugins whose names begin so; opens none of them."""
    return [name for name in _installed() if name.startswith(begun)]


def task_names(ctx: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Return the tasks of the plugin that was typed, or of all where none was."""
    tasks = dict.fromkeys(task.name for about in _typed(ctx) for task in about.tasks)
    return [name for name in tasks if name.startswith(begun)]


def config_names(ctx: click.Context, _option: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the configurations of the plugin that was typed, or of all; else files."""
    from click.shell_completion import CompletionItem

    from cardio_core.config import named_configs

    names = dict.fromkeys(name for about in _typed(ctx) for name in named_configs(about.configs))
    found = [CompletionItem(name) for name in names if name.startswith(begun)]
    return found or [CompletionItem(begun, type="file")]


def _installed() -> list[str]:
    from importlib.metadata import entry_points

    return sorted({entry.name for entry in entry_points(group="cardio.plugins")})


def _typed(ctx: click.Context) -> Iterator[PluginInfo]:
    """Yield the plugin that stands on the command line so far; all of them where none does.

    An argument is no parameter yet while the option after it lacks its value: then it is among
    the words that are left. A plugin that cannot be opened completes nothing, silently, for the
    shell has no place for a reason.
    """
    from cardio_core.registry import open_plugin

    installed = _installed()
    words = [ctx.params.get("plugin"), ctx.params.get("name"), *ctx.args]
    typed = [word for word in words if word in installed][:1]
    for name in typed or installed:
        try:
            yield open_plugin(name).info
        except CardioError:
            continue
