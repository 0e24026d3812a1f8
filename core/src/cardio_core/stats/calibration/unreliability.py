"""Whether probabilities are wrong as a whole: unreliability U, quality Q, observed to expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from cardio_core.stats.calibration.in_the_large import log_odds
from cardio_core.stats.foundation.intervals import normal_quantile, two_sided_p
from cardio_core.stats.foundation.newton import log_likelihood, maximise
from cardio_core.stats.foundation.probabilities import (
    probability_sample,
    require_overlap,
    require_variation,
)
from cardio_core.stats.foundation.validate import checked_level, group_sums, unit_count
from cardio_core.types.estimate import Estimate


def unreliability(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    unit: str | None = None,
) -> list[Estimate]:
    """Return what recalibration would gain, and what the probabilities are worth as they are.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Strictly between 0 and 1, not all equal.
    clusters : array-like, shape (n,), optional
        The test takes rows as independent, and is not given with them.
    unit : str, optional

    Returns
    -------
    list of Estimate
        ``unreliability_u``: the likelihood-ratio chi-square of intercept 0 and slope 1 together,
        less its 2 degrees of freedom, by n; `p_value` is that test's, ``extra["chi2"]`` its value.
        ``quality_q``: the likelihood that the probabilities have over that of the prevalence (D),
        less U; below 0 they are worse than the prevalence.

    Raises
    ------
    DataError
        One class only, a constant predictor, probabilities of exactly 0 or 1, separation.

    References
    ----------
    Miller ME, Hui SL, Tierney WM. Stat Med 1991;10:1213. Harrell FE, Regression modeling
    strategies, 2nd ed. Springer 2015, 10.9 (val.prob).

    Examples
    --------
    >>> u, q = unreliability([0, 0, 1, 0, 1, 1], [0.1, 0.4, 0.3, 0.6, 0.7, 0.9])
    >>> round(u.value, 3), round(u.p_value, 3)
    (-0.333, 1.0)
    """
    sample = probability_sample(labels, probabilities, clusters, unit)
    require_variation(sample)
    require_overlap(sample)
    truth, odds = sample.positive.astype(np.float64), log_odds(sample)
    matrix = np.column_stack([np.ones(sample.n), odds])
    _, recalibrated = maximise(matrix, truth)
    _, prevalence = maximise(matrix[:, :1], truth)
    as_they_are = log_likelihood(matrix, truth, np.array([0.0, 1.0]), 0.0)
    chi2 = 2 * (recalibrated - as_they_are)
    u = (chi2 - 2) / sample.n
    d = (2 * (as_they_are - prevalence) - 1) / sample.n
    own: dict[str, Any] = {
        "n_dropped": sample.n_dropped,
        **unit_count(sample.n, sample.n_clusters, unit),
    }
    independent = sample.clusters is None
    note = (
        "" if independent else "No test: patients have several rows, which it takes as independent."
    )
    test = "likelihood ratio of intercept 0 and slope 1, 2 df, by n"
    return [
        Estimate("unreliability_u", u, method=test, note=note, extra={"chi2": chi2},
                 p_value=float(chdtrc(2, max(chi2, 0.0))) if independent else None, **own),
        Estimate("quality_q", d - u, method="likelihood over that of the prevalence (D), less U",
                 extra={"discrimination_d": d}, **own),
    ]  # fmt: skip


def observed_to_expected(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    unit: str | None = None,
) -> Estimate:
    """Return observed over expected events; 1 is right, above 1 the risks are too low.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
    probabilities : array-like, shape (n,)
    clusters : array-like, shape (n,), optional
        The error is then that of their totals.
    level : float
    unit : str, optional

    Returns
    -------
    Estimate
        ``oe_ratio`` with limits from the normal distribution of its logarithm, whose variance is
        (1 - prevalence) / events for independent rows; `p_value` tests 1.

    References
    ----------
    Debray TPA et al. BMJ 2017;356:i6460. Riley RD et al. Stat Med 2021;40:4230.

    Examples
    --------
    >>> found = observed_to_expected([0, 0, 1, 1], [0.1, 0.3, 0.2, 0.4])
    >>> round(found.value, 3), round(found.extra["se_log"], 3)
    (2.0, 0.5)
    """
    sample = probability_sample(labels, probabilities, clusters, unit)
    observed, expected = float(sample.n_positive), float(sample.scores[0].sum())
    ratio = observed / expected
    if sample.clusters is None:
        se = math.sqrt((1 - observed / sample.n) / observed)
        method = "normal limits of the logarithm"
    else:
        each = group_sums(sample.positive - ratio * sample.scores[0], sample.clusters)
        m = sample.n_clusters
        se = math.sqrt(m / (m - 1) * float(each @ each)) / observed
        method = "normal limits of the logarithm, cluster totals"
    half = normal_quantile(checked_level(level)) * se
    return Estimate(
        "oe_ratio", ratio, ratio * math.exp(-half), ratio * math.exp(half), level, method,
        p_value=two_sided_p(math.log(ratio) / se), n_dropped=sample.n_dropped,
        extra={"observed": observed, "expected": expected, "se_log": se},
        **unit_count(sample.n, sample.n_clusters, unit),
    )  # fmt: skip
