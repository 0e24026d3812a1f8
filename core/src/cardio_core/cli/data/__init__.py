"""`cardio data`."""

from __future__ import annotations

import click

from cardio_core.cli.stats.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    lazy={
        "list": ("cardio_core.cli.data.public:list_", "Public data sets that are known by name."),
        "fetch": ("cardio_core.cli.data.public:fetch", "Download one, every file verified."),
        "synth": ("cardio_core.cli.data.synth:synth", "Write a plugin's synthetic cohort."),
        "template": (
            "cardio_core.cli.data.template:template",
            "Write a cohort table to fill in: the columns that PLUGIN reads, and two example rows.",
        ),
        "check": (
            "cardio_core.cli.data.check:check",
            "List everything that is wrong with a cohort at once, and say who is in it.",
        ),
        "deidentify": (
            "cardio_core.cli.data.deidentify:deidentify",
            "Keep the sector of ultrasound loops, and nothing that names a patient.",
        ),
        "forget": (
            "cardio_core.cli.data.forget:forget",
            "Delete what is kept of recordings outside of runs.",
        ),
        "rpeaks": ("cardio_core.cli.data.rpeaks:rpeaks", "R peaks of one ECG recording."),
        "convert-weights": (
            "cardio_core.cli.data.convert_weights:convert_weights",
            "Weights of others as a file that cannot run code.",
        ),
    },
)
def data() -> None:
    """Find, fetch, make and check data."""
