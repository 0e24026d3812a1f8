"""`cardio data`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardio_core.cli import options
from cardio_core.cli.completion import plugin_names
from cardio_core.errors import ConfigError
from cardio_stats.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from cardio_core.io.datasets import PublicDataset


@click.group(cls=LazyGroup, words="data")
def data() -> None:
    """Find, fetch, make and check data."""


# `cardio data list` and `cardio data fetch`.


def datasets() -> list[PublicDataset]:
    """Return the public data sets that the installed plugins declare."""
    from cardio_core.io.datasets import TOOL, dataset_of
    from cardio_core.registry import lent

    return [dataset_of(fields, plugin) for plugin, fields in lent(TOOL)]


@click.command("list")
@options.JSON
def list_(as_json: bool) -> None:
    """List the public data sets that the installed plugins declare, and whether each is there.

    They are looked for in the folder that the variable CARDIO_DATA names.
    """
    from cardio_core.io.datasets import data_folder

    folder, known = data_folder(), datasets()
    if as_json:
        rows = [
            dataset.to_dict() | {"found": str(place) if place else None}
            for dataset in known
            for place in [dataset.found_in(folder)]
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for dataset in known:
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


def _names(_ctx: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    return [dataset.name for dataset in datasets() if dataset.name.startswith(begun)]


@click.command()
@click.argument("name", shell_complete=_names)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of data sets; NAME is made in it.  [default: $CARDIO_DATA, else ./data]",
)
@options.JSON
def fetch(name: str, out: Path | None, as_json: bool) -> None:
    """Download the public data set NAME, every file verified by its published digest.

    What is already there and right is not downloaded again; an interrupted fetch goes on where it
    stopped.
    """
    from cardio_core.io.datasets import data_folder, fetch_dataset, find_dataset
    from cardio_core.runner.progress import Progress

    dataset = find_dataset(name, datasets())
    parent = out or data_folder() or Path("data")
    tell = options.say if as_json else click.echo
    tell(f"{dataset.title} {dataset.version}, {dataset.size_mb:,} MB, from {dataset.page}")
    tell(f"Licence: {dataset.licence}. By using it you accept this licence.")
    for paper in dataset.cite:
        tell(f"Cite: {paper}")
    bars: list[Progress] = []

    with ExitStack() as shown:

        def say_total(n_files: int) -> None:
            bars.append(shown.enter_context(Progress("downloading", n_files, tell, "files")))

        done = fetch_dataset(
            dataset, parent, on_start=say_total, on_file=lambda file: bars[0].advance(file)
        )
    lines = (
        f"{done.folder}: {done.n_downloaded} files downloaded and verified, "
        f"{done.n_there} were there and right.",
        f"Use it: cardio run --plugin {dataset.plugin} --data {done.folder}",
    )
    counts = {"n_downloaded": done.n_downloaded, "n_there": done.n_there}
    answer = dataset.to_dict() | {"folder": str(done.folder)} | counts
    options.show(answer, lines, as_json=as_json)


# `cardio data forget`.


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT]...", type=options.PATH)
@click.option("--all", "everybody", is_flag=True, help="Forget all patients.")
@options.JSON
def forget(inputs: tuple[Path, ...], everybody: bool, as_json: bool) -> None:
    """Delete what is kept of recordings outside of runs: the features of cohorts, in the cache.

    INPUT is a file or a folder of recordings, whose features are found by their content; --all
    deletes the features of all patients. Without either, the command says how much is kept. Delete
    runs and other outputs yourself. A run on a forgotten cohort reads it again.
    """
    from cardio_core.io.store import cache_dir
    from cardio_core.runner.forget import forget_all, forget_files, stored
    from cardio_stats.errors import ConfigError

    cache = cache_dir()
    if inputs and everybody:
        raise ConfigError("--all: expected it alone, found recordings as well; leave one out")
    if inputs:
        n_files, n_patients = forget_files(cache, inputs)
        line = f"Forgotten: {n_patients} kept of {n_files} file(s), in {cache}."
        counts = {"n_files": n_files, "n_patients": n_patients}
        options.show({"cache": str(cache), "forgotten": True, **counts}, (line,), as_json=as_json)
        return
    found = forget_all(cache) if everybody else stored(cache)
    text = f"{found.n_patients} sets of one patient's features, {found.n_other} of what cohorts "
    text += f"taught, {found.size_mb:g} MB, in {cache}"
    answer = {"cache": str(cache), "forgotten": everybody, **asdict(found)}
    line = f"Forgotten: {text}." if everybody else f"Kept: {text}."
    options.show(answer, (line,), as_json=as_json)


# `cardio data synth`.


class _Patients(click.ParamType[int | Path]):
    """A number of patients, or a table of them."""

    name = "patients"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Path:
        text = str(value)
        try:
            number = int(text)
        except ValueError:
            return Path(text)
        return int(click.IntRange(2).convert(number, param, ctx))


@click.command()
@click.argument("plugin", shell_complete=plugin_names)
@options.path("--out", "Folder to make.", required=True)
@options.TASK
@click.option(
    "--patients", type=_Patients(), metavar="NUMBER|TABLE",
    help="How many, or a table of who they are; the plugin's choice without.",
)  # fmt: skip
@click.option(
    "--effect", metavar="COLUMN",
    help="Column of the table: how strongly the recording shows the outcome; effect without.",
)  # fmt: skip
@click.option("--difficulty", help="Its name in the plugin; the plugin's choice without.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True,
    help="Another one draws other patients.",
)  # fmt: skip
@options.JSON
def synth(
    plugin: str,
    out: Path,
    task: str | None,
    patients: int | Path | None,
    effect: str | None,
    difficulty: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Write the synthetic cohort of PLUGIN: recordings with known truth, made by code.

    The same seed gives the same files. A table of patients (patient_id, outcome, effect; see
    docs/cohort.md) lets several plugins record the same patients.
    """
    from cardio_core.registry import require_installed

    require_installed(plugin)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(
            f"--out {out}: is there and not an empty folder; choose another", code="exists"
        )
    table = patients if isinstance(patients, Path) else None
    if effect is not None and table is None:
        raise ConfigError(f"--effect {effect}: a column of a table; give one as --patients TABLE")

    from cardio_core.io.cohort_template import EFFECT
    from cardio_core.runner.request import find_task
    from cardio_core.runner.setup import CohortRequest, open_with_defaults, writer_of
    from cardio_stats.files import whole_directory

    opened = open_with_defaults(plugin)
    chosen = find_task(opened, task)
    number = patients if isinstance(patients, int) else None
    request = CohortRequest(chosen.name, number, seed, difficulty, table, effect or EFFECT)
    write = writer_of(opened.info, request)
    out.parent.mkdir(parents=True, exist_ok=True)
    whole_directory(out, write)
    n_files = sum(path.is_file() for path in out.rglob("*"))
    outcome = " --outcome outcome" if table is not None and chosen.any_outcome else ""
    lines = (
        f"{out}: {n_files} files of synthetic data, seed {seed}.",
        f"Use it: cardio run --plugin {plugin} --task {chosen.name} --data {out}{outcome}",
    )
    answer = {
        "folder": str(out), "n_files": n_files, "seed": seed, "plugin": plugin, "task": chosen.name
    }  # fmt: skip
    options.show(answer, lines, as_json=as_json)
