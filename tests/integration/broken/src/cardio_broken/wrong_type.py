"""Returns an array where a set of features is due."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import hookimpl

INFO = replace(borrowed.INFO, name="wrong_type")


@hookimpl
def featurize(samples, ctx):
    """Return bare numbers without names and units."""
    import numpy as np

    return np.zeros((len(samples), 2))
