"""Hook `featurize`: one patient's pictures become named numbers with units; fitted on nobody."""

import numpy as np
import pandas as pd

from cardio_core.api import FeatureBlock, FeatureSet, SampleSet
from cardio_my_modality.pictures.spots import measure, resized


def featurize(samples: SampleSet) -> FeatureSet:
    """Measure the spot of each picture, and keep the picture for the network."""
    pictures = list(samples.values)
    height, width = np.transpose([measure(picture) for picture in pictures])
    measures = FeatureBlock.from_frame(
        pd.DataFrame({"height": height, "width": width}),
        units={"height": "1", "width": "pixels"},
        titles={"height": "Height of the spot", "width": "Width of the spot"},
    )
    shape = FeatureBlock(
        np.stack([resized(picture) for picture in pictures])[:, None].astype(np.float16),
        axes=("channel", "row", "column"),
        names=("picture",),
        units=("1",),
    )
    return FeatureSet(samples.table, {"measures": measures, "shape": shape})
