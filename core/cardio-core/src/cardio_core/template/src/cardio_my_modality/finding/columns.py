"""What the models are given: the columns of a regression, and the finding as a number."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import Context, FeatureSet, Targets
from cardio_my_modality.finding.models import MEASURES


def columns(features: FeatureSet, ctx: Context) -> NDArray[np.float32]:
    """Return what the regression `ctx.model` is fitted on, shape (n_samples, n_measures)."""
    block = features["measures"]
    return block.in_units()[:, [block.names.index(name) for name in MEASURES[str(ctx.model)]]]


def numbers(features: FeatureSet, targets: Targets, ctx: Context) -> NDArray[Any]:
    """Return the finding of every sample as a number, shape (n_samples,)."""
    return targets.of(features.table, "finding").astype(np.int64)
