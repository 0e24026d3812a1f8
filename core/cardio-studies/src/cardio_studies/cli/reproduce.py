"""`cardio reproduce`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from cardio_core.cli import options


@click.command()
@options.RUN
@click.option("--out", type=options.PATH, help="New folder.  [default: RUN-again next to RUN]")
@click.option(
    "--data", multiple=True, type=options.PATH,
    help="Where the data of RUN lie now; without it where its command says.",
)  # fmt: skip
@click.option("--executor", help="Other workers than then: local, local:N, dask:ADDRESS.")
@click.option("--device", help="Another device than then: auto, cpu, cuda or cuda:N.")
@options.allowing(changes="other recordings, labels or settings than then")
@click.option(
    "--against", type=options.PATH,
    help="A run that was made again already: compare, make nothing.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what differs now, and what would bring it back.")
@options.JSON
@options.group_readable
def reproduce(
    run: Path,
    out: Path | None,
    data: tuple[Path, ...],
    executor: str | None,
    device: str | None,
    allowed: tuple[str, ...],
    against: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make RUN again with its own command, and compare every number.

    Says first what differs from then (code, packages, machine) and what would have to be
    installed. Other recordings, labels or settings are refused without --allow changes. Features
    are made anew. Writes a run into --out, and next to it reproduce.json and reproduce.txt: which
    numbers of metrics.json and predictions.csv are equal, which are within rounding, which differ,
    and why. Exits with 1 if a number differs.
    """
    from cardio_core.runs import Repetition
    from cardio_studies.reproduction import compared, foretold, text_lines

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    if against is not None:
        where, answer = against, compared(run, against)
    else:
        where = out or run.with_name(f"{run.resolve().name}-again")
        repetition = Repetition.of(run, where, data=data, executor=executor, device=device)
        for line in foretold(repetition):
            say(line)
        if dry_run:
            return
        answer = compared(run, repetition.make(anyway="changes" in allowed, echo=say))
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        click.echo("\n".join(["", *text_lines(answer), "", f"Written: {where / 'reproduce.json'}"]))
    if answer["verdict"] == "differs":
        sys.exit(1)
