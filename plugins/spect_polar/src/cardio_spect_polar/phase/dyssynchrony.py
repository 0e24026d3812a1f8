"""Indices of dyssynchrony: how far the phases of the wall are spread."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError
from cardio_spect_polar.phase.cycle import (
    SMOOTHING_DEG,
    cut_deg,
    phase_histogram,
    smooth_circle,
    unwrapped,
)
from cardio_spect_polar.polar.maps import signed_deg, wrapped_deg

ALIKE_DEG = 5.0
"""Spread below which samples no longer gain weight by being known better: a few of them, with
hardly any noise, would decide alone."""

_N_ROUNDS = 200
_CLOSE_DEG2 = 1e-6


@dataclass(frozen=True)
class WithoutNoise:
    """Phases as they would be without noise, as far as their spread goes.

    Attributes
    ----------
    sd_deg : float
        Their standard deviation.
    shift_deg : ndarray, shape (n,)
        Distance of each from their mean: as measured, drawn in by as much as its noise asks.
    """

    sd_deg: float
    shift_deg: NDArray[np.float64]


def without_noise(
    phase_deg: NDArray[np.float64],
    sigma_deg: NDArray[np.float64],
    weights: NDArray[np.float64],
    doubt_deg: NDArray[np.float64] | float = 0.0,
) -> WithoutNoise:
    """Take the noise off a set of phases.

    Parameters
    ----------
    phase_deg : ndarray, shape (n,)
        At least two.
    sigma_deg : ndarray, shape (n,)
        Standard error of each.
    weights : ndarray, shape (n,)
        What each counts, not negative.
    doubt_deg : ndarray, shape (n,), or float
        Errors that are no noise. They take weight off a phase and are not subtracted.

    Notes
    -----
    Each phase is taken for a true one, of variance t^2 among samples, plus an error of known
    variance s^2. t^2 solves t^2 = sum w (d^2 - s^2) / sum w with w = weight / (t^2 + s^2 + u^2),
    where u is the doubt and d the distance from the mean so weighted (Paule and Mandel, J Res Natl
    Bur Stand 1982;87:377). With equal errors that is PSD^2 - s^2. With unequal ones samples that
    noise drowns, as those of a scar, count little: subtracting their mean s^2, thousands of square
    degrees, from a PSD^2 that they dominate leaves the difference of two large numbers. Phases
    are then drawn in by t / sqrt(t^2 + s^2), which gives them the variance t^2 (constrained
    empirical Bayes; Louis, J Am Stat Assoc 1984;79:393).

    Examples
    --------
    >>> found = without_noise(np.array([125.0, 135.0]), np.array([4.0, 4.0]), np.ones(2))
    >>> round(found.sd_deg, 3), found.shift_deg.round(3).tolist()
    (5.831, [-4.123, 4.123])
    """
    noise = sigma_deg**2
    unsure = noise + np.square(doubt_deg)
    variance = 0.0
    shift = np.zeros(phase_deg.shape)
    known = weights / (unsure + 4 * ALIKE_DEG**2)
    for _ in range(_N_ROUNDS):
        total = known.sum()
        mean = np.degrees(np.angle(known @ np.exp(1j * np.radians(phase_deg))))
        shift = signed_deg(phase_deg - mean)
        shift = shift - (known @ shift) / total
        freedom = 1 - (known @ known) / total**2
        before = variance
        variance = max(0.0, float(known @ (shift**2 / freedom - noise)) / total)
        if abs(variance - before) < _CLOSE_DEG2:
            break
        known = weights / (unsure + max(variance, ALIKE_DEG**2))
    drawn_in = np.sqrt(variance / np.maximum(variance + noise, 1e-300))
    return WithoutNoise(float(np.sqrt(variance)), shift * drawn_in)


SHARE = 0.95
"""Share of the samples that the bandwidth holds."""


@dataclass(frozen=True)
class PhaseIndices:
    """Spread and shape of one study's phases. Degrees are of a cycle of 360.

    Attributes
    ----------
    psd_deg : float
        Phase standard deviation, of unwrapped phases (ddof = 1).
    pbw_deg : float
        Phase bandwidth: the smallest arc that holds 95 % of the samples.
    pbw_central_deg : float
        From the 2.5th to the 97.5th percentile of unwrapped phases.
    entropy, entropy_60 : float
        Of the histogram of 360 and of 60 bins, 0 (one bin) to 1 (all bins alike).
    circular_sd_deg : float
        sqrt(-2 ln R) of the mean resultant length R.
    mean_deg : float
        Circular mean, [0, 360).
    peak_deg : float
        Where the histogram, smoothed over 5 degrees, is highest, [0, 360).
    skewness, kurtosis : float
        Third and fourth standardised moments of unwrapped phases; kurtosis is in excess of a
        normal distribution's 3. NaN where all phases are one.
    skewness_of_bins, kurtosis_of_bins : float
        The same moments of the 360 heights of the histogram, as published normal limits are.
    psd_corrected_deg, pbw_corrected_deg : float
        PSD and PBW without what noise adds (`without_noise`), at most those measured; NaN where
        no uncertainty was given.
    phase_noise_deg : float
        What noise adds to one phase: root mean square of the standard errors; NaN likewise.
    n : int
        Samples.
    """

    psd_deg: float
    pbw_deg: float
    pbw_central_deg: float
    entropy: float
    entropy_60: float
    circular_sd_deg: float
    mean_deg: float
    peak_deg: float
    skewness: float
    kurtosis: float
    skewness_of_bins: float
    kurtosis_of_bins: float
    psd_corrected_deg: float
    pbw_corrected_deg: float
    phase_noise_deg: float
    n: int


INDEX_UNITS = {
    "psd_deg": "deg", "pbw_deg": "deg", "pbw_central_deg": "deg", "entropy": "1",
    "entropy_60": "1", "circular_sd_deg": "deg", "mean_deg": "deg", "peak_deg": "deg",
    "skewness": "1", "kurtosis": "1", "skewness_of_bins": "1", "kurtosis_of_bins": "1",
    "psd_corrected_deg": "deg", "pbw_corrected_deg": "deg",
    "phase_noise_deg": "deg", "n": "samples",
}  # fmt: skip
"""Unit of each index."""


def phase_indices(
    phase_deg: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    sigma_deg: ArrayLike | None = None,
    doubt_deg: ArrayLike = 0.0,
    name: str = "phases",
) -> PhaseIndices:
    """Return the indices of a set of phases.

    Parameters
    ----------
    phase_deg : array-like
        Degrees; NaN is left out.
    weights : array-like, optional
        Of the same shape, not negative: wall area, or pixels of the polar map. Samples count
        alike by default. Only their ratios matter.
    sigma_deg : array-like, optional
        Standard error of each phase, of the same shape, for what is corrected; NaN is left out.
    doubt_deg : array-like
        Other errors of each phase, which take weight off it there (`PhaseUncertainty`).
    name : str
        What the message calls the phases.

    Raises
    ------
    DataError
        Fewer than two phases, or weights that are negative or all zero.

    Notes
    -----
    The circle is cut where it is emptiest (`cut_deg`), so that phases on both sides of 0 are
    neighbours. With weights w the variance is sum w d^2 / (sum w - sum w^2 / sum w), which is
    that with ddof = 1 where weights are equal. PSD and bandwidth: Chen et al., J Nucl Cardiol
    2005;12:687. Moments of bin heights: of a Laplace-shaped histogram they are about 4.2 and 19,
    as published for normal hearts; moments of its samples are 0 and 3.

    Examples
    --------
    >>> found = phase_indices([350.0, 355.0, 0.0, 5.0, 10.0])
    >>> round(found.psd_deg, 3), found.pbw_deg, round(found.mean_deg, 6)
    (7.906, 20.0, 0.0)
    """
    phase, weight = _known(phase_deg, weights, name)
    line = unwrapped(phase, cut_deg(phase))
    total = float(weight.sum())
    centre = float(weight @ line) / total
    moment = {k: float(weight @ (line - centre) ** k) / total for k in (2, 3, 4)}
    psd = math.sqrt(moment[2] / (1 - float(weight @ weight) / total**2))

    resultant = complex(weight @ np.exp(1j * np.radians(phase))) / total
    mean = float(wrapped_deg(np.round(np.degrees(np.angle(resultant)), 9)))
    length = min(1.0, abs(resultant))
    heights = phase_histogram(phase, weights=weight)
    bandwidth = smallest_arc(phase, weights=None if weights is None else weight)[1]
    quiet_psd, quiet_pbw, noise = _without_noise(phase_deg, weights, sigma_deg, doubt_deg)
    skewness, kurtosis = _shape(moment[2], moment[3], moment[4])
    bins = [float(np.mean((heights - heights.mean()) ** k)) for k in (2, 3, 4)]
    skewness_of_bins, kurtosis_of_bins = _shape(*bins)
    return PhaseIndices(
        psd_deg=psd,
        pbw_deg=bandwidth,
        pbw_central_deg=_central_deg(line, None if weights is None else weight),
        entropy=entropy_of(heights),
        entropy_60=entropy_of(heights.reshape(60, 6).sum(axis=1)),
        circular_sd_deg=math.degrees(math.sqrt(-2 * math.log(length))) if length else math.inf,
        mean_deg=mean,
        peak_deg=_peak_deg(heights, mean),
        skewness=skewness,
        kurtosis=kurtosis,
        skewness_of_bins=skewness_of_bins,
        kurtosis_of_bins=kurtosis_of_bins,
        psd_corrected_deg=min(quiet_psd, psd),
        pbw_corrected_deg=min(quiet_pbw, bandwidth),
        phase_noise_deg=noise,
        n=len(phase),
    )


def smallest_arc(
    phase_deg: ArrayLike, share: float = SHARE, *, weights: ArrayLike | None = None
) -> tuple[float, float]:
    """Return the smallest arc of the circle that holds a share of the samples.

    Parameters
    ----------
    phase_deg : array-like
        Degrees; NaN is left out.
    share : float
        Without weights the arc holds ceil(share * n) samples; with them, that share of weight.
    weights : array-like, optional
        Of the same shape.

    Returns
    -------
    begin_deg : float
        Where the arc begins, [0, 360).
    length_deg : float

    Raises
    ------
    DataError
        As for `phase_indices`.

    Examples
    --------
    >>> smallest_arc([350.0, 0.0, 10.0, 180.0], 0.75)
    (350.0, 20.0)
    """
    phase, weight = _known(phase_deg, weights, "smallest arc")
    order = np.argsort(phase, kind="stable")
    phase, n = phase[order], phase.size
    twice = np.concatenate([phase, phase + 360.0])
    if weights is None:
        # 0.95 * 180 must not become 172 because of its last bit.
        held = max(1, math.ceil(round(share * n, 9)))
        last = np.arange(n) + held - 1
    else:
        weight = weight[order]
        sums = np.cumsum(np.concatenate([weight, weight]))
        wanted = sums[:n] - weight + share * sums[n - 1]
        last = np.searchsorted(sums, wanted * (1 - 1e-12)).clip(np.arange(n), np.arange(n) + n - 1)
    length = twice[last] - phase
    best = int(np.argmin(length))
    return float(phase[best]), float(length[best])


def entropy_of(heights: ArrayLike) -> float:
    """Return the entropy of a histogram as a share of the largest possible, 0 to 1.

    Parameters
    ----------
    heights : array-like, shape (n_bins,)
        Not negative; their sum is positive.

    Notes
    -----
    -sum p ln p / ln n_bins, O'Connell et al., Nucl Med Commun 2010;31:222.

    Examples
    --------
    >>> entropy_of([5, 0, 0, 0]), entropy_of([1, 1, 1, 1])
    (0.0, 1.0)
    """
    counts = np.asarray(heights, np.float64)
    p = counts[counts > 0] / counts.sum()
    return max(0.0, float(-(p @ np.log(p)) / math.log(counts.size)))


def _known(
    phase_deg: ArrayLike, weights: ArrayLike | None, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    phase = np.ravel(np.asarray(phase_deg, np.float64))
    weight = np.ones(phase.shape) if weights is None else np.ravel(np.asarray(weights, np.float64))
    if weight.shape != phase.shape:
        raise DataError(
            f"{name}: expected one weight for each of {phase.size} phases, found {weight.size}"
        )
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise DataError(f"{name}: expected finite weights that are not negative")
    known = np.isfinite(phase) & (weight > 0)
    if known.sum() < 2:
        raise DataError(
            f"{name}: expected at least 2 phases, found {int(known.sum())}; is the wall empty or "
            "its curves flat?"
        )
    return wrapped_deg(phase[known]), weight[known]


def _shape(second: float, third: float, fourth: float) -> tuple[float, float]:
    """Return skewness and excess kurtosis of central moments."""
    if second <= 1e-18:
        return math.nan, math.nan
    return third / second**1.5, fourth / second**2 - 3


def _central_deg(line: NDArray[np.float64], weight: NDArray[np.float64] | None) -> float:
    tail = (1 - SHARE) / 2
    if weight is None:
        low, high = np.quantile(line, [tail, 1 - tail])
    else:
        order = np.argsort(line)
        middles = np.cumsum(weight[order]) - weight[order] / 2
        # From the first sample to the last, as numpy's quantiles where weights are equal.
        rank = (middles - middles[0]) / (middles[-1] - middles[0])
        low, high = np.interp([tail, 1 - tail], rank, line[order])
    return float(high - low)


def _peak_deg(heights: NDArray[np.float64], mean: float) -> float:
    smooth = smooth_circle(heights, SMOOTHING_DEG)
    tops = np.flatnonzero(smooth >= smooth.max() * (1 - 1e-12)) + 0.5
    return float(tops[np.argmin(np.abs(signed_deg(tops - mean)))])


def _without_noise(
    phase_deg: ArrayLike,
    weights: ArrayLike | None,
    sigma_deg: ArrayLike | None,
    doubt_deg: ArrayLike,
) -> tuple[float, float, float]:
    """Return phase SD and bandwidth without noise, and the noise; NaN where it is not known."""
    if sigma_deg is None:
        return math.nan, math.nan, math.nan
    sigma, phase = np.ravel(np.asarray(sigma_deg, float)), np.ravel(np.asarray(phase_deg, float))
    weight = np.ones(phase.shape) if weights is None else np.ravel(np.asarray(weights, float))
    doubt = np.broadcast_to(np.ravel(np.asarray(doubt_deg, float)), phase.shape)
    known = np.isfinite(sigma) & np.isfinite(phase) & (weight > 0)
    if known.sum() < 2:
        return math.nan, math.nan, math.nan
    found = without_noise(phase[known], sigma[known], weight[known], doubt[known])
    arc = smallest_arc(found.shift_deg, weights=None if weights is None else weight[known])
    noise = math.sqrt(float(np.average(sigma[known] ** 2, weights=weight[known])))
    return found.sd_deg, arc[1], noise
