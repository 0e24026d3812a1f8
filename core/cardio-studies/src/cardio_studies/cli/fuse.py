"""`cardio fuse`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cardio_core.cli.private import group_readable

PLACE = click.Path(path_type=Path)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="[NAME=]RUN[:MODEL]...")
@click.option(
    "--out", type=PLACE, default=Path("fused"), show_default=True, help="Folder to write."
)
@click.option("--clinical", type=PLACE, metavar="TABLE", help="Cohort table of the same patients.")
@click.option("--covariates", metavar="A,B,...", help="Its columns that the clinical model takes.")
@click.option("--guideline", metavar="COLUMN", help="Its column that says whom one treats now.")
@click.option("--outcome", metavar="NAME", help="What is predicted, where a run has several.")
@click.option("--level", default=0.95, show_default=True, help="Coverage of intervals.")
@click.option("--seed", default=0, show_default=True, help="Of new folds and of every resampling.")
@group_readable
def fuse(
    runs: tuple[str, ...],
    out: Path,
    clinical: Path | None,
    covariates: str | None,
    guideline: str | None,
    outcome: str | None,
    level: float,
    seed: int,
) -> None:
    """Fuse finished runs: one score from the modalities that a patient has.

    Weights are fitted on out-of-fold predictions and tested on the patients of other folds. The
    result is a run: cardio predict, compare, judge and report work on it.
    """
    from cardio_studies.fusion import Against, fuse_runs

    named = tuple(name.strip() for name in (covariates or "").split(",") if name.strip())
    page, said = fuse_runs(
        runs, out, against=Against(clinical, named, guideline), outcome=outcome, level=level,
        seed=seed, command=["cardio", *sys.argv[1:]],
        echo=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    for line in said:
        click.echo(line)
    click.echo(f"Report: {page}")
