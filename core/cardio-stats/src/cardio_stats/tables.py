"""A table as statistics need it: numbers as numbers, words as words, and what was taken so."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_stats.cells import (
    MISSING,
    Mark,
    Notation,
    as_it_was,
    cell_text,
    mark_of,
    notation_of,
)
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.layout import LAYOUT, Layout
from cardio_stats.limits import HARMLESS_BYTES, VARIABLE, largest_bytes, too_large

# How large a table may be: every cell becomes an object of its own.

MAX_COLUMNS = 10_000
_BYTES_A_CELL = 200
"""What a cell takes while a table is read: its text, its place, and the lists that it is in."""

_SHARE_OF_TEXT = 8
"""Of the limit on files, what the cells of a table may take packed side by side."""


def max_cells() -> int:
    """Return how many cells a table may have: 20 million, unless the limit on files is changed."""
    return largest_bytes() // _BYTES_A_CELL


def require_bytes(name: str, n_bytes: int) -> None:
    """Refuse a table of 500 MB or more, unpacked, unless the limit on files is changed.

    Raises
    ------
    DataError
        If so.
    """
    most = largest_bytes() // _SHARE_OF_TEXT
    if n_bytes > most:
        raise DataError.unusable(
            name, f"a table of at most {most // 10**6} MB", "a larger one",
            f"leave out rows and columns, or raise the limit with {VARIABLE}=GIGABYTES",
        )  # fmt: skip


def require_columns(name: str, n_columns: int) -> None:
    """Refuse a table that is wider than any cohort.

    Raises
    ------
    DataError
        More than `MAX_COLUMNS`.
    """
    if n_columns > MAX_COLUMNS:
        raise DataError.unusable(
            name, f"at most {MAX_COLUMNS} columns", f"{n_columns}",
            "leave out those that no study asks for, or divide the table",
        )  # fmt: skip


def require_cells(name: str, n_cells: int) -> None:
    """Refuse a table of more cells than memory is kept for.

    Raises
    ------
    DataError
        More than `max_cells`.

    Examples
    --------
    >>> require_cells("a.csv", 40_000_000)
    Traceback (most recent call last):
    cardio_stats.errors.DataError: a.csv: expected at most 20000000 cells, found 40000000; ...
    """
    if n_cells > max_cells():
        raise DataError.unusable(
            name, f"at most {max_cells()} cells", f"{n_cells}",
            f"leave out rows and columns, or raise the limit with {VARIABLE}=GIGABYTES",
        )  # fmt: skip


# A Parquet table, part by part: what it says of itself, and what it turns out to hold.

_MOST_ROWS = 16_384


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a table whose size is checked before and while it is unpacked.

    A million rows that repeat one value take a few bytes, and a text of a megabyte can be repeated
    as cheaply: so as many rows are read at once as cannot exceed `HARMLESS_BYTES` if each held the
    whole of its row group.

    Raises
    ------
    DataError
        Too many columns or cells; too much, unpacked.
    ImportError
        If pyarrow is not installed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        about = file.metadata
        require_columns(path.name, about.num_columns)
        require_cells(path.name, about.num_rows * about.num_columns)
        parts: list[Any] = []
        n_bytes = 0
        for rows in file.iter_batches(batch_size=_rows_at_once(about)):
            parts.append(rows)
            n_bytes += rows.nbytes
            require_bytes(path.name, n_bytes)
        return pa.Table.from_batches(parts, schema=file.schema_arrow).to_pandas()  # type: ignore[no-any-return]


def _rows_at_once(about: Any) -> int:
    """Return the rows of a part, by the largest row group.

    Not by its largest column: what pyarrow makes of a damaged column's description can end the
    process, which nothing here could refuse.
    """
    groups = range(about.num_row_groups)
    largest: int = max((about.row_group(group).total_byte_size for group in groups), default=0)
    return max(1, min(_MOST_ROWS, HARMLESS_BYTES // max(largest, 1)))


# The cells of a table as its file has them, whatever wrote the file.

SEPARATORS = (",", ";", "\t")
WORKBOOKS = (".xlsx", ".xlsm")
OLD_WORKBOOKS = (".xls", ".ods")
NESTED = (".json", ".jsonl", ".ndjson")
KINDS = {".parquet": "Parquet", ".pq": "Parquet"} | dict.fromkeys(WORKBOOKS, "xlsx")
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
    """Read a CSV, Parquet or xlsx file.

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
        raise DataError(f"{path.name}: no such file; expected a table (CSV, Parquet or xlsx)")
    if path.suffix.lower() in OLD_WORKBOOKS:
        raise DataError(
            f"{path.name}: expected a table (CSV, Parquet or xlsx), found a workbook of another "
            "kind; save it as xlsx, or its sheet as CSV UTF-8"
        )
    if path.suffix.lower() in NESTED:
        raise DataError(
            f"{path.name}: expected a CSV or Parquet table, found JSON; write it as a table with a "
            "row a case (pandas: read_json, then to_csv)"
        )
    if path.stat().st_size > largest_bytes():
        raise too_large(path.name, "in one file", f"{path.stat().st_size / 1e9:.3g} GB")
    kind = KINDS.get(path.suffix.lower(), "comma-separated UTF-8")
    layout = LAYOUT.get()
    try:
        if kind == "Parquet":
            raw = _read_parquet(path)
        elif kind == "xlsx":
            raw = _read_workbook(path, known, lenient, layout.sheet)
        else:
            raw = _read_csv(path, known, lenient)
    except csv.Error:
        raise DataError(
            f"{path.name}: expected cells in whole quotation marks, found one that is not closed, "
            "or closed before the cell ends; correct it, or export the table again"
        ) from None
    except (ConfigError, DataError):
        raise
    except MemoryError:
        raise DataError(
            f"{path.name}: expected a table that fits into memory, found a larger one; free "
            "memory, or leave out rows and columns"
        ) from None
    except Exception as error:  # pyarrow and pandas say of a damaged file whatever they met
        raise DataError(
            f"{path.name}: expected a {kind} table, found something else "
            f"({type(error).__name__}); export it again",
            code="damaged",
        ) from None
    if not len(raw.cells) and not raw.problems:
        raise DataError(f"{path.name}: expected a header and rows below it, found no row")
    return replace(raw, cells=_in_words(raw.cells, layout)) if layout.words else raw


