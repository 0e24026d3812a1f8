"""`cardio stability`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cardio_core.cli.private import group_readable
from cardio_stats.errors import ConfigError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
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
    "--data", multiple=True, type=click.Path(path_type=Path),
    help="Where the run's data lie now.  [default: as in the run's command]",
)  # fmt: skip
@click.option(
    "--from", "needs_from", multiple=True, metavar="TASK=RUN",
    help="Where the run of an earlier task lies now.",
)  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--executor", default="local", show_default=True,
    help="local (a process a core), local:N processes, dask:ADDRESS.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write.  [default: RUN-stability]"
)
@group_readable
def stability(
    run: Path,
    repeats: int,
    permute: int,
    leave_site_out: bool,
    site: str,
    learning_curve: bool,
    data: tuple[Path, ...],
    needs_from: tuple[str, ...],
    device: str,
    executor: str,
    out: Path | None,
) -> None:
    """Show how much of a finished RUN hangs on its folds, its sites, its patients, or on nothing.

    Everything that saw a label is done again; features are taken from the cache. RUN is not
    changed. The same command goes on where it was stopped, and a larger N keeps what is there.
    """
    from cardio_studies.stability import Wanted, study_stability

    if site != "site_id" and not leave_site_out:
        raise ConfigError(f"--site {site}: expected --leave-site-out beside it, found none")
    wanted = Wanted(repeats, permute, leave_site_out, site, learning_curve)
    earlier = {}
    for text in needs_from:
        task, equals, path = text.partition("=")
        if not equals:
            raise ConfigError(f"--from takes TASK=RUN, for example view=runs/x; got {text!r}")
        earlier[task] = Path(path)
    study_stability(
        run, wanted, out or run.parent / f"{run.name}-stability", click.echo, data=data,
        needs_from=earlier, device=device, executor=executor, command=["cardio", *sys.argv[1:]],
    )  # fmt: skip
