"""Resampling and zero-phase filters that every later step shares."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal as sps

from cardio_core.api import DataError

TARGET_RATE_HZ = 360.0
BASELINE_CUTOFF_HZ = 0.5
MAINS_QUALITY = 30.0
QRS_BAND_HZ = (6.0, 18.0)
QRS_RIPPLE_DB = 0.5

# Mirrored samples on both sides, so that the slowest filter has settled at the first real one.
_PADDING_S = 3.0
_LARGEST_RATIO_TERM = 2000


def fill_gaps(signal_mv: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Bridge missing samples by straight lines, so that a filter can run over them.

    Parameters
    ----------
    signal_mv : array_like, shape (..., n_samples)
        Potentials in millivolt; NaN and infinities are missing.

    Returns
    -------
    filled : ndarray of float64, shape (..., n_samples)
        Gaps interpolated linearly, ends continued with the nearest sample, 0 if none is valid.
    valid : ndarray of bool, shape (..., n_samples)
        False where a sample was missing.

    Examples
    --------
    >>> filled, valid = fill_gaps([1.0, float("nan"), 3.0])
    >>> filled.tolist(), valid.tolist()
    ([1.0, 2.0, 3.0], [True, False, True])
    """
    filled = np.array(signal_mv, dtype=np.float64)
    valid = np.isfinite(filled)
    if valid.all():
        return filled, valid
    index = np.arange(filled.shape[-1])
    rows, present = filled.reshape(-1, index.size), valid.reshape(-1, index.size)
    for row, known in zip(rows, present, strict=True):
        row[~known] = np.interp(index[~known], index[known], row[known]) if known.any() else 0.0
    return filled, valid


