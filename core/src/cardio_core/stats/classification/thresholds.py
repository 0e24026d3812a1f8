"""Decisions at a threshold whose source is named, and the choice of a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.classification.decisions import (
    DECISION_RATES,
    confusion_metrics,
    decision_rates,
)
from cardio_core.stats.discrimination.roc import RocCurve, roc_curve
from cardio_core.stats.foundation.intervals import bootstrapped
from cardio_core.stats.foundation.validate import (
    Bools,
    Floats,
    ScoredSample,
    binary_column,
    require_clusters,
    scored_sample,
    unit_count,
)
from cardio_core.stats.resampling.sums_bootstrap import cluster_sums, replicate_sums
from cardio_core.types.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold together with where it came from.

    Attributes
    ----------
    value : float
        A score at or above it is called positive.
    source : str
        ``"fixed"``, ``"Youden on inner folds"``: copied into ``threshold_source``.
    """

    value: float
    source: str


def youden_threshold(labels: ArrayLike, scores: ArrayLike, *, source: str) -> Threshold:
    """Return the threshold at which sensitivity plus specificity is highest.

    Choose it on other rows than those it is judged on: on the same rows its sensitivity and
    specificity are too good.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
    source : str
        Which rows these are (``"inner folds"``); becomes part of the threshold's source.

    Returns
    -------
    Threshold
        Halfway between two neighbouring scores; of several best the one that calls most positive.

    References
    ----------
    Youden WJ. Cancer 1950;3:32.

    Examples
    --------
    >>> youden_threshold([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9], source="inner folds")
    Threshold(value=0.5, source='Youden on inner folds')
    """
    curve = roc_curve(labels, scores)
    return _best(curve, curve.tpr - curve.fpr, f"Youden on {source}")


def _best(curve: RocCurve, merit: Floats, source: str) -> Threshold:
    """Return the point of most merit, halfway to the next lower score."""
    # differences of two shares that are equal on paper may differ in the last bit
    merit = np.round(merit, 12)[1:]
    best = int(merit.size - 1 - np.argmax(merit[::-1]))
    value = float(curve.thresholds[1:][best])
    if best < merit.size - 1:
        value = float(value + curve.thresholds[best + 2]) / 2
    return Threshold(value, source)


def closest_topleft_threshold(labels: ArrayLike, scores: ArrayLike, *, source: str) -> Threshold:
    """Return the threshold whose point of the ROC curve lies nearest to the perfect corner.

    The least (1 − sensitivity)² + (1 − specificity)². As with Youden's, choose it on other rows
    than those it is judged on.

    Parameters
    ----------
    labels, scores, source
        As for :func:`youden_threshold`.

    Returns
    -------
    Threshold

    References
    ----------
    Perkins NJ, Schisterman EF. Am J Epidemiol 2006;163:670, who prefer Youden's: a squared
    distance has no clinical meaning.

    Examples
    --------
    >>> closest_topleft_threshold([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9], source="inner folds")
    Threshold(value=0.5, source='closest to the top left corner on inner folds')
    """
    curve = roc_curve(labels, scores)
    nearness = -((1 - curve.tpr) ** 2) - curve.fpr**2
    return _best(curve, nearness, f"closest to the top left corner on {source}")


def threshold_metrics(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: Threshold,
    *,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> dict[str, Estimate]:
    """Return the rates of calling scores at or above a threshold positive.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
    threshold : Threshold
        With its source.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then resampled. Without it intervals
        come from the counts, as in :func:`confusion_metrics`.
    n_resamples, seed : int
        Of the bootstrap.
    level : float
    unit : str, optional
        What is independent: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    dict of str to Estimate
        As for :func:`confusion_metrics`; `extra` holds ``threshold``. A rate whose denominator is
        0 is left out.

    Raises
    ------
    DataError
        One class only, or fewer than five clusters.

    Examples
    --------
    >>> found = threshold_metrics([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], Threshold(0.5, "fixed"))
    >>> found["sensitivity"].value, found["sensitivity"].threshold_source
    (0.5, 'fixed')
    """
    if not np.isfinite(threshold.value):
        raise DataError(f"threshold: expected a finite number, found {threshold.value}")
    sample = scored_sample(labels, scores, clusters=clusters)
    called = sample.scores[0] >= threshold.value
    found = _rates(sample, called, threshold.source, n_resamples, seed, level, unit)
    return {
        name: each.replace(extra={**each.extra, "threshold": threshold.value})
        for name, each in found.items()
    }


def decision_metrics(
    labels: ArrayLike,
    called: ArrayLike,
    *,
    source: str,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> dict[str, Estimate]:
    """Return the rates of decisions that have been made already, each by its own threshold.

    Parameters
    ----------
    labels, called : array-like of 0 and 1, shape (n,)
        Truth and decision. Rows in which anything is missing are left out.
    source : str
        Where the thresholds came from; becomes ``threshold_source``.
    clusters, n_resamples, seed, level, unit
        As for :func:`threshold_metrics`.

    Returns
    -------
    dict of str to Estimate
        As for :func:`threshold_metrics`.

    Raises
    ------
    DataError
        One class only, decisions other than 0 and 1, or fewer than five clusters.

    Examples
    --------
    >>> found = decision_metrics([0, 0, 1, 1], [0, 1, 1, 1], source="inner folds")
    >>> found["specificity"].value, found["specificity"].method
    (0.5, 'Wilson')
    """
    decided = binary_column(called, "decisions")
    sample = scored_sample(labels, decided, clusters=clusters)
    return _rates(sample, sample.scores[0] == 1, source, n_resamples, seed, level, unit)


def _rates(
    sample: ScoredSample,
    called: Bools,
    source: str,
    n_resamples: int,
    seed: int,
    level: float,
    unit: str | None,
) -> dict[str, Estimate]:
    truth = sample.positive
    cells = [truth & called, truth & ~called, ~truth & ~called, ~truth & called]
    if sample.clusters is None:
        tp, fn, tn, fp = (int(np.count_nonzero(cell)) for cell in cells)
        found = confusion_metrics(tp=tp, fn=fn, tn=tn, fp=fp, level=level, unit=unit or "row")
    else:
        require_clusters(sample.n_clusters, unit or "patient")
        sums = cluster_sums(np.stack(cells, axis=1).astype(np.float64), sample.clusters)
        values = decision_rates(sums.sum(axis=0))
        drawn = replicate_sums(sums, decision_rates, n_resamples, seed).values
        counted = unit_count(sample.n, sample.n_clusters, unit)
        found = {}
        for name, value, replicates in zip(DECISION_RATES, values, drawn.T, strict=True):
            if np.isnan(value):
                continue
            estimate = Estimate(name, float(value), **counted)
            replicates = replicates[~np.isnan(replicates)]
            if np.ptp(replicates) == 0:
                note = f"the same in every resample of {counted['unit']}s: no interval"
                found[name] = estimate.replace(method="point estimate", note=note)
                continue
            n_undefined = n_resamples - replicates.size
            found[name] = bootstrapped(
                estimate,
                replicates,
                level,
                seed,
                n_resamples,
                n_rows=sample.n,
                n_undefined=n_undefined,
            )
    return {
        name: each.replace(threshold_source=source, n_dropped=sample.n_dropped)
        for name, each in found.items()
    }
