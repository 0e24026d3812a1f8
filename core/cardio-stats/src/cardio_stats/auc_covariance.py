"""DeLong's covariance of AUCs, for independent rows and for rows that come in clusters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from cardio_stats._numerics.intervals import two_sided_p, wald_limits
from cardio_stats._numerics.options import LabelOptions, OutcomeOptions, Sampling, spells_out
from cardio_stats._numerics.validate import (
    Bools,
    Floats,
    Ints,
    ScoredSample,
    checked_level,
    group_sums,
    ratio,
    sample_count,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

# AUCs of weighted rows: counts of rightly ranked pairs, with rows sorted once.
#
# A resample gives every row i a count ``c_i``. Its AUC is the share of rightly ranked pairs, a
# bilinear form in the counts that needs no sorting once the rows stand in the order of their
# score.

MAX_CLUSTERS_IN_FORM = 2048
"""Largest matrix of pairs that is held: 2048² floats are 32 MiB."""

MAX_COUNT_IN_SINGLE = 32
"""Largest count with which single precision is used; a unit is drawn as often once in 10³⁵."""


@dataclass(frozen=True, slots=True)
class RankedRows:
    """Rows in the order of their score, ready to be weighted.

    Attributes
    ----------
    unit_of_row : ndarray of int64, shape (n,), or None
        Unit whose count each row takes, rows in the order of the score; None where row i is unit i.
    positive : ndarray of float64, shape (n,)
        1 for class 1, in the same order.
    tie_starts : ndarray of int64, shape (n_values,), or None
        First row of each run of equal scores; None where all scores differ.
    """

    unit_of_row: Ints | None
    positive: Floats
    tie_starts: Ints | None

    @classmethod
    def of(cls, positive: Bools, score: Floats, clusters: Ints | None) -> RankedRows:
        """Sort the rows by `score`; without clusters every row is a unit."""
        order = np.argsort(score, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(score[order]) != 0))
        unit_of_row = order if clusters is None else clusters[order]
        return cls(
            None if np.array_equal(unit_of_row, np.arange(score.size)) else unit_of_row,
            positive[order].astype(np.float64),
            None if starts.size == score.size else starts,
        )

    def aucs(self, counts: Floats) -> Floats:
        """Return the AUC of each row of unit counts, NaN where a class is absent.

        With ``C`` the running total of all counts over the values v, ``t_v`` the count and ``p_v``
        the positive count at v, and ``P`` the positives in all, the rightly ranked pairs are
        ``Σ p_v (C_v − t_v / 2) − P² / 2``: everything below a positive, less the positives
        among themselves, which make P²/2 whatever their order.
        """
        at_row = counts
        if self.unit_of_row is not None:
            at_row = np.take(counts, self.unit_of_row, axis=1)
        total = at_row.sum(axis=1)
        if self.tie_starts is None:
            twice_below = np.cumsum(at_row, axis=1)
            twice_below *= 2
            twice_below -= at_row
            n_positive = at_row @ self.positive
            twice_below *= at_row
            twice_pairs = twice_below @ self.positive
        else:
            at_value = np.add.reduceat(at_row, self.tie_starts, axis=1)
            positive_at_value = np.add.reduceat(at_row * self.positive, self.tie_starts, axis=1)
            n_positive = positive_at_value.sum(axis=1)
            twice_below = 2 * np.cumsum(at_value, axis=1) - at_value
            twice_pairs = np.einsum("ij,ij->i", twice_below, positive_at_value)
        return ratio(twice_pairs - n_positive**2, 2 * n_positive * (total - n_positive))


@dataclass(frozen=True, slots=True)
class FallingRows:
    """Rows from the highest score down, ready to be weighted by counts of units.

    `last_of_tie` are the last rows of each score, which `thresholds` holds.
    """

    unit_of_row: Ints
    positive: Floats
    last_of_tie: Ints
    thresholds: Floats

    @classmethod
    def of(cls, sample: ScoredSample) -> FallingRows:
        """Sort the rows of a sample by its first score."""
        order = np.argsort(-sample.scores[0], kind="stable")
        ranked = sample.scores[0][order]
        last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
        units = order if sample.clusters is None else sample.clusters[order]
        return cls(units, sample.positive[order].astype(np.float64), last, ranked[last])

    def points(self, counts: Floats) -> tuple[Floats, Floats]:
        """Return false-positive rates and sensitivities from (0, 0) to (1, 1), NaN of one class."""
        called, right = self._reached(counts)
        made = []
        for reached in (called - right, right):  # whole numbers: the difference is exact
            of_class = reached[:, -1:]
            share = np.full((len(reached), reached.shape[1] + 1), np.nan)
            share[:, :1] = np.where(of_class > 0, 0.0, np.nan)
            np.divide(reached, of_class, out=share[:, 1:], where=of_class > 0)
            made.append(share)
        return made[0], made[1]

    def _reached(self, counts: Floats) -> tuple[Floats, Floats]:
        """Return how many rows, and how many positives, reach each threshold."""
        weight = np.take(counts, self.unit_of_row, axis=1)
        called = np.cumsum(weight, axis=1)[:, self.last_of_tie]
        return called, np.cumsum(weight * self.positive, axis=1)[:, self.last_of_tie]

    def average_precision(self, counts: Floats) -> Floats:
        """Return average precision under each vector of unit counts, NaN without both classes."""
        called, right = self._reached(counts)
        n_positive = right[:, -1]
        both = (n_positive > 0) & (n_positive < called[:, -1])
        precision = np.nan_to_num(ratio(right, called))
        total = np.einsum("ij,ij->i", precision, np.diff(right, prepend=0.0))
        return np.where(both, ratio(total, n_positive), np.nan)


@dataclass(frozen=True, slots=True)
class ClusterPairs:
    """Rightly ranked pairs between every two clusters.

    Attributes
    ----------
    twice_pairs : ndarray of float32 or float64, shape (n_clusters, n_clusters)
        ``twice_pairs[a, b]`` counts pairs of a positive of cluster a above a negative of cluster
        b twice, and ties once: whole numbers, so single precision is exact where sums stay small.
    n_positive, n_negative : ndarray of float64, shape (n_clusters,)
    """

    twice_pairs: NDArray[np.float32] | Floats
    n_positive: Floats
    n_negative: Floats

    @classmethod
    def of(cls, positive: Bools, score: Floats, clusters: Ints, n_clusters: int) -> ClusterPairs:
        """Count the pairs: for each cluster's negatives one pass over the sorted positives."""
        rows_positive = np.flatnonzero(positive)
        rows_positive = rows_positive[np.argsort(score[rows_positive], kind="stable")]
        sorted_positive, cluster_of_positive = score[rows_positive], clusters[rows_positive]
        rows_negative = np.flatnonzero(~positive)
        rows_negative = rows_negative[np.lexsort((score[rows_negative], clusters[rows_negative]))]
        bounds = np.searchsorted(clusters[rows_negative], np.arange(n_clusters + 1))
        first_above = np.searchsorted(sorted_positive, score[rows_negative], "right")
        first_equal = np.searchsorted(sorted_positive, score[rows_negative], "left")
        pairs = np.zeros((n_clusters, n_clusters))
        n_steps = sorted_positive.size + 1
        for cluster, (start, stop) in enumerate(pairwise(bounds)):
            if start == stop:
                continue
            steps = np.bincount(first_above[start:stop], minlength=n_steps)
            steps += np.bincount(first_equal[start:stop], minlength=n_steps)
            below = np.cumsum(steps)[:-1].astype(np.float64)
            pairs[:, cluster] = group_sums(below, cluster_of_positive, n_clusters)
        exact_in_single = pairs.sum(axis=0).max() * MAX_COUNT_IN_SINGLE < 2**24
        return cls(
            pairs.astype(np.float32) if exact_in_single else pairs,
            group_sums(np.ones(rows_positive.size), cluster_of_positive, n_clusters),
            group_sums(np.ones(rows_negative.size), clusters[rows_negative], n_clusters),
        )

    def aucs(self, counts: Floats) -> Floats:
        """Return the AUC of each row of cluster counts, NaN where a class is absent."""
        pairs = self.twice_pairs
        if pairs.dtype == np.float32 and counts.max() > MAX_COUNT_IN_SINGLE:
            pairs = pairs.astype(np.float64)
        below = np.matmul(counts, pairs, dtype=pairs.dtype, casting="same_kind")
        twice_pairs = np.einsum("ij,ij->i", below, counts)
        return ratio(twice_pairs, 2 * (counts @ self.n_positive) * (counts @ self.n_negative))


