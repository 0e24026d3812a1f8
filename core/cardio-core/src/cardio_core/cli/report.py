"""`cardio report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from cardio_core.cli.options import group_readable
from cardio_stats.errors import ConfigError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--all-figures", is_flag=True,
    help="Draw the figures and explained cases, too, that cardio run leaves out because the page "
    "does not show them open. Needs the data of RUN; trains nothing.",
)  # fmt: skip
@group_readable
def report(run: Path, all_figures: bool) -> None:
    """Build report.html of RUN again from its files."""
    from cardio_core.report.page import build_report
    from cardio_core.runner.manifest import Manifest

    if not (run / "metrics.json").is_file():
        raise ConfigError(
            f"{run}: no finished run directory (it has no metrics.json); resume the run"
        )
    Manifest.open(run, complete=False)
    if all_figures:
        _evaluate_again(run)
    else:
        click.echo(f"Report: {build_report(run)}")


def _evaluate_again(run: Path) -> None:
    """Resume a finished run, whose fits are kept, with all of its figures."""
    from cardio_core.cli.run import request_again
    from cardio_core.io.run_artifact import RunKind
    from cardio_core.runner.manifest import finished
    from cardio_core.runner.progress import STAGES, Display
    from cardio_core.runner.run import run as do

    request = request_again(run, finished(run, RunKind.RUN), run)
    with Display(click.echo, STAGES) as display:
        do(replace(request, resume=True, all_figures=True), display)
