"""Calibration of predicted numbers: mean error and slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats, numeric_column, ratio
from cardio_core.stats.resampling.sums_bootstrap import bootstrap_sums
from cardio_core.types.estimate import Estimate


def number_calibration(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> list[Estimate]:
    """Return by how much predicted numbers are off on the whole, and how their spread is.

    Parameters
    ----------
    truth, predicted : array-like, shape (n,)
        In one unit. Rows in which anything is missing are left out.
    clusters : array-like, shape (n,), optional
        Patient of every row: whole patients are then drawn.
    n_resamples, seed : int
    level : float
    unit : str, optional

    Returns
    -------
    list of Estimate
        ``mean_error``, the mean of truth less prediction (0 is right), and ``calibration_slope``
        of the truth on the prediction (1 is right; below, predictions are too extreme).

    Raises
    ------
    DataError
        The same prediction for everybody; fewer than five clusters.

    References
    ----------
    Steyerberg EW. Clinical Prediction Models. Springer 2019, chapter 15.

    Examples
    --------
    >>> x = np.arange(30.0)
    >>> [off, slope] = number_calibration(2 + 0.5 * x, x, n_resamples=50)
    >>> off.value, round(slope.value, 6)
    (-5.25, 0.5)
    """
    y, x = numeric_column(truth, "truth"), numeric_column(predicted, "predicted")
    if np.nanmax(x) == np.nanmin(x):
        raise DataError("expected several predictions, found the same for everybody")
    centre = float(np.nanmean(x))  # sums of squares of large numbers lose their digits
    rows = np.column_stack([np.ones(len(x)), x - centre, y - centre, (x - centre) ** 2,
                            (x - centre) * (y - centre)])  # fmt: skip
    return bootstrap_sums(
        rows, _line, ("mean_error", "calibration_slope"), clusters=clusters,
        n_resamples=n_resamples, seed=seed, level=level, unit=unit,
    )  # fmt: skip


def _line(sums: Floats) -> Floats:
    n, x, y, xx, xy = np.moveaxis(sums, -1, 0)
    return np.stack([(y - x) / n, ratio(n * xy - x * y, n * xx - x * x)], axis=-1)
