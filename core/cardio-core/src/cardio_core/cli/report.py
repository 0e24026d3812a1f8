"""`cardio report`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from cardio_core.cli import options
from cardio_stats.errors import ConfigError


@click.command()
@options.RUN
@click.option(
    "--all-figures", is_flag=True,
    help="Draw the figures and explained cases, too, that cardio run leaves out because the page "
    "does not show them open. Needs the data of RUN; trains nothing.",
)  # fmt: skip
@options.JSON
@options.group_readable
def report(run: Path, all_figures: bool, as_json: bool) -> None:
    """Build report.html of RUN again from its files."""
    from cardio_core.report.page import build_report
    from cardio_core.runner.manifest import Manifest

    if not (run / "metrics.json").is_file():
        raise ConfigError(
            f"{run}: no finished run directory (it has no metrics.json); resume the run",
            code="unfinished",
        )
    Manifest.open(run, complete=False)
    if all_figures:
        _evaluate_again(run, options.say if as_json else click.echo)
    else:
        build_report(run)
    if as_json or not all_figures:  # the run has named its page
        options.end(run / "report.html", (), as_json=as_json)


def _evaluate_again(run: Path, tell: Callable[[str], None]) -> None:
    """Resume a finished run, whose fits are kept, with all of its figures."""
    from cardio_core.cli.run import request_again
    from cardio_core.io.run_artifact import RunKind
    from cardio_core.runner.manifest import finished
    from cardio_core.runner.progress import STAGES, Display
    from cardio_core.runner.run import run as do

    request = request_again(run, finished(run, RunKind.RUN), run)
    with Display(tell, STAGES) as display:
        do(replace(request, resume=True, all_figures=True), display)
