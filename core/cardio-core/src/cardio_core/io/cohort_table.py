"""The cohort table: one row a study, checked column by column when it is read.

No message repeats a cell: a misaligned export can put a name where a number belongs. Errors name
the row, as a spreadsheet counts it (the header is row 1), and the column.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from cardio_core.io.cohort_columns import COLUMNS, FILES_PREFIX, ColumnSpec, read_own
from cardio_stats.cells import MISSING, cell_text, number_of
from cardio_stats.errors import DataError
from cardio_stats.layout import LAYOUT
from cardio_stats.tables import Problem, RawTable, missing_note, plain_name, read_raw

# One cell of a cohort table: what it says, or what is wrong with it without repeating it.

SEPARATOR = ";"
"""Stands between the paths of one cell."""


class BadCellError(ValueError):
    """What is wrong with one cell, without its content."""


def parse_cell(
    text: str, column: ColumnSpec, folder: Path, *, decimal_comma: bool = False
) -> object:
    """Return the value of a cell that is not missing.

    The text has no surrounding space; `folder` is where relative paths start; `decimal_comma` says
    whether ``12,5`` is a number.

    Raises
    ------
    BadCellError
        Saying what was expected and what kind of thing was found.

    Examples
    --------
    >>> parse_cell("3", ColumnSpec("nyha_bl", "count", "NYHA class.", low=1, high=4), Path())
    3
    """
    match column.kind:
        case "path":
            return _paths(text, folder)
        case "number" | "count" | "flag":
            return _number(text, column, decimal_comma)
        case "code":
            return _code(text, column)
        case "date":
            return _date(text)
    return text


def _paths(text: str, folder: Path) -> tuple[Path, ...]:
    parts = [part.strip().strip('"') for part in text.split(SEPARATOR)]
    return tuple(_path(part, folder) for part in parts if part)


def _path(text: str, folder: Path) -> Path:
    """Return a path as this computer writes it: ``~`` is home, a backslash divides."""
    if "\\" in text and not (folder / text).exists():
        text = text.replace("\\", "/")
    try:
        return (folder / Path(text).expanduser()).absolute()
    except RuntimeError:  # the home of somebody unknown
        return (folder / text).absolute()


_MOST = 1e15
"""Above it not every whole number is a float of its own, and nothing is measured."""
_FLAGS = {"yes": 1, "y": 1, "true": 1, "no": 0, "n": 0, "false": 0}


def _number(text: str, column: ColumnSpec, decimal_comma: bool) -> float | int:
    expected = "0, 1 or NA" if column.kind == "flag" else "a number"
    expected += f" in {column.unit}" if column.unit else ""
    if column.kind == "flag" and text.casefold() in _FLAGS:
        return _FLAGS[text.casefold()]
    value = number_of(text, decimal_comma)
    if value is None:
        raise BadCellError(f"expected {expected}, found {_instead_of_number(text, column)}")
    if column.kind == "flag" and value not in (0, 1):
        raise BadCellError(f"expected {expected}, found another number")
    if abs(value) > _MOST:
        raise BadCellError(f"expected {expected}, found one too large to be true; correct it")
    if column.kind == "count" and not value.is_integer():
        raise BadCellError("expected a whole number, found a fraction")
    low, high = column.low, column.high
    if (low is not None and value < low) or (high is not None and value > high):
        limits = f"from {low:g} to {high:g}" if high is not None else f"of at least {low:g}"
        raise BadCellError(
            f"expected {expected} {limits}, found one outside; check the unit and the entry"
        )
    return value if column.kind == "number" else int(value)


def _instead_of_number(text: str, column: ColumnSpec) -> str:
    if text.lower().lstrip("+-") in {"inf", "infinity"}:
        return "an infinite one; correct it or leave it empty"
    if text.count(",") == 1 and text.replace(",", "").lstrip("+-").isdigit():
        return "a decimal comma; write a point"
    if "," in text and text.replace(",", "").replace(".", "").lstrip("+-").isdigit():
        return "marks of thousands; write the digits and one decimal point"
    if text[:1] in "<>≤≥~":
        return "a limit (< or >), not a value; write the value or leave it empty"
    if column.unit and re.fullmatch(r"[+-]?\d+([.,]\d+)?\s*\D+", text):
        return "a number with a unit behind it; write the number alone"
    if text.startswith("#"):
        return "an error of the spreadsheet's formula; correct it or leave it empty"
    return "text; correct it or leave it empty"


def _code(text: str, column: ColumnSpec) -> str:
    lowered = {code.lower(): code for code in column.allowed} | dict(column.aliases)
    if text.lower() in lowered:
        return lowered[text.lower()]
    if column.aliases and text in {"0", "1", "2"}:
        raise BadCellError(
            f"expected {' or '.join(column.allowed)}, found a number, which does not say who is "
            f"who; write {' or '.join(column.allowed)}"
        )
    near = difflib.get_close_matches(text.lower(), lowered, n=1)
    hint = f"did you mean {lowered[near[0]]}?" if near else (
        f"say what it stands for (--map {column.name}:WORD={column.allowed[0]}), or leave it empty"
    )  # fmt: skip
    raise BadCellError(f"expected one of {', '.join(column.allowed)}, found another text; {hint}")


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadCellError("expected a date as YYYY-MM-DD, found another text") from None


# The files behind a cell of a path column, and what a wrong path may have meant.


def existing_paths(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files behind one cell of a path column; a folder stands for the files in it.

    They are in the order of the cell; the files of a folder by name, hidden ones left out.

    Raises
    ------
    DataError
        If a path does not exist, or a folder is empty. The message carries the file's name.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                item for item in path.iterdir() if item.is_file() and item.name[0] != "."
            )
            if not inside:
                raise DataError(
                    f"folder {path.name}: expected files, found none; fill it or drop it",
                    code="missing",
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise DataError(f"{path.name}: no such file; {what_to_do(path)}", code="missing")
    return tuple(found)


def what_to_do(path: Path) -> str:
    """Say what a path that does not exist may have meant."""
    other = re.search(r"(?:^|/)[A-Za-z]:", str(path))
    if other is not None:
        return "it is a path of another computer; write it relative to the table's folder"
    here = path.parent
    while not here.is_dir() and here != here.parent:
        here = here.parent
    if here != path.parent:
        missing = path.relative_to(here).parts[0]
        near = _nearest(missing, here)
        meant = f"did you mean {near}?" if near else (
            "relative paths are relative to the cohort table"
        )  # fmt: skip
        return f"there is no folder {missing} in {here.name or here}; {meant}"
    near = _nearest(path.name, here)
    if near:
        return f"did you mean {near}?"
    return "relative paths are relative to the cohort table"


def _nearest(name: str, folder: Path) -> str:
    """Return the entry of a folder whose name is nearest, or nothing."""
    try:
        names = [item.name for item in folder.iterdir() if item.name[0] != "."]
    except OSError:
        return ""
    lowered = {entry.lower(): entry for entry in names}
    same = lowered.get(name.lower()) or next(
        (entry for entry in sorted(names) if Path(entry).stem.lower() == Path(name).stem.lower()),
        None,
    )
    if same:
        return same
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.8)
    return lowered[found[0]] if found else ""


# The header of a cohort table: names as people write them, and what they may have meant.

_MEANT = {
    "patient_id": ("patient", "id", "subject", "subject_id", "case", "case_id", "pid", "mrn"),
    "age_y": ("age", "age_years", "alter"),
    "sex": ("gender", "male", "female"),
    "lvef_bl_pct": ("ef", "lvef", "ejection_fraction"),
    "dm": ("diabetes", "diabetes_mellitus"),
    "htn": ("hypertension",),
    "qrs_ms": ("qrs", "qrs_duration"),
    "hr_bpm": ("hr", "heart_rate"),
    "study_date": ("date",),
}
"""Words that stand for a column although they are spelt otherwise."""

_FILE = ("file", "path", "filename")
"""Words for the one column of recordings, where a table has no other."""


def near(name: str, known: Collection[str]) -> str:
    """Return the known column that a name may have meant, or nothing.

    Examples
    --------
    >>> near("lvesv_bl", {"lvesv_bl_ml", "dm"}), near("Diabetes", {"dm"}), near("ward", {"dm"})
    ('lvesv_bl_ml', 'dm', '')
    """
    plain = plain_name(name.removeprefix("x_"))
    for column, words in _MEANT.items():
        if plain in words and column in known:
            return column
    files = [item for item in known if item.startswith("path_")]
    for column in files:
        named = plain == plain_name(column.removeprefix("path_"))
        if named or (plain in _FILE and len(files) == 1):
            return column
    spelt = {plain_name(item): item for item in known}
    found = difflib.get_close_matches(plain, spelt, n=1, cutoff=0.75)
    return spelt[found[0]] if found else ""


def own_columns(names: Iterable[str], known: Collection[str], *, named: bool = True) -> str:
    """Return one sentence about columns that no rule knows, or nothing where there is none.

    Parameters
    ----------
    names : iterable of str
        Of the columns.
    known : collection of str
        The columns of the schema.
    named : bool
        Without it only those are named that are nearly a known one: the others can hold anything.

    Examples
    --------
    >>> own_columns(["ward", "lvesv_bl"], {"lvesv_bl_ml"}).partition(". ")[0]
    "2 columns are the cohort's own: ward, lvesv_bl (did you mean lvesv_bl_ml?)"
    >>> own_columns(["Ward B", "lvesv_bl"], {"lvesv_bl_ml"}, named=False).partition(". ")[0]
    "2 columns are the cohort's own: lvesv_bl (did you mean lvesv_bl_ml?) and 1 that cardio data \
check names"
    """
    own = list(names)
    if not own:
        return ""
    meant = {name: near(name, known) for name in own}
    listed = [f"{name} (did you mean {meant[name]}?)" if meant[name] else name
              for name in own if named or meant[name]]  # fmt: skip
    item = len(own) == 1
    if unnamed := len(own) - len(listed):
        more = f"{unnamed} that cardio data check names"
        listed = [f"{', '.join(listed)} and {more}" if listed else "cardio data check names "
                  f"{'it' if item else 'them'}"]  # fmt: skip
    return (
        f"{len(own)} column{' is' if item else 's are'} the cohort's own: {', '.join(listed)}. "
        f"Nothing reads {'it' if item else 'them'} unless --outcome or --covariates names "
        f"{'it' if item else 'them'}."
    )


# A cohort table that cannot be used, with everything that is wrong with it.

_SHOWN = 3


class CohortTableError(DataError):
    """A cohort table that cannot be used as it is, with everything that is wrong with it.

    Examples
    --------
    >>> found = [Problem("expected a number, found text", 3, "age_y")]
    >>> str(CohortTableError("cohort.csv", found))
    "cohort.csv, row 3, column 'age_y': expected a number, found text"
    """

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        groups = list(_alike(self.problems).values())
        lines = [_line(group) for group in groups[:_SHOWN]]
        if len(self.problems) == 1:
            first = self.problems[0]
            super().__init__(f"{name}{', ' if first.place else ': '}{lines[0]}")
            return
        more = sum(len(group) for group in groups[_SHOWN:])
        rest = f"; and {more} more" if more else ""
        super().__init__(
            f"{name} has {len(self.problems)} problems. {'; '.join(lines)}{rest}. "
            f"cardio data check lists all {len(self.problems)}"
        )


def _alike(problems: Iterable[Problem]) -> dict[tuple[str, str], list[Problem]]:
    """Group problems that say the same of one column."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.column, problem.says), []).append(problem)
    return groups


