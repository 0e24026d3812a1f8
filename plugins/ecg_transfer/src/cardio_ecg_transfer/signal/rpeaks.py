"""Multi-lead R-peak detection: Chebyshev band, Shannon energy, best sequence, fiducial point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ, band_pass, resample
from cardio_ecg_transfer.signal.rpeak_candidates import find_candidates, swing
from cardio_ecg_transfer.signal.rpeak_config import DEFAULT_CONFIG, RPeakConfig
from cardio_ecg_transfer.signal.rpeak_sequence import choose_beats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_REFINEMENT_BAND_HZ = (0.5, 40.0)


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
        Index of the lead in which the peaks were placed; the one with the tallest complexes.
    """

    samples: NDArray[np.int64]
    times_s: NDArray[np.float64]
    polarity: NDArray[np.int8]
    lead: int


def detect_r_peaks(
    signal_mv: ArrayLike, rate_hz: float, *, config: RPeakConfig = DEFAULT_CONFIG
) -> RPeaks:
    """Find the R peaks of a recording in all of its leads together.

    Parameters
    ----------
    signal_mv : array_like, shape (n_leads, n_samples) or (n_samples,)
        Potentials in millivolt; NaN where missing.
    rate_hz : float
        Sampling rate.
    config : RPeakConfig, optional
        One set of parameters serves all sources.

    Returns
    -------
    RPeaks

    Raises
    ------
    DataError
        If the rate is not positive or the signal has fewer than two samples.
    """
    resampled, valid = resample(np.atleast_2d(np.asarray(signal_mv, dtype=np.float64)), rate_hz)
    candidates = find_candidates(resampled, TARGET_RATE_HZ, config)
    if candidates.samples.size == 0:
        return _no_beats()
    time_s = candidates.samples / TARGET_RATE_HZ
    chosen = candidates.samples[choose_beats(time_s, candidates.strength, config)]
    chosen = chosen[valid.any(0)[chosen]]
    if chosen.size == 0:
        return _no_beats()
    filtered = band_pass(resampled, TARGET_RATE_HZ, _REFINEMENT_BAND_HZ)
    half = round(config.fiducial_s * TARGET_RATE_HZ)
    lead = int(np.argmax(np.median(swing(filtered, chosen, half), axis=1)))
    index = np.clip(chosen[:, None] + np.arange(-half, half + 1), 0, filtered.shape[-1] - 1)
    around = filtered[lead][index]
    place = np.abs(around).argmax(1)
    peaks, first = np.unique(index[np.arange(chosen.size), place], return_index=True)
    polarity = np.sign(around[np.arange(chosen.size), place])[first].astype(np.int8)
    samples = np.rint(peaks * (rate_hz / TARGET_RATE_HZ)).astype(np.int64)
    return RPeaks(samples, samples / rate_hz, polarity, lead)


def _no_beats() -> RPeaks:
    return RPeaks(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int8), 0)
