"""`cardio stats missing`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cardio_core import stats
from cardio_core.cli.stats.reading import columns_of, read_table, unit_of
from cardio_core.cli.stats.results import FILE, output_options, write_result


@click.command()
@FILE
@click.option("--target", help="Column of the outcome, or of any groups, to test against.")
@click.option("--columns", multiple=True, help="Columns: a,b.  [default: all]")
@click.option("--patient", help="Column of the patients, each of whom has one row.")
@output_options(figure=False)
def missing(
    file: Path, target: str | None, columns: tuple[str, ...], patient: str | None, **output: Any
) -> None:
    """Count missing values by column, by pattern and by outcome."""
    table = read_table(file, one_row_each=patient)
    if patient is not None and not columns:
        table = table.drop(columns=patient)
    made = stats.missing_report(
        table, columns_of(columns) or None, target=target, unit=unit_of(patient)
    )
    write_result(made, **output)
