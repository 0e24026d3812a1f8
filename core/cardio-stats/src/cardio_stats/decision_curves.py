"""Net benefit: what deciding by a model is worth, in true positives per unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import two_sided_p, wald_limits
from cardio_stats._numerics.options import OutcomeOptions, Sampling, spells_out
from cardio_stats._numerics.validate import (
    Floats,
    Ints,
    ScoredSample,
    checked_fraction,
    checked_level,
    group_sums,
    sample_count,
    scored_sample,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd


@spells_out(OutcomeOptions)
def net_benefit(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    threshold: float,
    *,
    threshold_source: str = "fixed",
    **options: Unpack[OutcomeOptions],
) -> Estimate:
    """Return the net benefit of treating whoever reaches a threshold probability.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1, calibrated.
    threshold : float
        Strictly between 0 and 1: the probability at which one is indifferent, which sets the
        price of a false positive to ``t / (1 − t)`` true positives.
    threshold_source : str
        Where the threshold came from.

    Returns
    -------
    Estimate
        ``net_benefit`` per unit; `extra` holds ``threshold``, ``treat_all`` (the net benefit of
        treating everybody; treating nobody has 0), ``over_all`` (what is gained over treating
        everybody) with its limits ``over_all_low`` and ``over_all_high``, and ``se``.

    References
    ----------
    Vickers AJ, Elkin EB. Med Decis Making 2006;26:565.

    Examples
    --------
    >>> found = net_benefit([0, 0, 1, 1], [0.1, 0.3, 0.2, 0.8], 0.25)
    >>> round(found.value, 4), round(found.extra["treat_all"], 4)
    (0.1667, 0.3333)
    """
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
    value, se, treat_all, gain, gain_se = _at(sample, threshold)
    gain_low, gain_high = wald_limits(gain, gain_se, sampling.level)
    return Estimate(
        "net_benefit",
        value,
        *wald_limits(value, se, sampling.level),
        sampling.level,
        "Vickers-Elkin; normal limits",
        threshold_source=threshold_source,
        extra={
            "threshold": threshold,
            "treat_all": treat_all,
            "over_all": gain,
            "over_all_low": gain_low,
            "over_all_high": gain_high,
            "se": se,
            "n_rows": sample.n,
        },
        **sample.counted(sampling.unit),
    )


@spells_out(OutcomeOptions)
def decision_curve(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    thresholds: Sequence[float] | None = None,
    **options: Unpack[OutcomeOptions],
) -> pd.DataFrame:
    """Return net benefit over a range of thresholds.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    probabilities : array-like, shape (n,)
    thresholds : sequence of float, optional
        0.01 to 0.99 by default. Show the range that is clinically sensible only.

    Returns
    -------
    DataFrame
        Columns ``threshold``, ``net_benefit``, ``low``, ``high``, ``treat_all``, ``treat_none``.

    Examples
    --------
    >>> decision_curve([0, 0, 1, 1], [0.1, 0.3, 0.2, 0.8], thresholds=[0.5]).net_benefit.item()
    0.25
    """
    sampling = Sampling(**options)
    import pandas as pd

    sample = sampling.probabilities(outcome, probabilities)
    rows = []
    for threshold in np.linspace(0.01, 0.99, 99) if thresholds is None else thresholds:
        value, se, treat_all, _, _ = _at(sample, float(threshold))
        low, high = wald_limits(value, se, sampling.level)
        rows.append((float(threshold), value, low, high, treat_all, 0.0))
    names = ["threshold", "net_benefit", "low", "high", "treat_all", "treat_none"]
    return pd.DataFrame(rows, columns=names)


def _at(sample: ScoredSample, threshold: float) -> tuple[float, float, float, float, float]:
    """Return net benefit, its error, that of treating all, and the gain over it with its error."""
    checked_fraction(threshold, "threshold")
    worth: Floats = np.where(sample.positive, 1.0, -threshold / (1 - threshold))
    treated = sample.scores[0] >= threshold
    value, se = _mean_and_se(worth * treated, sample.clusters)
    return value, se, float(worth.mean()), *_mean_and_se(-worth * ~treated, sample.clusters)


def _mean_and_se(values: Floats, clusters: Ints | None) -> tuple[float, float]:
    """Return the mean over rows and its standard error.

    With clusters the mean is a ratio of two random totals, linearised: the error comes from the
    cluster totals of the deviations (Cochran WG. Sampling Techniques, 3rd ed., equation 9A.11).
    """
    mean = float(values.mean())
    deviations = values - mean
    if clusters is not None:
        deviations = group_sums(deviations, clusters)
    m = deviations.size
    return mean, float(np.sqrt(m / (m - 1) * np.sum(deviations**2)) / values.size)


# Improvement in discrimination and reclassification, offered with a warning.

WARNING = (
    "NRI and IDI can rise for worthless or miscalibrated additions (Hilden and Gerds 2014); judge "
    "by a likelihood-ratio test and by net benefit"
)


def reclassification_index(
    outcome: ArrayLike,
    old: ArrayLike,
    new: ArrayLike,
    *,
    event: str | None = None,
    level: float = 0.95,
    unit: str = "row",
) -> dict[str, Estimate]:
    """Return the continuous net reclassification index and the IDI.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    old, new : array-like, shape (n,)
        Predicted probabilities of class 1 without and with the addition.
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    dict of str to Estimate
        ``nri_events``, ``nri_nonevents`` (each −1 to 1), their sum ``nri`` (−2 to 2) and ``idi``,
        each with Wald's interval and the warning as its note.

    Raises
    ------
    DataError
        One class only, fewer than two rows of a class, or numbers outside [0, 1].

    References
    ----------
    Pencina MJ et al. Stat Med 2008;27:157; Stat Med 2011;30:11. Hilden J, Gerds TA. Stat Med
    2014;33:3405. Pepe MS et al. Stat Biosci 2015;7:282.

    Examples
    --------
    >>> found = reclassification_index([1, 1, 1, 0, 0, 0], [.5, .5, .5, .5, .5, .5],
    ...                          [.7, .6, .4, .3, .4, .6])
    >>> round(found["nri"].value, 3), round(found["idi"].value, 3)
    (0.667, 0.133)
    """
    sample = scored_sample(outcome, old, new, event=event)
    if sample.scores.min() < 0 or sample.scores.max() > 1:
        raise DataError("old, new: expected probabilities between 0 and 1, found others")
    n_positive, n_negative = sample.n_positive, sample.n - sample.n_positive
    if min(n_positive, n_negative) < 2:
        raise DataError("outcome: expected at least 2 rows of each class, found fewer")
    change = sample.scores[1] - sample.scores[0]
    moved = np.sign(change)
    up_events, up_nonevents = moved[sample.positive], -moved[~sample.positive]
    rise, fall = change[sample.positive], -change[~sample.positive]
    parts = {
        "nri_events": (_mean(up_events), n_positive),
        "nri_nonevents": (_mean(up_nonevents), n_negative),
        "nri": (_sum(_mean(up_events), _mean(up_nonevents)), sample.n),
        "idi": (_sum(_mean(rise, ddof=1), _mean(fall, ddof=1)), sample.n),
    }
    checked_level(level)
    found = {}
    for name, ((value, se), n) in parts.items():
        found[name] = Estimate(
            name,
            value,
            *wald_limits(value, se, level),
            level,
            "Pencina, Wald",
            p_value=two_sided_p(value / se) if se > 0 else None,
            note=WARNING,
            extra={"se": se},
            **sample_count(n, None, unit, sample.n_dropped),
        )
    return found


def _mean(values: Floats, ddof: int = 0) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=ddof) / math.sqrt(values.size))


def _sum(items: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return items[0] + other[0], math.hypot(items[1], other[1])
