"""A cohort table in hand, and the cohort that most `load` hooks make of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from cardio_core.context import Context
from cardio_core.io.cohort_columns import COLUMNS, FILES_PREFIX, OWN_PREFIX
from cardio_core.io.cohort_table import (
    existing_paths,
    inspect_cohort_table,
    near,
    own_columns,
    read_cohort_table,
    unknown_columns,
)
from cardio_core.io.outcome_rules import FollowUpRules, OutcomeColumn, compute_outcome
from cardio_core.types.info import PluginInfo, Target
from cardio_core.types.limits import require_fitting
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.samples import Cohort, SampleSet
from cardio_core.types.targets import Targets
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.tables import KINDS, has_words, header_of
from cardio_stats.words import counted

# What every `load` does with a cohort table: find it, keep the baseline, read a cell as text.

BASELINE = "baseline"

NUMBERED = Note(
    NoteKind.COHORT,
    "New recordings are numbered in the order in which they were given, those of a folder by the "
    "names of their files.",
)
"""Note of a `predict` without a cohort table: names of files can hold the names of people."""

_TABLES = (".csv", ".tsv", ".txt", *KINDS)
_NAMES = ("cohort.csv", "cohort.parquet")


def shown_of(inputs: Iterable[Path]) -> str:
    """Return what outputs call the data: the usual names of tables alone, for others can tell.

    Examples
    --------
    >>> shown_of([Path("cohort.csv"), Path("MILLER/crt_of_MILLER.csv"), Path("no_such_folder")])
    'cohort.csv, a cohort table, a folder'
    """
    names = []
    for path in inputs:
        table = path if path.suffix.lower() in _TABLES else None
        table = find_cohort_table(path) or table if path.exists() else table
        kind = "a file" if path.is_file() else "a folder"
        if table is not None:
            kind = table.name if table.name in _NAMES else "a cohort table"
        names.append(kind)
    return ", ".join(dict.fromkeys(names))


_OF_A_LIST = "FileName"
"""Column of a list of files: it stands for its folder, as far as the plugin knows the layout."""


def find_cohort_table(path: Path) -> Path | None:
    r"""Return the cohort table that a path is, or that lies in a folder; None if there is none.

    A text file is one if its first line has the column `patient_id`, or two others that every
    cohort table may have: then it lacks the patients, and reading it says so. One that has a column
    of words and none that is known is a table whose columns have other names. A list of files,
    with a column FileName, is none.

    Raises
    ------
    DataError
        For a table without any known column.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> find_cohort_table(folder) is None
    True
    >>> _ = (folder / "cohort.csv").write_text("patient_id\nP1\n")
    >>> find_cohort_table(folder).name
    'cohort.csv'
    """
    if path.is_dir():
        return next((path / name for name in _NAMES if (path / name).is_file()), None)
    suffix = path.suffix.lower()
    if suffix not in _TABLES or not path.is_file():
        return None
    if suffix in KINDS:
        return path
    names = header_of(path, COLUMNS)
    known = [name for name in names if name in COLUMNS or name.startswith(FILES_PREFIX)]
    like = {*known, *(name for name in names if near(name, ("patient_id",)))}
    if "patient_id" in names or len(like) > 1:
        return path
    if not like and not names[:1] == ["#"] and _OF_A_LIST not in names and has_words(path):
        raise unknown_columns(path.name, names)
    return None


def at_baseline(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which studies are from before the treatment: `timepoint` baseline, or empty.

    Examples
    --------
    >>> at_baseline(pd.DataFrame({"timepoint": ["Baseline", None, "follow-up"]})).tolist()
    [True, True, False]
    """
    if "timepoint" not in table.columns:
        return np.ones(len(table), bool)
    timepoint = table["timepoint"].fillna(BASELINE).str.strip().str.lower()
    return timepoint.eq(BASELINE).to_numpy(bool)


def text_of(row: pd.Series[Any], name: str) -> str | None:
    """Return a cell of a cohort table as text, None where the column or the value is missing."""
    value = row.get(name)
    return None if value is None or pd.isna(value) else str(value)


_TEXTS = ("subject_link", "site_id", "scanner_id", "timepoint")


