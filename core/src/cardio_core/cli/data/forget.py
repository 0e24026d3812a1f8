"""`cardio data forget`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT]...", type=click.Path(path_type=Path))
@click.option("--all", "everybody", is_flag=True, help="Forget every patient.")
def forget(inputs: tuple[Path, ...], everybody: bool) -> None:
    """Delete what is kept of recordings outside of runs: the features of cohorts, in the cache.

    INPUT is a file or a folder of recordings, by whose content theirs are found; --all takes
    everybody's. Without either it says how much there is. Runs, and what other commands wrote to
    places that you named, are yours to delete. A run on a forgotten cohort reads it again.
    """
    from cardio_core.errors import ConfigError
    from cardio_core.io.places import cache_dir
    from cardio_core.runner.preparing.forgetting import forget_all, forget_files, kept

    cache = cache_dir()
    if inputs and everybody:
        raise ConfigError("--all: expected it alone, found recordings beside it; leave one out")
    if inputs:
        n_files, n_patients = forget_files(cache, inputs)
        click.echo(f"Forgotten: {n_patients} kept of {n_files} file(s), in {cache}.")
        return
    found = forget_all(cache) if everybody else kept(cache)
    said = f"{found.n_patients} sets of one patient's features, {found.n_other} of what cohorts "
    said += f"taught, {found.size_mb:g} MB, in {cache}"
    click.echo(f"Forgotten: {said}." if everybody else f"Kept: {said}.")
