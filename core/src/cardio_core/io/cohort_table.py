"""The cohort table: one row a study, checked column by column when it is read.

No message repeats a cell: a misaligned export can put a name where a number belongs. Errors name
the row, as a spreadsheet counts it (the header is row 1), and the column.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.io.cohort_cells import BadCellError, cell_text, parse_cell
from cardio_core.io.cohort_schema import COLUMNS, FREE_PREFIX, ColumnSpec

_FIRST_ROW = 2


def read_cohort_table(path: Path, paths: Collection[str] = ()) -> pd.DataFrame:
    r"""Read and check a cohort table.

    Parameters
    ----------
    path : Path
        A CSV file (UTF-8, comma separated) or a Parquet file (``.parquet``, ``.pq``).
    paths : collection of str
        Columns ``path_...`` of a plugin's own that name recordings, beyond those of the schema.

    Returns
    -------
    DataFrame
        One row a study in the order of the file, indexed by `study_id` (str, unique), with the
        columns that the file has, in its order. Text, codes and dates are ``string``, numbers
        ``float64``, counts and flags ``Int64``; path columns hold a tuple of absolute paths,
        empty where there is none, whose existence is not checked here (`existing_paths` does).
        Missing values are NA, or NaN for numbers; NA is never 0. Columns ``x_...`` are numbers
        where every cell is one, else text. Without `study_id` the studies of a patient are
        numbered: ``"P1-1"``, ``"P1-2"``.

    Raises
    ------
    DataError
        With one line: an unreadable or empty file, an unknown or repeated column, a missing
        patient, a study that stands twice, or a cell of the wrong type, code or range.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cohort.csv"
    >>> _ = file.write_text("patient_id,lvesv_bl_ml,dm\nP1,181.5,1\nP2,,NA\n")
    >>> table = read_cohort_table(file)
    >>> table.index.tolist(), table["lvesv_bl_ml"].tolist(), table["dm"].isna().tolist()
    (['P1-1', 'P2-1'], [181.5, nan], [False, True])
    """
    raw = _read_raw(path)
    where = path.name
    own = {name: ColumnSpec(name, "path", "Recordings of a plugin.") for name in paths}
    known = {**own, **COLUMNS}
    _check_header(raw, where, known)
    checked = {}
    for name in raw.columns:
        column = known.get(str(name))
        checked[name] = (
            _own(raw[name]) if column is None else _checked(raw[name], column, path.parent, where)
        )
    table = pd.DataFrame(checked, columns=raw.columns)
    study_ids = _study_ids(table, where)
    return table.drop(columns="study_id", errors="ignore").set_index(study_ids)


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
                    f"folder {path.name}: expected files, found none; fill it or drop it"
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise DataError(
                f"{path.name}: no such file; relative paths are looked for beside the cohort table"
            )
    return tuple(found)


def _read_raw(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path.name}: no such file; expected a cohort table (CSV or Parquet)")
    parquet = path.suffix in {".parquet", ".pq"}
    try:
        raw = _read_parquet(path) if parquet else _read_csv(path)
    except (ValueError, OSError, csv.Error) as error:
        kind = "Parquet" if parquet else "comma-separated UTF-8"
        raise DataError(
            f"{path.name}: expected a {kind} table, found something else "
            f"({type(error).__name__}); export it again"
        ) from None
    if not len(raw):
        raise DataError(f"{path.name}: expected a header and one row a study, found no row")
    return raw


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file, strict=True))
    header, rows = ([name.strip() for name in lines[0]], lines[1:]) if lines else ([], [])
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    for number, row in enumerate(rows, start=_FIRST_ROW):
        if len(row) != len(header):
            raise DataError(
                f"{path.name}, row {number}: expected {len(header)} cells as in the header, found "
                f"{len(row)}; quote cells that contain a comma, remove empty rows"
            )
    return pd.DataFrame(rows, columns=pd.Index(header, dtype=object), dtype=object)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path).reset_index(drop=True)
    except ImportError:
        raise DataError(
            f"{path.name}: reading Parquet needs pyarrow, which is not installed; install the "
            "parquet extra of cardio-core, or save the table as CSV"
        ) from None


def _check_header(raw: pd.DataFrame, where: str, known: Collection[str]) -> None:
    names = [str(name) for name in raw.columns]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise DataError(
            f"{where}: expected columns separated by commas, found another separator; "
            "export the table with commas and decimal points"
        )
    if not any(name in known for name in names):
        # The names are not repeated: a file without a header shows its first patient here.
        raise DataError(
            f"{where}: row 1 holds no column of a cohort table; it needs a header with 'patient_id'"
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{where}: column {twice!r} stands twice; keep one")
    for name in names:
        if name in known or name.startswith(FREE_PREFIX):
            continue
        lowered = {one.lower(): one for one in known}
        near = difflib.get_close_matches(name.lower(), lowered, n=1)
        hint = f"did you mean {lowered[near[0]]!r}? If not, " if near else ""
        raise DataError(
            f"{where}: unknown column {name!r}; {hint}call a column of your own "
            f"{FREE_PREFIX + name!r} or leave it out"
        )
    if "patient_id" not in names:
        raise DataError(
            f"{where}: no column 'patient_id'; every row needs the patient it belongs to"
        )


def _checked(cells: pd.Series, column: ColumnSpec, folder: Path, where: str) -> pd.Series:
    values: list[object] = []
    for row, cell in enumerate(cells, start=_FIRST_ROW):
        text = cell_text(cell)
        try:
            if text is None and column.required:
                raise BadCellError("expected a value, found none")
            values.append(None if text is None else parse_cell(text, column, folder))
        except BadCellError as error:
            raise DataError(f"{where}, row {row}, column {column.name!r}: {error}") from None
    if column.kind == "path":
        return pd.Series([value or () for value in values], dtype=object)
    dtypes = {"number": "float64", "count": "Int64", "flag": "Int64"}
    return pd.Series(values, dtype=dtypes.get(column.kind, "string"))


def _own(cells: pd.Series) -> pd.Series:
    """Return a cohort's own column: numbers where every cell is one, else text."""
    texts = pd.Series([cell_text(cell) for cell in cells], dtype="string")
    # A leading zero belongs to a code (a ward, a postal code), not to a number.
    coded = texts.str.match(r"[+-]?0\d").fillna(False).any()
    numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
    return texts if coded or (numbers.isna() & texts.notna()).any() else numbers


def _study_ids(table: pd.DataFrame, where: str) -> pd.Series:
    number = table.groupby("patient_id").cumcount() + 1
    running = table["patient_id"] + "-" + number.astype("string")
    given = table["study_id"] if "study_id" in table.columns else running
    ids = given.fillna(running)
    again = ids.duplicated()
    if again.any():
        second = int(again.to_numpy().argmax())
        first = int((ids == ids.iloc[second]).to_numpy().argmax())
        raise DataError(
            f"{where}, rows {first + _FIRST_ROW} and {second + _FIRST_ROW}: one study_id for both; "
            "give each study its own, or leave the column out to have them numbered"
        )
    return ids.astype(object).rename("study_id")
