"""Groups of commands that installed distributions register, found without importing a command.

A distribution names a light module in the entry-point group ``cardio.commands``. Its `COMMANDS`
maps the words that call a command to where it lives and to its line of help; its `EXAMPLES` maps
them to what `--help` and the reference of the documentation show.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module, metadata
from typing import Any, TypeVar

import click

GROUP = "cardio.commands"
_T = TypeVar("_T")

BROUGHT_BY: Mapping[str, str] = {
    "stats": "cardio-stats",
    "data deidentify": "cardio-ultrasound",
    "evaluate": "cardio-studies",
    "export": "cardio-studies",
    "judge": "cardio-studies",
    "compare": "cardio-studies",
    "fuse": "cardio-studies",
    "stability": "cardio-studies",
    "reproduce": "cardio-studies",
}
"""Which distribution of this project brings a command, for when it is not installed."""

_WIDTH = 78
"""Of a terminal's 80 columns; help sets what stands below it in by two."""

_WORD = r"(?:[^\s']|'[^']*')+"
_PARTS = re.compile(rf"-{_WORD}(?: +(?!-){_WORD})*|{_WORD}")


@dataclass
class Registered:
    """What the installed distributions register.

    Attributes
    ----------
    commands : dict of str to tuple
        ``"module:attribute"`` and line of help of each command, by the words that call it.
    examples : dict of str to list of tuple
        Arguments and what they do, by the words of the command.
    refused : dict of str to str
        Why a command cannot be run that more than one distribution claims.
    unreadable : list of str
        Why the commands of a distribution are missing.
    """

    commands: dict[str, tuple[str, str]] = field(default_factory=dict)
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def registered() -> Registered:
    """Return what is registered on the present ``sys.path``."""
    return _registered(tuple(sys.path))


@lru_cache(maxsize=1)
def _registered(_places: tuple[str, ...]) -> Registered:
    found, claims = Registered(), dict[str, list[str]]()
    points = [
        (point.name, point.dist.name if point.dist else point.value, point)
        for point in metadata.entry_points(group=GROUP)
    ]
    for _, distribution, point in sorted(points, key=lambda item: item[:2]):
        try:
            module = point.load()
            commands, examples = dict(module.COMMANDS), dict(module.EXAMPLES)
        except Exception as error:  # a stranger's module may raise anything
            why = f"{type(error).__name__}: {' '.join(str(error).split())}"
            found.unreadable.append(
                f"the commands of {distribution} cannot be read ({why}); install it again"
            )
            continue
        for words, command in commands.items():
            claims.setdefault(words, []).append(distribution)
            found.commands[words] = command
        for words, lines in examples.items():
            found.examples.setdefault(words, []).extend(lines)
    for words, claimants in claims.items():
        if len(claimants) > 1:
            del found.commands[words]
            found.refused[words] = (
                f"{words!r} is claimed by {len(claimants)} distributions, {' and '.join(claimants)}"
                f"; neither is run: uninstall one, pip uninstall {claimants[-1]}"
            )
    return found


class LazyGroup(click.Group):
    """A group of registered commands; a command's module is imported when the command is used.

    `words` are those that call the group, without ``cardio``.
    """

    def __init__(self, *args: Any, words: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.words = words

    @property
    def lazy(self) -> dict[str, tuple[str, str]]:
        """``"module:attribute"`` and line of help of each command in this group, by its name."""
        return self._inside(registered().commands)

    def _inside(self, table: Mapping[str, _T]) -> dict[str, _T]:
        """Return the part of a table that is about commands directly in this group."""
        split = [(words.rpartition(" "), value) for words, value in table.items()]
        return {name: value for (group, _, name), value in split if group == self.words}

    def _words_of(self, name: str) -> str:
        return f"{self.words} {name}".strip()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were registered."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command."""
        if name not in self.lazy:
            return None
        module, _, attribute = self.lazy[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return with_examples(command, self._words_of(name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say of a command that is not there who claims or brings it, or which is the nearest."""
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            raise click.UsageError(self._why_not(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def _why_not(self, name: str) -> str:
        import difflib

        found, words = registered(), self._words_of(name)
        if words in found.refused:
            return found.refused[words]
        if words in BROUGHT_BY:
            brings = BROUGHT_BY[words]
            why = [
                f"'cardio {words}' comes with {brings}, which is not installed; install it from "
                f"its folder, pip install ./core/{brings} in the cardio checkout, or from its "
                f"wheel, {brings.replace('-', '_')}-*.whl"
            ]
        else:
            near = difflib.get_close_matches(name, self.lazy, n=1)
            why = [f"no command {name!r}", *(f"did you mean {item!r}?" for item in near)]
        places = (place for place, _ in found.commands.values())
        if not self.words and not any(place.startswith("cardio_core.") for place in places):
            why.append("the installed cardio-core registers none; install it again")
        return "; ".join([*why, *found.unreadable])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their registered lines, and what cannot be run."""
        rows = [(name, about) for name, (_, about) in self.lazy.items()]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
        faults = [*self._inside(registered().refused).values()]
        if not self.words:
            faults += registered().unreadable
        for fault in faults:
            with formatter.section("Cannot be run"):
                formatter.write_text(fault)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with_examples(self, self.words)
        super().format_epilog(ctx, formatter)


def with_examples(command: click.Command, words: str) -> click.Command:
    """Put a command's examples below its help, and those of the commands in a plain group.

    Parameters
    ----------
    command : click.Command
        As it was declared.
    words : str
        How it is called, without ``cardio``.
    """
    called = _called(words)
    lines = [line for typed, does in registered().examples.get(words, ()) for line in (
        *_wrapped(" ".join(filter(None, (called, typed)))),
        textwrap.fill(does, _width(), initial_indent=" " * 6, subsequent_indent=" " * 6),
    )]  # fmt: skip
    if lines:
        command.epilog = "\b\nExamples:\n" + "\n".join(lines)
    if isinstance(command, click.Group) and type(command).get_command is click.Group.get_command:
        for name, inner in command.commands.items():
            with_examples(inner, f"{words} {name}")
    return command


def _called(words: str) -> str:
    """Return what is typed for a command: `cardio-stats` is the group `cardio stats` alone."""
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().info_name == "cardio-stats":
        return f"cardio-stats {words.removeprefix('stats').strip()}".strip()
    return f"cardio {words}".strip()


def _width() -> int:
    """Return the width of examples: a narrow terminal's own, less the indent of what is below."""
    return min(_WIDTH, max(20, shutil.get_terminal_size().columns - 2))


def _wrapped(command: str) -> Iterator[str]:
    """Yield a command in lines that a shell reads as one; options stay with their values."""
    line = " "
    for part in _PARTS.findall(command):
        if len(f"{line} {part} \\") > _width() and line.strip():
            yield f"{line} \\"
            line = " " * 9
        line = f"{line} {part}"
    yield line
