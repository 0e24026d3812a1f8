"""`cardio completion`, and what completes the names of plugins."""

from __future__ import annotations

import click

_WHERE = {
    "bash": 'eval "$(cardio completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(cardio completion zsh)" in ~/.zshrc, after compinit',
    "fish": "cardio completion fish > ~/.config/fish/completions/cardio.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(_WHERE)))
def completion(shell: str) -> None:
    """Print what lets SHELL complete commands, options and names of plugins.

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
    from importlib.metadata import entry_points

    names = {entry.name for entry in entry_points(group="cardio.plugins")}
    return sorted(name for name in names if name.startswith(begun))
