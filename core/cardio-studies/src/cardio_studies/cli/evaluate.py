"""`cardio evaluate`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cardio_core.cli.plugin_options import WithPluginOptions, given
from cardio_core.cli.private import group_readable
from cardio_stats.cli.options import with_layout


@click.command(cls=WithPluginOptions)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--data", required=True, multiple=True, type=click.Path(path_type=Path), metavar="PATH",
    help="The other patients: a cohort table or a folder, as cardio run takes it; repeatable.",
)  # fmt: skip
@click.option(
    "--outcome", metavar="COLUMN", help="What really happened, where its column is another here."
)
@click.option("--event", metavar="VALUE", help="The value of that column that the run predicts.")
@click.option(
    "--negative", multiple=True, metavar="VALUE", help="A value without the event; repeatable."
)
@click.option(
    "--missing", multiple=True, metavar="VALUE", help="A value that means missing; repeatable."
)
@click.option("--site", metavar="COLUMN", help="Where a patient was seen; site_id without this.")
@click.option(
    "--subgroup", "subgroups", multiple=True, metavar="COLUMN", help="2 to 5 groups; repeatable."
)
@click.option(
    "--overlap", type=click.Choice(["refuse", "leave-out"]), default="refuse", show_default=True,
    help="What to do with patients who were in training.",
)  # fmt: skip
@click.option("--other-people", is_flag=True, help="Equal ids are of different people.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@with_layout
@click.option("--level", default=0.95, show_default=True, help="Coverage of intervals.")
@click.option("--seed", default=0, show_default=True, help="Of every resampling.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="New folder; runs/RUN-external-TIME without."
)
@group_readable
def evaluate(
    run: Path,
    data: tuple[Path, ...],
    outcome: str | None,
    event: str | None,
    negative: tuple[str, ...],
    missing: tuple[str, ...],
    site: str | None,
    subgroups: tuple[str, ...],
    overlap: str,
    other_people: bool,
    device: str,
    level: float,
    seed: int,
    out: Path | None,
) -> None:
    """Validate the final models of RUN on other patients: nothing is fitted again.

    Writes the page that a run gets, with what changed against the run's own folds, the coverage of
    prediction sets by class and site, and what a recalibration would bring, in a table of its own.
    Patients who were in training are refused: known again by id, by file and by signal.

    Of what cardio fuse wrote, --data is NAME=PATH for each run that is fused.
    """
    from cardio_core.runs import Question, Run, finished
    from cardio_stats.errors import ConfigError

    made = finished(run)
    if not 0.5 < level < 1:
        raise ConfigError(f"--level {level:g}: expected a coverage between 0.5 and 1, such as 0.95")
    fused = made.get("kind") == "fused"
    if "plugin" not in made and not fused:
        raise ConfigError(
            f"{run}: expected a run with final models, found a folder that is "
            f"{made.get('kind', 'none')}; name the run itself"
        )
    own = None if fused else given(made["plugin"], made["task"])
    from cardio_core.report import answer_lines

    question = Question(
        outcome, site, subgroups, overlap == "leave-out", other_people, level, seed,
        event, negative, missing,
    )  # fmt: skip
    about: dict[str, Any] = {
        "device": device, "echo": lambda line: click.echo(line, err=True),
        "command": ["cardio", *sys.argv[1:]],
    }  # fmt: skip
    if own is None:
        from cardio_studies.fusion_predict import evaluate_fused

        _only_for_a_run(site, subgroups)
        named = [str(one) for one in data]
        page = evaluate_fused(run, named, question, out or _default_out(run), **about)
    else:
        from cardio_studies.external_validation import evaluate_run

        page = evaluate_run(run, data, question, out or _default_out(run), options=own, **about)
    click.echo("\n".join(answer_lines(Run(page.parent).artifact)))
    click.echo(f"Report: {page}")


def _default_out(run: Path) -> Path:
    """Return a folder named after the run and the time."""
    from cardio_stats.files import SafeName

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return Path("runs") / SafeName(f"{run.resolve().name}-external-{stamp}")


def _only_for_a_run(site: str | None, subgroups: tuple[str, ...]) -> None:
    """Refuse what a fusion has no use for.

    Raises
    ------
    ConfigError
    """
    from cardio_stats.errors import ConfigError

    typed = next((f"--{name}" for name in click.get_current_context().obj), None)
    option = typed or ("--site" if site else "--subgroup" if subgroups else None)
    if option:
        raise ConfigError(f"{option}: a fusion does not take it; evaluate its runs one by one")
