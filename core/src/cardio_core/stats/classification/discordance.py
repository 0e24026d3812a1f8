"""McNemar's test: whether two methods err on the same patients."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike
from scipy.special import bdtr

from cardio_core.errors import DataError
from cardio_core.stats.classification.proportions import clopper_pearson_limits
from cardio_core.stats.foundation.intervals import wald_limits
from cardio_core.stats.foundation.validate import (
    binary_column,
    checked_level,
    same_length,
    unit_count,
)
from cardio_core.types.estimate import Estimate

Tail = Literal["exact", "mid-p"]


def mcnemar(b: int, c: int, *, tail: Tail = "exact", level: float = 0.95) -> Estimate:
    """Test two paired proportions by their discordant pairs.

    Parameters
    ----------
    b, c : int
        Pairs in which only the first, or only the second, method is right.
    tail : {"exact", "mid-p"}
        ``"mid-p"`` counts the observed table one half: the exact test is timid.
    level : float

    Returns
    -------
    Estimate
        ``discordant_share``, ``b / (b + c)`` with Clopper and Pearson's interval and the
        two-sided p-value.

    Raises
    ------
    DataError
        Negative counts, or no discordant pair: nothing distinguishes the methods.

    References
    ----------
    McNemar Q. Psychometrika 1947;12:153. Fagerland MW et al. BMC Med Res Methodol 2013;13:91.

    Examples
    --------
    >>> mcnemar(5, 0).p_value
    0.0625
    """
    if min(b, c) < 0:
        raise DataError(f"mcnemar: expected counts of 0 or more, found {b} and {c}")
    n = b + c
    if n == 0:
        raise DataError("mcnemar: expected discordant pairs, found none; the methods agree")
    return Estimate(
        "discordant_share",
        b / n,
        *clopper_pearson_limits(b, n, checked_level(level)),
        level,
        f"McNemar, {tail}; Clopper-Pearson",
        n=n,
        unit="discordant pair",
        p_value=_p_value(b, c, tail),
        extra={"b": b, "c": c},
    )


def paired_proportions(
    right_a: ArrayLike,
    right_b: ArrayLike,
    *,
    tail: Tail = "exact",
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Compare how often two methods are right on the same units.

    Parameters
    ----------
    right_a, right_b : array-like of 0 and 1, shape (n,)
        Whether each method is right. Rows in which anything is missing are left out.
    tail : {"exact", "mid-p"}
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    Estimate
        ``proportion_difference``, the first minus the second, with Agresti and Min's interval and
        McNemar's p-value (1 where the methods never differ).

    References
    ----------
    Agresti A, Min Y. Stat Med 2005;24:729: half a pair is added to each cell of the table.

    Examples
    --------
    >>> found = paired_proportions([1] * 29, [1] * 24 + [0] * 5)
    >>> round(found.value, 3), found.p_value
    (0.172, 0.0625)
    """
    a, b = binary_column(right_a, "right_a"), binary_column(right_b, "right_b")
    n_rows = same_length(right_a=a, right_b=b)
    known = (a == a) & (b == b)
    n = int(known.sum())
    if n == 0:
        raise DataError(f"right_a, right_b: expected complete rows, found none of {n_rows}")
    only_a = int(((a == 1) & (b == 0) & known).sum())
    only_b = int(((a == 0) & (b == 1) & known).sum())
    share_a, share_b = (only_a + 0.5) / (n + 2), (only_b + 0.5) / (n + 2)
    centre = share_a - share_b
    se = ((share_a + share_b - centre**2) / (n + 2)) ** 0.5
    return Estimate(
        "proportion_difference",
        (only_a - only_b) / n,
        *wald_limits(centre, se, checked_level(level), within=(-1.0, 1.0)),
        level,
        f"Agresti-Min interval; McNemar, {tail}",
        p_value=_p_value(only_a, only_b, tail) if only_a + only_b else 1.0,
        n_dropped=n_rows - n,
        extra={"b": only_a, "c": only_b},
        **unit_count(n, None, unit),
    )


def _p_value(b: int, c: int, tail: Tail) -> float:
    n, fewer = b + c, min(b, c)
    up_to = float(bdtr(fewer, n, 0.5))
    if tail == "exact":
        return min(1.0, 2 * up_to)
    observed = up_to - (float(bdtr(fewer - 1, n, 0.5)) if fewer else 0.0)
    return min(1.0, 2 * up_to - observed)
