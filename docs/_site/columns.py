"""The reference of columns: what each means, and which tasks read it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from cardio_core.io.cohort_columns import COLUMNS, ColumnSpec
from cardio_core.io.cohort_template import template_columns
from cardio_core.registry import list_plugins

_SEGMENT = re.compile(r"(.+_seg_)(\d\d)$")
LAST = "17"


def pages() -> Iterator[tuple[str, str]]:
    """Yield the page."""
    yield "reference/columns.md", "\n".join(_lines()) + "\n"


def folded(names: Iterable[str]) -> list[str]:
    """Return names of columns, the first segment standing for all seventeen.

    Examples
    --------
    >>> folded(["age_y", "wma_seg_01", "wma_seg_02"])
    ['age_y', 'wma_seg_01']
    """
    found = ((name, _SEGMENT.match(name)) for name in names)
    return [name for name, segment in found if segment is None or segment[2] == "01"]


def shown(name: str) -> str:
    """Return a name as a page shows it, the first segment with the last.

    Examples
    --------
    >>> shown("wma_seg_01")
    '`wma_seg_01` ... `wma_seg_17`'
    """
    segment = _SEGMENT.match(name)
    return f"`{name}`" + (f" ... `{segment[1]}{LAST}`" if segment else "")


def linked(name: str, known: Collection[str] = COLUMNS) -> str:
    """Return a name with a link to its meaning; a column of the plugin's own has none here."""
    return f"[{shown(name)}](#{_anchor(name)})" if name in known else shown(name)


def meaning(column: ColumnSpec) -> str:
    """Return the sentence on a column, that of a segment for all of them."""
    return column.sentence.replace("segment 1 of", f"segments 1 to {LAST} of")


def _anchor(name: str) -> str:
    return f"column-{name}".lower()


def _lines() -> Iterator[str]:
    yield from ("# Columns of a cohort table", "")
    yield "What a table may hold stands in [your cohort as a table](../cohort.md). Every column "
    yield "that some part of cardio reads by name:"
    yield from ("", "| column | holds | means | kind |", "|---|---|---|---|")
    for name in folded(COLUMNS):
        column = COLUMNS[name]
        here = f"[{shown(name)}]{{#{_anchor(name)}}}"
        cells = (here, column.range_words(), meaning(column), column.use)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    infos = {found.name: found.info for found in list_plugins() if found.info is not None}
    files = {name: holds for info in infos.values() for name, holds in info.paths.items()}
    for name, holds in files.items():
        here = f"[{shown(name)}]{{#{_anchor(name)}}}"
        kind = ColumnSpec(name, "path", holds, use="recording")
        yield f"| {here} | {kind.range_words()} | {holds} | {kind.use} |"
    known = {*COLUMNS, *files}
    for plugin, info in infos.items():
        for task in info.tasks:
            yield from ("", f"## {plugin}, {task.name}", "", f"{task.title}.", "")
            yield from ("| column | means | read for |", "|---|---|---|")
            read = {one.name: one for one in template_columns(info, task)}
            for name in folded(read):
                words = meaning(COLUMNS[name]) if name in COLUMNS else read[name].meaning
                yield f"| {linked(name, known)} | {words} | {read[name].read_for} |"
