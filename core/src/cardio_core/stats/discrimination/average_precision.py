"""Average precision, the area under the precision-recall curve, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import bootstrapped, normal_quantile
from cardio_core.stats.foundation.validate import (
    Bools,
    Floats,
    Ints,
    checked_level,
    require_clusters,
    scored_sample,
    unit_count,
)
from cardio_core.stats.resampling.draws import CELLS_PER_BLOCK, Units, resample
from cardio_core.types.estimate import Estimate


def pr_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    method: Literal["logit", "bootstrap"] | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> Estimate:
    """Return average precision, the step-wise area under the precision-recall curve.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
        More is more likely class 1.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then resampled.
    method : {"logit", "bootstrap"}, optional
        ``"logit"`` (the default without clusters) treats the value as a proportion of the
        positives; ``"bootstrap"`` (the default with clusters) is the percentile interval.
    n_resamples, seed : int
        Of the bootstrap.
    level : float
    unit : str, optional

    Returns
    -------
    Estimate
        ``average_precision``; ``extra["prevalence"]`` is what a worthless score attains.

    Raises
    ------
    DataError
        One class only, fewer than five clusters, or ``"logit"`` with clusters.

    Notes
    -----
    It depends on the prevalence: do not compare it between cohorts. The logit interval is on the
    wide side: it covered 98 % with 60 positives of 200 in 2,000 simulations.

    References
    ----------
    Boyd K, Eng KH, Page CD. ECML PKDD 2013, LNCS 8190:451 (the interval).

    Examples
    --------
    >>> found = pr_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(found.value, 4), found.extra["prevalence"]
    (0.8333, 0.5)
    """
    sample = scored_sample(labels, scores, clusters=clusters)
    ranked = _FallingRows.of(sample.positive, sample.scores[0], sample.clusters)
    n_units = sample.n_clusters or sample.n
    value = float(ranked.values(np.ones((1, n_units)))[0])
    estimate = Estimate(
        "average_precision",
        value,
        level=checked_level(level),
        n_dropped=sample.n_dropped,
        extra={
            "prevalence": sample.n_positive / sample.n,
            "n_rows": sample.n,
            "n_positive": sample.n_positive,
        },
        **unit_count(sample.n, sample.n_clusters, unit),
    )
    if (method or ("logit" if clusters is None else "bootstrap")) == "bootstrap":
        if sample.clusters is not None:
            require_clusters(n_units, estimate.unit)
        drawn = resample(
            lambda counts: ranked.values(counts)[:, None],
            Units(n_units),
            n_resamples,
            seed,
            cells_per_block=CELLS_PER_BLOCK * n_units // sample.n,
        )
        replicates = drawn.values[:, 0]
        note = "" if np.ptp(replicates) > 0 else "every resample gives the same value"
        return bootstrapped(
            estimate.replace(note=note), replicates, level, seed, n_resamples,
            n_redrawn=drawn.n_redrawn,
        )  # fmt: skip
    if clusters is not None:
        raise DataError("method: the logit interval ignores clusters; use method='bootstrap'")
    return _with_logit_limits(estimate, sample.n_positive, level)


def _with_logit_limits(estimate: Estimate, n_positive: int, level: float) -> Estimate:
    if estimate.value == 1:
        return estimate.replace(
            level=None,
            method="point estimate",
            note="every positive is ranked above every negative: no interval",
        )
    half_width = normal_quantile(level) / math.sqrt(
        n_positive * estimate.value * (1 - estimate.value)
    )
    centre = float(logit(estimate.value))
    return estimate.replace(
        low=float(expit(centre - half_width)),
        high=float(expit(centre + half_width)),
        method="logit interval (Boyd 2013)",
    )


@dataclass(frozen=True, slots=True)
class _FallingRows:
    """Rows from the highest score down, ready to be weighted by counts."""

    unit_of_row: Ints
    positive: Floats
    tie_starts: Ints

    @classmethod
    def of(cls, positive: Bools, score: Floats, clusters: Ints | None) -> _FallingRows:
        order = np.argsort(-score, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(score[order]) != 0))
        units = order if clusters is None else clusters[order]
        return cls(units, positive[order].astype(np.float64), starts)

    def values(self, counts: Floats) -> Floats:
        """Return average precision under each vector of unit counts, NaN without both classes."""
        at_row = np.take(counts, self.unit_of_row, axis=1)
        called = np.cumsum(np.add.reduceat(at_row, self.tie_starts, axis=1), axis=1)
        gained = np.add.reduceat(at_row * self.positive, self.tie_starts, axis=1)
        right = np.cumsum(gained, axis=1)
        precision = np.divide(right, called, out=np.zeros_like(right), where=called > 0)
        n_positive = right[:, -1]
        both = (n_positive > 0) & (n_positive < called[:, -1])
        found = np.full(len(counts), np.nan)
        total = np.einsum("ij,ij->i", precision, gained)
        np.divide(total, n_positive, out=found, where=both)
        return found
