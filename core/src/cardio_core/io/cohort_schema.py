"""The columns of a cohort table, as data: kind, unit, allowed values and one sentence each."""

from __future__ import annotations

from cardio_core.io.cohorts.column import ColumnSpec, Kind, Use, title_of
from cardio_core.io.cohorts.known_columns import N_SEGMENTS, known_columns

__all__ = [
    "COLUMNS", "FILES_PREFIX", "N_SEGMENTS", "OWN_PREFIX", "ColumnSpec", "Kind", "Use",
    "label_of", "title_of",
]  # fmt: skip

OWN_PREFIX = "x_"
"""A cohort's own columns may start with this; they need not."""

FILES_PREFIX = "path_"
"""A column that starts with this names files, whichever plugin reads them."""

COLUMNS: dict[str, ColumnSpec] = {column.name: column for column in known_columns()}
"""Every column that a stage of cardio may read, by name, in the order of the documentation."""


def label_of(name: str) -> str:
    """Return what a table for readers calls a column, with its unit.

    Examples
    --------
    >>> label_of("age_y"), label_of("x_nt_probnp")
    ('Age (years)', 'Nt probnp')
    """
    return COLUMNS[name].label if name in COLUMNS else title_of(name)
