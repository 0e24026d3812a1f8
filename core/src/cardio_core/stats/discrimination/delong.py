"""DeLong's covariance of AUCs, for independent rows and for rows that come in clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit
from scipy.stats import rankdata

from cardio_core.errors import DataError
from cardio_core.stats.discrimination.pair_counts import placements
from cardio_core.stats.foundation.intervals import two_sided_p, wald_limits
from cardio_core.stats.foundation.validate import (
    Bools,
    Floats,
    Ints,
    ScoredSample,
    checked_level,
    group_sums,
    require_clusters,
    scored_sample,
    unit_count,
)
from cardio_core.types.estimate import Estimate


@dataclass(frozen=True, slots=True)
class DelongCovariance:
    """AUCs of several scores on the same rows, with their covariance.

    Attributes
    ----------
    aucs : ndarray of float64, shape (n_scores,)
    covariance : ndarray of float64, shape (n_scores, n_scores)
    sample : ScoredSample
        The complete rows that entered.
    """

    aucs: Floats
    covariance: Floats
    sample: ScoredSample

    @property
    def method(self) -> str:
        """What the covariance is called in a methods section."""
        return "DeLong" if self.sample.clusters is None else "DeLong clustered (Obuchowski 1997)"


def delong_covariance(
    labels: ArrayLike,
    *scores: ArrayLike,
    clusters: ArrayLike | None = None,
    unit: str | None = None,
) -> DelongCovariance:
    """Return the AUCs of one or more scores and their covariance in O(n log n).

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    *scores : array-like, shape (n,)
        More is more likely class 1; never flipped.
    clusters : array-like, shape (n,), optional
        Patient or record of every row; rows of one cluster may then be correlated, and a cluster
        may hold both classes.
    unit : str, optional
        What a cluster is, for messages; ``"patient"`` by default.

    Returns
    -------
    DelongCovariance

    Raises
    ------
    DataError
        One class only, fewer than two rows of a class, or fewer than five clusters.

    References
    ----------
    DeLong ER et al. Biometrics 1988;44:837, equation 6.
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 1997;53:567,
    equations 3 to 6.

    Examples
    --------
    >>> found = delong_covariance([0, 0, 1, 1, 1], [1.0, 3.0, 2.0, 4.0, 5.0])
    >>> round(float(found.aucs[0]), 4), round(float(found.covariance[0, 0]), 4)
    (0.8333, 0.0556)
    """
    sample = scored_sample(labels, *scores, clusters=clusters)
    component = np.stack([placements(sample.positive, score) for score in sample.scores])
    if sample.clusters is None:
        covariance = _independent(sample, component)
    else:
        require_clusters(sample.n_clusters, unit or "patient")
        covariance = _clustered(sample, component, sample.clusters)
    return DelongCovariance(_areas(sample, component), covariance, sample)


def delong_paired(
    labels: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    unit: str | None = None,
) -> Estimate:
    """Test whether two scores on the same rows have the same AUC.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
    score_a, score_b : array-like, shape (n,)
        Rows in which anything is missing are left out of both.
    clusters : array-like, shape (n,), optional
        Patient or record of every row, where rows of one cluster may be correlated.
    level : float
        Coverage of the interval of the difference.
    unit : str, optional
        What is independent: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    Estimate
        ``auc_difference``, AUC of `score_a` minus AUC of `score_b`, with its Wald interval and
        two-sided p-value; `extra` holds both AUCs, ``se`` and ``z``.

    Raises
    ------
    DataError
        One class only, too few rows or clusters, or a variance of 0 under different AUCs.

    Notes
    -----
    Not for nested models fitted and tested on the same rows: the difference is then not normal
    under the null hypothesis (Demler OV et al. Stat Med 2012;31:2577); use a likelihood-ratio
    test. Below some 20 rows of a class the test is too liberal or too timid.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> a, b = [1, 2, 3, 5, 4, 6, 7, 8], [2, 1, 6, 5, 3, 4, 7, 8]
    >>> result = delong_paired(y, a, b)
    >>> round(result.value, 4), round(result.p_value, 3)
    (0.1875, 0.268)
    """
    found = delong_covariance(labels, score_a, score_b, clusters=clusters, unit=unit)
    contrast = np.array([1.0, -1.0])
    se = float(np.sqrt(max(0.0, contrast @ found.covariance @ contrast)))
    difference = float(found.aucs[0] - found.aucs[1])
    sample = found.sample
    estimate = Estimate(
        "auc_difference",
        difference,
        *wald_limits(difference, se, checked_level(level), within=(-1.0, 1.0)),
        level,
        f"{found.method}, paired",
        **unit_count(sample.n, sample.n_clusters, unit),
        n_dropped=sample.n_dropped,
        extra={
            "auc_a": float(found.aucs[0]),
            "auc_b": float(found.aucs[1]),
            "se": se,
            "n_rows": sample.n,
            "n_positive": sample.n_positive,
        },
    )
    if se > 0:
        z = difference / se
        return estimate.replace(p_value=two_sided_p(z), extra={**estimate.extra, "z": z})
    if difference != 0:
        raise DataError(
            f"paired AUCs {found.aucs[0]:.4f} and {found.aucs[1]:.4f}: expected a variance above "
            "0, found 0; DeLong does not apply to perfect separation, use mcnemar at a threshold"
        )
    note = "both scores rank every case and control alike"
    if not np.array_equal(*(rankdata(score) for score in sample.scores)):
        # equal on these rows only, both at an area of 0 or 1: a width of 0 would claim certainty
        estimate = estimate.replace(low=None, high=None, level=None)
        note += ", but not every row: DeLong's variance is 0, no interval"
    return estimate.replace(p_value=1.0, note=note, extra={**estimate.extra, "z": 0.0})


def delong_unpaired(
    labels_a: ArrayLike,
    score_a: ArrayLike,
    labels_b: ArrayLike,
    score_b: ArrayLike,
    *,
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Test whether the AUCs of two independent groups of rows are the same.

    Parameters
    ----------
    labels_a, score_a : array-like, shape (n_a,)
    labels_b, score_b : array-like, shape (n_b,)
        Other patients than those of `labels_a`.
    level : float
    unit : str
        What a row is.

    Returns
    -------
    Estimate
        ``auc_difference`` with its interval and p-value from Student's t with Welch's degrees of
        freedom, as in pROC's ``roc.test(paired = FALSE)``; `extra` holds ``df`` and ``t``.

    Raises
    ------
    DataError
        One class only, too few rows, or a variance of 0.

    Examples
    --------
    >>> result = delong_unpaired([0, 0, 1, 1], [1, 3, 2, 4], [0, 0, 1, 1], [1, 4, 3, 2])
    >>> round(result.value, 2)
    0.25
    """
    one, other = delong_covariance(labels_a, score_a), delong_covariance(labels_b, score_b)
    variances = float(one.covariance[0, 0]), float(other.covariance[0, 0])
    total = sum(variances)
    difference = float(one.aucs[0] - other.aucs[0])
    if total == 0:
        raise DataError(
            f"unpaired AUCs {one.aucs[0]:.4f} and {other.aucs[0]:.4f}: expected a variance above "
            "0, found 0; DeLong does not apply to perfect separation, compare proportions at a "
            "threshold"
        )
    df = total**2 / (
        variances[0] ** 2 / (one.sample.n - 1) + variances[1] ** 2 / (other.sample.n - 1)
    )
    se = total**0.5
    t = difference / se
    half_width = float(stdtrit(df, 0.5 + checked_level(level) / 2)) * se
    return Estimate(
        "auc_difference",
        difference,
        max(-1.0, difference - half_width),
        min(1.0, difference + half_width),
        level,
        "DeLong unpaired, t with Welch's df",
        **unit_count(one.sample.n + other.sample.n, None, unit),
        p_value=float(2 * stdtr(df, -abs(t))),
        n_dropped=one.sample.n_dropped + other.sample.n_dropped,
        extra={
            "auc_a": float(one.aucs[0]),
            "auc_b": float(other.aucs[0]),
            "se": se,
            "t": t,
            "df": df,
        },
    )


