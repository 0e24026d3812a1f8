"""The area under the ROC curve with its interval, and the curve itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.stats.discrimination.delong import DelongCovariance, delong_covariance
from cardio_core.stats.discrimination.published_auc import newcombe_auc
from cardio_core.stats.foundation.intervals import logit_limits, two_sided_p, wald_limits
from cardio_core.stats.foundation.validate import Floats, checked_level, scored_sample, unit_count
from cardio_core.types.estimate import Estimate

AucInterval = Literal["auto", "delong", "logit"]

AREAS_FOR_PLAIN = (0.1, 0.9)
"""Between these areas the plain interval holds, given the units; outside it falls short."""


def auc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    interval: AucInterval = "auto",
    unit: str | None = None,
) -> Estimate:
    """Return the area under the ROC curve with an interval from DeLong's variance.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out and counted in ``n_dropped``.
    scores : array-like, shape (n,)
        More is more likely class 1. Never flipped: below one half means the wrong way round.
    clusters : array-like, shape (n,), optional
        Patient or record of every row; the variance is then Obuchowski's and `n` counts clusters.
    level : float
        Coverage of the interval.
    interval : {"auto", "delong", "logit"}
        ``"delong"`` is symmetric and truncated to [0, 1], as pROC's. ``"logit"`` is symmetric on
        the log odds of the area, with Student's t on Satterthwaite's degrees of freedom. ``"auto"``
        takes ``"delong"`` with 200 rows (or clusters) of each class and an area of .10 to .90, and
        ``"logit"`` otherwise.
    unit : str, optional
        What is independent: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    Estimate
        ``auc``; `p_value` tests an area of one half on the scale of the interval, so that it is
        below 5 % where a 95 % interval leaves one half out. `extra` holds ``se``, ``z`` (or ``t``
        and ``df``), ``n_rows``, ``n_positive`` and ``n_negative`` (rows), ``units_positive`` and
        ``units_negative`` (what of each class is independent).

    Raises
    ------
    DataError
        One class only, fewer than two rows of a class, fewer than five clusters.

    Notes
    -----
    With 8 cases among 40 rows and an AUC of .90 the plain interval covered 85 %, the logit
    interval 95 %; ``docs/statistics.md`` has the settings that were simulated.

    Where DeLong's variance is 0 (an area of exactly 0 or 1, or all scores tied) the interval is
    Newcombe's, and `method` and `note` say so; with clusters it counts each cluster once.

    References
    ----------
    DeLong ER et al. Biometrics 1988;44:837. Obuchowski NA. Biometrics 1997;53:567.
    Satterthwaite FE. Biometrics Bull 1946;2:110.

    Examples
    --------
    >>> found = auc([0, 0, 1, 1, 1], [1.0, 3.0, 2.0, 4.0, 5.0])
    >>> round(found.value, 4), round(found.low, 3), round(found.high, 3)
    (0.8333, 0.015, 0.999)
    >>> auc([0, 0, 1, 1, 1], [1.0, 3.0, 2.0, 4.0, 5.0], interval="delong").method
    'DeLong'
    """
    found = delong_covariance(labels, scores, clusters=clusters, unit=unit)
    sample = found.sample
    value, variance = float(found.aucs[0]), float(found.covariance[0, 0])
    checked_level(level)
    units_positive, units_negative = sample.units_of_each_class
    if variance <= 0 or value in (0.0, 1.0):
        estimate = newcombe_auc(value, units_positive, units_negative, level=level).replace(
            note="DeLong's variance is 0 here; the interval is Newcombe's instead"
        )
    else:
        estimate = _with_interval(found, value, variance**0.5, level, interval)
    return estimate.replace(
        **unit_count(sample.n, sample.n_clusters, unit),
        n_dropped=sample.n_dropped,
        extra={
            **estimate.extra,
            "n_rows": sample.n,
            "n_positive": sample.n_positive,
            "n_negative": sample.n - sample.n_positive,
            "units_positive": units_positive,
            "units_negative": units_negative,
        },
    )


def _with_interval(
    found: DelongCovariance, value: float, se: float, level: float, interval: AucInterval
) -> Estimate:
    if interval == "auto":
        inside = AREAS_FOR_PLAIN[0] <= value <= AREAS_FOR_PLAIN[1]
        interval = "delong" if found.plain_interval_holds and inside else "logit"
    if interval == "delong":
        z = (value - 0.5) / se
        limits = wald_limits(value, se, level, within=(0.0, 1.0))
        return Estimate(
            "auc", value, *limits, level, found.method, p_value=two_sided_p(z),
            extra={"se": se, "z": z},
        )  # fmt: skip
    df = found.degrees_of_freedom(np.array([1.0]))
    t = math.log(value / (1 - value)) * value * (1 - value) / se
    return Estimate(
        "auc", value, *logit_limits(value, se, level, df), level,
        f"{found.method}, logit interval with t", p_value=two_sided_p(t, df),
        extra={"se": se, "t": t, "df": df},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RocCurve:
    """The empirical ROC curve, from (0, 0) to (1, 1).

    Attributes
    ----------
    fpr, tpr : ndarray of float64, shape (n_points,)
        1 − specificity and sensitivity of calling a score at or above the threshold positive.
    thresholds : ndarray of float64, shape (n_points,)
        Falling; the first is infinite, where nothing is called positive.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve:
    """Return the empirical ROC curve, one point for each distinct score.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)

    Returns
    -------
    RocCurve

    Examples
    --------
    >>> curve = roc_curve([0, 1, 0, 1], [1, 2, 2, 3])
    >>> curve.tpr.tolist(), curve.fpr.tolist(), curve.thresholds.tolist()
    ([0.0, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0], [inf, 3.0, 2.0, 1.0])
    """
    sample = scored_sample(labels, scores)
    order = np.argsort(-sample.scores[0], kind="stable")
    score, positive = sample.scores[0][order], sample.positive[order]
    last_of_tie = np.flatnonzero(np.append(np.diff(score) != 0, True))
    n_true = np.cumsum(positive)[last_of_tie]
    n_false = 1 + last_of_tie - n_true
    return RocCurve(
        np.concatenate([[0.0], n_false / (sample.n - sample.n_positive)]),
        np.concatenate([[0.0], n_true / sample.n_positive]),
        np.concatenate([[np.inf], score[last_of_tie]]),
    )
