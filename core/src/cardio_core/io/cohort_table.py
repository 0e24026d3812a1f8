"""The cohort table: one row a study, checked column by column when it is read.

No message repeats a cell: a misaligned export can put a name where a number belongs. Errors name
the row, as a spreadsheet counts it (the header is row 1), and the column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.io.cohort_cells import BadCellError, parse_cell
from cardio_core.io.cohort_schema import COLUMNS, FILES_PREFIX, ColumnSpec
from cardio_core.io.cohorts.headers import near
from cardio_core.io.cohorts.own_columns import read_own
from cardio_core.io.cohorts.places import existing_paths
from cardio_core.io.cohorts.problems import CohortTableError
from cardio_core.io.tables.cells import MISSING, cell_text
from cardio_core.io.tables.raw import Problem, RawTable, read_raw
from cardio_core.io.tables.typed import missing_note

__all__ = ["EXAMPLE", "Inspected", "existing_paths", "forgiving", "inspect_cohort_table",
           "read_cohort_table"]  # fmt: skip

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


def inspect_cohort_table(path: Path, paths: Collection[str] = ()) -> Inspected:
    """Read a cohort table as far as it can be read, and collect everything that is wrong.

    Raises
    ------
    DataError
        If it cannot be read at all: no table, a repeated column, no column `patient_id`.
    """
    if not path.is_file():
        return _inspect(path, tuple(paths), ())
    state = path.stat()
    return _inspect(path, tuple(paths), (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=8)
def _inspect(path: Path, paths: tuple[str, ...], state: tuple[int, ...]) -> Inspected:
    """Inspect a file once as long as it stays as it is: a run asks for its table several times."""
    known = {**{name: ColumnSpec(name, "path", "Recordings.") for name in paths}, **COLUMNS}
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
    kept = ~pd.Series([place in bad for place in range(len(table))], dtype=bool)
    table, numbers = table[kept].reset_index(drop=True), numbers[kept].reset_index(drop=True)
    ids, again = _study_ids(table, numbers, problems)
    table, ids, numbers = table[~again], ids[~again], numbers[~again]
    rows = table.drop(columns="study_id", errors="ignore").set_index(ids)
    return Inspected(
        rows,
        dict(zip(ids, numbers.tolist(), strict=True)),
        tuple(str(name) for name in raw.cells.columns if str(name) not in known),
        tuple(sorted(problems, key=lambda one: one.row or 0)),
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
            f"{where}: no column 'patient_id'; every row needs the patient it belongs to{hint}"
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
    given = table["study_id"] if "study_id" in table.columns else running
    ids = given.fillna(running)
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