@dataclass(frozen=True)
class CohortTable:
    """A cohort table that was read and checked.

    Attributes
    ----------
    name : str
        Of its file, for messages.
    rows : DataFrame
        One row a study, indexed by `study_id`; see `cardio_core.io.cohort_table`.
    NUMBERED : Note
        The sentence for `Cohort.notes` where recordings without a table were numbered.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = pd.DataFrame({"patient_id": ["P1"], "age_y": [67]})
    >>> rows.to_csv(folder / "cohort.csv", index=False)
    >>> table = CohortTable.find(folder)
    >>> table.require("age_y")
    >>> table.rows["age_y"].tolist()
    [67.0]
    """

    name: str
    rows: pd.DataFrame
    NUMBERED: ClassVar[Note] = NUMBERED

    @classmethod
    def find(cls, path: Path, paths: Collection[str] = ()) -> CohortTable | None:
        """Read the table that a path is, or that lies in a folder; None if there is none.

        Parameters
        ----------
        path : Path
            A CSV or Parquet file with a column `patient_id`, or a folder with ``cohort.csv``.
        paths : collection of str
            Columns of recordings of the plugin's own, beyond those of the schema.

        Raises
        ------
        DataError
            With one line: the row and the column that cannot be read, and what to do.
        """
        found = find_cohort_table(path)
        return None if found is None else cls(found.name, read_cohort_table(found, paths))

    @classmethod
    def find_all(cls, inputs: Iterable[Path], paths: Collection[str] = ()) -> list[CohortTable]:
        """Read the tables of several inputs, as `find` does; an input without one is passed over.

        Raises
        ------
        DataError
            If a study ID stands in two of the tables: rows and recordings are found by it.
        """
        found = [table for table in (cls.find(path, paths) for path in inputs) if table is not None]
        ids = pd.Index([name for table in found for name in table.rows.index])
        if shared := int(ids[ids.duplicated()].nunique()):
            raise DataError(
                f"expected study IDs that no two cohort tables share, found "
                f"{counted(shared, 'study ID')} in more than one; put a prefix before the IDs of "
                f"each table",
                code="duplicate",
            )
        return found

    def require(self, *columns: str) -> None:
        """Raise ConfigError unless the table has these columns."""
        for column in columns:
            if column not in self.rows.columns:
                raise ConfigError(
                    f"{self.name}: expected a column {column}, found none; add it", code="missing"
                )

    def at_baseline(self) -> CohortTable:
        """Return the studies from before the treatment: `timepoint` baseline, or empty."""
        return CohortTable(self.name, self.rows[at_baseline(self.rows)])

    def outcome(
        self,
        name: str,
        *,
        died_or_transplanted: Literal["na", "nonresponder"] = "na",
        window_days: tuple[float, float] | None = None,
    ) -> OutcomeColumn:
        """Compute a response from the measurements; see `cardio_core.io.outcome_rules`.

        Raises
        ------
        ConfigError
            If the window ends before it begins, or the table does not say the days.
        """
        if window_days is not None:
            first, last = window_days
            if not 0 <= first <= last:
                raise ConfigError(
                    f"load.window_days: expected the first and the last day from implantation, as "
                    f"in [90, 270], found [{first:g}, {last:g}]; write the smaller one first",
                    code="out_of_range",
                )
            if "days_to_followup" not in self.rows.columns:
                raise ConfigError(
                    "load.window_days: the cohort table has no column days_to_followup; add it, or "
                    "leave the window out",
                    code="missing",
                )
        return compute_outcome(name, self.rows, FollowUpRules(died_or_transplanted, window_days))

    @staticmethod
    def text(row: pd.Series[Any], column: str) -> str | None:
        """Return a cell as text, None where the column or the value is missing."""
        return text_of(row, column)


