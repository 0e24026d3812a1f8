"""`cardio stats calibration`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

import cardio_stats as stats
from cardio_stats.cli.options import (
    numbers_of,
    read_table,
    result_table,
    scored,
    takes,
    write_result,
)
from cardio_stats.errors import DataError
from cardio_stats.words import estimate_words

if TYPE_CHECKING:
    from cardio_stats.estimate import Estimate
    from cardio_stats.figures.canvas import Draw


@click.command()
@takes("file", "target")
@click.option("--score", required=True, help="Column of the probability, 0 to 1.")
@takes("patient", "event", "level", "seed")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="T,...",
    help="Threshold probabilities at which net benefit is given: 0.1,0.2.",
)
@click.option(
    "--decision-svg",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the decision curve, from the lowest to the highest --threshold.",
)
@click.option(
    "--smoother",
    type=click.Choice(["loess", "lowess"]),
    default="loess",
    show_default=True,
    help="Of the smooth curve: loess as Austin and Steyerberg, lowess as rms::val.prob.",
)
@takes("figure")
def calibration(
    file: Path,
    target: str,
    score: str,
    patient: str | None,
    event: str | None,
    level: float,
    seed: int,
    thresholds: tuple[str, ...],
    decision_svg: Path | None,
    smoother: Literal["loess", "lowess"],
    **output: Any,
) -> None:
    """Ask whether probabilities mean what they say, and what deciding by them is worth.

    Intercept, slope, Brier score and observed over expected; ICI, E50, E90 and Emax, the distances
    of the smooth curve from the diagonal; U and Q of rms::val.prob. With --threshold, net benefit
    and those of treating everybody and nobody.

    How much of the slope is owed to the patients that a model was fitted on cannot be read from its
    predictions: on their own patients they always have slope 1. Give predictions of other patients
    (out of fold), or have the model fitted again: cardio stats multivariable --validate.
    """
    at = numbers_of(thresholds, "--threshold", "0.1,0.2", below=1)
    outcome, [values], sample = scored(read_table(file), target, [score], event, patient)
    found = stats.calibration_metrics(
        outcome, values, **sample, level=level, seed=seed, smoother=smoother
    )
    if not found.estimates:
        raise DataError("; ".join(dict.fromkeys(found.refused.values())))
    refused = dict(found.refused)
    estimates = list(found.estimates)
    try:
        estimates += stats.unreliability(outcome, values, **sample)
    except DataError as error:
        refused["unreliability_u"] = str(error)
    for threshold in at:
        estimates += _net_benefit(outcome, values, threshold, level, sample)
    notes = [f"{estimate_words(name)}: not given; {why}." for name, why in refused.items()]
    notes.append(
        "p: against 0 for calibration in the large, against 1 for slope and observed over "
        "expected, against a calibrated model for ECE, ICI, E50, E90 and Emax."
    )
    if at:
        notes.append("Net benefit: true positives a patient; treating nobody has 0.")
    made = result_table(f"Calibration of {score} for {target}", estimates, notes)

    def decisions() -> Draw:
        from cardio_stats.figures.curves import decision

        curve = stats.decision_curve(outcome, values, thresholds=_range(at), **sample, level=level)
        return decision(curve, level=level, title=f"{score} for {target}")

    def draw() -> list[Draw]:
        from cardio_stats.figures.curves import calibration as draw_calibration

        smooth = stats.calibration_curve(outcome, values, **sample, level=level, smoother=smoother)
        figure = draw_calibration(
            outcome, values, level=level, title=f"{score} for {target}", curve=smooth
        )
        return [figure, *([decisions()] if at or decision_svg else [])]

    if decision_svg:
        from cardio_stats.figures.canvas import save_svg

        save_svg(decisions(), decision_svg)
    write_result(made, draw=draw, **output)


def _range(thresholds: list[float]) -> Any:
    """Return a hundred thresholds between the lowest and the highest that were asked for."""
    import numpy as np

    ends = (thresholds[0], thresholds[-1]) if len(thresholds) > 1 else (0.01, 0.99)
    return np.linspace(*ends, 99)


def _net_benefit(
    outcome: Any, values: Any, threshold: float, level: float, sample: dict[str, Any]
) -> list[Estimate]:
    found = stats.net_benefit(outcome, values, threshold, level=level, **sample)
    extra = found.extra
    return [
        found.replace(name=f"net_benefit[{threshold:g}]"),
        found.replace(name=f"net_benefit_of_treating_everybody[{threshold:g}]",
                      value=extra["treat_all"], low=None, high=None, level=None,
                      method="Vickers-Elkin"),
        found.replace(name=f"net_benefit_over_treating_everybody[{threshold:g}]",
                      value=extra["over_all"], low=extra["over_all_low"],
                      high=extra["over_all_high"]),
    ]  # fmt: skip