def _line(group: Sequence[Problem]) -> str:
    """Return what problems that are alike say, with the first rows of them."""
    if len(group) == 1 or not group[0].column:
        return group[0].line()
    rows = ", ".join(str(item.row) for item in group[:_SHOWN])
    more = f" and {len(group) - _SHOWN} more" if len(group) > _SHOWN else ""
    return f"column {group[0].column!r}, rows {rows}{more}: {group[0].says}"


EXAMPLE = "EXAMPLE"
"""Patients whose id begins like this are rows of a template, not patients."""

_FORGIVING: ContextVar[bool] = ContextVar("forgiving", default=False)


@dataclass(frozen=True)
class Inspected:
    """A cohort table with everything that is wrong with it.

    Attributes
    ----------
    rows : DataFrame
        As `read_cohort_table` returns it; bad cells are missing, rows that belong to nobody or
        repeat a study are left out.
    numbers : dict of str to int
        The row in the file of each study.
    own : tuple of str
        Columns that no rule knows.
    problems : tuple of Problem
        In the order of the rows; those of the whole file first.
    notes : tuple of str
        What was taken for granted.
    """

    rows: pd.DataFrame
    numbers: dict[str, int]
    own: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_cohort_table(path: Path, paths: Collection[str] = ()) -> pd.DataFrame:
    r"""Read and check a cohort table.

    Parameters
    ----------
    path : Path
        A CSV file (separated by commas, semicolons or tabs) or a Parquet file (``.parquet``,
        ``.pq``).
    paths : collection of str
        Columns ``path_...`` of a plugin's own that name recordings, beyond those of the schema.

    Returns
    -------
    DataFrame
        One row a study in the order of the file, indexed by `study_id` (str, unique), with the
        columns that the file has, in its order. Text, codes and dates are ``string``, numbers
        ``float64``, counts and flags ``Int64``; path columns hold a tuple of absolute paths,
        empty where there is none, whose existence is not checked here (`existing_paths` does).
        Missing values are NA, or NaN for numbers; NA is never 0. Columns of the cohort's own are
        numbers where every cell is one, else text. Without `study_id` the studies of a patient
        are numbered: ``"P1-1"``, ``"P1-2"``.

    Raises
    ------
    CohortTableError
        A `DataError` in one line with everything that is wrong: a missing patient, a study that
        stands twice, cells of the wrong type, code or range.
    DataError
        An unreadable or empty file, a repeated column, no column `patient_id`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cohort.csv"
    >>> _ = file.write_text("patient_id,lvesv_bl_ml,dm\nP1,181.5,1\nP2,,NA\n")
    >>> table = read_cohort_table(file)
    >>> table.index.tolist(), table["lvesv_bl_ml"].tolist(), table["dm"].isna().tolist()
    (['P1-1', 'P2-1'], [181.5, nan], [False, True])
    """
    found = inspect_cohort_table(path, paths)
    if found.problems and not _FORGIVING.get():
        raise CohortTableError(path.name, found.problems)
    return found.rows.copy()


