"""Calibration of predicted probabilities: in the large, slope, and the Brier score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, expit, logit

from cardio_stats._numerics.intervals import (
    log_likelihood,
    maximise,
    normal_quantile,
    two_sided_p,
    wald_limits,
)
from cardio_stats._numerics.label_sums import if_calibrated, sums_if_calibrated
from cardio_stats._numerics.local_regression import Kind as Smoother
from cardio_stats._numerics.options import (
    DrawOptions,
    LabelOptions,
    OutcomeDrawOptions,
    OutcomeOptions,
    Sampling,
    spells_out,
)
from cardio_stats._numerics.validate import (
    Floats,
    ScoredSample,
    group_sums,
    numeric_column,
    ratio,
    require_overlap,
    require_variation,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.resampling import bootstrap_sums, cluster_sums
from cardio_stats.smooth_calibration import smooth_calibration_errors

# Calibration of predicted numbers: mean error and slope.


@spells_out(DrawOptions)
def number_calibration(
    truth: ArrayLike, predicted: ArrayLike, **options: Unpack[DrawOptions]
) -> list[Estimate]:
    """Return by how much predicted numbers are off on the whole, and how their spread is.

    Parameters
    ----------
    truth, predicted : array-like, shape (n,)
        In one unit. Rows in which anything is missing are left out.

    Returns
    -------
    list of Estimate
        ``mean_error``, the mean of truth less prediction (0 is right), and ``calibration_slope``
        of the truth on the prediction (1 is right; below, predictions are too extreme).

    Raises
    ------
    DataError
        The same prediction for everybody; fewer than five clusters.

    References
    ----------
    Steyerberg EW. Clinical Prediction Models. Springer 2019, chapter 15.

    Examples
    --------
    >>> x = np.arange(30.0)
    >>> [off, slope] = number_calibration(2 + 0.5 * x, x, n_resamples=50)
    >>> off.value, round(slope.value, 6)
    (-5.25, 0.5)
    """
    y, x = numeric_column(truth, "truth"), numeric_column(predicted, "predicted")
    if np.nanmax(x) == np.nanmin(x):
        raise DataError("expected several predictions, found the same for everybody")
    centre = float(np.nanmean(x))  # sums of squares of large numbers lose their digits
    rows = np.column_stack([np.ones(len(x)), x - centre, y - centre, (x - centre) ** 2,
                            (x - centre) * (y - centre)])  # fmt: skip
    return bootstrap_sums(rows, _line, ("mean_error", "calibration_slope"), **options)


def _line(sums: Floats) -> Floats:
    n, x, y, xx, xy = np.moveaxis(sums, -1, 0)
    return np.stack([(y - x) / n, ratio(n * xy - x * y, n * xx - x * x)], axis=-1)


# The expected calibration error over bins, beside what chance alone makes it.

Binning = Literal["equal-count", "equal-width"]


@spells_out(OutcomeOptions)
def expected_calibration_error(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_bins: int = 10,
    binning: Binning = "equal-count",
    n_draws: int = 2000,
    seed: int = 0,
    **options: Unpack[OutcomeOptions],
) -> Estimate:
    """Return the mean gap between predicted and observed risk over bins of the predicted.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    probabilities : array-like, shape (n,)
    n_bins : int
    binning : {"equal-count", "equal-width"}
        Bins of as many rows, or of the same width between 0 and 1.
    n_draws, seed : int
        Of calibrated models.
    level : float
        Share of calibrated models that ``extra["if_calibrated_high"]`` is not exceeded by.

    Returns
    -------
    Estimate
        ``ece``, without an interval: 0 is right, and chance alone makes it larger, the more so the
        fewer the rows and the more the bins. Instead ``extra["if_calibrated"]`` and
        ``extra["if_calibrated_high"]`` are the mean and the upper limit of what a model without
        any error shows on the same predictions, and `p_value` is how often such a model shows as
        much.

    References
    ----------
    Naeini MP et al. AAAI 2015:2901. Bröcker J, Smith LA. Weather Forecast 2007;22:651 (the
    distribution under calibration).

    Examples
    --------
    >>> found = expected_calibration_error([0, 1] * 50, [0.3] * 100, n_draws=100)
    >>> round(found.value, 3), found.p_value < 0.05
    (0.2, True)
    """
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
    predicted, truth = sample.scores[0], sample.positive.astype(np.float64)
    bins = _bins(predicted, n_bins, binning)
    n_filled = int(bins.max()) + 1

    def weights(rows: slice) -> Floats:
        made = np.zeros((n_filled, len(bins[rows])))
        made[bins[rows], np.arange(made.shape[1])] = 1 / sample.n
        return made

    drawn = sums_if_calibrated(
        weights, truth, predicted, clusters=sample.clusters, n_clusters=sample.n_clusters,
        n_draws=n_draws, seed=seed,
    )  # fmt: skip
    found = Estimate(
        "ece",
        float(np.abs(group_sums(truth - predicted, bins)).sum() / sample.n),
        method=f"{n_filled} {binning} bins",
        seed=seed,
        extra={"n_rows": float(sample.n)},
        **sample.counted(sampling.unit),
    )
    return if_calibrated(found, np.abs(drawn).sum(axis=1), sampling.level)


def _bins(
    predicted: Floats, n_bins: int, binning: Binning
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    if n_bins < 1:
        raise DataError(f"n_bins: expected at least 1, found {n_bins}; use 10")
    inner = np.linspace(0, 1, n_bins + 1)[1:-1]
    edges = np.unique(np.quantile(predicted, inner)) if binning == "equal-count" else inner
    bins = np.searchsorted(edges, predicted, side="left")
    return np.unique(bins, return_inverse=True)[1]


@dataclass(frozen=True, slots=True)
class CalibrationMetrics:
    """What :func:`calibration_metrics` returns.

    Attributes
    ----------
    estimates : list of Estimate
    refused : dict of str to str
        Names of the metrics that these data do not allow, with the reason.
    """

    estimates: list[Estimate]
    refused: dict[str, str]


@spells_out(OutcomeDrawOptions)
def calibration_metrics(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    *,
    smoother: Smoother = "loess",
    **options: Unpack[OutcomeDrawOptions],
) -> CalibrationMetrics:
    """Return every calibration metric that the data allow.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Predicted probability of class 1.
    smoother : {"loess", "lowess"}
        Of the curve behind ICI, E50, E90 and Emax.

    Returns
    -------
    CalibrationMetrics
        ``calibration_in_the_large``, ``calibration_slope``, ``oe_ratio``, ``ece``, ``ici``,
        ``e50``, ``e90``, ``emax``, ``brier``, ``scaled_brier``.

    Examples
    --------
    >>> found = calibration_metrics([0, 1, 0, 1, 1, 0], [0.5] * 6, n_resamples=100)
    >>> [estimate.name for estimate in found.estimates]
    ['calibration_in_the_large', 'oe_ratio', 'ece', 'brier', 'scaled_brier']
    >>> list(found.refused)
    ['calibration_slope', 'ici']
    """
    sampling = Sampling(**options)
    sample = outcome, probabilities
    rows = sampling.of_outcome
    draws: dict[str, Any] = {**rows, "n_draws": sampling.n_resamples, "seed": sampling.seed}
    calls: dict[str, Callable[[], list[Estimate]]] = {
        "calibration_in_the_large": lambda: [calibration_in_the_large(*sample, **rows)],
        "calibration_slope": lambda: [calibration_slope(*sample, **rows)],
        "oe_ratio": lambda: [observed_to_expected(*sample, **rows)],
        "ece": lambda: [expected_calibration_error(*sample, **draws)],
        "ici": lambda: smooth_calibration_errors(*sample, smoother=smoother, **draws),
        "brier": lambda: _briers(*sample, sampling),
    }
    estimates: list[Estimate] = []
    refused: dict[str, str] = {}
    for name, call in calls.items():
        try:
            estimates += call()
        except DataError as error:
            refused[name] = str(error)
    return CalibrationMetrics(estimates, refused)


@spells_out(OutcomeOptions)
def calibration_in_the_large(
    outcome: ArrayLike, probabilities: ArrayLike, **options: Unpack[OutcomeOptions]
) -> Estimate:
    """Return by how much the log odds are too low on the whole; 0 is right.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    probabilities : array-like, shape (n,)
        Strictly between 0 and 1.

    Returns
    -------
    Estimate
        ``calibration_in_the_large``: the intercept of a logistic regression with the log odds as
        offset; `p_value` tests 0; `extra` holds ``se``, ``observed`` and ``expected`` rates.

    Raises
    ------
    DataError
        One class only, probabilities of exactly 0 or 1, fewer than five clusters.

    References
    ----------
    Cox DR. Biometrika 1958;45:562. Van Calster B et al. BMC Med 2019;17:230.

    Examples
    --------
    >>> found = calibration_in_the_large([0, 0, 1, 1], [0.2, 0.3, 0.2, 0.3])
    >>> found.value > 0
    True
    """
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
    name, matrix = "calibration_in_the_large", np.ones((sample.n, 1))
    estimate = _coefficient(sample, name, matrix, log_odds(sample), 0, sampling)
    return estimate.replace(
        extra={
            **estimate.extra,
            "observed": sample.n_positive / sample.n,
            "expected": float(sample.scores[0].mean()),
        }
    )


@spells_out(OutcomeOptions)
def calibration_slope(
    outcome: ArrayLike, probabilities: ArrayLike, **options: Unpack[OutcomeOptions]
) -> Estimate:
    """Return the slope of the true log odds on the predicted; below 1 they are too extreme.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    probabilities : array-like, shape (n,)
        Strictly between 0 and 1, not all equal.

    Returns
    -------
    Estimate
        ``calibration_slope``; `p_value` tests 1; `extra` holds ``se`` and ``intercept``.

    Raises
    ------
    DataError
        One class only, a constant predictor, probabilities of exactly 0 or 1, complete
        separation, fewer than five clusters.

    References
    ----------
    Cox DR. Biometrika 1958;45:562. Miller ME et al. Stat Med 1991;10:1213.

    Examples
    --------
    >>> found = calibration_slope([0, 0, 1, 0, 1, 1], [0.1, 0.4, 0.3, 0.6, 0.7, 0.9])
    >>> round(found.value, 2)
    1.02
    """
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
    require_variation(sample)
    require_overlap(sample)
    matrix = np.column_stack([np.ones(sample.n), log_odds(sample)])
    return _coefficient(sample, "calibration_slope", matrix, np.zeros(sample.n), 1, sampling)


@spells_out(OutcomeDrawOptions)
def brier(
    outcome: ArrayLike, probabilities: ArrayLike, **options: Unpack[OutcomeDrawOptions]
) -> Estimate:
    """Return the Brier score, the mean squared error of probabilities.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    probabilities : array-like, shape (n,)

    Returns
    -------
    Estimate

    References
    ----------
    Brier GW. Mon Weather Rev 1950;78:1.

    Examples
    --------
    >>> round(brier([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9], n_resamples=50).value, 3)
    0.085
    """
    return _briers(outcome, probabilities, Sampling(**options))[0]


@spells_out(OutcomeDrawOptions)
def scaled_brier(
    outcome: ArrayLike, probabilities: ArrayLike, **options: Unpack[OutcomeDrawOptions]
) -> Estimate:
    """Return 1 less the ratio of the Brier score to that of the prevalence.

    Parameters
    ----------
    outcome, probabilities
        As for :func:`brier`.

    Returns
    -------
    Estimate
        1 is perfect, 0 no better than the prevalence.

    References
    ----------
    Steyerberg EW et al. Epidemiology 2010;21:128.

    Examples
    --------
    >>> round(scaled_brier([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9], n_resamples=50).value, 2)
    0.66
    """
    return _briers(outcome, probabilities, Sampling(**options))[1]


def _briers(outcome: ArrayLike, probabilities: ArrayLike, sampling: Sampling) -> list[Estimate]:
    """Return the Brier score and its scaled form, of one bootstrap."""
    sample = sampling.probabilities(outcome, probabilities)
    truth = sample.positive.astype(np.float64)
    rows = np.column_stack([(sample.scores[0] - truth) ** 2, truth, np.ones(sample.n)])
    found = bootstrap_sums(
        rows, _brier, ("brier", "scaled_brier"), patient=sample.clusters, unit=sampling.unit,
        n_resamples=sampling.n_resamples, seed=sampling.seed, level=sampling.level,
    )  # fmt: skip
    return [estimate.replace(n_dropped=sample.n_dropped) for estimate in found]


def _brier(sums: Floats) -> Floats:
    squared, events, n = np.moveaxis(sums, -1, 0)
    by_prevalence = events * (n - events) / n
    return np.stack([squared / n, 1 - ratio(squared, by_prevalence)], axis=-1)


def log_odds(sample: ScoredSample) -> Floats:
    """Return the log odds of the predictions; refuse 0 and 1, where they are infinite."""
    predicted = sample.scores[0]
    certain = int(((predicted == 0) | (predicted == 1)).sum())
    if certain:
        raise DataError(
            f"probabilities: expected numbers strictly between 0 and 1, found {certain} of exactly "
            "0 or 1, whose log odds are infinite; say how they are to be clipped"
        )
    odds: Floats = logit(predicted)
    return odds


def _coefficient(
    sample: ScoredSample,
    name: str,
    matrix: Floats,
    offset: Floats,
    ideal: int,
    sampling: Sampling,
) -> Estimate:
    """Fit a logistic regression and return its last coefficient with a Wald interval."""
    truth = sample.positive.astype(np.float64)
    beta, _ = maximise(matrix, truth, offset)
    fitted = expit(matrix @ beta + offset)
    covariance = np.linalg.inv((matrix * (fitted * (1 - fitted))[:, None]).T @ matrix)
    method = "logistic recalibration, Wald"
    if sample.clusters is not None:
        # sandwich with m/(m-1): scores are summed over each cluster before they are squared
        scores = cluster_sums(matrix * (truth - fitted)[:, None], sample.clusters)
        m = sample.n_clusters
        covariance = m / (m - 1) * covariance @ (scores.T @ scores) @ covariance
        method += ", cluster-robust"
    value, se = float(beta[-1]), float(np.sqrt(covariance[-1, -1]))
    extra = {"se": se, "n_rows": float(sample.n)}
    if matrix.shape[1] > 1:
        extra["intercept"] = float(beta[0])
    return Estimate(
        name,
        value,
        *wald_limits(value, se, sampling.level),
        sampling.level,
        method,
        p_value=two_sided_p((value - ideal) / se),
        extra=extra,
        **sample.counted(sampling.unit),
    )


# Whether probabilities are wrong as a whole: unreliability U, quality Q, observed to expected.


@spells_out(LabelOptions)
def unreliability(
    outcome: ArrayLike, probabilities: ArrayLike, **options: Unpack[LabelOptions]
) -> list[Estimate]:
    """Return what recalibration would gain, and what the probabilities are worth as they are.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        Rows in which anything is missing are left out.
    probabilities : array-like, shape (n,)
        Strictly between 0 and 1, not all equal.

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
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
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
    own = sample.counted(sampling.unit)
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


