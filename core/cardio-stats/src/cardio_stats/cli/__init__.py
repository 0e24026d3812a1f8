"""`cardio stats`."""

from __future__ import annotations

import sys

import click

from cardio_stats.cli.lazy import LazyGroup
from cardio_stats.errors import CardioError


@click.group(cls=LazyGroup, words="stats")
def stats() -> None:
    """Statistics of a CSV or Parquet table, every number with its interval and method.

    FILE has one row a patient, or one row a recording with the patient in a column (--patient).
    """


def main() -> None:
    """Run `cardio-stats`: these commands for those who have nothing else of cardio."""
    try:
        stats(prog_name="cardio-stats")
    except CardioError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
