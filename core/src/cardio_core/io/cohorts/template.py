"""A cohort table to fill in: the columns of one task, with rows that show how."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cardio_core.errors import ConfigError
from cardio_core.io.cohort_schema import COLUMNS, FILES_PREFIX, ColumnSpec, title_of
from cardio_core.io.cohort_table import EXAMPLE
from cardio_core.io.tables.formula import texts
from cardio_core.types.info import PluginInfo, Task

PATIENT = "patient_id"


@dataclass(frozen=True)
class TemplateColumn:
    """One column of a template: what it holds, means, is read for, and a cell to copy."""

    name: str
    holds: str
    meaning: str
    read_for: str
    example: str


def template_columns(about: PluginInfo, task: Task) -> list[TemplateColumn]:
    """Return the columns that a table for a task may have, recordings first.

    A task that does not say what it reads gets its plugin's recordings and its own targets.
    """
    read: Mapping[str, str] = task.columns
    if not read:
        read = dict.fromkeys(about.paths, "the recordings")
        read |= {target.name: "outcome" for target in task.targets}
    named = {PATIENT: "the patient, by whom everything is grouped", **read}
    return [_column(name, why, about.paths) for name, why in named.items()]


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
    needed = column.name.startswith(FILES_PREFIX) or "outcome" in column.read_for
    if number > 1 and not needed:
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