def _in_words(cells: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return cells with what the user says their words stand for.

    Capitals and blanks make no other word.
    """
    made = cells.copy(deep=False)
    names = [str(name) for name in made.columns]
    plain = [plain_name(name) for name in names]
    for column, word, meaning in layout.words:
        option = f"--map {column}:{word}={meaning}"
        if column not in names and plain_name(column) not in plain:
            raise ConfigError(f"{option}: no column {column!r}; the table has {_listed(names, 12)}")
        place = names.index(column) if column in names else plain.index(plain_name(column))
        values = made.iloc[:, place]
        hit = np.array([_same_word(cell, word) for cell in values], dtype=bool)
        if not hit.any():
            raise ConfigError(f"{option}: no cell of {names[place]!r} says {word!r}; look at how "
                              "it is written", code="unknown")  # fmt: skip
        made.isetitem(place, values.astype(object).mask(hit, meaning).to_numpy())
    return made


def _same_word(cell: object, word: str) -> bool:
    text = cell_text(cell)
    return text is not None and " ".join(text.split()).casefold() == word.casefold()


def as_known(name: str, known: Collection[str]) -> str:
    """Return a name as the schema spells it where only case, blanks or hyphens differ.

    Examples
    --------
    >>> as_known("Patient ID", {"patient_id"}), as_known("Albumin", {"patient_id"})
    ('patient_id', 'Albumin')
    """
    if name in known:
        return name
    spelt = {plain_name(item): item for item in known}
    return spelt.get(plain_name(name), name)


def plain_name(name: str) -> str:
    """Return a name in small letters, with underscores for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def header_of(path: Path, known: Collection[str]) -> list[str]:
    """Return the names in the first row of a CSV file, as the schema spells them; [] if no text."""
    return _head(path, known)[0]


def has_words(path: Path) -> bool:
    """Say whether the first rows of a CSV file have a column of words, as no recording has."""
    names, rows = _head(path, ())
    columns = zip(*(row for row in rows if len(row) == len(names)), strict=True)
    return len(names) > 1 and any(
        known and not any(_as_number(cell) is not None for cell in known)
        for column in columns
        if (known := [text for cell in column if (text := cell_text(cell)) is not None])
    )


_HEAD_ROWS = 20


def _head(path: Path, known: Collection[str]) -> tuple[list[str], list[list[str]]]:
    """Return the header of a CSV file, and the rows below it that its beginning holds."""
    with path.open("rb") as file:
        start = file.read(65536)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text: str | None = start.decode("utf-16", errors="ignore")
    else:
        text = _decoded(start.rpartition(b"\n")[0] or start)[0]
    if text is None:
        return [], []
    separator, above, first = _beginning(text, known)
    lines = io.StringIO(text, newline=None).read().splitlines()[above + 1 :]
    try:
        rows = list(csv.reader(lines[:_HEAD_ROWS], delimiter=separator))
    except csv.Error:
        rows = []
    return _header(first, separator, known), rows


def _beginning(text: str, known: Collection[str], where: str = "") -> tuple[str, int, str]:
    """Return the separator, the number of lines above the header, and the header's line.

    Where the file is named, a header of too many columns is refused.
    """
    message = ""
    for number, line in enumerate(io.StringIO(text, newline=None)):
        match = _SEPARATOR_LINE.fullmatch(line.strip())
        if match and not message:
            message = match[1]
        elif line.strip(" ,;\t\n"):
            if where:
                require_columns(
                    where, 1 + max(line.count(mark) for mark in (*SEPARATORS, message or ","))
                )
            return message or _separator(line, known), number, line.rstrip("\n")
    return message or ",", 0, ""


def _read_csv(path: Path, known: Collection[str], lenient: bool) -> RawTable:
    require_bytes(path.name, path.stat().st_size)
    text, notes = _decoded(path.read_bytes())
    if text is None or "\0" in text:
        raise ValueError("no text")
    separator, above, _ = _beginning(text, known, path.name)
    require_cells(path.name, text.count(separator) + text.count("\n"))
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator))
    if not any("".join(row).strip() for row in rows[above:]):
        return RawTable(pd.DataFrame(), [])
    return _table(rows, above, separator, known, lenient, notes)


