"""What the regression is given, and the murmur as a number."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import FeatureSet, Targets
from cardio_heart_sounds.murmur.models import LEVELS


def levels(features: FeatureSet) -> NDArray[np.float32]:
    """Return sound in systole and diastole in dB, shape (n_windows, 2)."""
    block = features["measures"]
    return block.in_units()[:, [block.names.index(name) for name in LEVELS]]


def murmurs(features: FeatureSet, targets: Targets) -> NDArray[Any]:
    """Return 1 for every window of a patient with a murmur, else 0, shape (n_windows,)."""
    return targets.of(features.table, "murmur").astype(np.int64)
