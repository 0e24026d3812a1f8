"""`cardio compare`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cardio_core.cli.private import group_readable
from cardio_stats.cli.options import with_layout


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="[NAME=]RUN|CSV...")
@click.option("--outcome", metavar="COLUMN", help="What really happened: two values.")
@click.option(
    "--event", metavar="VALUE", help="The value that counts; needed unless 0 and 1, or yes and no."
)
@click.option(
    "--negative", multiple=True, metavar="VALUE",
    help="A value without the event, where there are several; repeatable.",
)  # fmt: skip
@click.option(
    "--score", "scores", multiple=True, metavar="NAME",
    help="A score, or a model of a run; without it a run's primary model, a table's scores.",
)  # fmt: skip
@click.option("--patient", metavar="COLUMN", help="Whose row it is.")
@click.option("--missing", multiple=True, metavar="[COL=]WORD", help="Word that means missing.")
@click.option("--threshold", type=float, help="Probability from which one would act.")
@with_layout
@click.option("--level", default=0.95, show_default=True, help="Coverage of intervals.")
@click.option("--seed", default=0, show_default=True, help="Of every resampling.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("compared"), show_default=True,
    help="Folder to write.",
)  # fmt: skip
@group_readable
def compare(
    sources: tuple[str, ...],
    outcome: str | None,
    event: str | None,
    negative: tuple[str, ...],
    scores: tuple[str, ...],
    patient: str | None,
    missing: tuple[str, ...],
    threshold: float | None,
    level: float,
    seed: int,
    out: Path,
) -> None:
    """Compare finished runs and tables of predictions on the patients whom all of them predicted.

    Areas in pairs (DeLong, p adjusted for all pairs), decisions (McNemar), what one score adds to
    another (likelihood ratio), net benefit at --threshold; and who is missing where.
    """
    from cardio_core.runs import Display
    from cardio_studies.comparison import compare_sources
    from cardio_studies.ingest_columns import Question

    asked = Question(outcome, event, scores, patient, missing=missing, negative=negative)
    with (
        Display(lambda line: click.echo(line, err=True), at_once=False) as say,
        say.stage("comparing"),
    ):
        page, who = compare_sources(
            sources, asked, out, threshold=threshold, level=level, seed=seed,
            command=["cardio", *sys.argv[1:]], echo=say,
        )  # fmt: skip
    for row in who.to_dict("records"):
        click.echo(
            f"{row['predictions']}: {row['patients']} patients, {row['compared']} compared, "
            f"{row['not in another source']} not in another source."
        )
    click.echo(f"Report: {page}")
