"""Commands that take a plugin's options beside their own."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardio_core.types.info import Task
from cardio_stats.errors import CardioError

if TYPE_CHECKING:
    from cardio_core.runner.request import Given


class WithPluginOptions(click.Command):
    """A command that also takes ``--NAME VALUE`` for names that only a plugin's task knows.

    Every option with two dashes that the command does not have is kept, with the word after it, in
    the context's `obj`, until the plugin is known: `given` then says what they mean. Where a plugin
    is named, ``--help`` lists its options.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set the unknown options apart before the others are parsed."""
        typed: dict[str, str] = {}
        rest = list(_without(typed, args, self._own(ctx), ctx))
        ctx.obj = typed
        ctx.meta[_ARGS] = args
        try:
            return super().parse_args(ctx, rest)
        except click.UsageError:
            # An option that nobody has may have swallowed the word that is missed now.
            if typed and (named := _named(args)) is not None:
                self.understand(ctx, *named)
            raise

    def understand(self, ctx: click.Context, plugin: str, task: Task) -> Given:
        """Return what the options mean that the command itself does not have."""
        from cardio_core.runner.request import understood

        return understood(ctx.obj, plugin, task, _path(ctx), self._own(ctx))

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say in the first line of the help that there may be more."""
        first, *others = super().collect_usage_pieces(ctx)
        return [first, "[OPTIONS OF THE PLUGIN]", *others]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then those of the plugin that was named."""
        from cardio_core.runner.request import takes

        super().format_options(ctx, formatter)
        try:
            named = _named(ctx.meta.get(_ARGS, []))
        except CardioError as error:
            named, why = None, str(error)
        else:
            by = "--plugin NAME" if "--plugin" in self._own(ctx) else "RUN"
            why = _WHERE.format(path=_path(ctx), by=by)
        if named is None:
            with formatter.section("Options of the plugin"), formatter.indentation():
                formatter.write_text(why)
            return
        plugin, task = named
        lines = [
            (option.metavar, option.help) for option in task.options if takes(_path(ctx), option)
        ]
        with formatter.section(f"Options of {plugin}, task {task.name}"):
            if lines:
                formatter.write_dl(lines)
            else:
                formatter.write_text("It brings none.")

    def _own(self, ctx: click.Context) -> dict[str, bool]:
        """Return the command's own options, and whether each takes a value."""
        return {
            name: isinstance(param, click.Option) and not param.is_flag
            for param in self.get_params(ctx)
            for name in (*param.opts, *param.secondary_opts)
        }


_ARGS = "cardio.args"
_WHERE = (
    "A plugin brings more, for settings that go with a recording (a voxel size, say): "
    "cardio {path} {by} --help lists them."
)


def given(plugin: str, task: str | None) -> Given:
    """Return what the options mean that the running command does not have itself.

    Raises
    ------
    ConfigError, PluginError
        If the plugin's task does not take one of them, or not with that value; if the plugin or
        the task does not exist.
    """
    from cardio_core.runner.request import NOTHING_GIVEN

    ctx = click.get_current_context()
    if not ctx.obj or not isinstance(ctx.command, WithPluginOptions):
        return NOTHING_GIVEN
    return ctx.command.understand(ctx, plugin, _task_of(plugin, task))


def _path(ctx: click.Context) -> str:
    """Return the words that call the command: ``"data check"``."""
    above = _path(ctx.parent) if ctx.parent is not None else ""
    own = (ctx.info_name or "") if ctx.parent is not None else ""
    return f"{above} {own}".strip()


def _without(
    typed: dict[str, str], args: list[str], own: dict[str, bool], ctx: click.Context
) -> Iterator[str]:
    """Yield what the command itself parses, and put the other options, by name, into `typed`."""
    words = deque(args)
    while words:
        word = words.popleft()
        name, equals, value = word.partition("=")
        if word == "--":
            yield word
            yield from words
            return
        if name in own or not name.startswith("--"):
            yield word
            if own.get(name) and not equals and words:
                yield words.popleft()  # its value, whatever it looks like
            continue
        if name[2:] in typed:
            raise click.UsageError(f"{name}: expected once, found twice", ctx)
        if not equals and words and not words[0].startswith("--"):
            value = words.popleft()
        typed[name[2:]] = value


def _named(args: list[str]) -> tuple[str, Task] | None:
    """Return the plugin and the task that words of the command line name; None without."""
    plugin, task = _value_of("--plugin", args), _value_of("--task", args)
    if plugin is not None:
        return plugin, _task_of(plugin, task)
    for word in args:
        manifest = Path(word) / "manifest.json"
        if not word.startswith("-") and manifest.is_file():
            try:
                content = json.loads(manifest.read_text(encoding="utf-8"))
                plugin, task = str(content["plugin"]), content["task"]
                return plugin, _task_of(plugin, None if task is None else str(task))
            except (ValueError, KeyError, TypeError, RecursionError, OSError):
                return None
    return None


def _value_of(name: str, args: list[str]) -> str | None:
    for word, following in zip(args, [*args[1:], None], strict=True):
        if word == name:
            return following
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _task_of(plugin: str, task: str | None) -> Task:
    from cardio_core.registry import open_plugin
    from cardio_core.runner.request import find_task

    return find_task(open_plugin(plugin), task)
