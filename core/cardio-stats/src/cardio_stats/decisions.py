"""The rates of a two-by-two table of decisions, as one vector and with intervals from counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from cardio_stats._numerics.intervals import normal_quantile, wald_limits
from cardio_stats._numerics.options import OutcomeDrawOptions, Sampling, spells_out
from cardio_stats._numerics.validate import (
    Bools,
    Floats,
    ScoredSample,
    binary_column,
    checked_level,
    ratio,
    same_length,
    sample_count,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.proportions import clopper_pearson_limits, f1_score, proportion, wilson_limits
from cardio_stats.resampling import cluster_sums, replicate_sums
from cardio_stats.roc_curves import RocCurve, roc_curve

DECISION_RATES = (
    "sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "balanced_accuracy", "youden",
)  # fmt: skip


def decision_rates(cells: Floats) -> Floats:
    """Return the ``DECISION_RATES`` of tables, NaN where a denominator is 0, shape (..., 8).

    `cells`, shape (..., 4): true positives, false negatives, true negatives, false positives.
    """
    tp, fn, tn, fp = np.moveaxis(np.asarray(cells, dtype=np.float64), -1, 0)
    sensitivity, specificity = ratio(tp, tp + fn), ratio(tn, tn + fp)
    return np.stack(
        [
            sensitivity,
            specificity,
            ratio(tp, tp + fp),
            ratio(tn, tn + fn),
            ratio(tp + tn, tp + fn + tn + fp),
            ratio(2 * tp, 2 * tp + fp + fn),
            (sensitivity + specificity) / 2,
            sensitivity + specificity - 1,
        ],
        axis=-1,
    )


def confusion_metrics(
    *,
    tp: int,
    fn: int,
    tn: int,
    fp: int,
    threshold_source: str = "as published",
    level: float = 0.95,
    unit: str = "row",
) -> dict[str, Estimate]:
    """Return the rates of a two-by-two table of independent units.

    Parameters
    ----------
    tp, fn, tn, fp : int
        True positives, false negatives, true negatives and false positives.
    threshold_source : str
        Where the threshold behind the decisions came from.
    level : float
    unit : str
        What was counted.

    Returns
    -------
    dict of str to Estimate
        ``sensitivity``, ``specificity``, ``ppv``, ``npv``, ``accuracy`` (Wilson), ``f1``,
        ``balanced_accuracy`` (the area under the ROC curve of this one decision) and ``youden``.
        A rate whose denominator is 0 is left out.

    Raises
    ------
    DataError
        A negative count, or an empty table.

    References
    ----------
    Intervals of sums of two proportions: Newcombe RG. Stat Med 1998;17:873, method 10.

    Examples
    --------
    >>> found = confusion_metrics(tp=44, fn=2, tn=12, fp=13, unit="patient")
    >>> round(found["accuracy"].value, 3), round(found["specificity"].value, 2)
    (0.789, 0.48)
    """
    counts = np.array([tp, fn, tn, fp], dtype=np.float64)
    if counts.min() < 0 or counts.sum() == 0:
        raise DataError(
            f"expected counts of 0 or more, found tp {tp}, fn {fn}, tn {tn}, fp {fp}",
            code="out_of_range",
        )
    checked_level(level)
    pairs = {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "accuracy": (tp + tn, tp + fn + tn + fp),
    }
    found = {
        name: proportion(k, n, level=level, name=name, unit=unit)
        for name, (k, n) in pairs.items()
        if n
    }
    if tp + fp + fn:
        found["f1"] = f1_score(tp, fp + fn, level=level, name="f1", unit=unit)
    if tp + fn and tn + fp:
        found |= _sums(found["sensitivity"], found["specificity"], level, unit)
    return {name: each.replace(threshold_source=threshold_source) for name, each in found.items()}


def _sums(
    sensitivity: Estimate, specificity: Estimate, level: float, unit: str
) -> dict[str, Estimate]:
    """Square and add the distances to both Wilson limits, as Newcombe does for a difference."""
    limits = [wilson_limits(each.extra["k"], each.n, level) for each in (sensitivity, specificity)]
    total = sensitivity.value + specificity.value
    below = math.hypot(sensitivity.value - limits[0][0], specificity.value - limits[1][0])
    above = math.hypot(limits[0][1] - sensitivity.value, limits[1][1] - specificity.value)
    counted = sample_count(sensitivity.n + specificity.n, None, unit)
    return {
        name: Estimate(
            name,
            scale * total - shift,
            scale * (total - below) - shift,
            scale * (total + above) - shift,
            level,
            "Newcombe, square and add",
            **counted,
        )
        for name, scale, shift in (("balanced_accuracy", 0.5, 0.0), ("youden", 1.0, 1.0))
    }


# Decisions at a threshold whose source is named, and the choice of a threshold.


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


def youden_threshold(
    outcome: ArrayLike, scores: ArrayLike, *, event: str | None = None, source: str
) -> Threshold:
    """Return the threshold at which sensitivity plus specificity is highest.

    Choose it on other rows than those it is judged on: on the same rows its sensitivity and
    specificity are too good.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
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
    curve = roc_curve(outcome, scores, event=event)
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


