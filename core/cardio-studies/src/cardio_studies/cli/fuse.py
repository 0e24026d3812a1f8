"""`cardio fuse`."""

from __future__ import annotations

from pathlib import Path

import click

from cardio_core.cli import options


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="[NAME=]RUN[:MODEL]...")
@click.option(
    "--out", type=options.PATH, default=Path("fused"), show_default=True, help="Folder to write."
)
@click.option(
    "--clinical", type=options.PATH, metavar="TABLE", help="Cohort table of the same patients."
)
@options.COVARIATES
@click.option("--guideline", metavar="COLUMN", help="Its column that says whom one treats now.")
@click.option("--outcome", metavar="NAME", help="What is predicted, where a run has several.")
@options.LEVEL
@options.SEED
@options.JSON
@options.group_readable
def fuse(
    runs: tuple[str, ...],
    out: Path,
    clinical: Path | None,
    covariates: tuple[str, ...],
    guideline: str | None,
    outcome: str | None,
    level: float,
    seed: int,
    as_json: bool,
) -> None:
    """Fuse finished runs: one score from the modalities that a patient has.

    Weights are fitted on out-of-fold predictions and tested on the patients of other folds. The
    result is a run: cardio predict, compare, judge and report work on it.
    """
    from cardio_studies.fusion import Against, fuse_runs

    made = fuse_runs(
        runs, out, against=Against(clinical, covariates, guideline), outcome=outcome, level=level,
        seed=seed, command=options.typed(), echo=options.say,
    )  # fmt: skip
    options.end(*made, as_json=as_json)