@contextmanager
def forgiving() -> Iterator[None]:
    """Read cohort tables as far as they can be read, so that all that is wrong can be listed."""
    token = _FORGIVING.set(True)
    try:
        yield
    finally:
        _FORGIVING.reset(token)


def inspect_cohort_table(
    path: Path, paths: Collection[str] = (), more: tuple[ColumnSpec, ...] = ()
) -> Inspected:
    """Read a cohort table as far as it can be read, and collect everything that is wrong.

    Raises
    ------
    DataError
        If it cannot be read at all: no table, a repeated column, no column `patient_id`.
    """
    if not path.is_file():
        return _inspect(path, tuple(paths), more, ())
    state = path.stat()
    return _inspect(path, tuple(paths), more, (state.st_mtime_ns, state.st_size, LAYOUT.get()))


@lru_cache(maxsize=8)
def _inspect(
    path: Path, paths: tuple[str, ...], more: tuple[ColumnSpec, ...], state: tuple[object, ...]
) -> Inspected:
    """Inspect a file once as long as it stays as it is: a run asks for its table several times."""
    known = {name: ColumnSpec(name, "path", "Recordings.") for name in paths}
    known |= {**COLUMNS, **{column.name: column for column in more}}
    raw = read_raw(path, known)
    others = [str(name) for name in raw.cells.columns if str(name).startswith(FILES_PREFIX)]
    known |= {name: ColumnSpec(name, "path", "Recordings.") for name in others}
    _check_header(raw, path.name, known)
    problems = list(raw.problems)
    checked = {}
    for name in raw.cells.columns:
        column = known.get(str(name))
        if column is None:
            checked[name] = read_own(raw.cells[name], decimal_comma=raw.decimal_comma)
        else:
            checked[name] = _checked(raw, column, path.parent, problems)
    table = pd.DataFrame(checked, columns=raw.cells.columns)
    numbers = pd.Series(raw.numbers, dtype="int64")
    bad = _rows_of_nobody(raw, table, problems)
    bad |= _repeated_rows(raw, bad, problems)
    retained = ~pd.Series([place in bad for place in range(len(table))], dtype=bool)
    table, numbers = (
        table[retained].reset_index(drop=True),
        numbers[retained].reset_index(drop=True),
    )
    ids, again = _study_ids(table, numbers, problems)
    table, ids, numbers = table[~again], ids[~again], numbers[~again]
    rows = table.drop(columns="study_id", errors="ignore").set_index(ids)
    return Inspected(
        rows,
        dict(zip(ids, numbers.tolist(), strict=True)),
        tuple(str(name) for name in raw.cells.columns if str(name) not in known),
        tuple(sorted(problems, key=lambda problem: problem.row or 0)),
        (*raw.notes, *_missing_notes(raw, known)),
    )


