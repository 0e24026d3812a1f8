"""Hook `featurize`: one patient's measurements, with their units; fitted on nobody."""

import pandas as pd

from cardio_core.api import FeatureBlock, FeatureSet, SampleSet

UNITS = {"volume_ml": "mL", "strain_pct": "%"}
"""The measurements that are used, and their units; one that a file lacks is NaN."""


def featurize(samples: SampleSet) -> FeatureSet:
    """Take the measurements by name."""
    frame = pd.DataFrame(list(samples.values)).reindex(columns=list(UNITS)).astype(float)
    return FeatureSet(samples.table, {"measures": FeatureBlock.from_frame(frame, UNITS)})
