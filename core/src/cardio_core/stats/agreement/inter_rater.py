"""Cohen's kappa: agreement of two raters beyond chance, plain or weighted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import two_sided_p, wald_limits
from cardio_core.stats.foundation.validate import Floats, checked_level, unit_count
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
    k = len(classes)
    table = np.bincount(codes[0] * k + codes[1], minlength=k * k).reshape(k, k) / len(a)
    value, se, se_null, observed = _kappa(table, _agreement(k, weights), len(a))
    return Estimate(
        "kappa" if weights is None else "weighted_kappa",
        value,
        *wald_limits(value, se, checked_level(level), within=(-1.0, 1.0)),
        level,
        "Cohen" + (f", {weights} weights" if weights else "") + "; Fleiss-Cohen-Everitt error",
        p_value=two_sided_p(value / se_null) if se_null > 0 else None,
        n_dropped=int((~known).sum()),
        note="" if se > 0 else "the raters never differ: the interval has no width",
        extra={"se": se, "se_null": se_null, "observed": observed},
        **unit_count(len(a), None, unit),
    )


def _agreement(k: int, weights: Weights | None) -> Floats:
    """Return the credit of each pair of classes, 1 on the diagonal."""
    if weights is None:
        return np.eye(k)
    share: Floats = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(1, k - 1)
    credit: Floats = 1 - (share if weights == "linear" else share**2)
    return credit


def _kappa(table: Floats, credit: Floats, n: int) -> tuple[float, float, float, float]:
    of_first, of_second = table.sum(axis=1), table.sum(axis=0)
    by_chance = np.outer(of_first, of_second)
    observed, expected = float((credit * table).sum()), float((credit * by_chance).sum())
    if expected >= 1:
        raise DataError(
            "first, second: expected two or more classes, found one in both raters; kappa is not "
            "defined, report the observed agreement"
        )
    kappa = (observed - expected) / (1 - expected)
    # mean credit of each class of the first, and of the second, rater
    mean_credit = np.add.outer(credit @ of_second, of_first @ credit)
    spread = float((table * (credit - mean_credit * (1 - kappa)) ** 2).sum())
    variance = spread - (kappa - expected * (1 - kappa)) ** 2
    variance_null = float((by_chance * (credit - mean_credit) ** 2).sum()) - expected**2
    scale = 1 / ((1 - expected) * np.sqrt(n))
    return (
        kappa,
        float(scale * np.sqrt(max(0.0, variance))),
        float(scale * np.sqrt(max(0.0, variance_null))),
        observed,
    )
