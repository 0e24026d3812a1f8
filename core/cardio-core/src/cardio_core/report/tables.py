"""The CSV tables of a run, as they are printed: in words, no empty column, nothing twice."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cardio_core.io.run_artifact import RunArtifact, RunManifest, ShownEntry
from cardio_core.report.terms import Names, capital, cell_words
from cardio_stats.cells import as_it_was
from cardio_stats.words import METRICS, PROTOCOLS, count, number, p_text, title_words

# The columns of a CSV table as a reader reads them.

Cell = tuple[str, str]
"""What is printed, and a number with all its digits (empty for text)."""

MIN_ROWS = 2
"""From so many rows on a column that says one thing moves into the caption."""

_P_COLUMNS = frozenset({"p", "p-value", "p value", "q"})
_NO_VALUE = frozenset({"n", "k", "p"})
_NEVER_CONSTANT = frozenset({"variable", "model", "term", "characteristic"})
_DASH = "\u2013"


@dataclass(frozen=True)
class Column:
    """One column: the file's name for it, its heading, whether it is numeric, and its cells."""

    name: str
    heading: str
    numeric: bool
    cells: tuple[Cell, ...]

    @property
    def words(self) -> frozenset[str]:
        """What the cells say."""
        return frozenset(text for text, _ in self.cells)


def columns_of(head: Sequence[str], rows: Sequence[Sequence[str]], names: Names) -> list[Column]:
    """Return the columns that say anything; of a matrix of classes all, as they are called."""
    if is_matrix(head, rows):
        return [
            _column(
                name, [row[i] for row in rows], names, first=i == 0, heading=_class(name, names)
            )
            for i, name in enumerate(head)
        ]
    found = []
    for position, name in enumerate(head):
        texts = [row[position] if position < len(row) else "" for row in rows]
        if rows and not any(text.strip() and text != _DASH for text in texts):
            continue
        found.append(_column(name, texts, names, first=position == 0))
    return found