def quadratic_form_is_cheaper(n_rows: int, n_clusters: int, n_resamples: int) -> bool:
    """Say whether pairs between clusters cost less than a pass over the rows per resample.

    The form costs one pass over the rows for each cluster, then a product that runs some 150
    cells in the time of one row.
    """
    return n_clusters <= MAX_CLUSTERS_IN_FORM and (
        n_rows * n_clusters + n_resamples * n_clusters**2 / 150 < n_resamples * n_rows
    )


def cluster_jackknife(positive: Bools, score: Floats, clusters: Ints | None) -> Floats:
    """Return the AUC with each row, or each cluster, left out once.

    Units without which a class is empty are left out of the result.
    """
    n = positive.size
    n_positive = int(np.count_nonzero(positive))
    n_negative = n - n_positive
    component = placements(positive, score)
    pairs_of_row = component * np.where(positive, n_negative, n_positive)
    in_all = float(pairs_of_row[positive].sum())
    if clusters is None:
        lost = pairs_of_row
        positives, negatives = positive.astype(np.float64), (~positive).astype(np.float64)
    else:
        lost = group_sums(pairs_of_row, clusters) - _pairs_within(positive, score, clusters)
        positives = group_sums(positive, clusters)
        negatives = group_sums(~positive, clusters)
    left_out = ratio(in_all - lost, (n_positive - positives) * (n_negative - negatives))
    return left_out[~np.isnan(left_out)]


