"""Features, each within its range, and their products: what the fitted scores are sums of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def with_products(
    features: NDArray[np.float64], lowest: Sequence[float], highest: Sequence[float]
) -> NDArray[np.float64]:
    """Return 1, each feature within its range, and each product of two.

    Parameters
    ----------
    features : ndarray of float64, shape (n, k)
        Of any unit.
    lowest, highest : sequence of float, length k
        The range in which a score was fitted: beyond, products would mislead.

    Returns
    -------
    ndarray of float64, shape (n, 1 + k + k * (k + 1) / 2)

    Examples
    --------
    >>> with_products(np.array([[2.0, 9.0]]), (0.0, 0.0), (5.0, 5.0)).tolist()
    [[1.0, 2.0, 5.0, 4.0, 10.0, 25.0]]
    """
    within = features.clip(lowest, highest)
    first, second = np.triu_indices(within.shape[1])
    ones = np.ones((len(within), 1))
    return np.hstack([ones, within, within[:, first] * within[:, second]])
