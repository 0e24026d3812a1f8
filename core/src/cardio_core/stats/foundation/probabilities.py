"""Labels beside predicted probabilities, checked once for everything that judges probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import ScoredSample, require_clusters, scored_sample


def probability_sample(
    labels: ArrayLike, probabilities: ArrayLike, clusters: ArrayLike | None, unit: str | None
) -> ScoredSample:
    """Keep complete rows and check that the scores are probabilities, between 0 and 1.

    Raises
    ------
    DataError
        As :func:`scored_sample`; a number outside [0, 1]; fewer than five clusters.
    """
    sample = scored_sample(labels, probabilities, clusters=clusters)
    predicted = sample.scores[0]
    outside = (predicted < 0) | (predicted > 1)
    if outside.any():
        raise DataError(
            f"probabilities: expected numbers between 0 and 1, found {predicted[outside][0]:g} and "
            f"{int(outside.sum()) - 1} more outside; turn scores into probabilities first"
        )
    if sample.clusters is not None:
        require_clusters(sample.n_clusters, unit or "patient")
    return sample


def require_overlap(sample: ScoredSample) -> None:
    """Refuse probabilities that separate the classes, where a logistic slope is infinite."""
    of_positive, of_negative = sample.scores[0][sample.positive], sample.scores[0][~sample.positive]
    if of_positive.min() >= of_negative.max() or of_positive.max() <= of_negative.min():
        raise DataError(
            "probabilities: they separate the classes completely (separation), so the slope is "
            "infinite; use calibration in the large, or more rows"
        )


def require_variation(sample: ScoredSample) -> None:
    """Refuse a constant predictor where its spread matters."""
    predicted = sample.scores[0]
    if np.ptp(predicted) == 0:
        raise DataError(
            f"probabilities: expected several values, found {predicted[0]:g} in every row; a "
            "constant predictor has no slope or curve, use calibration in the large"
        )
