"""`cardio stability`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cardio_core.cli import options
from cardio_stats.errors import ConfigError


@click.command()
@options.RUN
@click.option("--repeats", type=int, default=0, metavar="N", help="The run over N other splits.")
@click.option(
    "--permute", type=int, default=0, metavar="N",
    help="The run on N permutations of the labels: what it finds where nothing is.",
)  # fmt: skip
@click.option("--leave-site-out", is_flag=True, help="Each site tested by models of the others.")
@click.option(
    "--site", default="site_id", show_default=True, metavar="COLUMN",
    help="Column of the cohort table that names the site.",
)  # fmt: skip
@click.option("--learning-curve", is_flag=True, help="The run on fewer training patients.")
@click.option(
    "--data", multiple=True, type=options.PATH,
    help="Where the run's data lie now.  [default: as in the run's command]",
)  # fmt: skip
@options.FROM_RUN
@options.DEVICE
@options.EXECUTOR
@click.option("--out", type=options.PATH, help="Folder to write.  [default: RUN-stability]")
@options.JSON
@options.group_readable
def stability(
    run: Path,
    data: tuple[Path, ...],
    needs_from: dict[str, Path],
    device: str,
    executor: str,
    out: Path | None,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Show how much of a finished RUN hangs on its folds, its sites, its patients, or on nothing.

    Everything that saw a label is done again; features are taken from the cache. RUN is not
    changed. The same command goes on where it was stopped, and a larger N keeps what is there.
    """
    from cardio_studies.stability import Wanted, study_stability

    if wanted["site"] != "site_id" and not wanted["leave_site_out"]:
        raise ConfigError(f"--site {wanted['site']}: expected --leave-site-out with it, found none")
    page = study_stability(
        run, Wanted(**wanted), out or run.parent / f"{run.name}-stability",
        options.say if as_json else click.echo, data=data, needs_from=needs_from or None,
        device=device, executor=executor, command=options.typed(),
    )  # fmt: skip
    options.end(page, (), as_json=as_json)