def _missing_notes(raw: RawTable, known: Collection[str]) -> list[str]:
    """Say which words were taken as missing: nobody else would know of one that was a category.

    Columns of the cohort's own are counted, not named: nobody knows what their names tell.
    """
    words: Counter[str] = Counter()
    where = []
    for name in raw.cells.columns:
        texts = [cell.strip() for cell in raw.cells[name] if isinstance(cell, str)]
        found = Counter(text for text in texts if text and text.casefold() in MISSING)
        words += found
        where += [str(name)] if found else []
    n_own = sum(name not in known for name in where)
    named = [name for name in where if name in known]
    named += [f"{n_own} of the cohort's own"] if n_own else []
    return [missing_note(words, named)] if words else []


def _check_header(raw: RawTable, where: str, known: Collection[str]) -> None:
    names = [str(name) for name in raw.cells.columns]
    if not any(name in known for name in names):
        # The names are not repeated: a file without a header shows its first patient here.
        raise DataError(
            f"{where}: row 1 holds no column of a cohort table; it needs a header with 'patient_id'"
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{where}: column {twice!r} stands twice; keep one")
    if "patient_id" not in names:
        meant = [name for name in names if near(name, ("patient_id",))]
        hint = f"; rename {meant[0]!r} if it names the patient" if meant else ""
        raise DataError(
            f"{where}: no column 'patient_id'; every row needs the patient it belongs to{hint}",
            code="missing",
        )


def unknown_columns(where: str, names: Sequence[str]) -> DataError:
    """Return the refusal of a table none of whose columns is known.

    Its names are shown where everything of it is listed: a file without a header shows its first
    patient there.
    """
    shown = ", ".join(names[:12]) if _FORGIVING.get() else "cardio data check names them"
    return DataError(
        f"{where}: a table of {len(names)} columns ({shown}), none of which a cohort table has; "
        "which is the patient, which the path of a recording? Rename them patient_id and path_..., "
        "as cardio data template writes them",
        code="unknown",
    )


def _checked(raw: RawTable, column: ColumnSpec, folder: Path, problems: list[Problem]) -> pd.Series:
    values: list[object] = []
    for row, cell in zip(raw.numbers, raw.cells[column.name], strict=True):
        text = cell_text(cell)
        value = None
        try:
            if text is None and column.required:
                raise BadCellError("expected a value, found none")
            if text is not None:
                value = parse_cell(text, column, folder, decimal_comma=raw.decimal_comma)
        except BadCellError as error:
            problems.append(Problem(str(error), row, column.name, text or ""))
        values.append(value)
    if column.kind == "path":
        return pd.Series([value or () for value in values], dtype=object)
    dtypes = {"number": "float64", "count": "Int64", "flag": "Int64"}
    return pd.Series(values, dtype=dtypes.get(column.kind, "string"))


def _rows_of_nobody(raw: RawTable, table: pd.DataFrame, problems: list[Problem]) -> set[int]:
    """Return the rows without a patient, and those of a template; the latter are a problem."""
    patients = table["patient_id"]
    examples = patients.str.upper().str.startswith(EXAMPLE).fillna(False)
    problems += [
        Problem("this is the example of the template; delete the row", raw.numbers[place])
        for place in examples.to_numpy().nonzero()[0]
    ]
    return set((patients.isna() | examples).to_numpy().nonzero()[0].tolist())


def _repeated_rows(raw: RawTable, bad: set[int], problems: list[Problem]) -> set[int]:
    """Return the rows that say the same as an earlier one, word by word."""
    first: dict[tuple[str, ...], int] = {}
    again = set()
    for place, row in enumerate(raw.cells.itertuples(index=False)):
        key = tuple(cell_text(cell) or "" for cell in row)
        if place in bad:
            continue
        if len(key) > 1 and any(key[1:]) and key in first:
            again.add(place)
            problems.append(
                Problem(f"says the same as row {first[key]}; delete one", raw.numbers[place])
            )
        first.setdefault(key, raw.numbers[place])
    return again


def _study_ids(
    table: pd.DataFrame, rows: pd.Series, problems: list[Problem]
) -> tuple[pd.Series, pd.Series]:
    """Return the id of each study, and which rows repeat the id of an earlier one."""
    number = table.groupby("patient_id").cumcount() + 1
    running = table["patient_id"] + "-" + number.astype("string")
    item = table["study_id"] if "study_id" in table.columns else running
    ids = item.fillna(running)
    again = ids.duplicated()
    for second in again.to_numpy().nonzero()[0]:
        first = int((ids == ids.iloc[second]).to_numpy().argmax())
        problems.append(
            Problem(
                f"rows {rows.iloc[first]} and {rows.iloc[second]} have one study_id; give each "
                "study its own, or leave the column out to have them numbered",
                int(rows.iloc[second]),
                "study_id",
            )
        )
    return ids.astype(object).rename("study_id"), again
