"""`cardio data synth`."""

from __future__ import annotations

from pathlib import Path

import click

from cardio_core.cli.completion import plugin_names, task_names
from cardio_core.errors import ConfigError


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
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@click.option(
    "--task",
    shell_complete=task_names,
    help="One of the plugin's tasks; its default task without this.",
)
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
def synth(
    plugin: str,
    out: Path,
    task: str | None,
    patients: int | Path | None,
    effect: str | None,
    difficulty: str | None,
    seed: int,
) -> None:
    """Write the synthetic cohort of PLUGIN: recordings with known truth, made by code.

    The same seed gives the same files. A table of patients (patient_id, outcome, effect; see
    docs/cohort.md) lets several plugins record the same patients.
    """
    from cardio_core.registry import require_installed

    require_installed(plugin)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out {out}: is there and not an empty folder; choose another")
    table = patients if isinstance(patients, Path) else None
    if effect is not None and table is None:
        raise ConfigError(f"--effect {effect}: a column of a table; give one as --patients TABLE")

    from cardio_core.io.atomic import whole_directory
    from cardio_core.io.cohorts.planned import EFFECT
    from cardio_core.runner.at_the_door import find_task
    from cardio_core.runner.preparing.synthetic_cohort import CohortAsked, writer_of
    from cardio_core.runner.setup import open_with_defaults

    opened = open_with_defaults(plugin)
    chosen = find_task(opened, task)
    number = patients if isinstance(patients, int) else None
    asked = CohortAsked(chosen.name, number, seed, difficulty, table, effect or EFFECT)
    write = writer_of(opened.info, asked)
    out.parent.mkdir(parents=True, exist_ok=True)
    whole_directory(out, write)
    n_files = sum(path.is_file() for path in out.rglob("*"))
    click.echo(f"{out}: {n_files} files of synthetic data, seed {seed}.")
    outcome = " --outcome outcome" if table is not None and chosen.any_outcome else ""
    click.echo(f"Use it: cardio run --plugin {plugin} --task {chosen.name} --data {out}{outcome}")
