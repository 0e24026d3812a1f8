"""`cardio stats calibration`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cardio_core import stats
from cardio_core.cli.stats.reading import read_table, scored
from cardio_core.cli.stats.results import (
    EVENT,
    FILE,
    LEVEL,
    PATIENT,
    SEED,
    TARGET,
    label_of,
    output_options,
    result_table,
    write_result,
)
from cardio_core.errors import DataError


@click.command()
@FILE
@TARGET
@click.option("--score", required=True, help="Column of the probability, 0 to 1.")
@PATIENT
@EVENT
@LEVEL
@SEED
@output_options(figure=True)
def calibration(
    file: Path,
    target: str,
    score: str,
    patient: str | None,
    event: str | None,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    """Ask whether probabilities mean what they say."""
    from cardio_core.report.figures.reliability import calibration as draw_calibration

    outcome, [values], sample = scored(read_table(file), target, [score], event, patient)
    found = stats.calibration_metrics(outcome, values, **sample, level=level, seed=seed)
    if not found.estimates:
        raise DataError("; ".join(dict.fromkeys(found.refused.values())))
    notes = [f"{label_of(name)}: not given; {why}." for name, why in found.refused.items()]
    notes.append("p: against 0 for calibration in the large, against 1 for the slope.")
    made = result_table(f"Calibration of {score} for {target}", found.estimates, notes)
    figure = None
    if output["svg_file"] or output["html_file"]:
        figure = draw_calibration(outcome, values, level=level, title=f"{score} for {target}")
    write_result(made, figure=figure, **output)
