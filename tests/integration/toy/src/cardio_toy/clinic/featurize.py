"""Hook `featurize`."""

from __future__ import annotations

import numpy as np

from cardio_core.api import FeatureBlock, FeatureSet, SampleSet
from cardio_toy.bumps.find import HALF, find_bumps


def featurize(samples: SampleSet) -> FeatureSet:
    """Describe a recording by the height of its beats and the spread between them."""
    rows = []
    for trace in samples.values:
        tops = find_bumps(trace, 0.35)
        between = np.ones(len(trace.values_mv), bool)
        for top in tops:
            between[top - HALF : top + HALF] = False
        height_mv = np.median(np.abs(trace.values_mv[tops])) if len(tops) else 0.0
        rows.append([height_mv, np.std(trace.values_mv[between])])
    values = np.asarray(rows, dtype=np.float32)
    block = FeatureBlock(values, ("feature",), ("height", "spread"), ("mV", "mV"))
    return FeatureSet(samples.table, {"shape": block})
