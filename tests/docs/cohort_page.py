"""The tables of docs/cohort.md, made from the schema and from what the plugins say.

``python tests/docs/cohort_page.py`` writes them into the page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from pathlib import Path

from cardio_core.io.cohort_columns import COLUMNS
from cardio_core.io.cohort_template import template_columns
from cardio_core.registry import list_plugins, open_plugin
from cardio_core.types.info import Task

PAGE = Path(__file__).parents[2] / "docs" / "cohort.md"
PLUGINS = ("ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr")

sys.path.insert(0, str(PAGE.parent))
try:
    from _site.columns import folded, meaning, shown
finally:
    sys.path.remove(str(PAGE.parent))


def columns_table() -> str:
    """Return every column with what a cell holds, an example, and what it means."""
    lines = ["| column | a cell holds | example | what it is |", "|---|---|---|---|"]
    files = _files()
    for name in folded(COLUMNS):
        column = COLUMNS[name]
        if column.use != "identity":
            lines += files
            files = []
        required = " **Needed in every row.**" if column.required else ""
        example = f"`{column.example}`" if column.example else ""
        said = f"{meaning(column)}{required}"
        lines.append(f"| {shown(name)} | {column.range_words()} | {example} | {said} |")
    return "\n".join(lines)


def _files() -> list[str]:
    """Return the lines of the columns of recordings, which the plugins declare."""
    found = {}
    for plugin in PLUGINS:
        info = open_plugin(plugin).info
        for one in (one for task in info.tasks for one in template_columns(info, task)):
            if one.name in info.paths:
                line = f"| {shown(one.name)} | {one.holds} | `{one.example}` | {one.meaning} |"
                found.setdefault(one.name, line)
    return list(found.values())


def plugins_table() -> str:
    """Return what each task of each plugin cannot do without: recordings, and its outcome."""
    lines = ["| plugin | task | recordings, in one or more of | its outcome is read from |",
             "|---|---|---|---|"]  # fmt: skip
    for plugin in PLUGINS:
        info = open_plugin(plugin).info
        for task in info.tasks:
            cells = (plugin, task.name, _recordings(task, info.paths), _outcome(task))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _recordings(task: Task, paths: Collection[str]) -> str:
    beside = {option.column for option in task.options}
    return ", ".join(shown(name) for name in task.columns if name in paths and name not in beside)


def _outcome(task: Task) -> str:
    """Return the columns of the default outcome, or where else it comes from."""
    told = {name: why for name, why in task.columns.items() if re.match("(an )?outcome", why)}
    usual = [name for name, why in told.items() if why.endswith("the default")]
    if named := folded(usual or told):
        return ", ".join(shown(name) for name in named)
    return (
        "the column of `--outcome`"
        if task.any_outcome
        else "no column: it comes with the recordings"
    )


def rendered(text: str) -> str:
    """Return the page with its tables made anew."""
    for name, table in (("columns", columns_table()), ("plugins", plugins_table())):
        marks = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        text, n = marks.subn(lambda found, made=table: f"{found[1]}{made}{found[2]}", text)
        assert n == 1, (
            f"docs/cohort.md: expected one table between <!-- {name} --> and <!-- end -->"
        )
    return text


if __name__ == "__main__":
    assert list_plugins()
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
