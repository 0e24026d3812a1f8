"""Declares `targets` in a hook that may not see labels."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import load, predict, preprocess, train

from cardio_core.api import hookimpl

__all__ = ["INFO", "featurize", "load", "predict", "preprocess", "train"]

INFO = replace(TOY, name="asks_for_targets")


@hookimpl
def featurize(samples, targets, ctx):
    """Would make a feature of the label."""
