"""Hook `featurize`: one patient's windows become named numbers with units; fitted on nobody."""

import numpy as np

from cardio_core.api import FeatureBlock, FeatureSet, SampleSet
from cardio_heart_sounds.signal.beats import measure
from cardio_heart_sounds.signal.mel import HIGH_HZ, HOP_S, LOW_HZ, log_mel


def featurize(samples: SampleSet) -> FeatureSet:
    """Measure every window, and draw it as a log-mel picture for the network."""
    measures = FeatureBlock(
        np.array([measure(window) for window in samples.values], np.float32),
        axes=("measure",),
        names=("rate", "s1_s2", "systolic_level", "diastolic_level", "regularity"),
        units=("1/min", "ms", "dB", "dB", "1"),
        titles=("Heart rate", "S1-S2 interval", "Systolic sound against heart sounds",
                "Diastolic sound against heart sounds", "Regularity of the beat"),
    )  # fmt: skip
    pictures = np.array([log_mel(window) for window in samples.values], np.float16)
    picture = FeatureBlock(
        pictures[:, None],
        axes=("channel", "frequency", "time"),
        names=("sound",),
        units=("dB",),
        extents={
            "frequency": (LOW_HZ, HIGH_HZ, "Hz"),
            "time": (0.0, pictures.shape[2] * HOP_S, "s"),
        },
    )
    return FeatureSet(samples.table, {"measures": measures, "picture": picture})
