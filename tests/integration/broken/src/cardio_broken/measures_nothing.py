"""Measures something that no recording has."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import FeatureBlock, FeatureSet, hookimpl

INFO = replace(borrowed.INFO, name="measures_nothing")


@hookimpl
def featurize(samples):
    """Find every height, and no pause."""
    import numpy as np

    values = np.column_stack([np.ones(len(samples)), np.full(len(samples), np.nan)])
    names = ("height", "spread")
    titles = ("Height", "Longest pause")
    block = FeatureBlock(values, ("measure",), names, ("mV", "s"), titles=titles)
    return FeatureSet(samples.table, {"shape": block})
