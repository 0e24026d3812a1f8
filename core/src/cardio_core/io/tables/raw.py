"""The cells of a table as its file has them, whatever wrote the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.io.tables.bounds import require_bytes, require_cells, require_columns
from cardio_core.io.tables.formula import as_it_was
from cardio_core.io.tables.parquet import read_parquet
from cardio_core.types.unpacking.bounds import largest_bytes, too_large

SEPARATORS = (",", ";", "\t")
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
NESTED = (".json", ".jsonl", ".ndjson")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
"""First line by which Excel is told what separates the columns."""


@dataclass(frozen=True)
class Problem:
    """One thing to mend in a table.

    Attributes
    ----------
    says : str
        What was expected, what was found and what to do, without the cell's content.
    row : int or None
        As a spreadsheet counts: the header is row 1.
    column : str
        Empty where the whole row, or the whole file, is meant.
    cell : str
        What stood there. No error message and no log shows it; `cardio data check` does, to whom
        the table belongs.
    """

    says: str
    row: int | None = None
    column: str = ""
    cell: str = ""

    @property
    def place(self) -> str:
        """``"row 3, column 'age_y'"``."""
        parts = [f"row {self.row}" if self.row else "", f"column {self.column!r}"]
        return ", ".join(part for part in parts[: 1 + bool(self.column)] if part)

    def line(self) -> str:
        """Return the problem with its place."""
        return f"{self.place}: {self.says}" if self.place else self.says

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class RawTable:
    """What a file holds, before anything of it is understood.

    Attributes
    ----------
    cells : DataFrame of object
        In the order of the file, with the header's names.
    numbers : list of int
        The row in the file of each, as a spreadsheet counts: the header is row 1.
    separator : str
        Between columns; empty for Parquet.
    problems : tuple of Problem
        Rows that cannot be divided into the header's columns; they are not among the cells.
    notes : tuple of str
        What was taken for granted.
    """

    cells: pd.DataFrame
    numbers: list[int]
    separator: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def decimal_comma(self) -> bool:
        """Whether ``12,5`` is a number: where columns are not separated by commas."""
        return self.separator in (";", "\t")


def read_raw(path: Path, known: Collection[str] = (), *, lenient: bool = False) -> RawTable:
    """Read a CSV or Parquet file.

    Separators are commas, semicolons or tabs, or what a first line ``sep=;`` says; texts are UTF-8,
    UTF-16 or, as older Excels write, Windows-1252. Empty rows and columns without a name are left
    out. `known` are names that the header is spelt by. `lenient` fills rows that end early, as
    Excel writes them where the last columns are empty, and leaves out columns without a name; a
    note says so where it is otherwise a problem.

    Raises
    ------
    DataError
        If there is no file, it is no table, or it has no row.
    """
    if not path.is_file():
        raise DataError(f"{path.name}: no such file; expected a table (CSV or Parquet)")
    if path.suffix.lower() in WORKBOOKS:
        raise DataError(
            f"{path.name}: expected a CSV or Parquet table, found a workbook; save its sheet as "
            "CSV UTF-8"
        )
    if path.suffix.lower() in NESTED:
        raise DataError(
            f"{path.name}: expected a CSV or Parquet table, found JSON; write it as a table with a "
            "row a case (pandas: read_json, then to_csv)"
        )
    if path.stat().st_size > largest_bytes():
        raise too_large(path.name, "in one file", f"{path.stat().st_size / 1e9:.3g} GB")
    parquet = path.suffix.lower() in {".parquet", ".pq"}
    try:
        raw = _read_parquet(path) if parquet else _read_csv(path, known, lenient)
    except csv.Error:
        raise DataError(
            f"{path.name}: expected cells in whole quotation marks, found one that is not closed, "
            "or closed before the cell ends; correct it, or export the table again"
        ) from None
    except DataError:
        raise
    except MemoryError:
        raise DataError(
            f"{path.name}: expected a table that fits into memory, found a larger one; free "
            "memory, or leave out rows and columns"
        ) from None
    except Exception as error:  # pyarrow and pandas say of a damaged file whatever they met
        kind = "Parquet" if parquet else "comma-separated UTF-8"
        raise DataError(
            f"{path.name}: expected a {kind} table, found something else "
            f"({type(error).__name__}); export it again"
        ) from None
    if not len(raw.cells) and not raw.problems:
        raise DataError(f"{path.name}: expected a header and rows below it, found no row")
    return raw


def as_known(name: str, known: Collection[str]) -> str:
    """Return a name as the schema spells it where only case, blanks or hyphens differ.

    Examples
    --------
    >>> as_known("Patient ID", {"patient_id"}), as_known("Albumin", {"patient_id"})
    ('patient_id', 'Albumin')
    """
    if name in known:
        return name
    spelt = {plain_name(one): one for one in known}
    return spelt.get(plain_name(name), name)


def plain_name(name: str) -> str:
    """Return a name in small letters, with underscores for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def header_of(path: Path, known: Collection[str]) -> list[str]:
    """Return the names in the first row of a CSV file, as the schema spells them; [] if no text."""
    with path.open("rb") as file:
        start = file.read(65536)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text: str | None = start.decode("utf-16", errors="ignore")
    else:
        text = _decoded(start.rpartition(b"\n")[0] or start)[0]
    if text is None:
        return []
    separator, _, first = _beginning(text, known)
    return _header(first, separator, known)


