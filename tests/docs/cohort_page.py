"""The tables of docs/cohort.md, made from the schema and from what the plugins say.

``python tests/docs/cohort_page.py`` writes them into the page.
"""

from __future__ import annotations

import re
from pathlib import Path

from cardio_core.io.cohort_schema import COLUMNS
from cardio_core.registry import list_plugins, open_plugin

PAGE = Path(__file__).parents[2] / "docs" / "cohort.md"
PLUGINS = ("ecg_transfer", "spect_polar", "mmode_septal_flash", "echo_cmr")
_SEGMENT = re.compile(r"_seg_(\d\d)$")


def columns_table() -> str:
    """Return every column with what a cell holds, an example, and what it means."""
    lines = ["| column | a cell holds | example | what it is |", "|---|---|---|---|"]
    for name, column in COLUMNS.items():
        found = _SEGMENT.search(name)
        if found and found[1] != "01":
            continue
        sentence = column.sentence
        if found:
            name = f"{name}` ... `{name[:-2]}17"
            sentence = sentence.replace("segment 1 of", "segments 1 to 17 of")
        required = " **Needed in every row.**" if column.required else ""
        example = f"`{column.example}`" if column.example else ""
        lines.append(f"| `{name}` | {column.range_words()} | {example} | {sentence}{required} |")
    return "\n".join(lines)


def plugins_table() -> str:
    """Return which columns each task of each plugin reads, and what for."""
    lines = ["| plugin | task | reads |", "|---|---|---|"]
    for plugin in PLUGINS:
        for task in open_plugin(plugin).info.tasks:
            lines.append(f"| {plugin} | {task.name} | {_read(task.columns)} |")
    return "\n".join(lines)


def _read(columns: dict[str, str]) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, why in columns.items():
        found = _SEGMENT.search(name)
        if found and found[1] != "01":
            continue
        shown = f"`{name}`" + (f" ... `{name[:-2]}17`" if found else "")
        by_reason.setdefault(why, []).append(shown)
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in by_reason.items())


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