def _table(
    rows: Sequence[Sequence[str]], start: int, separator: str, known: Collection[str],
    lenient: bool, notes: tuple[str, ...],
) -> RawTable:  # fmt: skip
    """Return the rows below the header, which is the row `start`."""
    header = _names([as_it_was(cell) for cell in rows[start]], known)
    while header and not header[-1]:
        header.pop()
    width = len(header)
    retained, numbers, problems, short = [], [], [], 0
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        text = "".join(row)
        if not text.strip():
            continue
        if len(row) < width and lenient:
            short += 1
            row = [*row, *[""] * (width - len(row))]
        elif len(row) < width or (len(row) > width and "".join(row[width:]).strip()):
            mark = {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(separator, separator)
            problems.append(
                Problem(
                    f"expected {width} cells as in the header, found {len(row)}; quote "
                    f"cells that contain {mark}, remove what stands outside of the table",
                    number,
                )
            )
            continue
        own = row[:width]
        retained.append([*map(as_it_was, own)] if "'" in text else own)
        numbers.append(number)
    if short:
        notes = (*notes, f"{short} row{'s end' if short > 1 else ' ends'} before the last column; "
                 "the rest was taken as empty.")  # fmt: skip
    cells = pd.DataFrame(retained, columns=pd.Index(header, dtype=object), dtype=object)
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


def _read_workbook(
    path: Path, known: Collection[str], lenient: bool, sheet: str | None
) -> RawTable:
    """Read a sheet of a workbook as the texts that it shows, decimals with a point."""
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            f"{path.name}: reading xlsx needs openpyxl, which is not installed; install the xlsx "
            "extra of cardio-stats, or save the sheet as CSV UTF-8"
        ) from None
    _require_small_parts(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations, which nothing here needs
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        names = [item.title for item in book.worksheets if item.sheet_state == "visible"]
        if sheet is None and len(names) != 1:
            raise ConfigError(
                f"{path.name}: found the sheets {_listed(names, 12)}; name one with --sheet",
                code="ambiguous",
            )
        if sheet is not None and sheet not in book.sheetnames:
            raise ConfigError(
                f"--sheet {sheet}: {path.name} has no such sheet; it has {_listed(names, 12)}",
                code="unknown",
            )
        rows: list[list[str]] = []
        for row in book[names[0] if sheet is None else sheet].iter_rows(values_only=True):
            rows.append([_shown(cell) for cell in row])
            require_columns(path.name, len(row))
            require_cells(path.name, len(row) * len(rows))
        width = max(map(len, rows), default=0)
        rows = [row + [""] * (width - len(row)) for row in rows]
    finally:
        book.close()
    start = next((n for n, row in enumerate(rows) if any(cell.strip() for cell in row)), None)
    if start is None:
        return RawTable(pd.DataFrame(), [])
    return _table(rows, start, "", known, lenient, ())


def _require_small_parts(path: Path) -> None:
    """Refuse a workbook that unpacks to more than a table may have, before it is unpacked."""
    with zipfile.ZipFile(path) as file:
        require_bytes(path.name, sum(part.file_size for part in file.infolist()))


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, float):
        return f"{cell:.15g}"
    return str(cell)


