"""`cardio report`."""

from __future__ import annotations

from pathlib import Path

import click

from cardio_core.cli.options import group_readable
from cardio_stats.errors import ConfigError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@group_readable
def report(run: Path) -> None:
    """Build report.html of RUN again from its files."""
    from cardio_core.report.page import build_report
    from cardio_core.runner.manifest import Manifest

    if not (run / "metrics.json").is_file():
        raise ConfigError(
            f"{run}: no finished run directory (it has no metrics.json); resume the run"
        )
    Manifest.open(run, complete=False)
    click.echo(f"Report: {build_report(run)}")
