"""`cardio stats agreement`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cardio_stats as stats
from cardio_stats.cli.options import (
    complete_rows,
    read_table,
    result_table,
    takes,
    unit_of,
    write_result,
)

if TYPE_CHECKING:
    from cardio_stats.figures.canvas import Draw


@click.command()
@takes("file")
@click.option("--reference", required=True, help="Column of the reference method.")
@click.option("--measured", required=True, help="Column of the method to be judged.")
@takes("patient", "level", "seed", "figure")
def agreement(
    file: Path,
    reference: str,
    measured: str,
    patient: str | None,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    """Ask how well two methods agree that measure the same quantity in the same unit."""
    import numpy as np

    from cardio_stats._numerics.columns import column_named, numbers

    table = read_table(file)
    first, second = numbers(table, reference), numbers(table, measured)
    clusters = None if patient is None else column_named(table, patient).to_numpy(dtype=object)
    known = complete_rows([first, second], clusters)
    repeated = clusters is not None and len(set(clusters[known])) < int(known.sum())
    found = stats.limits_of_agreement(
        first, second, patient=clusters if repeated else None, level=level,
        unit="patient" if patient else None,
    )  # fmt: skip
    errors = stats.regression_errors(
        first, second, patient=clusters, weigh_clusters_alike=repeated, level=level, seed=seed
    )
    # the bias is there already, with its exact interval; neither method predicts the other
    elsewhere = ("bias", "pearson_r", "calibration_slope", "calibration_intercept")
    estimates = [*found.estimates, *(e for n, e in errors.items() if n not in elsewhere)]
    notes = [f"Differences are {measured} minus {reference}."]
    if repeated:
        notes.append(
            "Every patient counts alike in every number: a row weighs one by the patient's rows."
        )
        notes.append("No intraclass correlation: some patients have several rows.")
    else:
        both = np.column_stack([first, second])[known]
        forms: tuple[stats.IccForm, ...] = ("1,1", "2,1", "3,1")
        unit = unit_of(patient)
        estimates += [
            stats.icc(both, form, level=level, unit=unit).replace(n_dropped=int((~known).sum()))
            for form in forms
        ]
    made = result_table(f"{measured} against {reference}", estimates, notes)

    def draw() -> list[Draw]:
        from cardio_stats.figures.agreement import bland_altman

        return [bland_altman(found, reference=reference, measured=measured, title=made.title)]

    write_result(made, draw=draw, **output)