def _read_parquet(path: Path) -> RawTable:
    try:
        cells = read_parquet(path).reset_index(drop=True)
    except ImportError:
        raise DataError(
            f"{path.name}: reading Parquet needs pyarrow, which is not installed; install the "
            "parquet extra of cardio-core, or save the table as CSV"
        ) from None
    return RawTable(cells, list(range(2, len(cells) + 2)))


# Numbers that stand for a missing value: 999 in a column of QRS durations.

_USUAL = (-9999, -999, -99, -9, -8, -7, 9, 88, 99, 888, 999, 8888, 9999, 99999)


def sentinels_of(values: NDArray[np.float64]) -> list[str]:
    """Name the usual codes of missing values that lie far from all other values of a column.

    Far is further from the nearest other value than those lie apart from each other.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN is missing.

    Examples
    --------
    >>> sentinels_of(np.array([120.0, 135, 180, 999, 999]))
    ['999 occurs 2 times, far from the rest (120 to 180); if it means missing: --missing 999']
    >>> sentinels_of(np.array([0.0, 1, 1, 9]))
    ['9 occurs once, far from the rest (0 to 1); if it means missing: --missing 9']
    >>> sentinels_of(np.array([60.0, 85, 99]))
    []
    """
    known = values[~np.isnan(values)]
    coded = np.isin(known, _USUAL)
    if not coded.any() or coded.all():
        return []
    low, high = float(known[~coded].min()), float(known[~coded].max())
    if not high - low >= 1:
        return []
    found = []
    for code in np.unique(known[coded]):
        if max(low - code, code - high) > high - low:
            count = int((known == code).sum())
            times = "once" if count == 1 else f"{count} times"
            found.append(
                f"{code:g} occurs {times}, far from the rest ({low:g} to {high:g}); if it means "
                f"missing: --missing {code:g}"
            )
    return found


Ints = NDArray[np.int64]
DOUBTS = "doubts"
"""Key of the attribute of a table that says why a column cannot be read, by the column's name."""

STRAYS = "strays"
"""Under this name ``attrs`` says which few cells keep a column from being numbers."""

MOST_CATEGORIES = 20
"""A column of more different words names things: there "a" and "A" may be two."""

PATIENTS = ("patient_id", "patient", "patientid", "subject_id", "subject", "subjectid", "pid",
            "person_id", "personid", "case_id", "case", "identifier", "id",
            "record_id", "rowindex", "row")  # fmt: skip
"""Names of the column that says whose row it is, in the order in which they are looked for."""

MOST_STRAYS = 0.2
"""A column with a larger share of words is none of numbers."""


