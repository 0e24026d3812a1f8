"""Marks a function that is no hook: `featurise` would never be called."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import featurize, load, predict, preprocess, train

from cardio_core.api import hookimpl

__all__ = ["INFO", "featurise", "featurize", "load", "predict", "preprocess", "train"]

INFO = replace(TOY, name="misspelt_hook")


@hookimpl
def featurise(samples, ctx):
    """Would be ignored silently."""
