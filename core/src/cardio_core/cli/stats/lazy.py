"""Groups that import a command only when it is used, and the examples below a command's help."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import click

_WIDTH = 78
"""Of a terminal's 80 columns; help sets what stands below it in by two."""

_WORD = r"(?:[^\s']|'[^']*')+"
_PARTS = re.compile(rf"-{_WORD}(?: +(?!-){_WORD})*|{_WORD}")

Examples = tuple[tuple[str, str], ...]


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used.

    `lazy` maps a command to its ``"module:attribute"`` and its one line of help, so that the list
    of commands costs no import. `examples` are those of all commands below a program, by their
    words; the outermost group's are shown.
    """

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, tuple[str, str]],
        examples: Mapping[str, Examples] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.lazy, self.examples = lazy, examples or {}

    def get_help(self, ctx: click.Context) -> str:
        """Put the examples of the program below its help."""
        if ctx.parent is None:
            with_examples(self, ctx.command_path, "", self.examples)
        return super().get_help(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were declared."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command."""
        if name not in self.lazy:
            return None
        module, _, attribute = self.lazy[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        root = ctx.find_root()
        examples = root.command.examples if isinstance(root.command, LazyGroup) else {}
        return with_examples(
            command, root.info_name or "", " ".join([*_words(ctx), name]), examples
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for one that does not exist."""
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.lazy, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their declared lines."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in self.lazy.items()])


def _words(ctx: click.Context) -> list[str]:
    """Return the words that led to a group, without the program's own name."""
    above = [] if ctx.parent is None else _words(ctx.parent)
    return [*above, ctx.info_name] if ctx.parent is not None and ctx.info_name else above


def with_examples(
    command: click.Command, program: str, words: str, examples: Mapping[str, Examples]
) -> click.Command:
    """Put a command's examples below its help, and those of the commands in a plain group.

    Parameters
    ----------
    command : click.Command
        As it was declared.
    program : str
        ``"cardio"``.
    words : str
        How it is called, without the program.
    examples : mapping
        By words; each has what is typed, and what it does.
    """
    if words in examples:
        lines = [line for typed, does in examples[words] for line in (
            *_wrapped(" ".join(filter(None, (program, words, typed)))),
            textwrap.fill(does, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6),
        )]  # fmt: skip
        command.epilog = "\b\nExamples:\n" + "\n".join(lines)
    if isinstance(command, click.Group) and type(command).get_command is click.Group.get_command:
        for name, inner in command.commands.items():
            with_examples(inner, program, f"{words} {name}", examples)
    return command


def _wrapped(command: str) -> Iterator[str]:
    """Yield a command in lines that a shell reads as one; options stay with their values."""
    line = " "
    for part in _PARTS.findall(command):
        if len(f"{line} {part} \\") > _WIDTH and line.strip():
            yield f"{line} \\"
            line = " " * 9
        line = f"{line} {part}"
    yield line