@dataclass
class Reading:
    """A table and what was taken for granted when it was read.

    Attributes
    ----------
    table : DataFrame
        Numbers as ``int64`` or ``float64``, all else as text with None where it is missing. Its
        ``attrs["doubts"]`` says of some columns, by name, why they cannot be read.
    notes : list of str
        Of the whole file.
    of_columns : dict of str to list of str
        Notes by column, for those who use the column.
    missing : dict of str to dict of str to int
        By column, how often each word was taken as missing. Empty cells are not among them.
    """

    table: pd.DataFrame
    notes: list[str]
    of_columns: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)

    def notes_on(self, used: Collection[str]) -> list[str]:
        """Return what somebody who uses these columns has to know, a sentence each."""
        words: dict[str, int] = {}
        where = [name for name in self.missing if name in used]
        for name in where:
            for word, count in self.missing[name].items():
                words[word] = words.get(word, 0) + count
        notes = list(self.notes)
        if words:
            notes.append(missing_note(words, where))
        together: dict[str, list[str]] = {}
        for name in (name for name in self.of_columns if name in used):
            for note in self.of_columns[name]:
                together.setdefault(note, []).append(name)
        return [*notes, *(f"{_listed(names)}: {note}." for note, names in together.items())]


def read_typed(
    path: Path, missing: Sequence[str] = (), *, ids: Collection[str] = PATIENTS
) -> Reading:
    r"""Read a table for statistics.

    Parameters
    ----------
    path : Path
        CSV or Parquet; see :func:`~cardio_stats.tables.read_raw`.
    missing : sequence of str
        Further words that mean a missing value, or ``COLUMN=WORD`` for one column only.
    ids : collection of str
        Columns that say whose row it is, where a word alone means nothing: a patient may be
        called 9.

    Raises
    ------
    DataError
        No table, or rows that are longer than the header.
    ConfigError
        A column in `missing` that is not there, or a word that occurs nowhere.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cohort.csv"
    >>> _ = file.write_text("id;nyha;lvef\n007;None;35,5\n012;II;n/a\n", encoding="utf-16")
    >>> made = read_typed(file)
    >>> made.table["nyha"].tolist(), made.table["lvef"].tolist(), made.table["id"].tolist()
    (['None', 'II'], [35.5, nan], ['007', '012'])
    >>> made.notes_on(["nyha", "lvef"])
    ["Taken as missing: 'n/a' once (lvef).", 'lvef: read with decimal commas.']
    """
    raw = read_raw(path, lenient=True)
    if raw.problems:
        more = f"; and {len(raw.problems) - 1} more rows" if len(raw.problems) > 1 else ""
        raise DataError(f"{path.name}, {raw.problems[0].line()}{more}")
    cells = raw.cells
    if not len(cells):
        raise DataError(f"{path.name}: expected rows below the header, found none")
    cells.columns = pd.Index([str(name).strip() for name in cells.columns], dtype=object)
    again = [name for name in cells.columns[cells.columns.duplicated()] if name]
    if again:  # alike once what breaks a line in them is a blank
        raise DataError(f"{path.name}: expected one column {again[0]!r}, found two; rename one")
    extra = _by_column(missing, list(cells.columns), {plain_name(name) for name in ids})
    made = Reading(pd.DataFrame(), list(raw.notes))
    columns: list[pd.Series] = []
    notations: dict[int, tuple[Notation, Ints, list[str]]] = {}
    for place, name in enumerate(cells.columns):
        column, words = cells.iloc[:, place], extra.get(name, ())
        if pd.api.types.is_bool_dtype(column) or not _is_text(column):
            columns.append(_without(column, words, made, name))
            continue
        codes, different = _known(column, words, made, name)
        notations[place] = notation_of(different), codes, different
        columns.append(column)
    evidence = _evidence(raw, [item for item, _, _ in notations.values()])
    doubts: dict[str, str] = {}
    for place, (notation, codes, different) in notations.items():
        name = str(cells.columns[place])
        columns[place] = _typed(notation, codes, different, evidence, made, doubts, name)
    table = pd.concat([item.reset_index(drop=True) for item in columns], axis=1)
    table.columns = cells.columns
    table.attrs[DOUBTS] = doubts
    table.attrs[STRAYS] = {
        str(cells.columns[place]): text
        for place, (notation, codes, different) in notations.items()
        if not notation.marks and (text := _strays(codes, different, evidence))
    }
    _require_used(missing, made)
    for name in dict.fromkeys(cells.columns):
        values = table[name]
        if isinstance(values, pd.Series) and pd.api.types.is_numeric_dtype(values):
            made.of_columns.setdefault(name, []).extend(sentinels_of(values.to_numpy(float)))
    made.table = table
    return made


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)


