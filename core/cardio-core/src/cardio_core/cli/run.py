"""`cardio run`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core.cli.completion import config_names, plugin_names, task_names
from cardio_core.cli.plugin_options import WithPluginOptions, given
from cardio_core.cli.private import group_readable
from cardio_stats.cli.options import with_layout
from cardio_stats.errors import ConfigError
from cardio_stats.layout import LAYOUT

if TYPE_CHECKING:
    from cardio_core.runner.request import RunRequest


@click.command(cls=WithPluginOptions)
@click.option(
    "--plugin", required=True, shell_complete=plugin_names, help="Name of an installed plugin."
)
@click.option(
    "--task",
    shell_complete=task_names,
    help="One of the plugin's tasks; its default task without this.",
)
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder in a known layout, or a cohort table. Without it: the synthetic cohort.",
)
@click.option("--outcome", metavar="COLUMN", help="Column of the cohort table to predict.")
@click.option("--event", metavar="VALUE", help="The value of that column that is predicted.")
@click.option(
    "--negative", multiple=True, metavar="VALUE",
    help="A value without the event, where there are several; repeatable.",
)  # fmt: skip
@click.option(
    "--missing", multiple=True, metavar="VALUE",
    help="A value of that column that means missing; repeatable.",
)  # fmt: skip
@click.option(
    "--primary", metavar="MODEL", help="The model whose result is the answer, declared beforehand."
)
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    metavar="COLUMN",
    help="Column of the cohort table for subgroups and the clinical model.",
)
@with_layout
@click.option(
    "--config", shell_complete=config_names, help="default, cpu, full, smoke, or a YAML file."
)
@click.option("--set", "sets", multiple=True, metavar="A.B=V", help="Change one setting.")
@click.option(
    "--from", "needs_from", multiple=True, metavar="TASK=RUN", help="Finished run of a needed task."
)
@click.option(
    "--protocol",
    type=click.Choice(["both", "paper", "honest"]),
    default="both",
    show_default=True,
    help="both is honest, and paper where the configuration has one.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--devices",
    "n_devices",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="GPUs to use, on a CPU processes (1 leaves their number to --executor). Fits are spread "
    "over them; only where fits are fewer do several share one.",
)
@click.option(
    "--precision",
    type=click.Choice(["32", "bf16", "16"]),
    default="32",
    show_default=True,
    help="Of the networks' arithmetic; 16 and bf16 are faster on GPUs that have them.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True,
    help="Of all that is drawn: folds, weights, batches, resamples.",
)  # fmt: skip
@click.option(
    "--executor",
    default="local",
    show_default=True,
    help="local (a process a core, or one a GPU for fits), local:N processes, dask:ADDRESS.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Run directory.  [default: runs/...]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option("--strict", is_flag=True, help="Stop at the first unusable recording.")
@click.option("--smoke", is_flag=True, help="The plugin's smallest configuration.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check everything, make features for a minute at most, train nothing.",
)
@click.option(
    "--track",
    metavar="TOOL:PLACE",
    help="Show the curves of training meanwhile: tensorboard:DIR or mlflow:URI.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest when done.")
@group_readable
def run(needs_from: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Take raw recordings to an evaluation: load, features, folds, report."""
    from cardio_core.registry import open_plugin, require_installed
    from cardio_core.runner.progress import STAGES, Display
    from cardio_core.runner.request import RunRequest, announce_data, check_typed

    # What is misspelt must not first cost the import of everything else.
    require_installed(options["plugin"])
    if options["smoke"] and options["config"]:
        raise ConfigError("--smoke is a configuration; leave out --config")
    if options["resume"] and options["out"] is None:
        raise ConfigError("--resume needs --out; name the run directory to go on with")
    command = shlex.join(["cardio", *sys.argv[1:]])
    request = RunRequest(**options, needs_from=_pairs(needs_from), command=command)
    check_typed(request)
    open_plugin(request.plugin)  # a broken one is refused before anything is said of the data
    request = replace(request, given=given(request.plugin, request.task))
    with Display(lambda line: click.echo(line, err=as_json), STAGES) as display:
        announce_data(request, display)
        on = ", ".join(path.name for path in request.data)
        with display.stage("starting", f"{request.plugin} on {on}" if on else ""):
            from cardio_core.runner.run import run as do

        where = do(request, display)
    if as_json and not request.dry_run:
        manifest = json.loads((where / "manifest.json").read_text(encoding="utf-8"))
        click.echo(json.dumps(manifest, indent=2))


def request_of(words: Sequence[str]) -> RunRequest:
    """Return the request that the words behind ``cardio run`` mean, as of then.

    Raises
    ------
    ConfigError
        If they mean nothing to this core or plugin.
    """
    from cardio_core.runner.request import RunRequest

    above = click.Context(click.Group("cardio"), info_name="cardio")
    try:
        with run.make_context("run", list(words), parent=above) as ctx:
            params = dict(ctx.params)
            params.pop("as_json")
            needs_from = _pairs(params.pop("needs_from"))
            own = given(params["plugin"], params["task"])
            layout = LAYOUT.get()
    except click.ClickException as error:
        raise ConfigError(error.format_message()) from error
    command = shlex.join(["cardio", "run", *words])
    return RunRequest(**params, needs_from=needs_from, given=own, command=command, layout=layout)


def _pairs(texts: tuple[str, ...]) -> dict[str, Path]:
    pairs = {}
    for text in texts:
        task, equals, path = text.partition("=")
        if not equals:
            raise ConfigError(f"--from takes TASK=RUN, for example aami_beats=runs/x; got {text!r}")
        pairs[task] = Path(path)
    return pairs