def _areas(sample: ScoredSample, component: Floats) -> Floats:
    # twice the pairs ranked rightly is a whole number: rounding to it makes the area exact
    n_positive, n_negative = sample.n_positive, sample.n - sample.n_positive
    twice_pairs = np.rint(2 * n_negative * component[:, sample.positive].sum(axis=1))
    areas: Floats = twice_pairs / (2 * n_positive * n_negative)
    return areas


def _independent(sample: ScoredSample, component: Floats) -> Floats:
    n_positive, n_negative = sample.n_positive, sample.n - sample.n_positive
    if min(n_positive, n_negative) < 2:
        raise DataError(
            f"labels: expected at least 2 rows of each class, found {n_positive} of class 1 and "
            f"{n_negative} of class 0; a variance cannot be had from one row"
        )
    v10, v01 = component[:, sample.positive], component[:, ~sample.positive]
    covariance = np.cov(v10, ddof=1) / n_positive + np.cov(v01, ddof=1) / n_negative
    return np.atleast_2d(covariance)


def _clustered(sample: ScoredSample, component: Floats, clusters: Ints) -> Floats:
    """Obuchowski's covariance: placements are summed over each cluster before they are squared."""
    v10, n_with_positive = _cluster_sums(component, clusters, sample.positive)
    v01, n_with_negative = _cluster_sums(component, clusters, ~sample.positive)
    if min(n_with_positive, n_with_negative) < 2:
        raise DataError(
            f"clusters: expected each class in at least 2, found class 1 in {n_with_positive} and "
            f"class 0 in {n_with_negative}; a variance cannot be had from one cluster"
        )
    n_positive, n_negative = sample.n_positive, sample.n - sample.n_positive
    s10 = n_with_positive / ((n_with_positive - 1) * n_positive) * (v10 @ v10.T)
    s01 = n_with_negative / ((n_with_negative - 1) * n_negative) * (v01 @ v01.T)
    s11 = sample.n_clusters / (sample.n_clusters - 1) * (v10 @ v01.T)
    return s10 / n_positive + s01 / n_negative + (s11 + s11.T) / (n_positive * n_negative)


def _cluster_sums(component: Floats, clusters: Ints, rows: Bools) -> tuple[Floats, int]:
    """Sum the centred placements of one class over each cluster; count clusters that hold it."""
    n_clusters, clusters = int(clusters.max()) + 1, clusters[rows]
    centred = component[:, rows] - component[:, rows].mean(axis=1, keepdims=True)
    sums = np.stack([group_sums(of_score, clusters, n_clusters) for of_score in centred])
    return sums, int(np.unique(clusters).size)