def closest_topleft_threshold(
    outcome: ArrayLike, scores: ArrayLike, *, event: str | None = None, source: str
) -> Threshold:
    """Return the threshold whose point of the ROC curve lies nearest to the perfect corner.

    The least (1 − sensitivity)² + (1 − specificity)². As with Youden's, choose it on other rows
    than those it is judged on.

    Parameters
    ----------
    outcome, event, scores, source
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
    curve = roc_curve(outcome, scores, event=event)
    nearness = -((1 - curve.tpr) ** 2) - curve.fpr**2
    return _best(curve, nearness, f"closest to the top left corner on {source}")


@spells_out(OutcomeDrawOptions)
def threshold_metrics(
    outcome: ArrayLike,
    scores: ArrayLike,
    threshold: Threshold,
    **options: Unpack[OutcomeDrawOptions],
) -> dict[str, Estimate]:
    """Return the rates of calling scores at or above a threshold positive.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    scores : array-like, shape (n,)
    threshold : Threshold
        With its source.

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
    sampling = Sampling(**options)
    if not np.isfinite(threshold.value):
        raise DataError(
            f"threshold: expected a finite number, found {threshold.value}", code="not_a_number"
        )
    sample = sampling.scored(outcome, scores)
    called = sample.scores[0] >= threshold.value
    found = _rates(sample, called, threshold.source, sampling)
    return {
        name: each.replace(extra={**each.extra, "threshold": threshold.value})
        for name, each in found.items()
    }


