"""`cardio stats`."""

from __future__ import annotations

import click

from cardio_core.cli.lazy import LazyGroup


@click.group(cls=LazyGroup, words="stats")
def stats() -> None:
    """Statistics of a CSV or Parquet table, every number with its interval and method.

    FILE has one row a patient, or one row a recording with the patient in a column (--patient).
    """
