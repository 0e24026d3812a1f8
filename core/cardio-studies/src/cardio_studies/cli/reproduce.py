"""`cardio reproduce`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core.cli.private import group_readable
from cardio_core.cli.run import request_of
from cardio_stats.errors import ConfigError

if TYPE_CHECKING:
    from cardio_core.runner.request import RunRequest


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="New folder.  [default: RUN-again beside RUN]"
)
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where the data of RUN lie now; without it where its command says.",
)
@click.option("--executor", help="Other workers than then: local, local:N, dask:ADDRESS.")
@click.option("--device", help="Another device than then: auto, cpu, cuda or cuda:N.")
@click.option(
    "--anyway", is_flag=True, help="Go on although recordings, labels or settings changed."
)
@click.option(
    "--against", type=click.Path(path_type=Path),
    help="A run that was made again already: compare, make nothing.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what differs now, and what would bring it back.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison, for programs.")
@group_readable
def reproduce(
    run: Path,
    out: Path | None,
    data: tuple[Path, ...],
    executor: str | None,
    device: str | None,
    anyway: bool,
    against: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make RUN again with its own command, and compare every number.

    Says first what differs from then (code, packages, machine) and what would have to be
    installed. Other recordings, labels or settings are refused, unless --anyway is given. Features
    are made anew. Writes a run into --out, and beside it reproduce.json and reproduce.txt: which
    numbers of metrics.json and predictions.csv are equal, which are within rounding, which differ,
    and why. Exits with 1 if a number differs.
    """
    from cardio_studies.reproduction import compared, finished, foretold, told
    from cardio_studies.reproduction import reproduce as do

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    if against is not None:
        where, answer = against, compared(run, against)
    else:
        where = out or run.with_name(f"{run.resolve().name}-again")
        request = repeated(run, finished(run), where, data, executor, device)
        for line in foretold(run, request):
            say(line)
        if dry_run:
            return
        answer = do(run, request, anyway=anyway, echo=say)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        click.echo("\n".join(["", *told(answer), "", f"Written: {where / 'reproduce.json'}"]))
    if answer["verdict"] == "differs":
        sys.exit(1)


# The request of a finished run, read from the command that its manifest keeps.

_DROPPED = {"--out": True, "--track": True, "--resume": False, "--dry-run": False, "--json": False}
"""Words that are not repeated, and whether each has a value."""


def repeated(
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
        If the manifest names no command of this core, or what it names is not here.
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
    kept = [*_without(words[words.index("run") + 1 :], dropped)]
    return [*_with_settings(kept, run), *(one for pair in more for one in pair), "--out", str(out)]


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
