"""Hook `featurize`: one patient's samples become named numbers with units; fitted on nobody."""

import numpy as np
import pandas as pd

from cardio_core.api import FeatureBlock, FeatureSet, SampleSet
from cardio_my_modality.signal.pulses import measure, rate_per_min


def featurize(samples: SampleSet) -> FeatureSet:
    """Measure every pulse, and keep its shape for the network."""
    pulses = np.asarray(samples.values)
    by_recording = samples.table.groupby("recording_id")["time_s"]
    rate = by_recording.transform(lambda times_s: rate_per_min(times_s.to_numpy()))
    height, width = measure(pulses).T
    measures = FeatureBlock.from_frame(
        pd.DataFrame({"height": height, "width": width, "rate": rate.to_numpy()}),
        units={"height": "1", "width": "s", "rate": "1/min"},
        titles={"height": "Height of a pulse", "width": "Width of a pulse", "rate": "Pulse rate"},
    )
    shape = FeatureBlock(
        (pulses / pulses.max(axis=1, keepdims=True))[:, None].astype(np.float16),
        axes=("channel", "time"),
        names=("pulse",),
        units=("1",),
    )
    return FeatureSet(samples.table, {"measures": measures, "shape": shape})
