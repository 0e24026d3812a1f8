"""The area under the ROC curve with its interval, and the curve itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, Unpack

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import (
    BootstrapInterval,
    logit_limits,
    two_sided_p,
    wald_limits,
)
from cardio_stats._numerics.options import (
    DrawOptions,
    OutcomeDrawOptions,
    OutcomeOptions,
    Sampling,
    spells_out,
)
from cardio_stats._numerics.validate import (
    Floats,
    ScoredSample,
    known_units,
    numeric_column,
    require_clusters,
    same_length,
    sample_count,
    scored_sample,
)
from cardio_stats.auc_covariance import (
    DelongCovariance,
    FallingRows,
    RankedRows,
    delong_covariance,
)
from cardio_stats.auc_published import newcombe_auc
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.resampling import (
    Units,
    cells_per_block,
    resample,
    resample_sample,
    strata_of_units,
)

AucInterval = Literal["auto", "delong", "logit"]

AREAS_FOR_PLAIN = (0.1, 0.9)
"""Between these areas the plain interval holds, given the units; outside it falls short."""


@spells_out(OutcomeOptions)
def auc(
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    interval: AucInterval = "auto",
    **options: Unpack[OutcomeOptions],
) -> Estimate:
    """Return the area under the ROC curve with an interval from DeLong's variance.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out and counted in ``n_dropped``.
    scores : array-like, shape (n,)
        More is more likely class 1. Never flipped: below one half means the wrong way round.
    interval : {"auto", "delong", "logit"}
        ``"delong"`` is symmetric and truncated to [0, 1], as pROC's. ``"logit"`` is symmetric on
        the log odds of the area, with Student's t on Satterthwaite's degrees of freedom. ``"auto"``
        takes ``"delong"`` with 200 rows (or clusters) of each class and an area of .10 to .90, and
        ``"logit"`` otherwise.

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
    sampling = Sampling(**options)
    found = delong_covariance(outcome, scores, **sampling.of_labels)
    sample, level = found.sample, sampling.level
    value, variance = float(found.aucs[0]), float(found.covariance[0, 0])
    units_positive, units_negative = sample.units_of_each_class
    if variance <= 0 or value in (0.0, 1.0):
        estimate = newcombe_auc(value, units_positive, units_negative, level=level).replace(
            note="DeLong's variance is 0 here; the interval is Newcombe's instead"
        )
    else:
        estimate = _with_interval(found, value, variance**0.5, level, interval)
    return estimate.replace(
        **sample.counted(sampling.unit),
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


def roc_curve(outcome: ArrayLike, scores: ArrayLike, *, event: str | None = None) -> RocCurve:
    """Return the empirical ROC curve, one point for each distinct score.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
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
    sample = scored_sample(outcome, scores, event=event)
    rows = FallingRows.of(sample)
    fpr, tpr = rows.points(np.ones((1, sample.n)))
    return RocCurve(fpr[0], tpr[0], np.concatenate([[np.inf], rows.thresholds]))


# Parts of a ROC curve: partial areas, and one rate where the other is fixed, with intervals.

Rate = Literal["specificity", "sensitivity"]
Part = Callable[[Floats, Floats], Floats]
"""From false-positive rates and sensitivities, both (n_resamples, n_points), to (n_resamples,)."""

MOST_LEFT_OUT = 2000
"""Units up to which each is left out once, which BCa needs; percentiles above."""

_ROUNDING = 1e-12


@spells_out(OutcomeDrawOptions)
def partial_auc(
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    between: tuple[float, float] = (0.9, 1.0),
    of: Rate = "specificity",
    corrected: bool = False,
    interval: BootstrapInterval = "percentile",
    **options: Unpack[OutcomeDrawOptions],
) -> Estimate:
    """Return the area under a part of the ROC curve with a bootstrap interval.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
        More is more likely class 1; never flipped.
    between : (float, float)
        Limits of the part, within 0 and 1: between specificities of .9 and 1 by default.
    of : {"specificity", "sensitivity"}
        What `between` are limits of.
    corrected : bool
        McClish's transform, by which .5 is chance and 1 is perfect whatever the limits.
    interval : {"percentile", "bca"}

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
    sampling = Sampling(**options)
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
    sample = sampling.scored(outcome, scores)
    estimate = _drawn(sample, area, name, interval, sampling)
    note = estimate.note
    if corrected and estimate.value < 0.5:
        note = "; ".join(filter(None, (note, "this part of the curve lies below chance")))
    about = f"{of} {low:g} to {high:g}{', McClish-corrected' if corrected else ''}"
    return estimate.replace(
        method=f"{about}; {estimate.method}",
        note=note,
        extra={**estimate.extra, "chance": chance, "perfect": perfect},
    )


@spells_out(OutcomeDrawOptions)
def rate_at(
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    specificity: float | None = None,
    sensitivity: float | None = None,
    interval: BootstrapInterval = "bca",
    **options: Unpack[OutcomeDrawOptions],
) -> Estimate:
    """Return the sensitivity at a given specificity, or the specificity at a given sensitivity.

    The threshold that gives the fixed rate is found again in every resample, so that the interval
    holds for a threshold that is not known in advance.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
    specificity, sensitivity : float, optional
        Exactly one of them: the rate that is fixed, from 0 to 1.
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
    sampling = Sampling(**options)
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
    sample = sampling.scored(outcome, scores)
    estimate = _drawn(sample, rate, name, interval, sampling)
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
    sampling: Sampling,
) -> Estimate:
    rows, unit = FallingRows.of(sample), sampling.named_unit
    strata, within = None, ""
    if sample.clusters is None:
        strata, within = strata_of_units(sample.positive.astype(np.int64), None), " within classes"
    sample.require_clusters(unit)
    n_units = sample.n_clusters or sample.n

    def statistic(counts: Floats) -> Floats:
        return part(*rows.points(counts))[:, None]

    value = float(statistic(np.ones((1, n_units)))[0, 0])
    drawn = resample_sample(statistic, sample, sampling, strata=strata)
    replicates = drawn.values[:, 0]
    estimate = Estimate(
        name, value,
        **sample.counted(unit),
        extra={"n_positive": sample.n_positive, "n_negative": sample.n - sample.n_positive},
    )  # fmt: skip
    if np.ptp(replicates) == 0:
        return estimate.replace(
            method="point estimate", note=f"the same in every resample of {unit}s: no interval"
        )
    left_out = None
    share = float(np.mean((replicates < value) + 0.5 * (replicates == value)))
    if interval == "bca" and n_units <= MOST_LEFT_OUT and 0 < share < 1:
        left_out = _jackknife(statistic, n_units, cells_per_block(n_units, sample.n))
    return sampling.bootstrapped(
        estimate, replicates, jackknife=left_out, within=within, n_redrawn=drawn.n_redrawn
    )


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


# The area under the ROC curve of several classes.


@spells_out(DrawOptions)
def multiclass_auc(
    outcome: ArrayLike,
    scores: ArrayLike,
    classes: Sequence[Hashable],
    **options: Unpack[DrawOptions],
) -> dict[str, Estimate]:
    """Return the AUC of Hand and Till, and that of every two classes, with bootstrap intervals.

    For classes i and j, A is the mean of two AUCs among their rows: that of score i for i, and
    that of score j for j. The AUC of all classes is the mean over pairs; it does not depend on how
    common the classes are.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n, n_classes)
        A column for each class, in the order of `classes`; more is more likely that class.
    classes : sequence
        At least 3, each with rows.

    Returns
    -------
    dict of str to Estimate
        ``"all"``: ``multiclass_auc``; ``"A/B"`` for every two classes: ``auc`` of that pair.

    Raises
    ------
    DataError
        Fewer than three classes, a label that is none of them, a class without rows, fewer than
        five clusters.

    References
    ----------
    Hand DJ, Till RJ. Mach Learn 2001;45:171.

    Examples
    --------
    >>> y = ["I", "II", "III", "I", "II", "III"]
    >>> p = [[.6, .3, .1], [.5, .4, .1], [.1, .2, .7], [.8, .1, .1], [.5, .3, .2], [.4, .5, .1]]
    >>> found = multiclass_auc(y, p, ["I", "II", "III"])
    >>> round(found["all"].value, 4), sorted(found)
    (0.7917, ['I/II', 'I/III', 'II/III', 'all'])
    """
    sampling = Sampling(**options)
    names = [str(label) for label in classes]
    table = np.asarray(scores, dtype=np.float64)
    if len(names) < 3 or len(set(names)) < len(names) or table.ndim != 2:
        raise DataError(
            "multiclass AUC: expected three or more classes and a score column for each, found "
            f"{len(names)} and an array of shape {table.shape}"
        )
    truth = pd.Categorical(pd.Series(outcome).astype("string"), categories=names).codes.astype(int)
    strange = pd.Series(outcome)[(truth < 0) & pd.Series(outcome).notna().to_numpy()]
    if len(strange):
        raise DataError(
            f"outcome: expected one of {', '.join(names)}, found {strange.iloc[0]!r}; give a score "
            "column for every class"
        )
    columns = [
        numeric_column(column, f"scores of {name}")
        for name, column in zip(names, table.T, strict=True)
    ]
    n_rows = same_length(labels=truth, scores=columns[0])
    known, codes = known_units((truth >= 0) & ~np.isnan(table).any(axis=1), sampling.patient)
    truth, table = truth[known].astype(np.int64), table[known]
    absent = [name for place, name in enumerate(names) if not np.any(truth == place)]
    if absent:
        raise DataError(f"outcome: expected rows of every class, found none of {', '.join(absent)}")
    unit = sampling.named_unit
    units = np.arange(truth.size) if codes is None else codes
    n_units = int(units.max()) + 1
    n_clusters = None if codes is None else n_units
    if n_clusters:
        require_clusters(n_clusters, unit)
    pairs = list(combinations(range(len(names)), 2))
    ranked = [_ranked(truth, table, units, pair) for pair in pairs]

    def areas(counts: Floats) -> Floats:
        of_pair = [(item.aucs(counts) + other.aucs(counts)) / 2 for item, other in ranked]
        return np.stack([np.mean(of_pair, axis=0), *of_pair], axis=1)

    values = areas(np.ones((1, n_units)))[0]
    strata = strata_of_units(truth, None) if codes is None else None
    drawn = resample(
        areas, Units(n_units, strata), sampling,
        cells_per_block=cells_per_block(n_units, truth.size),
    )  # fmt: skip
    found = {}
    keys = ["all", *(f"{names[i]}/{names[j]}" for i, j in pairs)]
    for place, key in enumerate(keys):
        estimate = Estimate(
            "multiclass_auc" if key == "all" else "auc", float(values[place]),
            level=sampling.level,
            **sample_count(truth.size, n_clusters, unit, n_rows - truth.size),
        )  # fmt: skip
        replicates = drawn.values[:, place]
        if np.ptp(replicates) == 0:
            note = f"the same in every resample of {unit}s: no interval"
            found[key] = estimate.replace(level=None, method="Hand-Till", note=note)
            continue
        within = " within classes" if codes is None else ""
        made = sampling.bootstrapped(estimate, replicates, within=within, n_redrawn=drawn.n_redrawn)
        found[key] = made.replace(method=f"Hand-Till; {made.method}")
    return found


def _ranked(
    truth: np.ndarray, table: Floats, units: np.ndarray, pair: tuple[int, int]
) -> tuple[RankedRows, RankedRows]:
    item, other = pair
    inside = (truth == item) | (truth == other)
    made = [RankedRows.of(truth[inside] == own, table[inside, own], units[inside]) for own in pair]
    return made[0], made[1]


# The pointwise band of a ROC curve.

N_GRID = 101


def roc_band(
    outcome: ArrayLike,
    scores: ArrayLike,
    *,
    event: str | None = None,
    patient: ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> tuple[Floats, Floats, Floats]:
    """Return the bootstrap interval of the sensitivity at every false-positive rate.

    Labels are 0 and 1; all have the shape (n,). Rows in which anything is missing are left out; a
    larger score is more likely class 1.
    `patient` has the patient of every row: whole patients are resampled. `level` is the coverage
    at each point; the band as a whole covers less. The false-positive rates are an even grid of
    101, low and high the percentile limits of the sensitivity there.

    Raises
    ------
    DataError
        One class only, or fewer than five clusters.

    References
    ----------
    Fawcett T. Pattern Recognit Lett 2006;27:861, vertical averaging.

    Examples
    --------
    >>> grid, low, high = roc_band([0, 1, 0, 1, 1, 0] * 9, range(54), n_resamples=200)
    >>> bool(np.all(low <= high)), high[-1]
    (True, np.float64(1.0))
    """
    sampling = Sampling(event, patient, n_resamples, seed, level)
    sample = sampling.scored(outcome, scores)
    sample.require_clusters("patient")
    rows = FallingRows.of(sample)
    grid = np.linspace(0, 1, N_GRID)

    def sensitivities(counts: Floats) -> Floats:
        fpr, tpr = rows.points(counts)
        found = np.full((len(counts), N_GRID), np.nan)
        for drawn in np.flatnonzero(~np.isnan(fpr[:, 0] + tpr[:, 0])):
            found[drawn] = np.interp(grid, fpr[drawn], tpr[drawn])
        return found

    replicates = resample_sample(sensitivities, sample, sampling)
    tail = (1 - level) / 2
    low, high = np.quantile(replicates.values, [tail, 1 - tail], axis=0)
    return grid, low, high
