"""A cohort table to fill in: the columns of one task, with rows that show how."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from cardio_core.io.cohort_schema import COLUMNS, ColumnSpec, title_of
from cardio_core.io.cohort_table import EXAMPLE
from cardio_core.types.info import PluginInfo, Task

PATIENT = "patient_id"


@dataclass(frozen=True)
class TemplateColumn:
    """One column of a template: what it holds, what it is read for, and a cell to copy."""

    name: str
    holds: str
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
    return [_column(name, why) for name, why in named.items()]


def template_csv(columns: list[TemplateColumn]) -> str:
    """Return the table: a full example, and one of the least that a row needs.

    Examples
    --------
    >>> print(template_csv([TemplateColumn("patient_id", "", "", "P001")]).strip())
    patient_id
    EXAMPLE-1
    EXAMPLE-2
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerow([_cell(column, 1) for column in columns])
    writer.writerow([_cell(column, 2) for column in columns])
    return file.getvalue()


def _cell(column: TemplateColumn, number: int) -> str:
    if column.name == PATIENT:
        return f"{EXAMPLE}-{number}"
    needed = column.name.startswith("path_") or "outcome" in column.read_for
    if number > 1 and not needed:
        return ""
    return column.example.replace("P001", f"P{number:03d}")


def _column(name: str, why: str) -> TemplateColumn:
    spec = COLUMNS.get(name)
    if spec is None and name.startswith("path_"):
        spec = ColumnSpec(name, "path", "", example="recordings/P001")
    if spec is None:
        return TemplateColumn(name, title_of(name), why, "")
    return TemplateColumn(name, spec.range_words(), why, spec.example)