def _by_column(
    missing: Sequence[str], names: Sequence[str], ids: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """Return the further words of each column, in small letters."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
    for word in missing:
        column, equals, own = word.partition("=")
        if equals and column not in found:
            raise ConfigError(
                f"--missing {word}: no column {column!r}; expected WORD or COLUMN=WORD"
            )
        for name in [column] if equals else (item for item in names if plain_name(item) not in ids):
            found[name] = (*found[name], (own if equals else word).strip().casefold())
    return found


def _says(text: str, words: Collection[str]) -> bool:
    """Say whether a cell is one of these words; 999 is also 999.0 and 999,0."""
    if text.casefold() in words:
        return True
    value = _as_number(text) if words else None
    return value is not None and any(value == _as_number(word) for word in words)


def _as_number(word: str) -> float | None:
    try:
        return float(word.replace(",", "."))
    except ValueError:
        return None


def _known(
    column: pd.Series, words: Collection[str], made: Reading, name: str
) -> tuple[Ints, list[str]]:
    """Return the code of each row's text, -1 where it is missing, and the different texts."""
    codes, texts = pd.factorize(column)
    stripped = pd.Index([str(text).strip() for text in texts], dtype=object)
    absent = np.array(
        [text.casefold() in MISSING or _says(text, words) for text in stripped], dtype=bool
    )
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    for text, count in zip(stripped[absent], counts[absent], strict=True):
        if text:
            of_this = made.missing.setdefault(name, {})
            of_this[text] = of_this.get(text, 0) + int(count)
    again, different = pd.factorize(stripped[~absent])
    to = np.full(len(texts) + 1, -1, dtype=np.int64)  # the last is for missing cells of Parquet
    to[:-1][~absent] = again
    return to[codes], [str(text) for text in different]


def _without(column: pd.Series, words: Collection[str], made: Reading, name: str) -> pd.Series:
    """Return a column of Parquet's own numbers without those that mean missing."""
    column = column.rename(name)
    for word in words:
        number = _as_number(word)
        hit = (column == number).fillna(False).to_numpy(bool) if number is not None else None
        if hit is not None and hit.any():
            made.missing.setdefault(name, {})[word] = int(hit.sum())
            column = column.astype("float64").mask(hit)
    return column


def _require_used(missing: Sequence[str], made: Reading) -> None:
    """Refuse a word that occurs nowhere: it is misspelt, and nobody would know."""
    for supplied in missing:
        column, equals, own = supplied.partition("=")
        word = (own if equals else supplied).strip()
        found = [made.missing.get(column, {})] if equals else list(made.missing.values())
        if not any(_says(text, [word.casefold()]) for texts in found for text in texts):
            raise ConfigError(f"--missing {supplied}: no cell says so; look at how it is written")


def _evidence(raw: RawTable, notations: Iterable[Notation]) -> Mark | None:
    """Say what a comma before three digits is in this table, as 1,234 can be two numbers.

    Columns that can be read in one way only tell it, or else what separates the columns: Excel
    writes semicolons where decimals have commas. None where they contradict each other.
    """
    certain = {mark for item in notations if len(item.marks) == 1 for mark in item.marks}
    if not certain:
        usual: dict[str, Mark] = {",": ".", ";": ","}
        return usual.get(raw.separator)
    (mark,) = certain if len(certain) == 1 else (None,)
    return None if mark == "." and raw.separator == ";" else mark


def _typed(
    notation: Notation, codes: Ints, different: Sequence[str], evidence: Mark | None,
    made: Reading, doubts: dict[str, str], name: str,
) -> pd.Series:  # fmt: skip
    """Return a column as numbers where every known cell is one, else as text."""
    notes = made.of_columns.setdefault(name, [])
    if {text.casefold() for text in different} in ({"true", "false"}, {"true"}, {"false"}):
        return _taken([float(text.casefold() == "true") for text in different], codes)
    spelled = _one_spelling(codes, different, notes)
    text = pd.Series(np.array([*spelled, None], dtype=object)[codes], dtype=object)
    if not different or not notation.marks or notation.code:
        if notation.code and notation.marks:
            notes.append("kept as written, with leading zeros and all digits")
        return text
    mark = mark_of(notation, different, evidence)
    if mark is None:
        found = next(cell for cell in different if "," in cell or "." in cell)
        doubts[name] = (
            f"expected one way to write numbers, found {found!r}, which can be two numbers here; "
            "write it without a mark of thousands"
        )
        return text
    numbers = notation.numbers(mark)
    if any("," in cell for cell in different):
        notes.append(
            "read with decimal commas" if mark == "," else "commas taken as marks of thousands"
        )
    if notation.percent:
        notes.append("percent signs left out (35 % is 35)")
    if notation.apostrophe:
        notes.append("leading apostrophes left out")
    return _taken([numbers[cell] for cell in different], codes)


def _one_spelling(codes: Ints, different: Sequence[str], texts: list[str]) -> list[str]:
    """Return words of a few categories in one spelling each, the most frequent.

    Capitals and blanks make no other category; of many different texts they may.
    """
    plain = [" ".join(text.split()).casefold() for text in different]
    if len(set(plain)) == len(plain) or len(set(plain)) > MOST_CATEGORIES:
        return list(different)
    counts = np.bincount(codes[codes >= 0], minlength=len(different)).tolist()
    usual: dict[str, str] = {}
    for place in sorted(range(len(different)), key=lambda place: -counts[place]):
        usual.setdefault(plain[place], different[place])
    made = [usual[item] for item in plain]
    other = [
        f"{text!r} in {count} row{'s'[: count != 1]} as {word!r}"
        for text, word, count in zip(different, made, counts, strict=True)
        if text != word
    ]
    texts.append(f"capitals and blanks make no other word ({', '.join(other[:4])} read)")
    return made


def _strays(codes: Ints, different: Sequence[str], evidence: Mark | None) -> str:
    """Name the cells that keep a column from being numbers; empty where it is text."""
    texts = np.array(different, dtype=object)
    best: list[int] = []
    for mark in (evidence,) if evidence else (".", ","):
        strays = [
            place for place, text in enumerate(texts)
            if "%" in text or mark not in notation_of([text]).marks
        ]  # fmt: skip
        best = strays if not best or len(strays) < len(best) else best
    rows = np.flatnonzero(np.isin(codes, best))
    n_known = int((codes >= 0).sum())
    if not best or len(rows) > MOST_STRAYS * n_known:
        return ""
    if any(_as_number(str(texts[place])) is not None for place in best):
        return ""  # infinite: a number, and refused as one
    shown = [f"{texts[codes[row]]!r} in data row {row + 1}" for row in rows[:5]]
    more = [f"{len(rows) - 5} more"] if len(rows) > 5 else []
    return (
        f"expected numbers, found {', '.join([*shown, *more])}; correct these cells, or say of a "
        "word that it means missing (--missing) or what it stands for (--map)"
    )


def _taken(numbers: Sequence[float], codes: Ints) -> pd.Series:
    values = np.array([*numbers, np.nan])[codes]
    if not np.isnan(values).any() and (np.abs(values) < 2**53).all() and (values % 1 == 0).all():
        return pd.Series(values.astype(np.int64))
    return pd.Series(values)


def missing_note(words: Mapping[str, int], columns: Sequence[str]) -> str:
    """Say which words were taken as missing, how often, and in which columns.

    Examples
    --------
    >>> missing_note({"NA": 12, ".": 1}, ["qrs_ms"])
    "Taken as missing: 'NA' 12 times, '.' once (qrs_ms)."
    """
    listed = ", ".join(f"{word!r} {_times(count)}" for word, count in words.items())
    return f"Taken as missing: {listed} ({_listed(columns)})."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