def is_matrix(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether rows and columns are the same classes."""
    firsts = {row[0] for row in rows if row}
    complete = all(len(row) == len(head) for row in rows)
    return complete and len(firsts) > 1 and firsts <= set(head[1:])


def with_intervals(columns: Sequence[Column]) -> list[Column]:
    """Return the columns with every pair of limits beside its value: 0.58 (0.29 to 0.91)."""
    found: list[Column] = []
    position = 0
    while position < len(columns):
        column = columns[position]
        position += 1
        if position + 1 < len(columns):
            low, high = columns[position : position + 2]
            stem = low.name.removesuffix("low")
            limits = stem != low.name and high.name == stem + "high" and low.numeric
            if limits and high.numeric:
                # superiority, p, low, high: the limits are not those of p.
                if column.name == "p" and found and found[-1].numeric:
                    found[-1] = _with_limits(found[-1], low, high)
                elif column.numeric and column.name not in _NO_VALUE:
                    column = _with_limits(column, low, high)
                found.append(column)
                position += 2
                continue
        found.append(column)
    return found


def same_throughout(columns: Sequence[Column]) -> tuple[list[Column], list[tuple[str, str]]]:
    """Return the columns that differ between rows, and (heading, text) of the others."""
    retained, constant = [], []
    for position, column in enumerate(columns):
        alike = len(column.cells) >= MIN_ROWS and len(column.words) == 1
        if alike and position and column.name.lower() not in _NEVER_CONSTANT:
            constant.append((column.heading, column.cells[0][0]))
        else:
            retained.append(column)
    return retained, constant


def _with_limits(column: Column, low: Column, high: Column) -> Column:
    cells = tuple(
        (f"{value} ({below} to {above})" if below and above else value, "")
        for (value, _), (below, _), (above, _) in zip(
            column.cells, low.cells, high.cells, strict=True
        )
    )
    return replace(column, heading=f"{column.heading} (95 % CI)", cells=cells)


def _column(
    name: str, texts: Sequence[str], names: Names, *, first: bool, heading: str | None = None
) -> Column:
    heading = heading if heading is not None else _heading(name, names)
    numeric = not _is_name(name) and _is_numeric(texts)
    if numeric:
        like = _typical(texts)
        cells = tuple((_printed(text, name, like), text) for text in texts)
        return Column(name, heading, True, cells)
    quiet = name.strip().lower()
    models = quiet in ("model", "row", "versus", "first", "second") or (first and not quiet)
    cells = tuple((_cell(text, names, models, first, _is_name(name)), "") for text in texts)
    figures = [text for text in texts if text.strip() and text != _DASH]
    # "58.4 ± 9.6" and "9 (75.0)" are numbers, too, and stand flush right.
    right = bool(figures) and not first and all(text.lstrip("<>−-+").lstrip()[:1].isdigit()
                                                for text in figures)  # fmt: skip
    return Column(name, heading, right and not _is_name(name), cells)


def _cell(text: str, names: Names, models: bool, first: bool, ids: bool) -> str:
    if ids:
        return names.fold(text)
    if models and text in names.models:
        return names.models[text]
    if text in ("True", "False"):
        return "yes" if text == "True" else "no"
    if first and text.startswith("  "):
        return "\u2003" + names.text(text.strip())
    label = METRICS.get(text) or names.words.get(text) or cell_words(names.text(text))
    plain = first and len(label) > 2 and not any(sign.isdigit() for sign in label.split(" ")[0])
    return label[:1].upper() + label[1:] if plain else label


def _class(name: str, names: Names) -> str:
    """Return what heads the column of a class: single letters stay what they are."""
    known = names.models.get(name) or names.words.get(name)
    return known or (capital(names.text(name)) if len(name) > 2 else name)


def _heading(name: str, names: Names) -> str:
    return names.heading(name) if name else ""


def _is_name(column: str) -> bool:
    """Return whether a column names things: record 1234 is not the number 1 234."""
    return column.lower().rpartition("_")[2] in {"id", "record", "recording", "patient", "fold"}


def _is_numeric(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(_value(cell) is not None for cell in filled)


def _typical(cells: Sequence[str]) -> float | None:
    """Return the middle size of a column's numbers, by which all of them get their decimals."""
    sizes = [abs(value) for cell in cells if (value := _value(cell)) and math.isfinite(value)]
    return statistics.median(sizes) if sizes else None


def _value(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _printed(text: str, column: str, like: float | None) -> str:
    value = _value(text)
    if value is None:
        return text
    name = column.strip().lower()
    if name in _P_COLUMNS or name.startswith("p_"):
        return p_text(value)
    if value.is_integer() and "." not in text and "e" not in text.lower():
        return count(int(value)).replace("-", "\u2212")
    return number(value, like=like)


MAX_ROWS = 60
"""Rows of a table in the page; the file has them all."""

MAX_OPEN_ROWS = 14
"""Rows of Table 1 that stand open."""

_PAPER = "paper_source"
"""Column of a table of both: where a row was printed; empty in rows of the run itself."""


@dataclass(frozen=True)
class Table:
    """One table of the report.

    `protocol` is empty where it is of none, or holds under both; `file` is relative to the run
    directory; `caption` says what holds in every row; `note` what is not shown. The title stands
    above the table where it is `in_caption`; `published` repeats what a paper printed.
    """

    title: str
    protocol: str
    file: str
    columns: tuple[Column, ...]
    caption: str
    note: str
    n_rows: int
    in_caption: bool = False
    published: bool = False

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


def title_of(name: str, names: Names) -> str:
    """Return the title of a table or figure, models and identifiers in words.

    Examples
    --------
    >>> title_of("confusion-net", Names({"net": "ResNet"}))
    'Confusion: ResNet'
    """
    if name in names.words:
        return names.heading(name)
    for model in sorted(names.models, key=len, reverse=True):
        if name.endswith(f"-{model}"):
            head = names.text(name.removesuffix(f"-{model}"))
            return f"{title_words(head)}: {names.models[model]}"
    return title_words(names.text(name))


def tables_of(files: RunArtifact, names: Names, stand_in: bool) -> list[Table]:
    """Return the tables of a run by title, honest before paper, one where both are the same.

    `stand_in` says whether the cohort stands for a paper's own; otherwise what the paper printed
    is left out.
    """
    found: list[Table] = []
    texts: dict[tuple[str, bytes], int] = {}
    rank = {name: position for position, name in enumerate(PROTOCOLS)}
    for path in files.tables:
        entry = files.entry(path)
        if entry.published and not stand_in:
            continue
        table = read_table(path, files.folder, entry, names, stand_in=stand_in)
        if not table.n_rows:
            continue
        key = (table.title, path.read_bytes())
        if key in texts:
            found[texts[key]] = replace(found[texts[key]], protocol="")
        else:
            texts[key] = len(found)
            found.append(table)
    return sorted(found, key=lambda table: (table.title, rank.get(table.protocol, len(rank))))


def read_table(path: Path, run: Path, entry: ShownEntry, names: Names, *, stand_in: bool) -> Table:
    """Read one CSV file for the report."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [[as_it_was(cell) for cell in line] for line in csv.reader(file) if line]
    head, rows = (lines[0], lines[1:]) if lines else ([], [])
    if not stand_in:
        head, rows = _without_the_paper(head, rows)
    columns = with_intervals(columns_of(head, rows, names))
    columns, constant = (columns, []) if is_matrix(head, rows) else same_throughout(columns)
    caption = "; ".join(f"{name}: {value}" for name, value in constant)
    note = f"The first {MAX_ROWS} of {count(len(rows))} rows." if len(rows) > MAX_ROWS else ""
    cut = [replace(column, cells=column.cells[:MAX_ROWS]) for column in columns]
    shown = tuple(column for column in cut if any(cell[0].strip() for cell in column.cells))
    return Table(
        title_of(entry.name, names), entry.protocol, path.relative_to(run).as_posix(), shown,
        caption, note, len(rows), published=entry.published,
    )  # fmt: skip


def _without_the_paper(head: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return a table without rows and columns that repeat what a paper printed."""
    if _PAPER in head:
        at = head.index(_PAPER)
        rows = [row for row in rows if at >= len(row) or not row[at]]
    retained = [i for i, name in enumerate(head) if not name.startswith("paper_")]
    return [head[i] for i in retained], [[row[i] for i in retained if i < len(row)] for row in rows]


def is_stand_in(manifest: RunManifest) -> bool:
    """Return whether the cohort stands in for the paper's: synthetic, with the task's own outcome.

    Examples
    --------
    >>> from cardio_core.io.run_artifact import DataEntry, RunManifest
    >>> is_stand_in(RunManifest(data=DataEntry(source="synthetic")))
    True
    >>> is_stand_in(RunManifest(data=DataEntry(source="synthetic"), outcome_column="responder"))
    False
    """
    data = manifest.data
    return data.source == "synthetic" and not manifest.outcome_column
