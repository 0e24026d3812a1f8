"""Names one column fewer than `featurize` measures."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import FeatureBlock, FeatureSet, hookimpl

INFO = replace(borrowed.INFO, name="names_too_few")


@hookimpl
def featurize(samples):
    """Forget a name."""
    import numpy as np

    block = FeatureBlock(np.zeros((len(samples), 2)), ("measure",), ("height",), ("mV",))
    return FeatureSet(samples.table, {"shape": block})
