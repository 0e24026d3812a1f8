"""Returns None from `train`, as a function without a return statement does."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import featurize, load, predict, preprocess

from cardio_core.api import hookimpl

__all__ = ["INFO", "featurize", "load", "predict", "preprocess", "train"]

INFO = replace(TOY, name="trains_nothing")


@hookimpl
def train(training, targets, ctx):
    """Forget to return what was fitted."""
