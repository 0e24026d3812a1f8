"""Standard errors of means of rows that come in clusters."""

from __future__ import annotations

import numpy as np

from cardio_core.stats.foundation.validate import Floats, Ints, group_sums


def mean_and_se(values: Floats, clusters: Ints | None) -> tuple[float, float]:
    """Return the mean over rows and its standard error.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        At least two rows, or two clusters.
    clusters : ndarray of int64, shape (n,), or None
        From 0 upwards; None where rows are independent.

    Returns
    -------
    mean, se : float

    Notes
    -----
    With clusters the mean is a ratio of two random totals, linearised: the error comes from the
    cluster totals of the deviations (Cochran WG. Sampling Techniques, 3rd ed., equation 9A.11).
    """
    mean = float(values.mean())
    deviations = values - mean
    if clusters is not None:
        deviations = group_sums(deviations, clusters)
    m = deviations.size
    return mean, float(np.sqrt(m / (m - 1) * np.sum(deviations**2)) / values.size)
