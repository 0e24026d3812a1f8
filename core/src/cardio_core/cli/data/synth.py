"""`cardio data synth`."""

from __future__ import annotations

from pathlib import Path

import click

from cardio_core.errors import ConfigError


@click.command()
@click.argument("plugin")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--task", help="One of the plugin's tasks; its default task without this.")
@click.option("--patients", type=click.IntRange(2), help="How many; the plugin's choice without.")
@click.option("--difficulty", help="Its name in the plugin; the plugin's choice without.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def synth(
    plugin: str,
    out: Path,
    task: str | None,
    patients: int | None,
    difficulty: str | None,
    seed: int,
) -> None:
    """Write the synthetic cohort of PLUGIN: recordings with known truth, made by code.

    The same seed gives the same files.
    """
    from cardio_core.registry import require_installed

    require_installed(plugin)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out {out}: is there and not an empty folder; choose another")

    from cardio_core.io.atomic import whole_directory
    from cardio_core.runner.at_the_door import find_task
    from cardio_core.runner.preparing.synthetic_cohort import CohortAsked, writer_of
    from cardio_core.runner.setup import open_with_defaults

    opened = open_with_defaults(plugin)
    chosen = find_task(opened, task).name
    write = writer_of(opened.info, CohortAsked(chosen, patients, seed, difficulty))
    out.parent.mkdir(parents=True, exist_ok=True)
    whole_directory(out, write)
    n_files = sum(path.is_file() for path in out.rglob("*"))
    click.echo(f"{out}: {n_files} files of synthetic data, seed {seed}.")
    click.echo(f"Use it: cardio run --plugin {plugin} --task {chosen} --data {out}")
