"""Continuous targets: errors beside the constant predictor's, agreement, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.parts import Asked, Parts, noting
from cardio_core.evaluation.pooling import unit_of
from cardio_core.stats import correlation, limits_of_agreement
from cardio_core.stats.agreement.regression_error import regression_errors
from cardio_core.types.predictions import Scored

OWN = ("mae", "mae_constant", "rmse", "r2", "pearson_r", "pearson_r2", "ccc", "calibration_slope",
       "calibration_intercept")  # fmt: skip


def continuous_metrics(parts: Parts, frame: pd.DataFrame, asked: Asked) -> None:
    """Add errors, R² = 1 - SSE/SST, correlations, the line of truth on prediction, and agreement.

    MAE stands beside that of always saying the median. Bias and limits of agreement are Bland and
    Altman's, of predicted less measured, where there are enough rows for them.
    """
    known = frame[frame["y_true"].notna()]
    truth, said = known["y_true"].to_numpy(float), known["score"].to_numpy(float)
    if len(truth) < 3 or np.ptp(truth) == 0:
        raise DataError(f"expected at least 3 different true values, found {len(set(truth))}")
    clusters = Scored.clusters_of(known)
    level = asked.config.level
    unit = "patient" if clusters is not None else unit_of(known, asked.task.unit)
    found = regression_errors(
        truth,
        said,
        clusters=clusters,
        n_resamples=asked.config.n_resamples,
        seed=asked.seed,
        level=level,
        unit=unit,
    )
    if clusters is None and "pearson_r" in found and len(truth) > 3:
        found["pearson_r"] = correlation(truth, said, level=level, unit=unit).replace(
            name="pearson_r"
        )
    parts.add([found[name] for name in OWN if name in found], asked.scope)
    about: dict[str, Any] = {"subjects": clusters, "level": level, "unit": unit}
    what = "fold " + str(asked.scope.fold) if asked.scope.fold else str(asked.scope.model)
    with noting(parts.notes, f"Limits of agreement of {what}: not computed;"):
        parts.add(limits_of_agreement(truth, said, **about).estimates, asked.scope)
