"""Returns an array where a set of features is due."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import load, predict, preprocess, train

from cardio_core.api import hookimpl

__all__ = ["INFO", "featurize", "load", "predict", "preprocess", "train"]

INFO = replace(TOY, name="wrong_type")


@hookimpl
def featurize(samples, ctx):
    """Return bare numbers without names and units."""
    import numpy as np

    return np.zeros((len(samples), 2))