def resample(
    signal_mv: ArrayLike, rate_hz: float, target_rate_hz: float = TARGET_RATE_HZ
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Bring a signal to another sampling rate with a polyphase anti-alias filter.

    Parameters
    ----------
    signal_mv : array_like, shape (..., n_samples)
        Potentials in millivolt; NaN where missing.
    rate_hz, target_rate_hz : float
        Present and wanted sampling rate; their ratio is taken as a fraction of integers up to 2000.

    Returns
    -------
    resampled : ndarray of float64, shape (..., n_resampled)
        Sample ``k`` lies at ``k / target_rate_hz`` seconds. Gaps are bridged, never NaN.
    valid : ndarray of bool, shape (..., n_resampled)
        False within and at the border of a gap.

    Raises
    ------
    DataError
        If a rate is not a positive number or the signal has fewer than two samples.

    Examples
    --------
    >>> resampled, valid = resample([[0.0] * 1000], rate_hz=1000)
    >>> resampled.shape, bool(valid.all())
    ((1, 360), True)
    """
    for rate in (rate_hz, target_rate_hz):
        require_rate(rate)
    filled, valid = fill_gaps(signal_mv)
    if filled.ndim == 0 or filled.shape[-1] < 2:
        raise DataError(
            f"resample: expected two samples or more on the last axis, found shape {filled.shape}"
        )
    ratio = Fraction(target_rate_hz / rate_hz).limit_denominator(_LARGEST_RATIO_TERM)
    if ratio == 1:
        return filled, valid
    # Zeros beyond the ends would ring, lines do not; the phases' gains differ by 1e-4 at 0 Hz.
    offset_mv = np.median(filled, axis=-1, keepdims=True)
    resampled = offset_mv + sps.resample_poly(
        filled - offset_mv, ratio.numerator, ratio.denominator, axis=-1, padtype="line"
    )
    if valid.all():
        return resampled, np.ones(resampled.shape, dtype=np.bool_)
    position = np.arange(resampled.shape[-1]) / float(ratio)
    before = np.minimum(np.floor(position).astype(np.int64), filled.shape[-1] - 1)
    after = np.minimum(np.ceil(position).astype(np.int64), filled.shape[-1] - 1)
    return resampled, valid[..., before] & valid[..., after]


def require_rate(rate_hz: float) -> None:
    """Raise a DataError unless the sampling rate is a positive number."""
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise DataError(f"expected a positive sampling rate in Hz, found {rate_hz}; see the header")


def high_pass(
    signal_mv: ArrayLike, rate_hz: float, cutoff_hz: float = BASELINE_CUTOFF_HZ
) -> NDArray[np.float64]:
    """Remove baseline wander: Butterworth of order 2, run forwards and backwards.

    Parameters
    ----------
    signal_mv : array_like, shape (..., n_samples)
        Without NaN (see `fill_gaps`).
    rate_hz : float
        Sampling rate.
    cutoff_hz : float, optional
        0.5 Hz by default; 0.05 Hz keeps the ST segment.

    Returns
    -------
    ndarray of float64, shape (..., n_samples)

    Notes
    -----
    Running twice squares the gain: the cutoff is the -6 dB point.

    Examples
    --------
    >>> offset_mv = high_pass([5.0] * 3600, rate_hz=360)
    >>> bool(abs(offset_mv).max() < 1e-6)
    True
    """
    return zero_phase(sections("butter", 2, cutoff_hz, "highpass", rate_hz), signal_mv, rate_hz)


def band_pass(
    signal_mv: ArrayLike, rate_hz: float, band_hz: tuple[float, float]
) -> NDArray[np.float64]:
    """Keep a band: Butterworth of order 2 at either edge, run forwards and backwards.

    Parameters
    ----------
    signal_mv : array_like, shape (..., n_samples)
        Without NaN.
    rate_hz : float
        Sampling rate; more than twice the upper edge.
    band_hz : tuple of float
        Lower and upper edge, each the -6 dB point.

    Returns
    -------
    ndarray of float64, shape (..., n_samples)
    """
    return zero_phase(sections("butter", 2, band_hz, "bandpass", rate_hz), signal_mv, rate_hz)


def notch(signal_mv: ArrayLike, rate_hz: float, mains_hz: float) -> NDArray[np.float64]:
    """Remove the mains frequency with a second-order notch of quality 30, zero phase.

    Parameters
    ----------
    signal_mv : array_like, shape (..., n_samples)
        Without NaN.
    rate_hz : float
        Sampling rate; more than twice the mains frequency.
    mains_hz : float
        50 or 60 in practice.

    Returns
    -------
    ndarray of float64, shape (..., n_samples)
    """
    _check_band(mains_hz, rate_hz)
    numerator, denominator = sps.iirnotch(mains_hz, MAINS_QUALITY, fs=rate_hz)
    return zero_phase(np.hstack([numerator, denominator])[np.newaxis], signal_mv, rate_hz)


def qrs_band(signal_mv: ArrayLike, rate_hz: float) -> NDArray[np.float64]:
    """Chebyshev type I band-pass from 6 to 18 Hz with 0.5 dB ripple, zero phase.

    Parameters
    ----------
    signal_mv : array_like, shape (..., n_samples)
        Without NaN.
    rate_hz : float
        Sampling rate; more than 36 Hz.

    Returns
    -------
    ndarray of float64, shape (..., n_samples)

    References
    ----------
    Manikandan and Soman 2012, "A novel method for detecting R-peaks in electrocardiogram (ECG)
    signal", Biomedical Signal Processing and Control 7:118.
    """
    # A prototype of order 2 gives the fourth-order band-pass of the text.
    return zero_phase(sections("cheby1", 2, QRS_BAND_HZ, "bandpass", rate_hz), signal_mv, rate_hz)


@cache
def sections(
    family: str, order: int, edges_hz: float | tuple[float, float], kind: str, rate_hz: float
) -> NDArray[np.float64]:
    """Second-order sections of a named filter; designed once for each rate."""
    _check_band(max(edges_hz) if isinstance(edges_hz, tuple) else edges_hz, rate_hz)
    shape: dict[str, Any] = {"btype": kind, "fs": rate_hz, "output": "sos"}
    if family == "cheby1":
        return np.asarray(sps.cheby1(order, QRS_RIPPLE_DB, edges_hz, **shape))
    return np.asarray(sps.butter(order, edges_hz, **shape))


def zero_phase(
    sos: NDArray[np.float64], signal_mv: ArrayLike, rate_hz: float
) -> NDArray[np.float64]:
    """Run second-order sections forwards and backwards over the last axis."""
    samples = np.asarray(signal_mv, dtype=np.float64)
    n_padding = min(samples.shape[-1] - 1, round(_PADDING_S * rate_hz))
    return np.asarray(sps.sosfiltfilt(sos, samples, axis=-1, padlen=n_padding))


def _check_band(highest_hz: float, rate_hz: float) -> None:
    if not 0 < highest_hz < rate_hz / 2:
        raise DataError(
            f"filter: expected an edge between 0 and half the sampling rate ({rate_hz / 2:g} Hz), "
            f"found {highest_hz:g} Hz; resample first"
        )
