"""A table of patients of whom recordings are made by code: who, with what outcome and effect.

Several modalities share their patients where all of them are written from one such table: the ids
and the outcome are the table's, and what a recording shows of the outcome follows from a latent
effect that stands there, too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pandas as pd

from cardio_core.errors import ConfigError, ContractError, DataError
from cardio_core.io.cohort_columns import (
    COLUMNS,
    FILES_PREFIX,
    ColumnSpec,
    columns_of_persons,
    title_of,
)
from cardio_core.io.cohort_table import (
    EXAMPLE,
    CohortTableError,
    Inspected,
    inspect_cohort_table,
    near,
)
from cardio_core.types.info import PluginInfo, Task
from cardio_stats.cells import cell_text, table_as_it_was, texts, write_table

EFFECT = "effect"
"""The column of the latent effect unless another is named."""

OUTCOME, SHIFT = "outcome", "shift"
FEWEST = 2
_CARRIED = (
    "subject_link",
    "site_id",
    "scanner_id",
    *(person.name for person in columns_of_persons()),
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Planned:
    """Patients to be recorded.

    Attributes
    ----------
    requested : DataFrame
        A row a patient, for `synthesize`: ``patient_id`` (str), ``number`` (int, the patient's own,
        by the id and the plugin's name: the only source of chance beside the seed), ``outcome``
        (bool), ``effect`` (float; standard normal is usual) and ``shift`` (float from 0, as usual,
        to 2: how far acquisition is from the usual).
    carried : DataFrame of str
        By patient, what the table says beside: hospital, age, sex ...; empty where it does not.
    """

    requested: pd.DataFrame
    carried: pd.DataFrame


def read_planned(path: Path, plugin: str, effect: str = EFFECT) -> Planned:
    r"""Read and check a table of patients.

    Parameters
    ----------
    path : Path
        CSV or Parquet with ``patient_id``, ``outcome`` and the effect; ``shift``, ``has_PLUGIN``
        and columns of the person may stand there, and effects that other plugins read.
    plugin : str
        Whose recordings: patients whose ``has_PLUGIN`` is no are left out.
    effect : str
        The column of the effect.

    Raises
    ------
    DataError
        In one line: a column that is not there, a patient who stands twice, an id that cannot name
        a file, an outcome that is not yes or no or the same in everybody, an effect that is missing
        or no standard normal number.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "patients.csv"
    >>> _ = file.write_text("patient_id,outcome,effect,sex\nA1,yes,1.2,F\nA2,no,-.3,M\n")
    >>> found = read_planned(file, "toy")
    >>> found.requested[["patient_id", "outcome", "effect", "shift"]].values.tolist()
    [['A1', True, 1.2, 0.0], ['A2', False, -0.3, 0.0]]
    >>> found.carried.loc["A1"].to_dict()
    {'sex': 'F'}
    """
    has = f"has_{plugin}"
    more = (
        ColumnSpec(OUTCOME, "flag", "Whether the patient has the outcome."),
        ColumnSpec(has, "flag", f"Whether there is a recording for {plugin}."),
        ColumnSpec(effect, "number", "How strongly the recording shows it.", low=-8, high=8),
        ColumnSpec(SHIFT, "number", "How far acquisition is from the usual.", low=0, high=2),
    )
    found = inspect_cohort_table(path, more=more)
    if found.problems:
        raise CohortTableError(path.name, found.problems)
    rows, where = found.rows, path.name
    _require_columns(rows, where, effect)
    _require_ids(found, where)
    _require_filled(found, rows, [has], where, "say yes or no")
    rows = rows[rows[has].eq(1)] if has in rows.columns else rows
    do = f"fill it in, or say no in a column {has}"
    _require_filled(found, rows, [OUTCOME, effect, SHIFT], where, do)
    if len(rows) < FEWEST:
        raise DataError(f"{where}: expected {FEWEST} patients or more, found {len(rows)}")
    outcome = rows[OUTCOME].astype(bool)
    if outcome.nunique() < 2:
        raise DataError(
            f"{where}, column {OUTCOME!r}: expected patients with and without it, found the same "
            f"in all {len(rows)}; a model needs both"
        )
    ids = rows["patient_id"].astype(str)
    requested = pd.DataFrame(
        {
            "patient_id": ids,
            "number": [_number(plugin, item) for item in ids],
            "outcome": outcome,
            "effect": rows[effect],
            "shift": rows.get(SHIFT, 0.0),
        }
    ).reset_index(drop=True)
    names = [name for name in _CARRIED if name in rows.columns]
    carried = rows.set_index(ids)[names].map(lambda cell: cell_text(cell) or "")
    return Planned(requested, carried)


def lay_over(folder: Path, planned: Planned, plugin: str) -> None:
    """Write what the table of patients says into the cohort table of a synthetic cohort.

    The outcome becomes its column ``outcome``; hospital, age, sex and the like take the place of
    what the plugin drew.

    Raises
    ------
    ContractError
        The plugin wrote other patients than it was asked for, or no ``cohort.csv``.
    """
    file = folder / "cohort.csv"
    if not file.is_file():
        raise ContractError(
            f"{plugin}: synthesize wrote no cohort.csv; patients of a table need one"
        )
    table = table_as_it_was(pd.read_csv(file, dtype=str, keep_default_na=False))
    requested = planned.requested.set_index("patient_id")
    if set(table.get("patient_id", ())) != set(requested.index):
        raise ContractError(
            f"{plugin}: expected synthesize to write the {len(requested)} patients of the table, "
            "and nobody else; take ids from `patients`"
        )
    for name in planned.carried.columns:
        table[name] = table["patient_id"].map(planned.carried[name])
    messages = set(planned.carried.columns)
    if "site_id" in messages and "scanner_id" in table and "scanner_id" not in messages:
        table["scanner_id"] = table["site_id"].map(lambda site: f"{site}-1" if site else "")
    table[OUTCOME] = table["patient_id"].map(requested["outcome"]).astype(int)
    write_table(table, file)


def _number(plugin: str, patient_id: str) -> int:
    """Return a number that only this plugin gives to this patient.

    Two plugins that drew from one number would share their chance, and with it more than effects.
    """
    return int.from_bytes(sha256(f"{plugin}/{patient_id}".encode()).digest()[:4], "big")


def _require_columns(rows: pd.DataFrame, where: str, effect: str) -> None:
    own = [str(column) for column in rows.columns if column not in COLUMNS]
    for name, more in ((OUTCOME, ""), (effect, " (--effect names another)")):
        if name not in rows.columns:
            meant = near(name, [item for item in own if item != OUTCOME])
            has = ", ".join(own) or "none"
            hint = f"did you mean {meant!r}?" if meant else f"its own are {has}"
            raise DataError(f"{where}: expected a column {name!r}{more}, found none; {hint}")


def _require_ids(found: Inspected, where: str) -> None:
    ids = found.rows["patient_id"].astype(str)
    again = ids.str.casefold().duplicated()
    if again.any():
        second = _row(found, again[again].index[0])
        raise DataError(f"{where}, row {second}: a patient who stands there twice; keep one row")
    for study, value in ids.items():
        if not _ID.fullmatch(value):
            raise DataError(
                f"{where}, row {_row(found, study)}, column 'patient_id': expected up to 32 "
                "letters, digits, - and _, because ids name files; rename the patient"
            )


def _require_filled(
    found: Inspected, rows: pd.DataFrame, names: Sequence[str], where: str, do: str
) -> None:
    for name in names:
        if name in rows.columns and (empty := rows[name].isna()).any():
            raise DataError(
                f"{where}, row {_row(found, empty.idxmax())}, column {name!r}: expected a value, "
                f"found none (in {_times(int(empty.sum()))}); {do}"
            )


def _row(found: Inspected, study: object) -> int:
    return found.numbers[str(study)]


def _times(count: int) -> str:
    return "one row" if count == 1 else f"{count} rows"


# A cohort table to fill in: the columns of one task, with rows that show how.

PATIENT = "patient_id"


@dataclass(frozen=True)
class TemplateColumn:
    """One column of a template: what it holds, means, is read for, a cell to copy, if needed."""

    name: str
    holds: str
    meaning: str
    read_for: str
    example: str
    needed: bool = False


def template_columns(about: PluginInfo, task: Task) -> list[TemplateColumn]:
    """Return the columns that a table for a task may have, recordings first.

    A task that does not say what it reads gets its plugin's recordings and its own targets.
    """
    read: Mapping[str, str] = task.columns
    outcomes = task.outcome_columns
    if not read:
        outcomes = tuple(target.name for target in task.targets)
        read = {
            **dict.fromkeys(about.paths, "the recordings"),
            **dict.fromkeys(outcomes, "outcome"),
        }
    named = {PATIENT: "the patient, by whom everything is grouped", **read}
    return [
        replace(
            _column(name, why, about.paths),
            needed=name.startswith(FILES_PREFIX) or name in outcomes,
        )
        for name, why in named.items()
    ]


def template_csv(columns: list[TemplateColumn]) -> str:
    """Return the table: a full example, and one of the least that a row needs.

    Examples
    --------
    >>> print(template_csv([TemplateColumn("patient_id", "", "", "", "P001")]).strip())
    patient_id
    EXAMPLE-1
    EXAMPLE-2
    """
    names = [column.name for column in columns]
    rows = [{column.name: _cell(column, number) for column in columns} for number in (1, 2)]
    return table_csv(names, rows)


def table_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Return a table with these columns; a cell that a row does not have is empty.

    Examples
    --------
    >>> print(table_csv(["patient_id", "sex"], [{"patient_id": "P001"}]).strip())
    patient_id,sex
    P001,
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(texts(row.get(name, "") for name in columns))
    return file.getvalue()


def _cell(column: TemplateColumn, number: int) -> str:
    if column.name == PATIENT:
        return f"{EXAMPLE}-{number}"
    if number > 1 and not column.needed:
        return ""
    return column.example.replace("P001", f"P{number:03d}")


def _column(name: str, why: str, paths: Mapping[str, str]) -> TemplateColumn:
    spec = COLUMNS.get(name)
    if name in paths or (spec is None and name.startswith(FILES_PREFIX)):
        example = f"{name.removeprefix(FILES_PREFIX)}/P001"
        spec = ColumnSpec(name, "path", paths.get(name, ""), example=example)
    if spec is None:
        return TemplateColumn(name, "a column of your own", f"{title_of(name)}.", why, "")
    return TemplateColumn(name, spec.range_words(), spec.sentence, why, spec.example)


def column_of(about: PluginInfo, task: Task) -> str:
    """Return the column of a table in which a task looks for recordings that nobody sorted.

    Raises
    ------
    ConfigError
        If it looks for several kinds that cannot be told apart by what they are.

    Examples
    --------
    >>> task = Task("wma", "Wall motion", "study", (), (), columns={"path_a4c": "", "path_any": ""})
    >>> paths = {"path_a4c": "Four-chamber loops.", "path_any": "Loops of any view."}
    >>> column_of(PluginInfo("echo", "Echo", (task,), paths=paths, unsorted="path_any"), task)
    'path_any'
    """
    own = [name for name in task.columns or about.paths if name in about.paths]
    if about.unsorted in own:
        return about.unsorted
    if len(own) != 1:
        raise ConfigError(
            f"--from: task {task.name} reads {', '.join(own)}, and no file says which of them it "
            "is; write the table without --from and fill it in"
        )
    return own[0]
