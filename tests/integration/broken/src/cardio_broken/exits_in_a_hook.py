"""Leaves the interpreter in the middle of a run, with an error that cannot travel."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import hookimpl

INFO = replace(borrowed.INFO, name="exits_in_a_hook")


class Stop(SystemExit):
    """Does not pickle."""

    def __init__(self, why, code):
        super().__init__(f"{why} {code}")


@hookimpl
def featurize(samples):
    """Leave."""
    raise Stop("no more", 3)