def _pairs_within(positive: Bools, score: Floats, clusters: Ints) -> Floats:
    """Count rightly ranked pairs inside each cluster, a tie as one half."""
    order = np.lexsort((score, clusters))
    cluster, ranked, is_positive = clusters[order], score[order], positive[order]
    new_value = np.append(True, (np.diff(ranked) != 0) | (np.diff(cluster) != 0))
    starts = np.flatnonzero(new_value)
    negative_at_value = np.add.reduceat((~is_positive).astype(np.float64), starts)
    positive_at_value = np.add.reduceat(is_positive.astype(np.float64), starts)
    negative_before = np.cumsum(negative_at_value) - negative_at_value
    cluster_of_value = cluster[starts]
    first_value = np.searchsorted(cluster_of_value, cluster_of_value)
    below = negative_before - negative_before[first_value]
    return group_sums(positive_at_value * (below + negative_at_value / 2), cluster_of_value)


def placements(positive: Bools, score: Floats) -> Floats:
    """Return DeLong's structural components, one for each row, in the order of the rows.

    A positive row gets the share of negatives below it (a tie counts one half), ``V10``; a
    negative row the share of positives above it, ``V01``. The mean of either is the AUC.

    Notes
    -----
    Sorting each class once and searching it in the other's order costs O(n log n).

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837, equations 4 and 5.
    Sun X, Xu W. IEEE Signal Process Lett 2014;21:1389 (the fast form).
    """
    rows_positive = np.flatnonzero(positive)
    rows_negative = np.flatnonzero(~positive)
    of_positive, of_negative = score[rows_positive], score[rows_negative]
    order_positive, order_negative = np.argsort(of_positive), np.argsort(of_negative)
    sorted_positive, sorted_negative = of_positive[order_positive], of_negative[order_negative]
    component = np.empty(score.size)
    component[rows_positive[order_positive]] = (
        _twice_below(sorted_negative, sorted_positive) / 2.0 / sorted_negative.size
    )
    component[rows_negative[order_negative]] = (
        1.0 - _twice_below(sorted_positive, sorted_negative) / 2.0 / sorted_positive.size
    )
    return component


def midrank_auc(positive: Bools, score: Floats) -> float:
    """Return the area under the ROC curve: the share of pairs ranked rightly, a tie one half.

    It is never flipped: a score that runs the wrong way has an area below one half.
    """
    sorted_negative = np.sort(score[~positive])
    sorted_positive = np.sort(score[positive])
    twice = int(_twice_below(sorted_negative, sorted_positive).sum())
    return twice / (2 * sorted_negative.size * sorted_positive.size)


