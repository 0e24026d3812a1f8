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
    inputs: Iterable[Path], about: PluginInfo, used: Collection[str] = ()
) -> tuple[str, ...]:
    """Return notes on the cohort tables among some inputs, one on all columns of one's own.

    `used` are columns that were asked for; those that a task of the plugin reads are left out, too.
    """
    targets = {target.name for task in about.tasks for target in task.targets}
    read = {column for task in about.tasks for column in task.columns}
    known = {*used, *read, *targets, *(OWN_PREFIX + name for name in targets)}
    notes: list[str] = []
    for path in inputs:
        table = find_cohort_table(path)
        if table is None:
            continue
        found = inspect_cohort_table(table, about.paths)
        told = told_of([name for name in found.own if name not in known], COLUMNS)
        notes += [f"{table.name}: {note}" for note in (*found.notes, told) if note]
    return tuple(dict.fromkeys(notes))
