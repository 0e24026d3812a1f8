"""Continuous targets: error beside the constant predictor's, and explained variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.parts import Parts
from cardio_core.evaluation.pooling import clusters_of, unit_of
from cardio_core.stats import bootstrap_sums
from cardio_core.types.info import Target, Task
from cardio_core.types.report import Scope

if TYPE_CHECKING:
    from cardio_core.config import EvaluateBlock


def continuous_metrics(
    parts: Parts,
    frame: pd.DataFrame,
    target: Target,
    task: Task,
    scope: Scope,
    source: str,
    config: EvaluateBlock,
    seed: int,
) -> None:
    """Add MAE, the MAE of always saying the median, and R² = 1 - SSE/SST."""
    known = frame[frame["y_true"].notna()]
    truth = known["y_true"].to_numpy(float)
    if len(truth) < 3 or np.ptp(truth) == 0:
        raise DataError(f"expected at least 3 different true values, found {len(set(truth))}")
    error = known["score"].to_numpy(float) - truth
    median = np.abs(truth - np.median(truth))
    clusters = clusters_of(known)
    rows = np.column_stack([np.ones_like(truth), np.abs(error), median, error**2, truth, truth**2])
    parts.add(
        bootstrap_sums(
            rows,
            _statistics,
            ("mae", "mae_constant", "r2"),
            clusters=clusters,
            n_resamples=config.n_resamples,
            seed=seed,
            level=config.level,
            unit="patient" if clusters is not None else unit_of(known, task.unit),
        ),
        scope,
    )


def _statistics(sums: Any) -> Any:
    n, absolute, median, squared, total, total_squared = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = total_squared - total**2 / n
        return np.stack([absolute / n, median / n, 1 - squared / spread], axis=-1)
