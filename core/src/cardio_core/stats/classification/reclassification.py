"""Improvement in discrimination and reclassification, offered with a warning."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import two_sided_p, wald_limits
from cardio_core.stats.foundation.validate import Floats, checked_level, scored_sample, unit_count
from cardio_core.types.estimate import Estimate

WARNING = (
    "NRI and IDI can rise for worthless or miscalibrated additions (Hilden and Gerds 2014); judge "
    "by a likelihood-ratio test and by net benefit"
)


def reclassification_index(
    labels: ArrayLike, old: ArrayLike, new: ArrayLike, *, level: float = 0.95, unit: str = "row"
) -> dict[str, Estimate]:
    """Return the continuous net reclassification index and the IDI.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    old, new : array-like, shape (n,)
        Predicted probabilities of class 1 without and with the addition.
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    dict of str to Estimate
        ``nri_events``, ``nri_nonevents`` (each −1 to 1), their sum ``nri`` (−2 to 2) and ``idi``,
        each with Wald's interval and the warning as its note.

    Raises
    ------
    DataError
        One class only, fewer than two rows of a class, or numbers outside [0, 1].

    References
    ----------
    Pencina MJ et al. Stat Med 2008;27:157; Stat Med 2011;30:11. Hilden J, Gerds TA. Stat Med
    2014;33:3405. Pepe MS et al. Stat Biosci 2015;7:282.

    Examples
    --------
    >>> found = reclassification_index([1, 1, 1, 0, 0, 0], [.5, .5, .5, .5, .5, .5],
    ...                          [.7, .6, .4, .3, .4, .6])
    >>> round(found["nri"].value, 3), round(found["idi"].value, 3)
    (0.667, 0.133)
    """
    sample = scored_sample(labels, old, new)
    if sample.scores.min() < 0 or sample.scores.max() > 1:
        raise DataError("old, new: expected probabilities between 0 and 1, found others")
    n_positive, n_negative = sample.n_positive, sample.n - sample.n_positive
    if min(n_positive, n_negative) < 2:
        raise DataError("labels: expected at least 2 rows of each class, found fewer")
    change = sample.scores[1] - sample.scores[0]
    moved = np.sign(change)
    up_events, up_nonevents = moved[sample.positive], -moved[~sample.positive]
    rise, fall = change[sample.positive], -change[~sample.positive]
    parts = {
        "nri_events": (_mean(up_events), n_positive),
        "nri_nonevents": (_mean(up_nonevents), n_negative),
        "nri": (_sum(_mean(up_events), _mean(up_nonevents)), sample.n),
        "idi": (_sum(_mean(rise, ddof=1), _mean(fall, ddof=1)), sample.n),
    }
    checked_level(level)
    found = {}
    for name, ((value, se), n) in parts.items():
        found[name] = Estimate(
            name,
            value,
            *wald_limits(value, se, level),
            level,
            "Pencina, Wald",
            p_value=two_sided_p(value / se) if se > 0 else None,
            n_dropped=sample.n_dropped,
            note=WARNING,
            extra={"se": se},
            **unit_count(n, None, unit),
        )
    return found


def _mean(values: Floats, ddof: int = 0) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=ddof) / math.sqrt(values.size))


def _sum(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], math.hypot(one[1], other[1])