def _beginning(text: str, known: Collection[str], where: str = "") -> tuple[str, int, str]:
    """Return the separator, the number of lines above the header, and the header's line.

    Where the file is named, a header of too many columns is refused.
    """
    said = ""
    for number, line in enumerate(io.StringIO(text, newline=None)):
        told = _SEPARATOR_LINE.fullmatch(line.strip())
        if told and not said:
            said = told[1]
        elif line.strip(" ,;\t\n"):
            if where:
                require_columns(
                    where, 1 + max(line.count(mark) for mark in (*SEPARATORS, said or ","))
                )
            return said or _separator(line, known), number, line.rstrip("\n")
    return said or ",", 0, ""


def _read_csv(path: Path, known: Collection[str], lenient: bool) -> RawTable:
    require_bytes(path.name, path.stat().st_size)
    text, notes = _decoded(path.read_bytes())
    if text is None or "\0" in text:
        raise ValueError("no text")
    separator, above, _ = _beginning(text, known, path.name)
    require_cells(path.name, text.count(separator) + text.count("\n"))
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator))
    if not any(any(cell.strip() for cell in row) for row in rows[above:]):
        return RawTable(pd.DataFrame(), [])
    start = above
    header = _names([as_it_was(cell) for cell in rows[start]], known)
    while header and not header[-1]:
        header.pop()
    width = len(header)
    kept, numbers, problems, short = [], [], [], 0
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if not any(cell and not cell.isspace() for cell in row):
            continue
        tail = row[width:]
        if len(row) < width and lenient:
            short += 1
            row = [*row, *[""] * (width - len(row))]
        elif len(row) < width or any(cell.strip() for cell in tail):
            mark = {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(separator, separator)
            problems.append(
                Problem(
                    f"expected {width} cells as in the header, found {len(row)}; quote "
                    f"cells that contain {mark}, remove what stands outside of the table",
                    number,
                )
            )
            continue
        kept.append([as_it_was(cell) for cell in row[:width]])
        numbers.append(number)
    if short:
        notes = (*notes, f"{short} row{'s end' if short > 1 else ' ends'} before the last column; "
                 "the rest was taken as empty.")  # fmt: skip
    cells = pd.DataFrame(kept, columns=pd.Index(header, dtype=object), dtype=object)
    unnamed = [place for place, name in enumerate(header) if not name]
    filled = [place for place in unnamed if cells.iloc[:, place].map(str.strip).any()]
    if lenient:
        notes = (*notes, *(f"Column {n + 1} has no name and was left out." for n in filled))
    else:
        problems += [
            Problem(f"column {place + 1} has no name; give it one, or empty its cells", start + 1)
            for place in filled
        ]
    cells = cells.iloc[:, [place for place, name in enumerate(header) if name]]
    return RawTable(cells, numbers, separator, tuple(problems), notes)


def _decoded(content: bytes) -> tuple[str | None, tuple[str, ...]]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16"), ()
        except UnicodeDecodeError:
            return None, ()
    half = content[1:400:2]
    if len(half) > 4 and half.count(0) > 0.8 * len(half) and 0 not in content[:400:2]:
        return content.decode("utf-16-le", errors="replace"), ()
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    if any(byte < 9 or 13 < byte < 32 for byte in content):  # no text has control characters
        return None, ()
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None, ()
    return text, ("The file is not UTF-8 and was read as Windows-1252 (Latin-1).",)


def _separator(line: str, known: Collection[str]) -> str:
    """Return what divides the header into most known names; the most names where none is known."""

    def found(mark: str) -> tuple[int, int]:
        names = _header(line, mark, known)
        return sum(name in known for name in names), len(names)

    return max(SEPARATORS, key=found)


def _header(line: str, separator: str, known: Collection[str]) -> list[str]:
    try:
        row = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
    return _names(row, known)


def _names(row: list[str], known: Collection[str]) -> list[str]:
    return [as_known(" ".join(name.split()), known) for name in row]


def _read_parquet(path: Path) -> RawTable:
    try:
        cells = read_parquet(path).reset_index(drop=True)
    except ImportError:
        raise DataError(
            f"{path.name}: reading Parquet needs pyarrow, which is not installed; install the "
            "parquet extra of cardio-core, or save the table as CSV"
        ) from None
    return RawTable(cells, list(range(2, len(cells) + 2)))
