"""`cardio stats`."""

from __future__ import annotations

import click

from cardio_core.cli.main import LazyGroup

_TABLES = "cardio_core.cli.stats.tables"
_SCORES = "cardio_core.cli.stats.scores"


@click.group(
    cls=LazyGroup,
    lazy={
        "table1": (f"{_TABLES}:table1", "Describe a cohort by group."),
        "univariable": (f"{_TABLES}:univariable", "Logistic regression, one column at a time."),
        "multivariable": (f"{_TABLES}:multivariable", "Logistic regression, all columns together."),
        "incremental": (f"{_TABLES}:incremental", "What further columns add to a model."),
        "roc": (f"{_SCORES}:roc", "How well a score tells two classes apart."),
        "compare": (f"{_SCORES}:compare", "Scores against each other on the same rows."),
        "agreement": (f"{_SCORES}:agreement", "Two measurements of one quantity."),
        "calibration": (f"{_SCORES}:calibration", "Whether probabilities mean what they say."),
        "planner": ("cardio_core.cli.stats.planner:planner", "How many patients a study needs."),
        "forensics": (
            "cardio_core.cli.stats.forensics:forensics",
            "Whether published numbers can be right.",
        ),
    },
)
def stats() -> None:
    """Statistics of a CSV or Parquet table, every number with its interval and method.

    FILE has one row a patient, or one row a recording with the patient in a column (--patient).
    """