@spells_out(OutcomeDrawOptions)
def decision_metrics(
    outcome: ArrayLike, called: ArrayLike, *, source: str, **options: Unpack[OutcomeDrawOptions]
) -> dict[str, Estimate]:
    """Return the rates of decisions that have been made already, each by its own threshold.

    Parameters
    ----------
    outcome, called : array-like, shape (n,)
        Truth and decision. Rows in which anything is missing are left out.
    source : str
        Where the thresholds came from; becomes ``threshold_source``.

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
    sampling = Sampling(**options)
    decided = binary_column(called, "decisions")
    sample = sampling.scored(outcome, decided)
    return _rates(sample, sample.scores[0] == 1, source, sampling)


def _rates(
    sample: ScoredSample, called: Bools, source: str, sampling: Sampling
) -> dict[str, Estimate]:
    unit = sampling.unit
    truth = sample.positive
    cells = [truth & called, truth & ~called, ~truth & ~called, ~truth & called]
    if sample.clusters is None:
        tp, fn, tn, fp = (int(np.count_nonzero(cell)) for cell in cells)
        found = confusion_metrics(
            tp=tp, fn=fn, tn=tn, fp=fp, level=sampling.level, unit=unit or "row"
        )
    else:
        sample.require_clusters(unit)
        sums = cluster_sums(np.stack(cells, axis=1).astype(np.float64), sample.clusters)
        values = decision_rates(sums.sum(axis=0))
        drawn = replicate_sums(sums, decision_rates, sampling).values
        counted = sample.counted(unit)
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
            n_undefined = sampling.n_resamples - replicates.size
            found[name] = sampling.bootstrapped(
                estimate, replicates, n_rows=sample.n, n_undefined=n_undefined
            )
    return {
        name: each.replace(threshold_source=source, n_dropped=sample.n_dropped)
        for name, each in found.items()
    }


# Likelihood ratios of a decision: how much a positive and a negative result shift the odds.

NAMES = ("likelihood_ratio_positive", "likelihood_ratio_negative")


@spells_out(OutcomeDrawOptions)
def likelihood_ratios(
    outcome: ArrayLike, called: ArrayLike, *, source: str, **options: Unpack[OutcomeDrawOptions]
) -> dict[str, Estimate]:
    """Return the likelihood ratios of decisions that were made already.

    LR+ is sensitivity / (1 − specificity), LR− is (1 − sensitivity) / specificity.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    called : array-like of 0 and 1, shape (n,)
        Whether each was called positive.
    source : str
        Where the threshold behind the decisions came from.

    Returns
    -------
    dict of str to Estimate
        ``likelihood_ratio_positive`` and ``likelihood_ratio_negative``; one whose denominator is 0
        is infinite, and left out. One that is 0 has no interval.

    Raises
    ------
    DataError
        One class only, or fewer than five clusters.

    References
    ----------
    Simel DL, Samsa GP, Matchar DB. J Clin Epidemiol 1991;44:763 (the interval of the logarithm).

    Examples
    --------
    >>> truth, called = [1] * 744 + [0] * 842, [1] * 670 + [0] * 74 + [1] * 202 + [0] * 640
    >>> found = likelihood_ratios(truth, called, source="fixed")["likelihood_ratio_positive"]
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (3.75, 3.32, 4.24)
    """
    sampling = Sampling(**options)
    sample = sampling.scored(outcome, called)
    truth, positive = sample.positive, sample.scores[0] == 1
    cells = np.stack(
        [truth & positive, truth & ~positive, ~truth & ~positive, ~truth & positive], axis=1
    ).astype(np.float64)
    values = _ratios(cells.sum(axis=0))
    counted = sample.counted(sampling.unit)
    replicates = None
    if sample.clusters is not None:
        sample.require_clusters(sampling.unit)
        sums = cluster_sums(cells, sample.clusters)
        replicates = replicate_sums(sums, _ratios, sampling).values
    found = {}
    for position, name in enumerate(NAMES):
        value = float(values[position])
        if np.isnan(value):
            continue
        estimate = Estimate(
            name, value, method="point estimate", **counted,
            threshold_source=source,
        )  # fmt: skip
        if replicates is not None:
            known = replicates[~np.isnan(replicates[:, position]), position]
            if np.ptp(known) > 0:
                n_undefined = sampling.n_resamples - known.size
                estimate = sampling.bootstrapped(estimate, known, n_undefined=n_undefined)
        elif value > 0:
            estimate = _by_logarithm(estimate, cells.sum(axis=0), position, sampling.level)
        if estimate.low is None:
            estimate = estimate.replace(note="0 or the same in every resample: no interval")
        found[name] = estimate
    return found


def _ratios(cells: Floats) -> Floats:
    tp, fn, tn, fp = np.moveaxis(np.asarray(cells, dtype=np.float64), -1, 0)
    sensitivity, specificity = ratio(tp, tp + fn), ratio(tn, tn + fp)
    return np.stack(
        [ratio(sensitivity, 1 - specificity), ratio(1 - sensitivity, specificity)], axis=-1
    )


def _by_logarithm(estimate: Estimate, cells: Floats, position: int, level: float) -> Estimate:
    tp, fn, tn, fp = (float(cell) for cell in cells)
    of_cases, of_controls = (tp, fp) if position == 0 else (fn, tn)
    se = math.sqrt(1 / of_cases - 1 / (tp + fn) + 1 / of_controls - 1 / (tn + fp))
    factor = math.exp(normal_quantile(level) * se)
    return estimate.replace(
        low=estimate.value / factor, high=estimate.value * factor, level=level,
        method="Simel, by the logarithm", extra={"se_log": se},
    )  # fmt: skip


# McNemar's test: whether two methods err on the same patients.

Tail = Literal["exact", "mid-p"]


def mcnemar(b: int, c: int, *, tail: Tail = "exact", level: float = 0.95) -> Estimate:
    """Test two paired proportions by their discordant pairs.

    Parameters
    ----------
    b, c : int
        Pairs in which only the first, or only the second, method is right.
    tail : {"exact", "mid-p"}
        ``"mid-p"`` counts the observed table one half: the exact test is timid.
    level : float

    Returns
    -------
    Estimate
        ``discordant_share``, ``b / (b + c)`` with Clopper and Pearson's interval and the
        two-sided p-value.

    Raises
    ------
    DataError
        Negative counts, or no discordant pair: nothing distinguishes the methods.

    References
    ----------
    McNemar Q. Psychometrika 1947;12:153. Fagerland MW et al. BMC Med Res Methodol 2013;13:91.

    Examples
    --------
    >>> mcnemar(5, 0).p_value
    0.0625
    """
    if min(b, c) < 0:
        raise DataError(f"mcnemar: expected counts of 0 or more, found {b} and {c}")
    n = b + c
    if n == 0:
        raise DataError(
            "mcnemar: expected discordant pairs, found none; the methods agree", code="too_few"
        )
    return Estimate(
        "discordant_share",
        b / n,
        *clopper_pearson_limits(b, n, checked_level(level)),
        level,
        f"McNemar, {tail}; Clopper-Pearson",
        n=n,
        unit="discordant pair",
        p_value=_p_value(b, c, tail),
        extra={"b": b, "c": c},
    )


def paired_proportions(
    right_a: ArrayLike,
    right_b: ArrayLike,
    *,
    tail: Tail = "exact",
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Compare how often two methods are right on the same units.

    Parameters
    ----------
    right_a, right_b : array-like of 0 and 1, shape (n,)
        Whether each method is right. Rows in which anything is missing are left out.
    tail : {"exact", "mid-p"}
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    Estimate
        ``proportion_difference``, the first minus the second, with Agresti and Min's interval and
        McNemar's p-value (1 where the methods never differ).

    References
    ----------
    Agresti A, Min Y. Stat Med 2005;24:729: half a pair is added to each cell of the table.

    Examples
    --------
    >>> found = paired_proportions([1] * 29, [1] * 24 + [0] * 5)
    >>> round(found.value, 3), found.p_value
    (0.172, 0.0625)
    """
    a, b = binary_column(right_a, "right_a"), binary_column(right_b, "right_b")
    n_rows = same_length(right_a=a, right_b=b)
    known = (a == a) & (b == b)
    n = int(known.sum())
    if n == 0:
        raise DataError(f"right_a, right_b: expected complete rows, found none of {n_rows}")
    only_a = int(((a == 1) & (b == 0) & known).sum())
    only_b = int(((a == 0) & (b == 1) & known).sum())
    share_a, share_b = (only_a + 0.5) / (n + 2), (only_b + 0.5) / (n + 2)
    centre = share_a - share_b
    se = ((share_a + share_b - centre**2) / (n + 2)) ** 0.5
    return Estimate(
        "proportion_difference",
        (only_a - only_b) / n,
        *wald_limits(centre, se, checked_level(level), within=(-1.0, 1.0)),
        level,
        f"Agresti-Min interval; McNemar, {tail}",
        p_value=_p_value(only_a, only_b, tail) if only_a + only_b else 1.0,
        extra={"b": only_a, "c": only_b},
        **sample_count(n, None, unit, n_rows - n),
    )


def _p_value(b: int, c: int, tail: Tail) -> float:
    n, fewer = b + c, min(b, c)
    up_to = float(bdtr(fewer, n, 0.5))
    if tail == "exact":
        return min(1.0, 2 * up_to)
    observed = up_to - (float(bdtr(fewer - 1, n, 0.5)) if fewer else 0.0)
    return min(1.0, 2 * up_to - observed)
