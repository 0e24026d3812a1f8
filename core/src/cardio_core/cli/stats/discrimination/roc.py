"""`cardio stats roc`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core import stats
from cardio_core.cli.stats.discrimination.areas import (
    INTERVAL,
    Interval,
    area_of,
    band_words,
    direction_note,
    interval_notes,
)
from cardio_core.cli.stats.discrimination.parts import parts_of
from cardio_core.cli.stats.discrimination.several import of_several_classes
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

if TYPE_CHECKING:
    from cardio_core.report.figures.canvas import Draw
    from cardio_core.types.estimate import Estimate


@click.command()
@FILE
@TARGET
@click.option("--score", help="Column of the score; higher is more likely.")
@click.option("--scores", multiple=True, metavar="CLASS=COLUMN,...",
              help="Of a target of several classes: the score column of each.")  # fmt: skip
@PATIENT
@EVENT
@click.option("--threshold", help="A number, or youden or closest-topleft to choose it on these "
              "rows.")  # fmt: skip
@click.option("--partial", multiple=True, metavar="RATE:FROM-TO",
              help="Part of the area: specificity:.9-1 or sensitivity:.8-1.")  # fmt: skip
@click.option("--at-specificity", multiple=True, type=float, help="Sensitivity at this one.")
@click.option("--at-sensitivity", multiple=True, type=float, help="Specificity at this one.")
@INTERVAL
@LEVEL
@SEED
@output_options(figure=True)
def roc(
    file: Path,
    target: str,
    score: str | None,
    scores: tuple[str, ...],
    patient: str | None,
    event: str | None,
    interval: Interval,
    level: float,
    seed: int,
    **more: Any,
) -> None:
    """Say how well SCORE tells the two values of TARGET apart.

    The area is never flipped: below one half the score runs the other way. With --patient the
    intervals allow for several rows of one patient. A target of several classes takes --scores.
    """
    asked = {key: more.pop(key) for key in ("threshold", "partial", "at_specificity",
                                            "at_sensitivity")}  # fmt: skip
    if (score is None) == (not scores):
        raise ConfigError(
            "expected --score COLUMN, or --scores CLASS=COLUMN,... of several classes"
        )
    table = read_table(file)
    if score is None:
        unused = [f"--{key.replace('_', '-')}" for key, value in asked.items() if value]
        if event is not None or unused or interval != "auto":
            raise ConfigError(
                "--scores: expected a target of several classes alone, found "
                f"{', '.join(unused) or '--event or --interval'}; use --score for two classes"
            )
        made, figure = of_several_classes(
            table, target, scores, patient, level, seed, drawn=wants_figure(more)
        )
        write_result(made, figure=figure, **more)
        return
    outcome, [values], sample = scored(table, target, [score], event, patient)
    common: dict[str, Any] = {**sample, "level": level}
    area = area_of(outcome, values, interval, seed, common)
    notes = [*interval_notes([area], interval), direction_note(score, area)]
    notes.append("p of the AUC: against one half.")
    estimates = [area, stats.pr_auc(outcome, values, seed=seed, **common)]
    common["seed"] = seed
    found, said = parts_of(outcome, values, common, asked)
    made = result_table(f"{score} for {target}", [*estimates, *found], [*notes, *said])
    write_result(made, figure=_figure(more, score, target, outcome, values, area, common), **more)


def _figure(
    output: dict[str, Any],
    score: str,
    target: str,
    outcome: Any,
    values: Any,
    area: Estimate,
    common: dict[str, Any],
) -> Draw | None:
    if not wants_figure(output):
        return None
    from cardio_core.report.figures.curves import roc as draw_roc
    from cardio_core.report.figures.curves import roc_of

    curve = roc_of(
        score, outcome, values, estimate=area, clusters=common["clusters"], level=common["level"],
        seed=common["seed"],
    )  # fmt: skip
    return draw_roc([curve], title=f"{score} for {target}", band=band_words(common["level"]))
