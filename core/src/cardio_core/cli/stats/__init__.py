"""`cardio stats`."""

from __future__ import annotations

import sys

import click

from cardio_core.cli.stats.examples import EXAMPLES
from cardio_core.cli.stats.lazy import LazyGroup
from cardio_core.errors import CardioError

_HERE = "cardio_core.cli.stats"
_TABLES = f"{_HERE}.tables"


@click.group(
    cls=LazyGroup,
    lazy={
        "table1": (f"{_TABLES}:table1", "Describe a cohort by group."),
        "missing": (f"{_HERE}.missing:missing", "Which values are missing, and in whom."),
        "univariable": (f"{_TABLES}:univariable", "Logistic regression, one column at a time."),
        "multivariable": (f"{_TABLES}:multivariable", "Logistic regression, all columns together."),
        "incremental": (f"{_TABLES}:incremental", "What further columns add to a model."),
        "roc": (f"{_HERE}.discrimination.roc:roc", "How well a score tells two classes apart."),
        "compare": (
            f"{_HERE}.discrimination.compare:compare",
            "Scores against each other on the same rows.",
        ),
        "agreement": (f"{_HERE}.agreement:agreement", "Two measurements of one quantity."),
        "calibration": (
            f"{_HERE}.calibration:calibration",
            "Whether probabilities mean what they say.",
        ),
        "mixed": (f"{_HERE}.mixed:mixed", "A measurement repeated in the same patients."),
        "subgroups": (f"{_HERE}.subgroups:subgroups", "Whether an effect is alike in subgroups."),
        "survival": (f"{_HERE}.survival:survival", "Time to an event: curves, Cox, scores."),
        "forest": (f"{_HERE}.forest:forest", "Draw estimates with their intervals."),
        "planner": ("cardio_core.cli.stats.planner:planner", "How many patients a study needs."),
        "forensics": (
            "cardio_core.cli.stats.forensics:forensics",
            "Whether published numbers can be right.",
        ),
    },
    examples={words.removeprefix("stats").strip(): shown for words, shown in EXAMPLES.items()},
    context_settings={"help_option_names": ["-h", "--help"]},
)
def stats() -> None:
    """Statistics of a CSV or Parquet table, every number with its interval and method.

    FILE has one row a patient, or one row a recording with the patient in a column (--patient).
    """


def main() -> None:
    """Run `cardio-stats`: these commands for those who have nothing else of cardio."""
    try:
        stats(prog_name="cardio-stats")
    except CardioError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
