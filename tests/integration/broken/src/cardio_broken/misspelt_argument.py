"""Asks a hook for an argument that it does not have."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import hookimpl

INFO = replace(borrowed.INFO, name="misspelt_argument")


@hookimpl
def featurize(sample, ctx):
    """Ask for `sample`, which is called `samples`."""
