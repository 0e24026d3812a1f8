"""`cardio run`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core.cli import options
from cardio_stats.errors import ConfigError
from cardio_stats.layout import LAYOUT

if TYPE_CHECKING:
    from cardio_core.runner.request import RunRequest


@click.command(cls=options.WithPluginOptions)
@options.PLUGIN
@options.TASK
@options.path(
    "--data", "Folder in a known layout, or a cohort table. Without it: the synthetic cohort.",
    multiple=True,
)  # fmt: skip
@options.outcome_options(
    "Column of the cohort table to predict.", "The value of that column that is predicted."
)
@click.option(
    "--primary", metavar="MODEL", help="The model whose result is the answer, declared beforehand."
)
@options.COVARIATES
@options.with_layout
@options.CONFIG
@options.SETS
@options.FROM_RUN
@click.option(
    "--protocol", type=click.Choice(["both", "paper", "honest"]), default="both",
    show_default=True, help="both is honest, and paper where the configuration has one.",
)  # fmt: skip
@options.DEVICE
@click.option(
    "--devices", "n_devices", type=click.IntRange(1), default=1, show_default=True,
    help="GPUs to use, on a CPU processes (1 leaves their number to --executor). Fits are spread "
    "over them; only where fits are fewer do several share one.",
)  # fmt: skip
@click.option(
    "--precision", type=click.Choice(["32", "bf16", "16"]), default="32", show_default=True,
    help="Of the networks' arithmetic; 16 and bf16 are faster on GPUs that have them.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True,
    help="Of all that is drawn: folds, weights, batches, resamples.",
)  # fmt: skip
@options.EXECUTOR
@options.path("--out", "Run directory.  [default: runs/...]")
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
@options.JSON
@options.group_readable
def run(as_json: bool, **settings: Any) -> None:
    """Take raw recordings to an evaluation: load, features, folds, report."""
    from cardio_core.registry import open_plugin, require_installed
    from cardio_core.runner.progress import STAGES, Display
    from cardio_core.runner.request import RunRequest, announce_data, check_typed

    # What is misspelt must not first cost the import of everything else.
    require_installed(settings["plugin"])
    if settings["smoke"] and settings["config"]:
        raise ConfigError("--smoke is a configuration; leave out --config")
    if settings["resume"] and settings["out"] is None:
        raise ConfigError("--resume needs --out; name the run directory to go on with")
    request = RunRequest(**settings, command=shlex.join(options.typed()))
    check_typed(request)
    open_plugin(request.plugin)  # a broken one is refused before anything is said of the data
    request = replace(request, given=options.given(request.plugin, request.task))
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
            settings = dict(ctx.params)
            settings.pop("as_json")
            own = options.given(settings["plugin"], settings["task"])
            layout = LAYOUT.get()
    except click.ClickException as error:
        raise ConfigError(error.format_message()) from error
    command = shlex.join(["cardio", "run", *words])
    return RunRequest(**settings, given=own, command=command, layout=layout)


_DROPPED = {"--out": True, "--track": True, "--resume": False, "--dry-run": False, "--json": False}
"""Words that are not repeated, and whether each has a value."""


def request_again(
    run: Path,
    manifest: Mapping[str, Any],
    out: Path,
    data: Sequence[Path] = (),
    executor: str | None = None,
    device: str | None = None,
) -> RunRequest:
    """Return the request that made a run, with another folder and, where given, other places.

    Raises
    ------
    ConfigError
        If its manifest names no command of this core, or what that names is not here.
    """
    words = _retyped(run, manifest, out, data, executor, device)
    try:
        request = request_of(words)
    except ConfigError as error:
        raise ConfigError(f"{run}: its command cannot be given here: {error}") from error
    if request.task not in (manifest["task"], None):
        raise ConfigError(
            f"{run}: was made by a run of {request.task}, which needs it; reproduce that one"
        )
    for path in request.data:
        if not path.exists():
            raise ConfigError(f"{run}: its data were {path}, which is not here; give --data PATH")
    for task, earlier in request.needs_from.items():
        if not earlier.exists():
            raise ConfigError(
                f"{run}: its {task} came from the run {earlier}, which is not here; go to the "
                "folder in which the command was given, or put that run back"
            )
    return request


def _retyped(
    run: Path,
    manifest: Mapping[str, Any],
    out: Path,
    data: Sequence[Path],
    executor: str | None,
    device: str | None,
) -> list[str]:
    """Return the words behind ``cardio run``."""
    from cardio_core.io.places import typed_command

    program, *words = typed_command(run, manifest) or [""]
    if program != "cardio" or "run" not in words:
        raise ConfigError(
            f"{run}: its manifest names no command, because it was started from Python; repeat it "
            "there and compare the two with --against"
        )
    dropped = dict(_DROPPED)
    more = [("--data", str(path)) for path in data]
    more += [("--executor", executor)] if executor else []
    more += [("--device", device)] if device else []
    dropped |= {name: True for name, _ in more}
    repeated = [*_without(words[words.index("run") + 1 :], dropped)]
    return [
        *_with_settings(repeated, run),
        *(item for pair in more for item in pair),
        "--out",
        str(out),
    ]


def _without(words: Sequence[str], dropped: Mapping[str, bool]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in dropped:
            yield word
        elif dropped[name] and not equals:
            next(rest, None)


def _with_settings(words: list[str], run: Path) -> Iterator[str]:
    """Put the run's own settings in the place of a file of settings that is not here any more."""
    before = ""
    for word in words:
        lost = before == "--config" and Path(word).suffix in (".yaml", ".yml")
        yield str(run / "config.yaml") if lost and not Path(word).is_file() else word
        before = word
