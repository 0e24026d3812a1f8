"""The area under the ROC curve with its interval, and the curve itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.stats.discrimination.delong import delong_covariance
from cardio_core.stats.discrimination.published_auc import newcombe_auc
from cardio_core.stats.foundation.intervals import logit_limits, two_sided_p, wald_limits
from cardio_core.stats.foundation.validate import Floats, checked_level, scored_sample, unit_count
from cardio_core.types.estimate import Estimate


def auc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    interval: Literal["plain", "logit"] = "plain",
    unit: str | None = None,
) -> Estimate:
    """Return the area under the ROC curve with DeLong's interval.

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
    interval : {"plain", "logit"}
        ``"plain"`` is symmetric and truncated to [0, 1], as pROC's; ``"logit"`` stays inside.
    unit : str, optional
        What is independent: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    Estimate
        ``auc``; `p_value` tests an area of one half; `extra` holds ``se``, ``z``, ``n_rows``,
        ``n_positive`` and ``n_negative``.

    Raises
    ------
    DataError
        One class only, fewer than two rows of a class, fewer than five clusters.

    Notes
    -----
    At AUC .80 the plain interval covered 95 % with 100 + 100 rows, 93 % with 50 + 50 and 91 % with
    20 + 20 in 2,000 simulations; prefer ``"logit"`` in small samples.

    Where DeLong's variance is 0 (an area of exactly 0 or 1, or all scores tied) the interval is
    Newcombe's, and `method` and `note` say so; with clusters it counts each cluster once.

    References
    ----------
    DeLong ER et al. Biometrics 1988;44:837. Obuchowski NA. Biometrics 1997;53:567.

    Examples
    --------
    >>> found = auc([0, 0, 1, 1, 1], [1.0, 3.0, 2.0, 4.0, 5.0])
    >>> round(found.value, 4), round(found.low, 4), found.high
    (0.8333, 0.3714, 1.0)
    """
    found = delong_covariance(labels, scores, clusters=clusters, unit=unit)
    sample = found.sample
    value, variance = float(found.aucs[0]), float(found.covariance[0, 0])
    checked_level(level)
    if variance <= 0 or value in (0.0, 1.0):
        estimate = newcombe_auc(value, *sample.units_of_each_class, level=level).replace(
            note="DeLong's variance is 0 here; the interval is Newcombe's instead"
        )
    else:
        se = variance**0.5
        z = (value - 0.5) / se
        if interval == "logit":
            limits, method = logit_limits(value, se, level), f"{found.method}, logit interval"
        else:
            limits, method = wald_limits(value, se, level, within=(0.0, 1.0)), found.method
        estimate = Estimate(
            "auc", value, *limits, level, method, p_value=two_sided_p(z), extra={"se": se, "z": z}
        )
    return estimate.replace(
        **unit_count(sample.n, sample.n_clusters, unit),
        n_dropped=sample.n_dropped,
        extra={
            **estimate.extra,
            "n_rows": sample.n,
            "n_positive": sample.n_positive,
            "n_negative": sample.n - sample.n_positive,
        },
    )


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
