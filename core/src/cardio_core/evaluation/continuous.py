"""Continuous targets: error beside the constant predictor's, and explained variance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.parts import Asked, Parts
from cardio_core.evaluation.pooling import unit_of
from cardio_core.stats.agreement.regression_error import regression_errors
from cardio_core.types.predictions import Scored


def continuous_metrics(parts: Parts, frame: pd.DataFrame, asked: Asked) -> None:
    """Add MAE, that of always saying the median, R² = 1 - SSE/SST, and squared correlation."""
    known = frame[frame["y_true"].notna()]
    truth = known["y_true"].to_numpy(float)
    if len(truth) < 3 or np.ptp(truth) == 0:
        raise DataError(f"expected at least 3 different true values, found {len(set(truth))}")
    clusters = Scored.clusters_of(known)
    found = regression_errors(
        truth,
        known["score"].to_numpy(float),
        clusters=clusters,
        n_resamples=asked.config.n_resamples,
        seed=asked.seed,
        level=asked.config.level,
        unit="patient" if clusters is not None else unit_of(known, asked.task.unit),
    )
    parts.add(
        [found[name] for name in ("mae", "mae_constant", "r2", "pearson_r2") if name in found],
        asked.scope,
    )
