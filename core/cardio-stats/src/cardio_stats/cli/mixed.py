"""`cardio stats mixed`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import cardio_stats as stats
from cardio_stats.cli.options import columns_of, read_table, takes, write_result
from cardio_stats.cli.tables import coding_of


@click.command()
@takes("file")
@click.option("--outcome", required=True, help="Column that is measured again and again.")
@click.option("--columns", required=True, multiple=True, help="Columns: month,arm,month:arm.")
@click.option("--patient", required=True, help="Column that says whose row it is.")
@click.option("--slope", help="One of the columns whose slope differs between patients, too.")
@takes("categorical", "reference", "level", "output")
def mixed(
    file: Path,
    outcome: str,
    columns: tuple[str, ...],
    patient: str,
    slope: str | None,
    categorical: tuple[str, ...],
    reference: tuple[str, ...],
    level: float,
    **output: Any,
) -> None:
    """Regress a repeated measurement on columns, with a separate level for each patient.

    For example: --outcome lvef --columns month,arm,month:arm --patient id --slope month

    A row a measurement. month:arm is the product of two columns: whether the course differs
    between the arms.
    """
    made = stats.mixed_model(
        read_table(file), outcome, columns_of(columns), patient, slope=slope,
        coding=coding_of(categorical, reference), level=level,
    )  # fmt: skip
    write_result(made, **output)
