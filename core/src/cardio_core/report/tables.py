"""The CSV tables of a run, as they are printed: in words, no empty column, nothing twice."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path

from cardio_core.io.run_artifact import RunManifest
from cardio_core.io.tables.formula import as_it_was
from cardio_core.report.columns import (
    Column,
    columns_of,
    is_matrix,
    same_throughout,
    with_intervals,
)
from cardio_core.report.naming import Names
from cardio_core.report.words import PROTOCOLS, count, title_words
from cardio_core.types.file_names import without_mark

MAX_ROWS = 60
"""Rows of a table in the page; the file has them all."""

MAX_OPEN_ROWS = 14
"""Rows of Table 1 that stand open."""

OF_A_PAPER = re.compile(r"published|beside[- ]the[- ]paper", re.IGNORECASE)
"""Files that repeat what a paper printed."""

_OWN = "this run"


@dataclass(frozen=True)
class Table:
    """One table of the report.

    `protocol` is empty where the file's name carries none, or where it holds under both; `file` is
    relative to the run directory; `caption` says what holds in every row; `note` what is not shown.
    The title stands above the table where it is `in_caption`.
    """

    title: str
    protocol: str
    file: str
    columns: tuple[Column, ...]
    caption: str
    note: str
    n_rows: int
    in_caption: bool = False

    @property
    def rows(self) -> list[tuple[tuple[str, str], ...]]:
        """The rows: of every cell what is printed, and its number with all digits."""
        return list(zip(*(column.cells for column in self.columns), strict=True))

    def first(self, n: int) -> Table:
        """Return the first rows alone; what is indented stays with its heading."""
        if self.n_rows <= n or not self.columns:
            return self
        names = [text for text, _ in self.columns[0].cells]
        end = n
        while end > 1 and names[end].startswith("\u2003"):
            end -= 1
        cut = tuple(replace(column, cells=column.cells[:end]) for column in self.columns)
        return replace(self, columns=cut)


def named(path: Path, folder: Path) -> tuple[str, str]:
    """Return the protocol and the title that a file's name carries.

    Examples
    --------
    >>> named(Path("run/tables/honest-by-class-net.csv"), Path("run/tables"))
    ('honest', 'By class net')
    """
    stem = "-".join(path.relative_to(folder).with_suffix("").parts)
    for protocol in PROTOCOLS:
        for mark in "-_":
            if stem.startswith(protocol + mark):
                return protocol, title_words(stem.removeprefix(protocol + mark))
    return "", title_words(stem)


def title_of(path: Path, folder: Path, names: Names) -> tuple[str, str]:
    """Return the protocol and the title of a file, models and identifiers in words.

    Examples
    --------
    >>> title_of(Path("tables/paper-confusion-net.csv"), Path("tables"), Names({"net": "ResNet"}))
    ('paper', 'Confusion: ResNet')
    """
    path = path.with_stem(without_mark(path.stem))
    protocol, _ = named(path, folder)
    stem = path.stem.removeprefix(protocol).lstrip("-_")
    if stem in names.words:
        return protocol, names.heading(stem)
    for model in sorted(names.models, key=len, reverse=True):
        if stem.endswith(f"-{model}"):
            head = names.text(stem.removesuffix(f"-{model}"))
            return protocol, f"{title_words(head)}: {names.models[model]}"
    return protocol, title_words(names.text(stem))


def tables_of(paths: tuple[Path, ...], run: Path, names: Names, stand_in: bool) -> list[Table]:
    """Return the tables of a run by title, honest before paper, one where both are the same.

    `stand_in` says whether the cohort stands for a paper's own; otherwise what the paper printed
    is left out.
    """
    found: list[Table] = []
    texts: dict[tuple[str, bytes], int] = {}
    rank = {name: position for position, name in enumerate(PROTOCOLS)}
    for path in paths:
        if not stand_in and OF_A_PAPER.search(path.stem):
            continue
        table = read_table(path, run, names, stand_in=stand_in)
        if not table.n_rows:
            continue
        key = (table.title, path.read_bytes())
        if key in texts:
            found[texts[key]] = replace(found[texts[key]], protocol="")
        else:
            texts[key] = len(found)
            found.append(table)
    return sorted(found, key=lambda table: (table.title, rank.get(table.protocol, len(rank))))


def read_table(
    path: Path, run: Path, names: Names | None = None, *, stand_in: bool = True
) -> Table:
    """Read one CSV file for the report."""
    names = names or Names()
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [[as_it_was(cell) for cell in line] for line in csv.reader(file) if line]
    head, rows = (lines[0], lines[1:]) if lines else ([], [])
    if not stand_in:
        head, rows = _without_the_paper(head, rows)
    columns = with_intervals(columns_of(head, rows, names))
    columns, constant = (columns, []) if is_matrix(head, rows) else same_throughout(columns)
    protocol, title = title_of(path, run / "tables", names)
    caption = "; ".join(f"{name}: {value}" for name, value in constant)
    note = f"The first {MAX_ROWS} of {count(len(rows))} rows." if len(rows) > MAX_ROWS else ""
    shown = tuple(replace(column, cells=column.cells[:MAX_ROWS]) for column in columns)
    return Table(title, protocol, path.relative_to(run).as_posix(), shown, caption, note, len(rows))


def _without_the_paper(head: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return a table without rows and columns that repeat what a paper printed."""
    if "source" in head:
        at = head.index("source")
        rows = [row for row in rows if at >= len(row) or row[at] in ("", _OWN)]
    kept = [i for i, name in enumerate(head) if not name.startswith("paper_")]
    return [head[i] for i in kept], [[row[i] for i in kept if i < len(row)] for row in rows]


def is_stand_in(manifest: RunManifest) -> bool:
    """Return whether the cohort stands in for the paper's: synthetic, with the task's own outcome.

    Examples
    --------
    >>> is_stand_in({"data": {"source": "synthetic"}, "outcome_column": None})
    True
    >>> is_stand_in({"data": {"source": "synthetic"}, "outcome_column": "responder"})
    False
    """
    data = manifest.data
    return data.source == "synthetic" and not manifest.outcome_column
