"""What the report says of the cohort tables that were given: columns that nothing reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from cardio_core.io.cohort_rows import find_cohort_table
from cardio_core.io.cohort_schema import COLUMNS, OWN_PREFIX
from cardio_core.io.cohort_table import inspect_cohort_table
from cardio_core.io.cohorts.headers import told_of
from cardio_core.types.info import PluginInfo


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
        told = told_of(own, {*COLUMNS, *about.paths}, named=named)
        which = f"Table {place} of {len(tables)}: " if len(tables) > 1 else ""
        which = f"{table.name}: " if named else which
        notes += [f"{which}{note}" for note in (*found.notes, told) if note]
    return tuple(dict.fromkeys(notes))
