"""`cardio data`."""

from __future__ import annotations

import click

from cardio_core.cli.lazy import LazyGroup


@click.group(cls=LazyGroup, words="data")
def data() -> None:
    """Find, fetch, make and check data."""
