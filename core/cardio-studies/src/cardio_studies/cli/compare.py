"""`cardio compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cardio_core.cli import options


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="[NAME=]RUN|CSV...")
@options.outcome_options(
    "What really happened: two values.",
    "The value that counts; needed unless 0 and 1, or yes and no.",
)
@click.option(
    "--score", "scores", multiple=True, metavar="NAME",
    help="A score, or a model of a run; without it a run's primary model, a table's scores.",
)  # fmt: skip
@options.PATIENT
@click.option("--threshold", type=float, help="Probability from which one would act.")
@options.with_layout
@options.LEVEL
@options.SEED
@click.option(
    "--out", type=options.PATH, default=Path("compared"), show_default=True, help="Folder to write."
)
@options.JSON
@options.group_readable
def compare(
    sources: tuple[str, ...],
    threshold: float | None,
    level: float,
    seed: int,
    out: Path,
    as_json: bool,
    **question: Any,
) -> None:
    """Compare finished runs and tables of predictions on the patients whom all of them predicted.

    Areas in pairs (DeLong, p adjusted for all pairs), decisions (McNemar), what one score adds to
    another (likelihood ratio), net benefit at --threshold; and who is missing where.
    """
    from cardio_studies.comparison import compare_sources
    from cardio_studies.ingest_columns import Question

    with options.working("comparing") as echo:
        page, who = compare_sources(
            sources, Question(**question), out, threshold=threshold, level=level, seed=seed,
            command=options.typed(), echo=echo,
        )  # fmt: skip
    lines = [
        f"{row['predictions']}: {row['patients']} patients, {row['compared']} compared, "
        f"{row['not in another source']} not in another source."
        for row in who.to_dict("records")
    ]
    options.end(page, lines, as_json=as_json)
