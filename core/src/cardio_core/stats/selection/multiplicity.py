"""Many p-values: adjusted for their number, and what chance alone would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtrc

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats
from cardio_core.types.estimate import Estimate

Adjustment = Literal["holm", "bh", "bonferroni"]


def _adjusted(p_values: ArrayLike, method: str) -> Floats:
    from statsmodels.stats.multitest import multipletests

    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or p.size == 0 or not np.all((p >= 0) & (p <= 1)):
        raise DataError(
            "p-values: expected one or more numbers from 0 to 1, found "
            f"{p.ravel()[:5].tolist()}; leave missing ones out"
        )
    return np.asarray(multipletests(p, method=method)[1], dtype=np.float64)


def bonferroni(p_values: ArrayLike) -> Floats:
    """Multiply by the number of tests: controls the chance of any false positive.

    Examples
    --------
    >>> bonferroni([0.01, 0.04, 0.5]).tolist()
    [0.03, 0.12, 1.0]
    """
    return _adjusted(p_values, "bonferroni")


def holm(p_values: ArrayLike) -> Floats:
    """Adjust step by step: as safe as Bonferroni's, and never larger.

    Parameters
    ----------
    p_values : array-like, shape (m,)

    Returns
    -------
    ndarray, shape (m,)

    References
    ----------
    Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    return _adjusted(p_values, "holm")


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjust for the share of false positives among the positives.

    Parameters
    ----------
    p_values : array-like, shape (m,)
        Independent or positively dependent tests.

    Returns
    -------
    ndarray, shape (m,)

    References
    ----------
    Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 1995;57:289.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.04, 0.04]
    """
    return _adjusted(p_values, "fdr_bh")


_ADJUST = {"holm": holm, "bh": benjamini_hochberg, "bonferroni": bonferroni}
_LABELS = {
    "holm": "Holm's adjustment",
    "bh": "Benjamini and Hochberg's adjustment (false discovery rate)",
    "bonferroni": "Bonferroni's adjustment",
}


def adjust_p_values(p_values: Mapping[str, float], *, method: Adjustment) -> list[Estimate]:
    """Adjust named p-values.

    Parameters
    ----------
    p_values : mapping of name to p
    method : {"holm", "bh", "bonferroni"}

    Returns
    -------
    list of Estimate
        In the given order; value and ``p_value`` are adjusted, ``extra["p_unadjusted"]`` is not.

    Examples
    --------
    >>> [round(e.value, 3) for e in adjust_p_values({"qrs": 0.01, "age": 0.4}, method="holm")]
    [0.02, 0.4]
    """
    raw = list(p_values.values())
    adjusted = _ADJUST[method](raw)
    return [
        Estimate(
            f"p_adjusted[{name}]",
            float(value),
            method=f"{_LABELS[method]} of {len(raw)} p-values",
            n=len(raw),
            unit="test",
            p_value=float(value),
            extra={"p_unadjusted": float(before)},
        )
        for name, before, value in zip(p_values, raw, adjusted, strict=True)
    ]


def multiplicity_null(m: int, *, alpha: float, k: int, p_min: float) -> Estimate:
    """Say what `m` independent tests of pure noise give by chance.

    Parameters
    ----------
    m : int
        Number of tests.
    alpha : float
        Level at which a test counts as significant.
    k : int
        Number of significant tests that was found.
    p_min : float
        Smallest p-value that was found.

    Returns
    -------
    Estimate
        Value: P(at least `k` significant). ``extra``: ``n_expected``, the expected number of
        significant tests; ``p_min_or_smaller``, P(smallest p <= `p_min`); ``p_min_bonferroni``.

    Examples
    --------
    64 features of which three had p < .05 and the best p = .006:

    >>> e = multiplicity_null(64, alpha=0.05, k=3, p_min=0.006)
    >>> round(e.value, 2), round(e.extra["p_min_or_smaller"], 2), e.extra["n_expected"]
    (0.63, 0.32, 3.2)
    """
    if m < 1 or not 0 <= k <= m or not 0 < alpha < 1 or not 0 <= p_min <= 1:
        raise DataError(
            f"multiplicity: expected 0 <= k <= m, alpha and p_min between 0 and 1, found m = {m}, "
            f"k = {k}, alpha = {alpha}, p_min = {p_min}"
        )
    return Estimate(
        "p_at_least_k_significant",
        float(bdtrc(k - 1, m, alpha)),
        method=f"{m} independent tests of noise at level {alpha:g}",
        n=m,
        unit="test",
        extra={
            "n_expected": m * alpha,
            "p_min_or_smaller": -float(np.expm1(m * np.log1p(-p_min))) if p_min < 1 else 1.0,
            "p_min_bonferroni": min(1.0, m * p_min),
        },
    )
