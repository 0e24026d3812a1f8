"""Rubin's rules: one estimate from several completed data sets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.validate import Floats


@dataclass(frozen=True, slots=True)
class Pooled:
    """Estimates from m completed sets as one, each array of shape (k,).

    Attributes
    ----------
    estimate : ndarray
        Mean over the sets.
    within, between, total : ndarray
        Variances: mean of the sets' own, between the sets' estimates, and both together.
    df : ndarray
        Degrees of freedom after Barnard and Rubin; infinite where nothing is missing and the
        complete data have infinitely many.
    fmi : ndarray
        Fraction of the information that is missing.
    m : int
    """

    estimate: Floats
    within: Floats
    between: Floats
    total: Floats
    df: Floats
    fmi: Floats
    m: int

    @property
    def se(self) -> Floats:
        """Standard errors."""
        return np.sqrt(self.total)

    def limits(self, level: float) -> tuple[Floats, Floats]:
        """Return limits of the t distribution."""
        from scipy.special import stdtrit

        half = stdtrit(self.df, 0.5 + level / 2) * self.se
        return self.estimate - half, self.estimate + half

    def p_values(self) -> Floats:
        """Return two-sided p-values against 0."""
        from scipy.special import stdtr

        return np.asarray(2 * stdtr(self.df, -np.abs(self.estimate / self.se)))


def pool_rubin(
    estimates: ArrayLike, variances: ArrayLike, *, df_complete: float = math.inf
) -> Pooled:
    """Pool estimates from multiply imputed data sets.

    Parameters
    ----------
    estimates, variances : array-like, shape (m, k)
        Of k quantities in each of m completed sets, on a scale on which they are near normal (log
        odds, not odds ratios).
    df_complete : float
        Degrees of freedom if nothing had been missing: rows less coefficients.

    Returns
    -------
    Pooled

    Raises
    ------
    DataError
        Fewer than two sets, numbers that are not finite, or variances below 0.

    References
    ----------
    Rubin DB. Multiple imputation for nonresponse in surveys. Wiley 1987. Barnard J, Rubin DB.
    Biometrika 1999;86:948 (degrees of freedom).

    Examples
    --------
    >>> found = pool_rubin([[1.0], [1.2], [0.8]], [[0.04], [0.05], [0.06]], df_complete=50)
    >>> print(found.estimate.round(2), found.total.round(4), found.df.round(1))
    [1.] [0.1033] [5.7]
    """
    each, own = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if each.ndim != 2 or each.shape != own.shape or len(each) < 2:
        raise DataError(
            "Rubin's rules: expected estimates and variances of at least 2 completed sets, a row "
            f"each, found shapes {each.shape} and {own.shape}"
        )
    if not (np.isfinite(each).all() and np.isfinite(own).all() and (own >= 0).all()):
        raise DataError("Rubin's rules: expected finite estimates, and variances of 0 or more")
    m = len(each)
    within, between = own.mean(axis=0), each.var(axis=0, ddof=1)
    added = (1 + 1 / m) * between
    total = within + added
    share = np.divide(added, total, out=np.zeros_like(total), where=total > 0)
    with np.errstate(divide="ignore"):
        old = (m - 1) / share**2
    if math.isinf(df_complete):
        df = old
    else:
        observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
        with np.errstate(divide="ignore"):
            df = 1 / (1 / old + 1 / observed)
    with np.errstate(divide="ignore", invalid="ignore"):
        increase = np.where(within > 0, added / within, np.inf)
        fmi = np.where(np.isinf(increase), 1.0, (increase + 2 / (df + 3)) / (increase + 1)) * (
            share > 0
        )
    return Pooled(each.mean(axis=0), within, between, total, df, fmi, m)
