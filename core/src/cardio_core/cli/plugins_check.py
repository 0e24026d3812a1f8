"""`cardio plugins check`."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from cardio_core.cli.completion import plugin_names, task_names
from cardio_core.errors import ConfigError, ContractError

if TYPE_CHECKING:
    from cardio_core.testing import Verdict


@click.command()
@click.argument("name", shell_complete=plugin_names)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    shell_complete=task_names,
    help="One of its tasks, or several; all without.",
)
@click.option("--quick", is_flag=True, help="Leave out the checks that need a whole run.")
@click.option("--truth", is_flag=True, help="Chance and truth over whole runs, too; takes longer.")
@click.option("--patients", type=click.IntRange(2), help="Patients of the synthetic cohort.")
@click.option("--set", "sets", multiple=True, metavar="A.B=V", help="Change one setting.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    name: str,
    tasks: tuple[str, ...],
    quick: bool,
    truth: bool,
    patients: int | None,
    sets: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check whether the plugin NAME keeps its contract, on its own synthetic cohort.

    The same checks as those of `cardio_core.testing.PluginContract`, without pytest. Exits with 1
    if one of them fails. --quick makes those that need no run, after every step of writing one.
    """
    if quick and truth:
        raise ConfigError("--quick runs nothing and --truth whole runs; leave one of them out")
    from cardio_core.registry import open_plugin
    from cardio_core.testing import Sizes, check_plugin

    about = open_plugin(name)
    sizes = Sizes(
        n_patients=patients or (24 if truth else 12),
        sets={task.name: sets for task in about.info.tasks},
    )

    def tell(line: str) -> None:
        click.echo(f"... {line}", err=as_json)

    found: list[Verdict] = []
    # What a plugin prints must not get between the lines of JSON.
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        for verdict in check_plugin(name, tasks, quick=quick, truth=truth, sizes=sizes, tell=tell):
            if not as_json:
                click.echo(_line(verdict, {one.said for one in found}))
            found.append(verdict)
    failed = [verdict for verdict in found if not verdict.passed]
    if as_json:
        rows = [asdict(replace(one, seconds=round(one.seconds, 2))) for one in found]
        answer = {
            "plugin": name,
            "version": about.version,
            "passed": not failed,
            "n_checks": len(found),
            "n_failed": len(failed),
            "verdicts": rows,
        }
        click.echo(json.dumps(answer, indent=2))
    if failed:
        raise ContractError(
            f"{name} fails {len(failed)} of {len(found)} checks; the first: {failed[0].name}"
        )
    if not as_json:
        what = f"the {len(found)} checks without a run" if quick else f"all {len(found)} checks"
        click.echo(f"{name} {about.version} passes {what}.")


def _line(verdict: Verdict, said: set[str]) -> str:
    """Return a verdict as people read it; a reason that was given before is not repeated."""
    where = f"{verdict.task}: " if verdict.task else ""
    line = f"{verdict.seconds:6.1f} s  {where}{verdict.name}"
    if verdict.advised:
        return f"look {line}\n     {verdict.said}"
    if verdict.passed:
        return f"ok   {line}"
    known = verdict.said.removeprefix("not checked: ") in said
    return f"FAIL {line}\n     {'not checked, for the same reason' if known else verdict.said}"