def cohort_from_table(
    ctx: Context,
    *,
    path: str,
    opener: Callable[[Path], Any],
    targets: Mapping[str, str] | None = None,
    columns: Sequence[str] = (),
    check: Callable[[Path], object] | None = None,
) -> Cohort:
    """Do what the `load` of a modality with one recording a file does.

    A cohort table, or a folder with ``cohort.csv``, names the recordings of each study in the
    column `path`: files or folders, several with ``;`` between. Studies at baseline are taken. In
    predict mode inputs may also be files, or folders of them, which are numbered. Ids are the
    table's own: names of files can hold the names of people. A JSON beside a recording counts among
    its files, so that features are made anew when it changes.

    Parameters
    ----------
    ctx : Context
        As `load` is given it.
    path : str
        Column of the recordings; name it in `PluginInfo.paths`, too.
    opener : callable
        From a file to its value, which keeps no path; raises DataError where it is unusable. Must
        be importable.
    targets : mapping of str to str, optional
        Column of each target; a target is looked for under its own name, then under ``x_NAME``.
        Binary columns hold 0 and 1, no and yes, or the names of the classes, and become 0 and 1;
        those of several classes hold their names, others numbers. Empty cells are unlabelled. A
        recording has its study's target. Those of events and samples the `load` itself adds.
    columns : sequence of str
        Further columns that features may use (age, sex), never one that tells the label.
    check : callable, optional
        Looks at a file's header without opening it and raises DataError where that is unusable.

    Raises
    ------
    ConfigError
        If the table lacks a column.
    DataError
        If nothing names a recording, or in fit mode nothing tells the targets, or something that
        is none.

    See Also
    --------
    CohortTable : for a `load` that needs more than this.

    Examples
    --------
    In ``load.py`` of a task, with a context as the core makes it:

    >>> def load(ctx):
    ...     return cohort_from_table(ctx, path="path_ppg", opener=np.load)
    >>> import tempfile
    >>> import numpy as np
    >>> from cardio_core.api import Task
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "P1.npy", np.zeros(500))
    >>> rows = pd.DataFrame({"patient_id": ["P1"], "path_ppg": ["P1.npy"], "rhythm": ["sinus"]})
    >>> rows.to_csv(folder / "cohort.csv", index=False)
    >>> rhythm = Target("rhythm", "binary", ("sinus", "fibrillation"))
    >>> task = Task("rhythm", "Rhythm", "recording", (rhythm,), ())
    >>> cohort = load(Context(task, hook="load", _inputs=(folder,)))
    >>> cohort.samples.values[0].shape, cohort.targets.table["rhythm"].tolist()
    ((500,), [0.0])
    """
    tables = [CohortTable.find(place, (path,)) for place in ctx.inputs]
    rows: list[dict[str, Any]] = []
    for place, table in zip(ctx.inputs, tables, strict=True):
        if table is not None:
            table.require(path, *columns)
            rows += _rows_of(table.at_baseline().rows, path, columns, ctx)
        elif ctx.mode == "predict":
            rows += [{"file": file} for file in existing_paths((place,))]
        else:
            raise DataError(
                f"{place.name}: expected a cohort table, or a folder with cohort.csv, that names "
                f"recordings in {path}; found neither",
                code="missing",
            )
    new = _number(rows)
    usable = [row for row in rows if _passes(row, check, ctx)]
    samples = pd.DataFrame(usable, columns=["recording_id", "study_id", "patient_id", *_TEXTS,
                                            *columns, "file"])  # fmt: skip
    files = tuple(samples.pop("file"))
    samples.index = pd.Index(samples["recording_id"], name="sample_id")
    known = [table for table in tables if table is not None]
    clinical = found = None
    if ctx.mode == "fit":
        clinical = pd.concat([table.at_baseline().rows for table in known])
        found = _targets(clinical, known[0].name, targets or {}, samples, ctx)
    return Cohort(
        SampleSet.opening(samples, files, opener),
        {name: _with_sidecar(file) for name, file in zip(samples.index, files, strict=True)},
        found,
        clinical,
        notes=(CohortTable.NUMBERED,) if new else (),
    )


def _rows_of(
    table: pd.DataFrame, path: str, columns: Sequence[str], ctx: Context
) -> list[dict[str, Any]]:
    rows = []
    for study, row in table.iterrows():
        about: dict[str, Any] = {"study_id": str(study), "patient_id": str(row["patient_id"])}
        about |= {name: text_of(row, name) for name in _TEXTS}
        about |= {name: row[name] for name in columns}
        files: Sequence[Path] = ()
        with ctx.reading(str(study), *row[path]):
            files = existing_paths(row[path])
        for number, file in enumerate(files, start=1):
            name = str(study) if len(files) == 1 else f"{study}-{number}"
            rows.append(about | {"recording_id": name, "file": file})
    return rows


