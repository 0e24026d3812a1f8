"""Asks a hook for an argument that it does not have."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import load, predict, preprocess, train

from cardio_core.api import hookimpl

__all__ = ["INFO", "featurize", "load", "predict", "preprocess", "train"]

INFO = replace(TOY, name="misspelt_argument")


@hookimpl
def featurize(sample, ctx):
    """Ask for `sample`, which is called `samples`."""
