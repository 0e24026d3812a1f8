"""`cardio judge`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cardio_core.cli.private import group_readable
from cardio_stats.cli.options import with_layout

PLACE = click.Path(path_type=Path)


@click.command()
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--outcome", metavar="COLUMN", help="What really happened.")
@click.option(
    "--event", metavar="VALUE", help="The value that counts; needed unless 0 and 1, or yes and no."
)
@click.option(
    "--negative", multiple=True, metavar="VALUE",
    help="A value without the event, where there are several; repeatable.",
)  # fmt: skip
@click.option(
    "--kind", type=click.Choice(["binary", "classes", "number"]),
    help="Of the outcome; without it as its values show.",
)  # fmt: skip
@click.option("--score", "scores", multiple=True, metavar="COLUMN", help="A score; repeatable.")
@click.option("--primary", metavar="COLUMN", help="The score that was declared beforehand.")
@click.option("--patient", metavar="COLUMN", help="Whose row it is.")
@click.option("--site", metavar="COLUMN", help="Where the patient was seen.")
@click.option(
    "--subgroup", "subgroups", multiple=True, metavar="COLUMN", help="2 to 5 groups; repeatable."
)
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="[SCORE=]T", help="Positive at and above T."
)
@click.option("--time", metavar="COLUMN", help="Of a time to an event: the time.")
@click.option(
    "--status", metavar="COLUMN[=VALUE]", help="Of a time to an event: 1 had it, 0 censored."
)
@click.option("--horizon", type=float, metavar="T", help="The time by which it is predicted.")
@click.option(
    "--cohort", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table of the same patients, for Table 1.",
)  # fmt: skip
@click.option("--missing", multiple=True, metavar="[COL=]WORD", help="Word that means missing.")
@with_layout
@click.option("--level", default=0.95, show_default=True, help="Coverage of intervals.")
@click.option("--seed", default=0, show_default=True, help="Of every resampling.")
@click.option("--out", type=PLACE, help="Folder to write; judged/NAME without this.")
@group_readable
def judge(
    predictions: Path,
    outcome: str | None,
    event: str | None,
    negative: tuple[str, ...],
    kind: str | None,
    scores: tuple[str, ...],
    primary: str | None,
    patient: str | None,
    site: str | None,
    subgroups: tuple[str, ...],
    thresholds: tuple[str, ...],
    time: str | None,
    status: str | None,
    horizon: float | None,
    cohort: Path | None,
    missing: tuple[str, ...],
    level: float,
    seed: int,
    out: Path | None,
) -> None:
    """Write the page that a run gets for PREDICTIONS of any tool (CSV, Parquet or xlsx).

    One row a patient, or several with --patient; a column of what happened (two values, several
    classes, or a number), and one or more of scores; of several classes a column of probabilities
    for each. What is not named is guessed from the columns' names, and said.

    A time to an event is judged with --time, --status and --horizon: risks by that time, with
    those who were censored before weighed.
    """
    from cardio_core.runs import Display
    from cardio_stats.errors import ConfigError
    from cardio_stats.files import SafeName
    from cardio_studies.ingest_columns import Question
    from cardio_studies.judged_survival import horizon_of, judge_survival
    from cardio_studies.judgement import judge_predictions

    asked = Question(
        outcome,
        event,
        scores,
        patient,
        site,
        subgroups,
        thresholds,
        primary,
        missing,
        kind,
        negative,
    )
    place, command = out or Path("judged") / SafeName(predictions.stem), ["cardio", *sys.argv[1:]]
    follow_up = horizon_of(time, status, horizon)
    if follow_up is not None and cohort is not None:
        raise ConfigError("--cohort: has no place beside --time and --status; leave it out")
    with (
        Display(lambda line: click.echo(line, err=True), at_once=False) as say,
        say.stage("judging"),
    ):
        if follow_up is not None:
            page, lines = judge_survival(
                predictions, asked, follow_up, place, level=level, command=command, echo=say
            )
        else:
            page, given = judge_predictions(
                predictions, asked, place, cohort=cohort, level=level, seed=seed,
                command=command, echo=say,
            )  # fmt: skip
            lines = list(given.assumed)
    for line in lines:
        click.echo(line)
    click.echo(f"Report: {page}")
