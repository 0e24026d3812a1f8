"""The cells of a cohort table as its file has them, whatever wrote the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.io.cohorts.headers import as_known
from cardio_core.io.cohorts.problems import Problem

SEPARATORS = (",", ";", "\t")
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")


@dataclass(frozen=True)
class RawTable:
    """What a file holds, before anything of it is understood.

    Attributes
    ----------
    cells : DataFrame of object
        One row a study, in the order of the file, with the header's names.
    numbers : list of int
        The row in the file of each, as a spreadsheet counts: the header is row 1.
    decimal_comma : bool
        Whether ``12,5`` is a number: where columns are not separated by commas.
    problems : tuple of Problem
        Rows that cannot be divided into the header's columns; they are not among the cells.
    notes : tuple of str
        What was taken for granted.
    """

    cells: pd.DataFrame
    numbers: list[int]
    decimal_comma: bool = False
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def read_raw(path: Path, known: Collection[str]) -> RawTable:
    """Read a CSV or Parquet file.

    Separators are commas, semicolons or tabs; texts are UTF-8, UTF-16 or, as older Excels write,
    Windows-1252. Empty rows and columns without a name are left out.

    Raises
    ------
    DataError
        If there is no file, it is no table, or it has no row.
    """
    if not path.is_file():
        raise DataError(f"{path.name}: no such file; expected a cohort table (CSV or Parquet)")
    if path.suffix.lower() in WORKBOOKS:
        raise DataError(
            f"{path.name}: expected a CSV or Parquet table, found a workbook; save its sheet as "
            "CSV UTF-8"
        )
    parquet = path.suffix.lower() in {".parquet", ".pq"}
    try:
        raw = _read_parquet(path) if parquet else _read_csv(path, known)
    except (ValueError, OSError, csv.Error) as error:
        kind = "Parquet" if parquet else "comma-separated UTF-8"
        raise DataError(
            f"{path.name}: expected a {kind} table, found something else "
            f"({type(error).__name__}); export it again"
        ) from None
    if not len(raw.cells) and not raw.problems:
        raise DataError(f"{path.name}: expected a header and one row a study, found no row")
    return raw


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
    lines = [line for line in text.splitlines() if line.strip()]
    return _header(lines[0], _separator(lines[0], known), known) if lines else []


def _read_csv(path: Path, known: Collection[str]) -> RawTable:
    text, notes = _decoded(path.read_bytes())
    if text is None or "\0" in text:
        raise ValueError("no text")
    lines = text.splitlines()
    first = next((line for line in lines if line.replace(",", " ").replace(";", " ").strip()), "")
    separator = _separator(first, known)
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator))
    start = next((n for n, row in enumerate(rows) if any(cell.strip() for cell in row)), None)
    if start is None:
        return RawTable(pd.DataFrame(), [])
    header = _names(rows[start], known)
    while header and not header[-1]:
        header.pop()
    kept, numbers, problems = [], [], []
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if not any(cell.strip() for cell in row):
            continue
        tail = row[len(header) :]
        if len(row) < len(header) or any(cell.strip() for cell in tail):
            mark = {",": "a comma", ";": "a semicolon", "\t": "a tab"}[separator]
            problems.append(
                Problem(
                    f"expected {len(header)} cells as in the header, found {len(row)}; quote "
                    f"cells that contain {mark}, remove what stands outside of the table",
                    number,
                )
            )
            continue
        kept.append(row[: len(header)])
        numbers.append(number)
    cells = pd.DataFrame(kept, columns=pd.Index(header, dtype=object), dtype=object)
    unnamed = [place for place, name in enumerate(header) if not name]
    filled = [place for place in unnamed if cells.iloc[:, place].map(str.strip).any()]
    problems += [
        Problem(f"column {place + 1} has no name; give it one, or empty its cells", start + 1)
        for place in filled
    ]
    cells = cells.iloc[:, [place for place, name in enumerate(header) if name]]
    return RawTable(cells, numbers, separator != ",", tuple(problems), notes)


def _decoded(content: bytes) -> tuple[str | None, tuple[str, ...]]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16"), ()
        except UnicodeDecodeError:
            return None, ()
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
    return text, ("It is not UTF-8 and was read as Windows-1252 (Latin-1).",)


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
        cells = pd.read_parquet(path).reset_index(drop=True)
    except ImportError:
        raise DataError(
            f"{path.name}: reading Parquet needs pyarrow, which is not installed; install the "
            "parquet extra of cardio-core, or save the table as CSV"
        ) from None
    return RawTable(cells, list(range(2, len(cells) + 2)))
