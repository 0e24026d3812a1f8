"""`cardio evaluate`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cardio_core.cli import options


@click.command(cls=options.WithPluginOptions)
@options.RUN
@click.option(
    "--data", required=True, multiple=True, type=options.PATH, metavar="PATH",
    help="The other patients: a cohort table or a folder, as cardio run takes it; repeatable.",
)  # fmt: skip
@options.outcome_options(
    "What really happened, where its column is another here.",
    "The value of that column that the run predicts.",
)
@options.SITE
@options.SUBGROUPS
@click.option(
    "--overlap", type=click.Choice(["refuse", "leave-out"]), default="refuse", show_default=True,
    help="What to do with patients who were in training.",
)  # fmt: skip
@click.option("--other-people", is_flag=True, help="Equal ids are of different people.")
@options.DEVICE
@options.EXECUTOR
@options.with_layout
@options.LEVEL
@options.SEED
@click.option("--out", type=options.PATH, help="New folder; runs/RUN-external-TIME without.")
@options.JSON
@options.group_readable
def evaluate(
    run: Path,
    data: tuple[Path, ...],
    overlap: str,
    device: str,
    executor: str,
    out: Path | None,
    as_json: bool,
    **question: Any,
) -> None:
    """Validate the final models of RUN on other patients: nothing is fitted again.

    Writes the page that a run gets, with what changed against the run's own folds, the coverage of
    prediction sets by class and site, and what a recalibration would bring, in a separate table.
    Patients who were in training are refused: known again by id, by file and by signal.

    Of what cardio fuse wrote, --data is NAME=PATH for each run that is fused.
    """
    from cardio_core.runs import Question, Run, finished
    from cardio_stats.errors import ConfigError

    made = finished(run)
    if not 0.5 < question["level"] < 1:
        raise ConfigError(
            f"--level {question['level']:g}: expected a coverage between 0.5 and 1, such as 0.95"
        )
    fused = made.get("kind") == "fused"
    if "plugin" not in made and not fused:
        raise ConfigError(
            f"{run}: expected a run with final models, found a folder that is "
            f"{made.get('kind', 'none')}; name the run itself",
            code="unsupported",
        )
    own = None if fused else options.given(made["plugin"], made["task"])
    from cardio_core.report import answer_lines

    wanted = Question(leave_out=overlap == "leave-out", **question)
    place = out or _default_out(run)
    about: dict[str, Any] = {"device": device, "executor": executor, "echo": options.say}
    about["command"] = options.typed()
    if fused:
        from cardio_studies.fusion_predict import evaluate_fused

        _only_for_a_run(wanted.site, wanted.subgroups)
        page = evaluate_fused(run, [str(path) for path in data], wanted, place, **about)
    else:
        from cardio_studies.external_validation import evaluate_run

        page = evaluate_run(run, data, wanted, place, options=own, **about)
    options.end(page, answer_lines(Run(page.parent).artifact), as_json=as_json)


def _default_out(run: Path) -> Path:
    """Return a folder named after the run and the time."""
    from cardio_stats.files import SafeName

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return Path("runs") / SafeName(f"{run.resolve().name}-external-{stamp}")


def _only_for_a_run(site: str | None, subgroups: tuple[str, ...]) -> None:
    """Refuse what a fusion has no use for."""
    from cardio_stats.errors import ConfigError

    typed = next((f"--{name}" for name in click.get_current_context().obj), None)
    option = typed or ("--site" if site else "--subgroup" if subgroups else None)
    if option:
        raise ConfigError(f"{option}: a fusion does not take it; evaluate its runs one by one")
