"""Rank tests for measurements that a mean describes badly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import unit_count
from cardio_core.stats.groups.means import known_values
from cardio_core.types.estimate import Estimate

MAX_EXACT = 50
"""Groups below this size, without ties, get the exact distribution (R's rule)."""


def mann_whitney(
    values_1: ArrayLike,
    values_0: ArrayLike,
    *,
    continuity: bool = True,
    name: str = "probability_of_superiority",
    unit: str = "patient",
) -> Estimate:
    """Compare two samples by the Mann-Whitney (Wilcoxon rank-sum) test.

    Parameters
    ----------
    values_1, values_0 : array-like, shape (n_1,) and (n_0,)
        Missing values are left out and counted.
    continuity : bool
        Correct the normal approximation by one half, as R does; used where a group has 50 or more
        values, or where values are tied.
    name, unit : str

    Returns
    -------
    Estimate
        P(a value of group 1 exceeds one of group 0) + half the ties, which is the AUC; ``extra``
        holds ``u``. For its interval use :func:`~cardio_core.stats.auc.auc`.

    Raises
    ------
    DataError
        An empty group, or all values equal.

    References
    ----------
    Mann HB, Whitney DR. Ann Math Stat 1947;18:50.

    Examples
    --------
    >>> e = mann_whitney([1.1, 2.2, 3.3, 4.4], [0.5, 1.0, 2.0, 2.1])
    >>> round(e.value, 3), round(e.p_value, 3)
    (0.875, 0.114)
    """
    known_1, dropped_1 = known_values(values_1, "values_1")
    known_0, dropped_0 = known_values(values_0, "values_0")
    if min(known_1.size, known_0.size) == 0:
        raise DataError(
            "Mann-Whitney test: expected values in both groups, found an empty one; describe the "
            "other without a test"
        )
    pooled = np.concatenate([known_1, known_0])
    n_distinct = np.unique(pooled).size
    if n_distinct == 1:
        raise DataError(
            "Mann-Whitney test: expected values that vary, found one value only; nothing to test"
        )
    exact = max(known_1.size, known_0.size) < MAX_EXACT and n_distinct == pooled.size
    from scipy.stats import mannwhitneyu

    u, p = mannwhitneyu(
        known_1, known_0, use_continuity=continuity, method="exact" if exact else "asymptotic"
    )
    kind = "exact" if exact else "normal approximation"
    if continuity and not exact:
        kind += " with continuity correction"
    return Estimate(
        name,
        float(u) / (known_1.size * known_0.size),
        method=f"Mann-Whitney test, {kind}",
        **unit_count(int(pooled.size), None, unit),
        p_value=float(p),
        n_dropped=dropped_1 + dropped_0,
        extra={"u": float(u)},
    )


def kruskal_wallis(
    samples: Sequence[ArrayLike], *, name: str = "kruskal_wallis_h", unit: str = "patient"
) -> Estimate:
    """Compare two or more samples by the Kruskal-Wallis test.

    Parameters
    ----------
    samples : sequence of array-like, each shape (n_g,)
        Missing values are left out and counted.
    name, unit : str

    Returns
    -------
    Estimate
        The statistic H, corrected for ties, without interval; ``extra`` holds ``df``.

    References
    ----------
    Kruskal WH, Wallis WA. J Am Stat Assoc 1952;47:583.

    Examples
    --------
    >>> round(kruskal_wallis([[1, 2, 3], [2, 3, 4], [7, 8, 9]]).p_value, 3)
    0.048
    """
    columns = [known_values(values, f"group {index}") for index, values in enumerate(samples, 1)]
    sizes = [known.size for known, _ in columns]
    if len(sizes) < 2 or min(sizes) == 0:
        raise DataError(
            "Kruskal-Wallis test: expected values in two or more groups, found groups of "
            f"{', '.join(map(str, sizes))}; describe them without a test"
        )
    if np.unique(np.concatenate([known for known, _ in columns])).size == 1:
        raise DataError(
            "Kruskal-Wallis test: expected values that vary, found one value only; nothing to test"
        )
    from scipy.stats import kruskal

    h, p = kruskal(*(known for known, _ in columns))
    df = len(sizes) - 1
    return Estimate(
        name,
        float(h),
        method=f"Kruskal-Wallis test, {df} df",
        **unit_count(sum(sizes), None, unit),
        p_value=float(p),
        n_dropped=sum(dropped for _, dropped in columns),
        extra={"df": float(df)},
    )