def _number(rows: list[dict[str, Any]]) -> bool:
    """Give recordings without a table running numbers that nobody has; return whether any has."""
    taken = {row[key] for row in rows for key in ("study_id", "patient_id") if key in row}
    numbers = (name for name in map(str, range(1, 2 + len(rows) + len(taken))) if name not in taken)
    new = [row for row in rows if "recording_id" not in row]
    for row in new:
        row["recording_id"] = row["study_id"] = row["patient_id"] = next(numbers)
    return bool(new)


def _passes(row: Mapping[str, Any], check: Callable[[Path], object] | None, ctx: Context) -> bool:
    passed = False
    with ctx.reading(row["recording_id"], row["file"]):
        if check is not None:
            require_fitting([row["file"]])
            check(row["file"])
        passed = True
    return passed  # noqa: RET504  (reading lets no error out)


def _with_sidecar(file: Path) -> tuple[Path, ...]:
    sidecar = file.with_suffix(".json")
    return (file, sidecar) if sidecar.is_file() and sidecar != file else (file,)


def _targets(
    table: pd.DataFrame, where: str, named: Mapping[str, str], samples: pd.DataFrame, ctx: Context
) -> Targets | None:
    unit = ctx.task.unit
    if unit in ("event", "sample") or ctx.outcome is not None:
        return None
    found = {}
    for target in ctx.task.targets:
        places = [named[target.name]] if target.name in named else [target.name, f"x_{target.name}"]
        column = next((name for name in places if name in table.columns), None)
        if column is None:
            raise ConfigError(f"{where}: expected a column {places[0]}, found none; add it")
        found[target.name] = _true_values(table[column], target, where)
    values = pd.DataFrame(found)
    if unit == "patient":
        values = values.groupby(table["patient_id"].astype(str), sort=False).first()
    if unit == "recording":
        values = values.reindex(samples["study_id"]).set_axis(samples.index)
    return Targets(unit, values)


def _true_values(cells: pd.Series[Any], target: Target, where: str) -> pd.Series[Any]:
    """Return a column as 0 and 1, classes or numbers; raise DataError where a cell is neither."""
    known = cells[cells.notna()]
    if target.kind == "continuous":
        values, allowed = pd.to_numeric(known, errors="coerce"), "a number"
    elif target.kind == "binary":
        words = {"no": 0.0, "yes": 1.0, target.classes[0]: 0.0, target.classes[1]: 1.0}
        numbers = pd.to_numeric(known, errors="coerce")
        values = known.map(words).fillna(numbers.where(numbers.isin((0, 1))))
        allowed = f"0 or 1, or {target.classes[0]} or {target.classes[1]}"
    else:
        values = known.where(known.isin(target.classes))
        allowed = f"one of {', '.join(target.classes)}"
    if (wrong := values.isna()).any():
        raise DataError(
            f"{where}: column {cells.name}: expected {allowed}, found something else in "
            f"{wrong.sum()} rows (the first is study {wrong.idxmax()}); correct them, or leave "
            "them empty"
        )
    values = values.reindex(cells.index)
    return values if target.kind == "multiclass" else values.astype(float)


# What the report says of the cohort tables that were given: columns that nothing reads.


def notes_on_tables(
    inputs: Iterable[Path], about: PluginInfo, used: Collection[str] = (), *, named: bool = False
) -> tuple[str, ...]:
    """Return notes on the cohort tables among some inputs, one on all columns of one's own.

    `used` are columns that were asked for; those that a task of the plugin reads are left out, too.
    The names of the others, and that of the table's file, are told only where they are `named`.
    """
    targets = {target.name for task in about.tasks for target in task.targets}
    read = {column for task in about.tasks for column in task.columns}
    known = {*used, *read, *targets, *(OWN_PREFIX + name for name in targets)}
    notes: list[str] = []
    tables = [table for table in map(find_cohort_table, inputs) if table is not None]
    for place, table in enumerate(tables, start=1):
        found = inspect_cohort_table(table, about.paths)
        own = [name for name in found.own if name not in known]
        columns = own_columns(own, {*COLUMNS, *about.paths}, named=named)
        which = f"Table {place} of {len(tables)}: " if len(tables) > 1 else ""
        which = f"{table.name}: " if named else which
        notes += [f"{which}{note}" for note in (*found.notes, columns) if note]
    return tuple(dict.fromkeys(notes))
