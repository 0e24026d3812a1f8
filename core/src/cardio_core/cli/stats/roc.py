"""`cardio stats roc`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cardio_core import stats
from cardio_core.cli.stats.areas import INTERVAL, Interval, area_of, direction_note, interval_notes
from cardio_core.cli.stats.reading import read_table, scored
from cardio_core.cli.stats.results import (
    EVENT,
    FILE,
    LEVEL,
    PATIENT,
    SEED,
    TARGET,
    output_options,
    result_table,
    wants_figure,
    write_result,
)
from cardio_core.errors import ConfigError


@click.command()
@FILE
@TARGET
@click.option("--score", required=True, help="Column of the score; higher is more likely.")
@PATIENT
@EVENT
@click.option("--threshold", help="A number, or `youden` to choose it on these rows.")
@INTERVAL
@LEVEL
@SEED
@output_options(figure=True)
def roc(
    file: Path,
    target: str,
    score: str,
    patient: str | None,
    event: str | None,
    threshold: str | None,
    interval: Interval,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    r"""Say how well SCORE tells the two values of TARGET apart.

    The area is never flipped: below one half the score runs the other way. With --patient the
    intervals allow for several rows of one patient.

    \b
    cardio stats roc cohort.csv --target responder --score qrs_ms --patient id --svg roc.svg
    """
    outcome, [values], sample = scored(read_table(file), target, [score], event, patient)
    common: dict[str, Any] = {**sample, "level": level}
    area = area_of(outcome, values, interval, seed, common)
    notes = [*interval_notes([area], interval), direction_note(score, area)]
    notes.append("p of the AUC: against one half.")
    estimates = [area, stats.pr_auc(outcome, values, seed=seed, **common)]
    if threshold is not None:
        found, warning = _at_threshold(outcome, values, threshold, common, seed)
        estimates += found
        notes += warning
    made = result_table(f"{score} for {target}", estimates, notes)
    figure = None
    if wants_figure(output):
        from cardio_core.report.figures.curves import roc as draw_roc
        from cardio_core.report.figures.curves import roc_of

        curve = roc_of(
            score, outcome, values, estimate=area, clusters=sample["clusters"], level=level,
            seed=seed,
        )  # fmt: skip
        figure = draw_roc([curve], title=f"{score} for {target}")
    write_result(made, figure=figure, **output)


def _at_threshold(
    outcome: Any, values: Any, threshold: str, common: dict[str, Any], seed: int
) -> tuple[list[Any], list[str]]:
    if threshold == "youden":
        chosen = stats.youden_threshold(outcome, values, source="these rows")
        warning = [
            "The threshold was chosen on the rows it is judged on: the rates are optimistic."
        ]
    else:
        try:
            chosen, warning = stats.Threshold(float(threshold), "fixed"), []
        except ValueError:
            raise ConfigError(
                f"--threshold: expected a number or youden, found {threshold!r}"
            ) from None
    found = stats.threshold_metrics(outcome, values, chosen, seed=seed, **common)
    note = f"Positive: score at or above {chosen.value:g} ({chosen.source})."
    return list(found.values()), [note, *warning]
