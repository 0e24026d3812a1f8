"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from cardio_core.cli.main import cardio
from cardio_stats.cli.lazy import registered


def pages() -> Iterator[tuple[str, str]]:
    """Yield one page for the whole command line."""
    lines = ["# Commands", "", inspect.cleandoc(cardio.help or ""), "",
             "Every command has `--help`; `cardio --debug COMMAND` shows an error's traceback.",
             "Exit codes: 0 done, 1 the work failed, 2 usage or configuration, 3 the data is not "
             "usable, 130, 143 and 129 interrupted (Ctrl-C, SIGTERM, SIGHUP).", "",
             *_examples("")]  # fmt: skip
    root = click.Context(cardio, info_name="cardio")
    for words, command, context in _commands(cardio, root):
        level = "##" if " " not in words else "###"
        lines += [f"{level} cardio {words}", ""]
        if isinstance(command, click.Group):
            lines += [prose(command.help or ""), "", *_examples(words)]
            continue
        pieces = " ".join(command.collect_usage_pieces(context))
        lines += ["```text", f"cardio {words} {pieces}", "```", "", prose(command.help or ""), ""]
        lines += [*_options(command, context), "", *_examples(words), ""]
    yield "reference/commands.md", "\n".join(lines) + "\n"


def prose(text: str) -> str:
    """Return a help text as Markdown: its angles and stars are letters."""
    return re.sub(r"([<>*|])", r"\\\1", inspect.cleandoc(text).replace("\b\n", ""))


def _commands(
    group: click.Group, above: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        if command is None:
            continue
        context = click.Context(command, info_name=name, parent=above)
        words = (*path, name)
        yield " ".join(words), command, context
        if isinstance(command, click.Group):
            yield from _commands(command, context, words)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    rows = [
        record
        for option in command.get_params(context)
        if (record := option.get_help_record(context))
        and isinstance(option, click.Option)
        and "--help" not in option.opts
    ]
    if rows:
        yield "| option | does |"
        yield "|---|---|"
    for typed, does in rows:
        yield f"| `{typed.replace('|', '&#124;')}` | {prose(does)} |".replace("&#124;", "\\|")


def _examples(words: str) -> Iterator[str]:
    for typed, does in registered().examples.get(words, ()):
        yield f"{does[:1].upper()}{does[1:]}" + ("" if does.endswith("?") else ":")
        yield from ("", "```text", " ".join(filter(None, ("cardio", words, typed))), "```", "")
