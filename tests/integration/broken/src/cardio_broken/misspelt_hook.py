"""Marks a function that is no hook: `featurise` would never be called."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import hookimpl

INFO = replace(borrowed.INFO, name="misspelt_hook")


@hookimpl
def featurise(samples, ctx):
    """Would be ignored silently."""
