"""`cardio data list` and `cardio data fetch`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import click

from cardio_core.cli.completion import dataset_names


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the public data sets that are known by name, and whether each is there.

    They are looked for in the folder that the variable CARDIO_DATA names.
    """
    from cardio_core.io.datasets import DATASETS, data_folder

    folder = data_folder()
    if as_json:
        rows = [
            dataset.to_dict() | {"found": str(place) if place else None}
            for dataset in DATASETS
            for place in [dataset.found_in(folder)]
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for dataset in DATASETS:
        place = dataset.found_in(folder)
        click.echo(f"{dataset.name} {dataset.version}  {dataset.title}")
        click.echo(f"    {dataset.contents}; {dataset.size_mb:,} MB")
        click.echo(f"    licence: {dataset.licence}")
        for paper in dataset.cite:
            click.echo(f"    cite: {paper}")
        click.echo(f"    read by: {dataset.plugin}")
        click.echo(f"    {'found: ' + str(place) if place else 'not found'}")
    if folder is None:
        click.echo("\nCARDIO_DATA is not set; it names the folder that holds these data sets.")


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of data sets; NAME is made in it.  [default: $CARDIO_DATA, else ./data]",
)
def fetch(name: str, out: Path | None) -> None:
    """Download the public data set NAME, every file verified by its published digest.

    What is already there and right is not downloaded again; an interrupted fetch goes on where it
    stopped.
    """
    from cardio_core.io.datasets import data_folder, find_dataset
    from cardio_core.io.fetch import fetch_dataset
    from cardio_core.runner.progress import Progress

    dataset = find_dataset(name)
    parent = out or data_folder() or Path("data")
    click.echo(f"{dataset.title} {dataset.version}, {dataset.size_mb:,} MB, from {dataset.page}")
    click.echo(f"Licence: {dataset.licence}. By using it you accept this licence.")
    for paper in dataset.cite:
        click.echo(f"Cite: {paper}")
    bars: list[Progress] = []

    with ExitStack() as shown:

        def say_total(n_files: int) -> None:
            bars.append(shown.enter_context(Progress("downloading", n_files, click.echo, "files")))

        done = fetch_dataset(
            dataset, parent, on_start=say_total, on_file=lambda file: bars[0].advance(file)
        )
    click.echo(
        f"{done.folder}: {done.n_downloaded} files downloaded and verified, "
        f"{done.n_there} were there and right."
    )
    click.echo(f"Use it: cardio run --plugin {dataset.plugin} --data {done.folder}")
