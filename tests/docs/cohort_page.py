"""The table of docs/cohort.md, made from what the plugins declare.

``python tests/docs/cohort_page.py`` writes it into the page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from pathlib import Path

from cardio_core.registry import list_plugins, open_plugin
from cardio_core.types.info import Task

PAGE = Path(__file__).parents[2] / "docs" / "cohort.md"
PLUGINS = ("ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr")

sys.path.insert(0, str(PAGE.parent))
try:
    from _site.columns import folded, shown
finally:
    sys.path.remove(str(PAGE.parent))


def plugins_table() -> str:
    """Return what each task of each plugin cannot do without: recordings, and its outcome."""
    lines = ["|plugin|task|recordings, in one or more of|outcome|", "|---|---|---|---|"]
    for plugin in PLUGINS:
        info = open_plugin(plugin).info
        for task in info.tasks:
            cells = (plugin, task.name, _recordings(task, info.paths), _outcome(task))
            lines.append(f"|{'|'.join(cells)}|")
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
    return "the column of `--outcome`" if task.any_outcome else "comes with the recordings"


def rendered(text: str) -> str:
    """Return the page with its table made anew."""
    marks = re.compile(r"(<!-- plugins -->\n).*?(\n<!-- end -->)", re.DOTALL)
    text, n = marks.subn(lambda found: f"{found[1]}{plugins_table()}{found[2]}", text)
    assert n == 1, "docs/cohort.md: expected one table between <!-- plugins --> and <!-- end -->"
    return text


if __name__ == "__main__":
    assert list_plugins()
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
