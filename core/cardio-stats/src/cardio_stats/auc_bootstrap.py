"""Bootstrap of AUCs: rows are ranked once, a resample is a vector of counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from cardio_stats._numerics.intervals import (
    BootstrapInterval,
    bootstrap_limits,
    normal_quantile,
    two_sided_p,
)
from cardio_stats._numerics.options import OutcomeDrawOptions, Sampling, spells_out
from cardio_stats._numerics.validate import (
    Floats,
    Ints,
    ScoredSample,
)
from cardio_stats.auc_covariance import (
    ClusterPairs,
    FallingRows,
    RankedRows,
    cluster_jackknife,
    midrank_auc,
    quadratic_form_is_cheaper,
)
from cardio_stats.auc_published import newcombe_auc
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.resampling import (
    CELLS_PER_PRODUCT,
    Replicates,
    Units,
    cells_per_block,
    resample,
    resample_sample,
    strata_of_units,
)


@spells_out(OutcomeDrawOptions)
def bootstrap_auc(
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    stratify: bool = False,
    interval: BootstrapInterval = "percentile",
    **options: Unpack[OutcomeDrawOptions],
) -> Estimate:
    """Return the AUC with a bootstrap interval.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
        More is more likely class 1; never flipped.
    stratify : bool
        Keep the number of units of each class in every resample. A cluster must then hold one
        class only.
    interval : {"percentile", "bca"}

    Returns
    -------
    Estimate
        ``auc``; `extra` holds ``se`` (the SD of the replicates), ``n_rows`` and ``n_redrawn``, the
        resamples that held one class and were drawn again.

    Raises
    ------
    DataError
        One class only, fewer than five clusters, mixed clusters with `stratify`.

    Notes
    -----
    Memory is bounded: counts are drawn in blocks. With few clusters the resamples are evaluated
    as a quadratic form over clusters, whose cost does not depend on the number of rows.

    The percentile interval needs patients: it covered 94 % with 60, 91 % with 20 and 88 % with 10
    patients of eight rows in 2,000 simulations each.

    Examples
    --------
    >>> found = bootstrap_auc([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], seed=1)
    >>> round(found.value, 4), found.high
    (0.8889, 1.0)
    """
    drawn = _Drawn.of(outcome, (scores,), stratify, Sampling(**options))
    jackknife = drawn.jackknife(0) if interval == "bca" else None
    return drawn.estimate("auc", drawn.aucs[0], drawn.replicates.values[:, 0], jackknife)


@spells_out(OutcomeDrawOptions)
def bootstrap_auc_difference(
    outcome: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    stratify: bool = False,
    interval: BootstrapInterval = "percentile",
    **options: Unpack[OutcomeDrawOptions],
) -> Estimate:
    """Return the difference of two AUCs on the same rows with a bootstrap interval.

    Both scores are evaluated on the same resamples, so that their correlation is kept.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    score_a, score_b : array-like, shape (n,)
    stratify, interval
        As for :func:`bootstrap_auc`.

    Returns
    -------
    Estimate
        ``auc_difference``, AUC of `score_a` minus that of `score_b`; `p_value` is two-sided, of
        the difference over the SD of its replicates (pROC's bootstrap test).

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> found = bootstrap_auc_difference(y, [1, 2, 3, 5, 4, 6, 7, 8], [2, 1, 6, 5, 3, 4, 7, 8])
    >>> round(found.value, 4)
    0.1875
    """
    drawn = _Drawn.of(outcome, (score_a, score_b), stratify, Sampling(**options))
    difference = drawn.aucs[0] - drawn.aucs[1]
    replicates = drawn.replicates.values[:, 0] - drawn.replicates.values[:, 1]
    jackknife = drawn.jackknife(0) - drawn.jackknife(1) if interval == "bca" else None
    estimate = drawn.estimate("auc_difference", difference, replicates, jackknife)
    se = estimate.extra["se"]
    return estimate.replace(
        p_value=two_sided_p(difference / se) if se > 0 else float(difference == 0),
        extra={**estimate.extra, "auc_a": drawn.aucs[0], "auc_b": drawn.aucs[1]},
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    sample: ScoredSample
    aucs: tuple[float, ...]
    replicates: Replicates
    stratify: bool
    sampling: Sampling

    @classmethod
    def of(
        cls, outcome: ArrayLike, scores: tuple[ArrayLike, ...], stratify: bool, sampling: Sampling
    ) -> _Drawn:
        sample = _by_first_score(sampling.scored(outcome, *scores))
        sample.require_clusters(sampling.named_unit)
        strata = None
        if stratify:
            strata = strata_of_units(sample.positive.astype(np.int64), sample.clusters)
            if min(members.size for members in strata) < 2:
                raise DataError(
                    "bootstrap: expected at least 2 units of each class to stratify by it"
                )
        replicates = _replicate_aucs(sample, strata, sampling)
        aucs = tuple(midrank_auc(sample.positive, score) for score in sample.scores)
        return cls(sample, aucs, replicates, stratify, sampling)

    def jackknife(self, position: int) -> Floats:
        sample = self.sample
        return cluster_jackknife(sample.positive, sample.scores[position], sample.clusters)

    def estimate(
        self, name: str, value: float, replicates: Floats, jackknife: Floats | None
    ) -> Estimate:
        sample, level, unit = self.sample, self.sampling.level, self.sampling.named_unit
        kind = "percentile" if jackknife is None else "BCa"
        within = ", stratified by class" if self.stratify else ""
        method = f"{unit} bootstrap{within}, {kind}, {len(replicates)} resamples"
        limits: tuple[float | None, float | None] = (value, value)
        note = ""
        if np.ptp(replicates) > 0:
            limits = bootstrap_limits(replicates, value, jackknife, level)
        elif name == "auc":
            fallback = newcombe_auc(value, *sample.units_of_each_class, level=level)
            limits, method = (fallback.low, fallback.high), fallback.method
            note = "every resample gives the same area; the interval is Newcombe's instead"
        else:
            note = "every resample gives the same difference"
        return Estimate(
            name,
            value,
            *limits,
            level,
            method,
            note=note,
            **sample.counted(unit),
            seed=self.sampling.seed,
            extra={
                "se": float(replicates.std(ddof=1)),
                "n_rows": sample.n,
                "n_redrawn": self.replicates.n_redrawn,
            },
        )


def _by_first_score(sample: ScoredSample) -> ScoredSample:
    """Sort rows that are units themselves, so that no resample depends on their order."""
    if sample.clusters is not None:
        return sample
    order = np.lexsort((sample.positive, sample.scores[0]))
    return replace(sample, positive=sample.positive[order], scores=sample.scores[:, order])


def _replicate_aucs(
    sample: ScoredSample, strata: tuple[Ints, ...] | None, sampling: Sampling
) -> Replicates:
    """Return the AUC of every score on the same resamples, shape (n_resamples, n_scores)."""
    clusters, units = sample.clusters, Units(sample.n_clusters or sample.n, strata)
    parts: list[RankedRows] | list[ClusterPairs]
    if clusters is not None and quadratic_form_is_cheaper(sample.n, units.n, sampling.n_resamples):
        cells = CELLS_PER_PRODUCT
        parts = [ClusterPairs.of(sample.positive, s, clusters, units.n) for s in sample.scores]
    else:
        cells = cells_per_block(units.n, sample.n)
        parts = [RankedRows.of(sample.positive, score, clusters) for score in sample.scores]
    return resample(
        lambda counts: np.stack([part.aucs(counts) for part in parts], axis=1),
        units,
        sampling,
        cells_per_block=cells,
    )


# Average precision, the area under the precision-recall curve, with its interval.


@spells_out(OutcomeDrawOptions)
def pr_auc(
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    method: Literal["logit", "bootstrap"] | None = None,
    **options: Unpack[OutcomeDrawOptions],
) -> Estimate:
    """Return average precision, the step-wise area under the precision-recall curve.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
        More is more likely class 1.
    method : {"logit", "bootstrap"}, optional
        ``"logit"`` (the default without clusters) treats the value as a proportion of the
        positives; ``"bootstrap"`` (the default with clusters) is the percentile interval.

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
    sampling = Sampling(**options)
    sample = sampling.scored(outcome, scores)
    ranked = FallingRows.of(sample)
    n_units = sample.n_clusters or sample.n
    value = float(ranked.average_precision(np.ones((1, n_units)))[0])
    estimate = Estimate(
        "average_precision",
        value,
        level=sampling.level,
        extra={
            "prevalence": sample.n_positive / sample.n,
            "n_rows": sample.n,
            "n_positive": sample.n_positive,
        },
        **sample.counted(sampling.unit),
    )
    if (method or ("logit" if sample.clusters is None else "bootstrap")) == "bootstrap":
        sample.require_clusters(sampling.unit)
        drawn = resample_sample(
            lambda counts: ranked.average_precision(counts)[:, None], sample, sampling
        )
        replicates = drawn.values[:, 0]
        note = "" if np.ptp(replicates) > 0 else "every resample gives the same value"
        return sampling.bootstrapped(
            estimate.replace(note=note), replicates, n_redrawn=drawn.n_redrawn
        )
    if sample.clusters is not None:
        raise DataError(
            "method: the logit interval ignores clusters; use method='bootstrap'",
            code="unsupported",
        )
    return _with_logit_limits(estimate, sample.n_positive, sampling.level)


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
