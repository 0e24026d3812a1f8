"""Options that several commands take, one name each, and how a command ends.

Decorators for click commands of the core, of `cardio-studies` and of others that register in
``cardio.commands``; nothing heavy is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cardio_core.cli.completion import config_names, plugin_names, task_names
from cardio_core.cli.plugin_options import WithPluginOptions as WithPluginOptions
from cardio_core.cli.plugin_options import given as given
from cardio_stats.cli.options import JSON as JSON
from cardio_stats.cli.options import LEVEL as LEVEL
from cardio_stats.cli.options import SEED as SEED
from cardio_stats.cli.options import show as show
from cardio_stats.cli.options import with_layout as with_layout
from cardio_stats.errors import ConfigError

if TYPE_CHECKING:
    from cardio_core.runner.progress import Display

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def path(name: str, text: str, **about: Any) -> Callable[[Command], Command]:
    """Return an option that takes a path; `text` is its help."""
    return click.option(name, type=PATH, help=text, **about)


RUN = click.argument("run", type=PATH)
PLUGIN = click.option(
    "--plugin", required=True, shell_complete=plugin_names, help="Name of an installed plugin."
)
TASK = click.option(
    "--task", shell_complete=task_names,
    help="One of the plugin's tasks; its default task without this.",
)  # fmt: skip
CONFIG = click.option(
    "--config", shell_complete=config_names, help="default, cpu, full, smoke, or a YAML file."
)
SETS = click.option("--set", "sets", multiple=True, metavar="A.B=V", help="Change one setting.")
DEVICE = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)
EXECUTOR = click.option(
    "--executor", default="local", show_default=True,
    help="local (a process a core, or one a GPU for fits), local:N processes, dask:ADDRESS.",
)  # fmt: skip
PATIENT = click.option("--patient", metavar="COLUMN", help="Column that says whose row it is.")
SITE = click.option("--site", metavar="COLUMN", help="Column of where the patient was seen.")
SUBGROUPS = click.option(
    "--subgroup", "subgroups", multiple=True, metavar="COLUMN", help="2 to 5 groups; repeatable."
)
MAPPING = path(
    "--mapping",
    "Write which id is which file to this CSV; names of files can hold names of people.",
)


def allowing(**refused: str) -> Callable[[Command], Command]:
    """Add --allow NAME, which does what is refused without it; the texts say what that is."""
    text = "; ".join(f"{name}: {what}" for name, what in refused.items())
    choice = click.Choice(list(refused))
    return click.option("--allow", "allowed", type=choice, multiple=True, help=f"Allow {text}.")


def outcome_options(outcome: str, event: str) -> Callable[[Command], Command]:
    """Add --outcome, --event, --negative and --missing; the texts are the help of the first two."""

    def decorate(command: Command) -> Command:
        for option in (
            click.option("--missing", multiple=True, metavar="[COLUMN=]VALUE",
                         help="A value that means missing; repeatable."),
            click.option("--negative", multiple=True, metavar="VALUE",
                         help="A value without the event, where there are several; repeatable."),
            click.option("--event", metavar="VALUE", help=event),
            click.option("--outcome", metavar="COLUMN", help=outcome),
        ):  # fmt: skip
            command = option(command)
        return command

    return decorate


def _names(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


COVARIATES = click.option(
    "--covariates", callback=_names, metavar="A,B,...",
    help="Columns of the cohort table for subgroups and the clinical model.",
)  # fmt: skip


def _runs(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, Path]:
    pairs = {}
    for text in texts:
        task, equals, path = text.partition("=")
        if not equals:
            raise ConfigError(
                f"--from-run takes TASK=RUN, for example pretraining=runs/x; got {text!r}"
            )
        pairs[task] = Path(path)
    return pairs


FROM_RUN = click.option(
    "--from-run", "needs_from", multiple=True, callback=_runs, metavar="TASK=RUN",
    help="Finished run of a needed task; repeatable.",
)  # fmt: skip

# Who may read what a command writes of patients: its owner, and the group where that is asked.

OWNER, GROUP = 0o077, 0o027
"""Permissions that are withheld: of all others, or of those outside the group."""


def _withhold(ctx: click.Context, _: click.Parameter, group_readable: bool) -> None:
    if ctx.resilient_parsing:  # a shell completes a word
        return
    before = os.umask(0o777)
    # Bits that the umask withholds already stay withheld: it may be stricter.
    os.umask(before | (GROUP if group_readable else OWNER))
    ctx.call_on_close(lambda: os.umask(before))


group_readable = click.option(
    "--group-readable", is_flag=True, expose_value=False, callback=_withhold,
    help="Let the group read what is written; without it, the owner alone.",
)  # fmt: skip
"""For each command that writes rows of patients: files get 600 and folders 700, or 640 and 750."""


def typed() -> list[str]:
    """Return the words of the command line, or those that Python calls it with."""
    context = click.get_current_context(silent=True)
    words = (context.find_root().obj or {}).get("words") if context else None
    return ["cardio", *(sys.argv[1:] if words is None else words)]


def say(line: str) -> None:
    """Show a line of progress."""
    click.echo(line, err=True)


@contextmanager
def working(stage: str) -> Iterator[Display]:
    """Show how far a command that takes seconds has come."""
    from cardio_core.runner.progress import Display

    with Display(say, at_once=False) as display, display.stage(stage):
        yield display


def end(page: Path, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the manifest of a finished folder as JSON, or what was found and where the page is."""
    if as_json:
        click.echo((page.parent / "manifest.json").read_text(encoding="utf-8"))
        return
    for line in lines:
        click.echo(line)
    click.echo(f"Report: {page}")
