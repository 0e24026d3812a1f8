"""AUCs of weighted rows: counts of rightly ranked pairs, with rows sorted once.

A resample gives every row i a count ``c_i``. Its AUC is the share of rightly ranked pairs, a
bilinear form in the counts that needs no sorting once the rows stand in the order of their score.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cardio_core.stats.foundation.validate import Bools, Floats, Ints, group_sums, ratio

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
