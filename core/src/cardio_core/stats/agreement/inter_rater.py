"""Cohen's kappa: agreement of two raters beyond chance, plain or weighted."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import two_sided_p, wald_limits
from cardio_core.stats.foundation.validate import checked_level, unit_count
from cardio_core.types.estimate import Estimate

Weights = Literal["linear", "quadratic"]


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    classes: Sequence[Hashable] | None = None,
    weights: Weights | None = None,
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Return how far two raters agree beyond chance.

    Parameters
    ----------
    first, second : array-like of labels, shape (n,)
        Rows in which either is missing are left out.
    classes : sequence of labels, optional
        All classes, in their order where `weights` are given; those that occur, by default.
    weights : {"linear", "quadratic"}, optional
        Of a disagreement by the distance of ordered classes; without it all count the same.
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    Estimate
        ``kappa``, or ``weighted_kappa``; `p_value` tests 0 with the error under independence;
        `extra` holds ``se``, ``se_null`` and ``observed`` agreement.

    Raises
    ------
    DataError
        Labels outside `classes`, no complete row, or one class only in both raters.

    References
    ----------
    Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa.
    Psychol Bull 1969;72:323.

    Examples
    --------
    >>> found = cohen_kappa(list("AAABBBCC"), list("AABBBBCA"))
    >>> round(found.value, 3), round(found.extra["se"], 3)
    (0.61, 0.23)
    """
    import pandas as pd
    from statsmodels.stats.inter_rater import cohens_kappa

    a, b = pd.Series(first), pd.Series(second)
    if len(a) != len(b):
        raise DataError(f"expected columns of one length, found {len(a)} and {len(b)}")
    known = (a.notna().to_numpy()) & (b.notna().to_numpy())
    a, b = a[known], b[known.copy()]
    if classes is None:
        classes = sorted({*a.unique(), *b.unique()})
        if weights is not None and not all(isinstance(c, int | float | np.number) for c in classes):
            raise DataError("weights: expected the order of the classes; give them as classes=")
    codes = [pd.Categorical(rated, categories=list(classes)).codes.astype(int) for rated in (a, b)]
    for rated, code in zip((a, b), codes, strict=True):
        if (code < 0).any():
            raise DataError(
                f"expected one of {', '.join(map(str, classes))}, found {rated[code < 0].iloc[0]!r}"
            )
    if len(a) == 0:
        raise DataError("first, second: expected complete rows, found none")
    if len({*codes[0], *codes[1]}) == 1:
        raise DataError(
            "first, second: expected two or more classes, found one in both raters; kappa is not "
            "defined, report the observed agreement"
        )
    k = len(classes)
    table = np.bincount(codes[0] * k + codes[1], minlength=k * k).reshape(k, k)
    with np.errstate(divide="ignore", invalid="ignore"):  # of a z that nothing here uses
        found = cohens_kappa(table, wt=weights)
    value = float(found.kappa)
    # a variance of 0 can come out a rounding below
    se, se_null = (math.sqrt(max(0.0, each)) for each in (found.var_kappa, found.var_kappa0))
    credit = np.eye(k) if weights is None else 1 - found.weights
    return Estimate(
        "kappa" if weights is None else "weighted_kappa",
        value,
        *wald_limits(value, se, checked_level(level), within=(-1.0, 1.0)),
        level,
        "Cohen" + (f", {weights} weights" if weights else "") + "; Fleiss-Cohen-Everitt error",
        p_value=two_sided_p(value / se_null) if se_null > 0 else None,
        n_dropped=int((~known).sum()),
        note="" if se > 0 else "the raters never differ: the interval has no width",
        extra={"se": se, "se_null": se_null, "observed": float((credit * table).sum()) / len(a)},
        **unit_count(len(a), None, unit),
    )
