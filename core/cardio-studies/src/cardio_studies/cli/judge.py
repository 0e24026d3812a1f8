"""`cardio judge`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cardio_core.cli import options


@click.command()
@click.argument("predictions", type=options.FILE)
@options.outcome_options(
    "What really happened.", "The value that counts; needed unless 0 and 1, or yes and no."
)
@click.option(
    "--kind", type=click.Choice(["binary", "classes", "number"]),
    help="Of the outcome; without it as its values show.",
)  # fmt: skip
@click.option("--score", "scores", multiple=True, metavar="COLUMN", help="A score; repeatable.")
@click.option("--primary", metavar="COLUMN", help="The score that was declared beforehand.")
@options.PATIENT
@options.SITE
@options.SUBGROUPS
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="[SCORE=]T", help="Positive at and above T."
)
@click.option("--time", metavar="COLUMN", help="Of a time to an event: the time.")
@click.option(
    "--status", metavar="COLUMN[=VALUE]", help="Of a time to an event: 1 had it, 0 censored."
)
@click.option("--horizon", type=float, metavar="T", help="The time by which it is predicted.")
@click.option("--cohort", type=options.FILE, help="Table of the same patients, for Table 1.")
@options.with_layout
@options.LEVEL
@options.SEED
@click.option("--out", type=options.PATH, help="Folder to write; judged/NAME without this.")
@options.JSON
@options.group_readable
def judge(
    predictions: Path,
    time: str | None,
    status: str | None,
    horizon: float | None,
    cohort: Path | None,
    level: float,
    seed: int,
    out: Path | None,
    as_json: bool,
    **question: Any,
) -> None:
    """Write the page that a run gets for PREDICTIONS of any tool (CSV, Parquet or xlsx).

    One row a patient, or several with --patient; a column of what happened (two values, several
    classes, or a number), and one or more of scores; of several classes a column of probabilities
    for each. What is not named is guessed from the columns' names, and the guess is printed.

    A time to an event is judged with --time, --status and --horizon: risks by that time, with
    those who were censored before weighed.
    """
    from cardio_stats.errors import ConfigError
    from cardio_stats.files import SafeName
    from cardio_studies.ingest_columns import Question
    from cardio_studies.judged_survival import horizon_of, judge_survival
    from cardio_studies.judgement import judge_predictions

    place = out or Path("judged") / SafeName(predictions.stem)
    follow_up = horizon_of(time, status, horizon)
    if follow_up is not None and cohort is not None:
        raise ConfigError("--cohort: does not go with --time and --status; leave it out")
    with options.working("judging") as echo:
        about: dict[str, Any] = {"level": level, "command": options.typed(), "echo": echo}
        if follow_up is not None:
            made = judge_survival(predictions, Question(**question), follow_up, place, **about)
        else:
            made = judge_predictions(
                predictions, Question(**question), place, cohort=cohort, seed=seed, **about
            )
    options.end(*made, as_json=as_json)