def _twice_below(reference: Floats, values: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Count, for each of the sorted values, references below it plus references up to it."""
    return np.searchsorted(reference, values, "left") + np.searchsorted(reference, values, "right")


UNITS_FOR_PLAIN = 200
"""Units of each class from which normal limits of an area and of a difference hold."""


DifferenceInterval = Literal["auto", "delong", "t"]


@dataclass(frozen=True, slots=True)
class DelongCovariance:
    """AUCs of several scores on the same rows, with their covariance.

    Attributes
    ----------
    aucs : ndarray of float64, shape (n_scores,)
    covariance : ndarray of float64, shape (n_scores, n_scores)
    sample : ScoredSample
        The complete rows that entered.
    influence : ndarray of float64, shape (n_scores, n_units)
        What each row, or each cluster, adds to an area: its centred placements over their number.
    """

    aucs: Floats
    covariance: Floats
    sample: ScoredSample
    influence: Floats

    @property
    def method(self) -> str:
        """What the covariance is called in a methods section."""
        return "DeLong" if self.sample.clusters is None else "DeLong clustered (Obuchowski 1997)"

    @property
    def plain_interval_holds(self) -> bool:
        """Whether either class has the units from which normal limits of an area hold."""
        return min(self.sample.units_of_each_class) >= UNITS_FOR_PLAIN

    def degrees_of_freedom(self, contrast: Floats) -> float:
        """Return Satterthwaite's degrees of freedom of the variance of a sum of areas.

        Units that hold positives, negatives, or both are the groups; with one row a unit this is
        Welch's formula for cases and controls.

        Parameters
        ----------
        contrast : ndarray of float64, shape (n_scores,)
            Weight of each area: (1,) for one, (1, -1) for a difference.

        Returns
        -------
        float
            At least 1; infinite where the variance is 0.

        References
        ----------
        Satterthwaite FE. Biometrics Bull 1946;2:110. Welch BL. Biometrika 1947;34:28.
        """
        of_unit = contrast @ self.influence
        total, uncertainty = 0.0, 0.0
        kinds = self._kinds
        for kind in (1, 2, 3):
            own = of_unit[kinds == kind]
            if own.size:
                df = max(own.size - 1, 1)
                variance = float(own @ own) * own.size / df
                total += variance
                uncertainty += variance**2 / df
        return max(1.0, total**2 / uncertainty) if uncertainty > 0 else float("inf")

    @property
    def _kinds(self) -> Ints:
        """Whether each unit holds positives (1), negatives (2) or both (3)."""
        positive, clusters = self.sample.positive, self.sample.clusters
        if clusters is None:
            return np.where(positive, 1, 2)
        holds = np.zeros((2, self.sample.n_clusters), dtype=np.int64)
        holds[0, clusters[positive]], holds[1, clusters[~positive]] = 1, 2
        kinds: Ints = holds.sum(axis=0)
        return kinds


@spells_out(LabelOptions)
def delong_covariance(
    outcome: ArrayLike, *scores: ArrayLike, **options: Unpack[LabelOptions]
) -> DelongCovariance:
    """Return the AUCs of one or more scores and their covariance in O(n log n).

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    *scores : array-like, shape (n,)
        More is more likely class 1; never flipped.

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
    sampling = Sampling(**options)
    sample = sampling.scored(outcome, *scores)
    component = np.stack([placements(sample.positive, score) for score in sample.scores])
    if sample.clusters is None:
        covariance, influence = _independent(sample, component)
    else:
        sample.require_clusters(sampling.unit)
        covariance, influence = _clustered(sample, component, sample.clusters)
    return DelongCovariance(_areas(sample, component), covariance, sample, influence)


@spells_out(OutcomeOptions)
def delong_paired(
    outcome: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    interval: DifferenceInterval = "auto",
    **options: Unpack[OutcomeOptions],
) -> Estimate:
    """Test whether two scores on the same rows have the same AUC.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    score_a, score_b : array-like, shape (n,)
        Rows in which anything is missing are left out of both.
    interval : {"auto", "delong", "t"}
        ``"delong"`` takes limits and p from the normal distribution, as pROC; ``"t"`` from
        Student's t with Satterthwaite's degrees of freedom. ``"auto"`` takes ``"t"`` with fewer
        than 200 units of a class.

    Returns
    -------
    Estimate
        ``auc_difference``, AUC of `score_a` minus AUC of `score_b`, with its interval and the
        two-sided p-value that belongs to it; `extra` holds both AUCs, ``se``, and ``z`` or ``t``
        and ``df``.

    Raises
    ------
    DataError
        One class only, too few rows or clusters, or a variance of 0 under different AUCs.

    Notes
    -----
    Not for nested models fitted and tested on the same rows: the difference is then not normal
    under the null hypothesis (Demler OV et al. Stat Med 2012;31:2577); use a likelihood-ratio
    test. With 8 cases of 40 and AUCs of .90 against .80 ``"t"`` covers 94 %, ``"delong"`` 93 %.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> a, b = [1, 2, 3, 5, 4, 6, 7, 8], [2, 1, 6, 5, 3, 4, 7, 8]
    >>> result = delong_paired(y, a, b)
    >>> round(result.value, 4), round(result.p_value, 3), round(result.extra["df"], 1)
    (0.1875, 0.31, 6.0)
    """
    sampling = Sampling(**options)
    found = delong_covariance(outcome, score_a, score_b, **sampling.of_labels)
    contrast = np.array([1.0, -1.0])
    se = float(np.sqrt(max(0.0, contrast @ found.covariance @ contrast)))
    difference = float(found.aucs[0] - found.aucs[1])
    sample = found.sample
    by_t = interval == "t" or (interval == "auto" and not found.plain_interval_holds)
    df = found.degrees_of_freedom(contrast) if by_t else float("inf")
    estimate = Estimate(
        "auc_difference",
        difference,
        *wald_limits(difference, se, sampling.level, within=(-1.0, 1.0), df=df),
        sampling.level,
        f"{found.method}, paired{', t' if by_t else ''}",
        **sample.counted(sampling.unit),
        extra={
            "auc_a": float(found.aucs[0]),
            "auc_b": float(found.aucs[1]),
            "se": se,
            "n_rows": sample.n,
            "n_positive": sample.n_positive,
        },
    )
    if se > 0:
        ratio = difference / se
        statistic = {"t": ratio, "df": df} if by_t else {"z": ratio}
        return estimate.replace(
            p_value=two_sided_p(ratio, df), extra={**estimate.extra, **statistic}
        )
    if difference != 0:
        raise DataError(
            f"paired AUCs {found.aucs[0]:.4f} and {found.aucs[1]:.4f}: expected a variance above "
            "0, found 0; DeLong does not apply to perfect separation, use mcnemar at a threshold",
            code="degenerate",
        )
    note = "both scores rank every case and control alike"
    item, other = (np.unique(score, return_inverse=True)[1] for score in sample.scores)
    if not np.array_equal(item, other):
        # equal on these rows only, both at an area of 0 or 1: a width of 0 would claim certainty
        estimate = estimate.replace(low=None, high=None, level=None)
        note += ", but not every row: DeLong's variance is 0, no interval"
    return estimate.replace(p_value=1.0, note=note)


@spells_out(LabelOptions)
def auc_noninferiority(
    outcome: ArrayLike,
    score: ArrayLike,
    standard: ArrayLike,
    *,
    margin: float,
    alpha: float = 0.025,
    interval: DifferenceInterval = "auto",
    **options: Unpack[LabelOptions],
) -> Estimate:
    """Ask whether the AUC of a score is less than that of another by a margin at most.

    Parameters
    ----------
    outcome, interval
        As for :func:`delong_paired`.
    score, standard : array-like, shape (n,)
        The score that is to be no worse, and the one it is compared with.
    margin : float
        The greatest loss of AUC that would be accepted, above 0, named beforehand.
    alpha : float
        Of the one-sided test.

    Returns
    -------
    Estimate
        ``auc_noninferiority``: the difference with its one-sided lower limit (`level` is
        1 - `alpha`, `high` is None), and the p of a loss of `margin` or more. ``extra`` holds
        ``margin``, and ``noninferior``, 1 where the limit lies above -`margin`.

    Raises
    ------
    DataError
        As `delong_paired`; a margin that is none; scores that differ in no pair.

    References
    ----------
    Liu JP, Ma MC, Wu CY, Tai JY. Stat Med 2006;25:1219.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> a, b = [1, 2, 3, 5, 4, 6, 7, 8], [2, 1, 6, 5, 3, 4, 7, 8]
    >>> found = auc_noninferiority(y, a, b, margin=0.1)
    >>> round(found.value, 4), round(found.p_value, 3), found.extra["noninferior"]
    (0.1875, 0.07, 0.0)
    """
    if not 0 < margin < 1:
        raise DataError(f"margin: expected a loss of AUC above 0 and below 1, found {margin:g}")
    level = 1 - 2 * checked_level(alpha)
    found = delong_paired(outcome, score, standard, level=level, interval=interval, **options)
    if found.extra["se"] == 0 or found.low is None:
        raise DataError(
            "non-inferiority: expected two scores that differ, found a variance of 0",
            code="degenerate",
        )
    statistic = (found.value + margin) / found.extra["se"]
    extra = {"margin": margin, "noninferior": float(found.low > -margin)}
    return found.replace(
        name="auc_noninferiority",
        high=None,
        level=1 - alpha,
        method=f"{found.method}, one-sided against a loss of {margin:g}",
        p_value=float(stdtr(found.extra.get("df", np.inf), -statistic)),
        extra={**found.extra, **extra},
    )


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
    item, other = delong_covariance(labels_a, score_a), delong_covariance(labels_b, score_b)
    variances = float(item.covariance[0, 0]), float(other.covariance[0, 0])
    total = sum(variances)
    difference = float(item.aucs[0] - other.aucs[0])
    if total == 0:
        raise DataError(
            f"unpaired AUCs {item.aucs[0]:.4f} and {other.aucs[0]:.4f}: expected a variance above "
            "0, found 0; DeLong does not apply to perfect separation, compare proportions at a "
            "threshold"
        )
    df = total**2 / (
        variances[0] ** 2 / (item.sample.n - 1) + variances[1] ** 2 / (other.sample.n - 1)
    )
    se = total**0.5
    t = difference / se
    n = item.sample.n + other.sample.n
    n_dropped = item.sample.n_dropped + other.sample.n_dropped
    return Estimate(
        "auc_difference",
        difference,
        *wald_limits(difference, se, checked_level(level), within=(-1.0, 1.0), df=df),
        level,
        "DeLong unpaired, t with Welch's df",
        **sample_count(n, None, unit, n_dropped),
        p_value=two_sided_p(t, df),
        extra={
            "auc_a": float(item.aucs[0]),
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


def _independent(sample: ScoredSample, component: Floats) -> tuple[Floats, Floats]:
    n_positive, n_negative = sample.n_positive, sample.n - sample.n_positive
    if min(n_positive, n_negative) < 2:
        raise DataError(
            f"outcome: expected at least 2 rows of each class, found {n_positive} of class 1 and "
            f"{n_negative} of class 0; a variance cannot be had from one row",
            code="too_few",
        )
    v10, v01 = component[:, sample.positive], component[:, ~sample.positive]
    covariance = np.cov(v10, ddof=1) / n_positive + np.cov(v01, ddof=1) / n_negative
    influence = np.empty_like(component)
    influence[:, sample.positive] = (v10 - v10.mean(axis=1, keepdims=True)) / n_positive
    influence[:, ~sample.positive] = (v01 - v01.mean(axis=1, keepdims=True)) / n_negative
    return np.atleast_2d(covariance), influence


def _clustered(sample: ScoredSample, component: Floats, clusters: Ints) -> tuple[Floats, Floats]:
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
    covariance = s10 / n_positive + s01 / n_negative + (s11 + s11.T) / (n_positive * n_negative)
    return covariance, v10 / n_positive + v01 / n_negative


def _cluster_sums(component: Floats, clusters: Ints, rows: Bools) -> tuple[Floats, int]:
    """Sum the centred placements of one class over each cluster; count clusters that hold it."""
    n_clusters, clusters = int(clusters.max()) + 1, clusters[rows]
    centred = component[:, rows] - component[:, rows].mean(axis=1, keepdims=True)
    sums = np.stack([group_sums(of_score, clusters, n_clusters) for of_score in centred])
    return sums, int(np.unique(clusters).size)