@spells_out(OutcomeOptions)
def observed_to_expected(
    outcome: ArrayLike, probabilities: ArrayLike, **options: Unpack[OutcomeOptions]
) -> Estimate:
    """Return observed over expected events; 1 is right, above 1 the risks are too low.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    probabilities : array-like, shape (n,)

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
    sampling = Sampling(**options)
    sample = sampling.probabilities(outcome, probabilities)
    observed, expected = float(sample.n_positive), float(sample.scores[0].sum())
    if expected == 0:
        raise DataError("probabilities: expected some above 0, found 0 in every row")
    ratio = observed / expected
    if sample.clusters is None:
        se = math.sqrt((1 - observed / sample.n) / observed)
        method = "normal limits of the logarithm"
    else:
        each = group_sums(sample.positive - ratio * sample.scores[0], sample.clusters)
        m = sample.n_clusters
        se = math.sqrt(m / (m - 1) * float(each @ each)) / observed
        method = "normal limits of the logarithm, cluster totals"
    half = normal_quantile(sampling.level) * se
    return Estimate(
        "oe_ratio", ratio, ratio * math.exp(-half), ratio * math.exp(half), sampling.level, method,
        p_value=two_sided_p(math.log(ratio) / se),
        extra={"observed": observed, "expected": expected, "se_log": se},
        **sample.counted(sampling.unit),
    )  # fmt: skip
