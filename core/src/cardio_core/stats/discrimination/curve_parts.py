"""Parts of a ROC curve: partial areas, and one rate where the other is fixed, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import BootstrapInterval, bootstrapped
from cardio_core.stats.foundation.validate import (
    Floats,
    Ints,
    ScoredSample,
    checked_level,
    require_clusters,
    scored_sample,
    unit_count,
)
from cardio_core.stats.resampling.draws import CELLS_PER_BLOCK, Units, resample, strata_of_units
from cardio_core.types.estimate import Estimate

Rate = Literal["specificity", "sensitivity"]
Part = Callable[[Floats, Floats], Floats]
"""From false-positive rates and sensitivities, both (n_resamples, n_points), to (n_resamples,)."""

MOST_LEFT_OUT = 2000
"""Units up to which each is left out once, which BCa needs; percentiles above."""

_ROUNDING = 1e-12


def partial_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    between: tuple[float, float] = (0.9, 1.0),
    of: Rate = "specificity",
    corrected: bool = False,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    interval: BootstrapInterval = "percentile",
    unit: str | None = None,
) -> Estimate:
    """Return the area under a part of the ROC curve with a bootstrap interval.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
        More is more likely class 1; never flipped.
    between : (float, float)
        Limits of the part, within 0 and 1: between specificities of .9 and 1 by default.
    of : {"specificity", "sensitivity"}
        What `between` are limits of.
    corrected : bool
        McClish's transform, by which .5 is chance and 1 is perfect whatever the limits.
    clusters : array-like, shape (n,), optional
        Patient or record of every row: whole clusters are then drawn. Without it rows are drawn
        within each class.
    n_resamples, seed : int
    level : float
    interval : {"percentile", "bca"}
    unit : str, optional
        What is drawn: ``"row"`` by default, ``"patient"`` with `clusters`.

    Returns
    -------
    Estimate
        ``partial_auc``, or ``partial_auc_corrected``; `extra` holds ``chance`` and ``perfect``,
        the areas of a worthless and of a perfect score between these limits.

    Raises
    ------
    DataError
        Limits in the wrong order or outside 0 to 1, one class only, fewer than five clusters.

    References
    ----------
    McClish DK. Med Decis Making 1989;9:190. Jiang Y et al. Radiology 1996;201:745 (sensitivity).

    Examples
    --------
    >>> found = partial_auc([0, 0, 0, 0, 1, 1, 1, 1], [1, 2, 3, 6, 4, 5, 7, 8], between=(0.75, 1))
    >>> found.value, round(found.extra["perfect"], 2)
    (0.125, 0.25)
    """
    low, high = between
    if not 0 <= low < high <= 1:
        raise DataError(
            f"partial AUC: expected two limits of {of} from 0 to 1, the lower first, found "
            f"{low:g} and {high:g}"
        )
    perfect = high - low
    chance = perfect * ((1 - low) + (1 - high)) / 2

    def area(fpr: Floats, tpr: Floats) -> Floats:
        if of == "specificity":
            found = _area_between(fpr, tpr, 1 - high, 1 - low)
        else:
            found = _area_between(tpr, 1 - fpr, low, high)
        return (1 + (found - chance) / (perfect - chance)) / 2 if corrected else found

    name = "partial_auc_corrected" if corrected else "partial_auc"
    sample = scored_sample(labels, scores, clusters=clusters)
    estimate = _drawn(sample, area, name, interval, n_resamples, seed, level, unit)
    note = estimate.note
    if corrected and estimate.value < 0.5:
        note = "; ".join(filter(None, (note, "this part of the curve lies below chance")))
    about = f"{of} {low:g} to {high:g}{', McClish-corrected' if corrected else ''}"
    return estimate.replace(
        method=f"{about}; {estimate.method}",
        note=note,
        extra={**estimate.extra, "chance": chance, "perfect": perfect},
    )


def rate_at(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    specificity: float | None = None,
    sensitivity: float | None = None,
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    interval: BootstrapInterval = "bca",
    unit: str | None = None,
) -> Estimate:
    """Return the sensitivity at a given specificity, or the specificity at a given sensitivity.

    The threshold that gives the fixed rate is found again in every resample, so that the interval
    holds for a threshold that is not known in advance.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
    specificity, sensitivity : float, optional
        Exactly one of them: the rate that is fixed, from 0 to 1.
    clusters, n_resamples, seed, level, unit
        As for :func:`partial_auc`.
    interval : {"bca", "percentile"}
        Percentiles are taken for more than 2,000 rows or clusters, where the two agree.

    Returns
    -------
    Estimate
        ``sensitivity`` or ``specificity``, by linear interpolation between the points of the
        curve, as pROC's ``coords``; `threshold_source` says what was fixed.

    Raises
    ------
    DataError
        Both or neither rate, one outside 0 to 1, one class only, fewer than five clusters.

    References
    ----------
    Platt RW, Hanley JA, Yang H. Stat Med 2000;19:313 (the interval).

    Examples
    --------
    >>> y, score = [0, 0, 0, 0, 1, 1, 1, 1], [1, 2, 3, 6, 4, 5, 7, 8]
    >>> rate_at(y, score, specificity=0.75).value, rate_at(y, score, sensitivity=0.5).value
    (1.0, 1.0)
    """
    fixed = specificity if sensitivity is None else sensitivity
    if fixed is None or None not in (specificity, sensitivity) or not 0 <= fixed <= 1:
        raise DataError(
            "rate at a fixed rate: expected one specificity or one sensitivity from 0 to 1, found "
            f"specificity {specificity} and sensitivity {sensitivity}"
        )
    value = float(fixed)

    def rate(fpr: Floats, tpr: Floats) -> Floats:
        if sensitivity is None:
            return _at(fpr, tpr, 1 - value)
        return _at(1 - tpr[:, ::-1], 1 - fpr[:, ::-1], 1 - value)

    rates: tuple[Rate, Rate] = ("sensitivity", "specificity")
    name, of = rates if sensitivity is None else rates[::-1]
    sample = scored_sample(labels, scores, clusters=clusters)
    estimate = _drawn(sample, rate, name, interval, n_resamples, seed, level, unit)
    if estimate.value in (0.0, 1.0) and not estimate.note:
        estimate = estimate.replace(
            note="a bootstrap interval of a rate of 0 or 1 is too narrow: resamples repeat what "
            "all rows of the class have in common"
        )
    return estimate.replace(
        threshold_source=f"{of} {value:g} on these rows", extra={**estimate.extra, of: value}
    )


def _drawn(
    sample: ScoredSample,
    part: Part,
    name: str,
    interval: BootstrapInterval,
    n_resamples: int,
    seed: int,
    level: float,
    unit: str | None,
) -> Estimate:
    checked_level(level)
    curve = _CountedCurve.of(sample)
    unit = unit or ("row" if sample.clusters is None else "patient")
    strata, within = None, ""
    if sample.clusters is None:
        strata, within = strata_of_units(sample.positive.astype(np.int64), None), " within classes"
    else:
        require_clusters(sample.n_clusters, unit)
    n_units = sample.n_clusters or sample.n

    def statistic(counts: Floats) -> Floats:
        return part(*curve.points(counts))[:, None]

    value = float(statistic(np.ones((1, n_units)))[0, 0])
    block = max(1, CELLS_PER_BLOCK * n_units // max(n_units, sample.n))
    drawn = resample(statistic, Units(n_units, strata), n_resamples, seed, cells_per_block=block)
    replicates = drawn.values[:, 0]
    estimate = Estimate(
        name, value, n_dropped=sample.n_dropped,
        **unit_count(sample.n, sample.n_clusters, unit),
        extra={"n_positive": sample.n_positive, "n_negative": sample.n - sample.n_positive},
    )  # fmt: skip
    if np.ptp(replicates) == 0:
        return estimate.replace(
            method="point estimate", note=f"the same in every resample of {unit}s: no interval"
        )
    left_out = None
    share = float(np.mean((replicates < value) + 0.5 * (replicates == value)))
    if interval == "bca" and n_units <= MOST_LEFT_OUT and 0 < share < 1:
        left_out = _jackknife(statistic, n_units, block)
    return bootstrapped(
        estimate, replicates, level, seed, n_resamples, jackknife=left_out, within=within,
        n_redrawn=drawn.n_redrawn,
    )  # fmt: skip


def _jackknife(statistic: Callable[[Floats], Floats], n_units: int, cells: int) -> Floats:
    """Return the statistic with each unit left out once; undefined ones are left out."""
    step = max(1, cells // n_units)
    found = []
    for start in range(0, n_units, step):
        stop = min(start + step, n_units)
        counts = np.ones((stop - start, n_units))
        counts[np.arange(stop - start), np.arange(start, stop)] = 0.0
        found.append(statistic(counts)[:, 0])
    values = np.concatenate(found)
    return values[~np.isnan(values)]


@dataclass(frozen=True, slots=True)
class _CountedCurve:
    """Rows from the highest score down, ready to be weighted by counts."""

    unit_of_row: Ints
    positive: Floats
    last_of_tie: Ints

    @classmethod
    def of(cls, sample: ScoredSample) -> _CountedCurve:
        order = np.argsort(-sample.scores[0], kind="stable")
        ranked = sample.scores[0][order]
        last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
        units = order if sample.clusters is None else sample.clusters[order]
        return cls(units, sample.positive[order].astype(np.float64), last)

    def points(self, counts: Floats) -> tuple[Floats, Floats]:
        """Return false-positive rates and sensitivities from (0, 0) to (1, 1), NaN of one class."""
        weight = np.take(counts, self.unit_of_row, axis=1)
        made = []
        for of_class in (1 - self.positive, self.positive):
            total = np.cumsum(weight * of_class, axis=1)[:, self.last_of_tie]
            share = np.full((len(total), total.shape[1] + 1), np.nan)
            seen = total[:, -1] > 0
            share[seen, 0] = 0.0
            share[seen, 1:] = total[seen] / total[seen, -1:]
            made.append(share)
        return made[0], made[1]


def _area_between(x: Floats, y: Floats, low: float, high: float) -> Floats:
    """Return the area under ``y`` over ``x`` between two values of ``x``, by trapezoids."""
    start, stop = x[:, :-1], x[:, 1:]
    width = stop - start
    slope = np.divide(y[:, 1:] - y[:, :-1], width, out=np.zeros_like(width), where=width > 0)
    first, last = np.clip(start, low, high), np.clip(stop, low, high)
    middle = y[:, :-1] + slope * ((first + last) / 2 - start)
    found: Floats = ((last - first) * middle).sum(axis=1)
    return found


def _at(x: Floats, y: Floats, wanted: float) -> Floats:
    """Return ``y`` where ``x`` reaches a value, at the top of a vertical step."""
    row = np.arange(len(x))
    here = np.maximum((x <= wanted + _ROUNDING).sum(axis=1) - 1, 0)
    after = np.minimum(here + 1, x.shape[1] - 1)
    width = x[row, after] - x[row, here]
    along = np.divide(wanted - x[row, here], width, out=np.zeros_like(width), where=width > 0)
    found: Floats = y[row, here] + np.clip(along, 0, 1) * (y[row, after] - y[row, here])
    return found
