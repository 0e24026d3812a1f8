"""The reference of settings, as `cardio plugins info` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cardio_core.registry import list_plugins, open_plugin
from cardio_core.registry.settings import (
    Setting,
    other_lines,
    setting_words,
    settings_of,
    shown,
    usual_lines,
)
from cardio_core.types.info import PluginInfo, Task

Entries = tuple[Setting, ...]


def pages() -> Iterator[tuple[str, str]]:
    """Yield a page of settings for every installed plugin."""
    names = [found.name for found in list_plugins() if found.info is not None]
    if not names:
        raise RuntimeError("no plugin is installed: the reference needs them all")
    for name in names:
        yield f"reference/settings/{name}.md", "\n".join(_of_plugin(open_plugin(name).info)) + "\n"


def _of_plugin(info: PluginInfo) -> Iterator[str]:
    yield from (f"# Settings of {info.name}", "", f"{info.title}.", "")
    yield "Any of them is set with `--set PATH=VALUE`, or in a YAML file for `--config`; each name "
    yield "in a path is a level. Values are those of the configuration `default`; those of `cpu`, "
    yield "`full` and `smoke` are given where they differ; `null` is nothing. Typed: "
    yield f"`cardio plugins info {info.name} --settings`."
    for tasks, entries in _alike(info):
        yield from ("", f"## {', '.join(task.name for task in tasks)}", "")
        yield from (f"{'; '.join(task.title for task in tasks)}.", "")
        for block, inside in _blocks(entries):
            yield from ("", f"### {block}", "")
            for one in inside:
                yield from _entry(one)


def _alike(info: PluginInfo) -> list[tuple[Sequence[Task], Entries]]:
    """Return tasks with the same settings together."""
    groups: list[tuple[list[Task], Entries]] = []
    for task in info.tasks:
        entries = settings_of(info, task)
        for tasks, known in groups:
            if known == entries:
                tasks.append(task)
                break
        else:
            groups.append(([task], entries))
    return [(tasks, entries) for tasks, entries in groups]


def _blocks(entries: Entries) -> Iterator[tuple[str, list[Setting]]]:
    blocks: dict[str, list[Setting]] = {}
    for one in entries:
        head = one.path.partition(".")[0] if "." in one.path else "the run"
        blocks.setdefault(head, []).append(one)
    yield from blocks.items()


def _entry(one: Setting) -> Iterator[str]:
    yield f"`{one.path}`"
    yield f": {setting_words(one)} Default: {_usual(one)}"
    for name, lines in _inside(one):
        yield from ("", f"  {name}:", "")
        yield from (f"  - `{line}`" for line in lines)
    yield ""


def _usual(one: Setting) -> str:
    """Return the default on the line, with what other configurations have in its place."""
    if usual_lines(one):
        return "as below."
    others = ", ".join(
        f"`{shown(value)}` in `{name}`"
        for name, value in one.elsewhere.items()
        if not isinstance(value, Mapping)
    )
    return f"`{shown(one.default)}`" + (f" ({others})." if others else ".")


def _inside(one: Setting) -> Iterator[tuple[str, list[str]]]:
    """Yield what a default that holds settings holds, and what of it is another elsewhere."""
    if usual := usual_lines(one):
        yield "By default", usual
    for name in one.elsewhere:
        if others := other_lines(one, name):
            yield f"In `{name}`", others
