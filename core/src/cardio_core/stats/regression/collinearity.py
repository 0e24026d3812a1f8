"""Variance inflation: how much each predictor is told by the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.design import terms_of
from cardio_core.stats.foundation.validate import Floats, unit_count
from cardio_core.types.estimate import Estimate


def vif(table: pd.DataFrame, features: Sequence[str]) -> list[Estimate]:
    """Return the variance inflation factor of each predictor, on complete rows.

    Parameters
    ----------
    table : DataFrame
    features : sequence of str
        At least one column; text gives a factor per level.

    Returns
    -------
    list of Estimate
        Above 5 the coefficient's variance is five times what it would be alone, and its estimate
        says little.

    References
    ----------
    Marquardt DW. Technometrics 1970;12:591.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"a": [1, 2, 3, 4, 5.0], "b": [1, 2, 3, 5, 4.0]})
    >>> [round(e.value, 3) for e in vif(t, ["a", "b"])]
    [5.263, 5.263]
    """
    encoded = [terms_of(table, name) for name in features]
    matrix = np.column_stack([columns for columns, _ in encoded])
    terms = [term for _, names in encoded for term in names]
    known = ~np.isnan(matrix).any(axis=1)
    return inflation_factors(matrix[known], terms, int(np.count_nonzero(~known)), "row")


def inflation_factors(
    matrix: Floats, terms: Sequence[str], n_dropped: int, unit: str
) -> list[Estimate]:
    """Return 1/(1 - R²) of each column of `matrix`, without intercept, regressed on the others."""
    if len(matrix) <= len(terms):
        raise DataError(
            f"variance inflation: expected more rows than the {len(terms)} predictors, found "
            f"{len(matrix)} complete ones; take fewer predictors"
        )
    centred = matrix - matrix.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    for term, sd in zip(terms, spread, strict=True):
        if sd == 0:
            raise DataError(f"predictor {term!r}: expected values that vary, found a constant")
    correlation = (centred / spread).T @ (centred / spread) / len(matrix)
    if np.linalg.matrix_rank(correlation, tol=1e-10) < len(terms):
        raise DataError(
            f"variance inflation: expected predictors that are not sums of each other, found "
            f"collinear ones among {', '.join(terms)}; leave one out"
        )
    return [
        Estimate(
            f"vif[{term}]",
            float(value),
            method="variance inflation factor",
            **unit_count(len(matrix), None, unit),
            n_dropped=n_dropped,
        )
        for term, value in zip(terms, np.diag(np.linalg.inv(correlation)), strict=True)
    ]
