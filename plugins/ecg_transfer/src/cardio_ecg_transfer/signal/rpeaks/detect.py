"""Multi-lead R-peak detection: Chebyshev band, Shannon energy, best sequence, fiducial point.

One set of parameters, chosen on DS1 of MIT-BIH, serves every source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_ecg_transfer.signal.filters import (
    TARGET_RATE_HZ,
    band_pass,
    fill_gaps,
    require_rate,
    resample,
)
from cardio_ecg_transfer.signal.rpeaks.candidates import (
    HALF_COMPLEX_S,
    TALL_S,
    above_mean,
    around,
    find_candidates,
    swing,
)
from cardio_ecg_transfer.signal.rpeaks.cleaning import without_flat, without_spikes
from cardio_ecg_transfer.signal.rpeaks.sequence import choose_beats

_ECG_BAND_HZ = (0.5, 40.0)
_FIDUCIAL_S = 0.08  # the R peak is the largest deflection within this time of the candidate ...
_FIDUCIAL_SHIFT_S = 0.014  # ... moved by at most this to the extremum of the unsharpened signal


@dataclass(frozen=True)
class RPeaks:
    """The beats of one recording.

    Attributes
    ----------
    samples : ndarray of int64, shape (n_beats,)
        R peaks as sample numbers at the recording's own rate, ascending.
    times_s : ndarray of float64, shape (n_beats,)
        The same in seconds from the start of the recording.
    polarity : ndarray of int8, shape (n_beats,)
        1 where the R peak points up in the refinement lead, -1 where it points down.
    lead : int
        Index of the lead in which the peaks were placed: the one with the tallest complexes.
    """

    samples: NDArray[np.int64]
    times_s: NDArray[np.float64]
    polarity: NDArray[np.int8]
    lead: int


def detect_r_peaks(signal_mv: ArrayLike, rate_hz: float) -> RPeaks:
    """Find the R peaks of a recording in all of its leads together.

    Parameters
    ----------
    signal_mv : array_like, shape (n_leads, n_samples) or (n_samples,)
        Potentials in millivolt; NaN where missing. A lead that shows no beats has no say.
    rate_hz : float
        Sampling rate; more than 80 Hz.

    Returns
    -------
    RPeaks
        Empty where no lead shows a beat. The largest deflection of a complex counts as its R
        peak, up or down, so that an inverted lead gives the same times.

    Raises
    ------
    DataError
        If the rate is not positive or the signal has fewer than two samples.

    References
    ----------
    Manikandan and Soman 2012, Biomedical Signal Processing and Control 7:118 (Chebyshev band and
    Shannon energy). Pan and Tompkins 1985, IEEE Trans Biomed Eng 32:230 (signal and noise levels,
    search-back, T waves told by their slope).

    Examples
    --------
    >>> time_s = np.arange(0, 10, 1 / 500)
    >>> ecg_mv = sum(np.exp(-0.5 * ((time_s - r_s) / 0.012) ** 2) for r_s in np.arange(0.5, 10))
    >>> detect_r_peaks(ecg_mv, 500).times_s.round(2).tolist()
    [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]
    """
    given_mv = np.atleast_2d(np.asarray(signal_mv, dtype=np.float64))
    require_rate(rate_hz)
    bridged_mv, present = fill_gaps(without_flat(given_mv, rate_hz))
    clean_mv = without_spikes(bridged_mv, rate_hz)
    if not present.all():
        clean_mv = np.where(present, clean_mv, np.nan)
    resampled_mv, valid = resample(clean_mv, rate_hz)
    filtered_mv = band_pass(resampled_mv, TARGET_RATE_HZ, _ECG_BAND_HZ)
    complexes_mv = above_mean(filtered_mv, TARGET_RATE_HZ, TALL_S)
    candidates = find_candidates(filtered_mv, complexes_mv, TARGET_RATE_HZ)
    beats = candidates.only(choose_beats(candidates))
    near = np.rint(beats.time_s * TARGET_RATE_HZ).astype(np.int64)
    near = near[valid[:, near].any(axis=0)]
    if near.size == 0:
        return RPeaks(near, np.zeros(0), np.zeros(0, np.int8), 0)
    half = round(HALF_COMPLEX_S * TARGET_RATE_HZ)
    lead = int(np.argmax(np.median(swing(filtered_mv, near, half), axis=1)))
    peaks, polarity = _place(filtered_mv[lead], complexes_mv[lead], near)
    samples = np.rint(peaks * (rate_hz / TARGET_RATE_HZ)).astype(np.int64)
    samples = np.minimum(samples, given_mv.shape[-1] - 1)
    return RPeaks(samples, samples / rate_hz, polarity, lead)


def _place(
    signal_mv: NDArray[np.float64], complexes_mv: NDArray[np.float64], near: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Move each beat to its R peak; say whether that points up or down.

    The first look is above the running mean, so that the upstroke of a paced or ectopic complex
    wins over the slower wave that follows it.
    """
    half = round(_FIDUCIAL_S * TARGET_RATE_HZ)
    complexes = around(complexes_mv, near, half)
    largest = np.abs(complexes).argmax(axis=1)
    sign = np.sign(np.take_along_axis(complexes, largest[:, np.newaxis], axis=1))
    rough = near + largest - half
    half = round(_FIDUCIAL_SHIFT_S * TARGET_RATE_HZ)
    fine = rough + (around(signal_mv, rough, half) * sign).argmax(axis=1) - half
    peaks, first = np.unique(np.clip(fine, 0, signal_mv.size - 1), return_index=True)
    return peaks, sign[first, 0].astype(np.int8)
