"""A recording at the rate at which everything is measured: one way for all who measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import (
    BASELINE_CUTOFF_HZ,
    TARGET_RATE_HZ,
    high_pass,
    notch,
    resample,
)
from cardio_ecg_transfer.signal.rpeaks.detect import RPeaks


def at_working_rate(
    ecg: Ecg,
    peaks: RPeaks,
    *,
    high_pass_hz: float | None = BASELINE_CUTOFF_HZ,
    notch_hz: float | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Bring a recording and its R peaks to 360 Hz, and filter it.

    Parameters
    ----------
    ecg : Ecg
        As it was read, or the working copy of `recording_checks.check_recording`.
    peaks : RPeaks
        Found in it at its own rate.
    high_pass_hz, notch_hz : float, optional
        Cut-off against baseline wander, and the mains' frequency; None leaves the filter out.

    Returns
    -------
    signal_mv : ndarray of float32, shape (n_leads, n_samples)
        NaN where the recording has no value.
    r_samples : ndarray of int64, shape (n_peaks,)
        R peaks as samples of `signal_mv`.

    Examples
    --------
    >>> from cardio_ecg_transfer.signal.rpeaks.detect import detect_r_peaks
    >>> from cardio_ecg_transfer.synthetic.patient import PatientSpec
    >>> from cardio_ecg_transfer.synthetic.simulation import simulate
    >>> ecg, truth = simulate(PatientSpec(heart_rate_bpm=60), 10.0, 500.0, seed=1)
    >>> signal_mv, r_samples = at_working_rate(ecg, detect_r_peaks(ecg.signal_mv, 500.0))
    >>> signal_mv.shape, bool(abs(r_samples / 360 - truth.r_s).max() < 0.02)
    ((12, 3600), True)
    """
    resampled, valid = resample(ecg.signal_mv, ecg.rate_hz)
    if high_pass_hz is not None:
        resampled = high_pass(resampled, TARGET_RATE_HZ, high_pass_hz)
    if notch_hz is not None:
        resampled = notch(resampled, TARGET_RATE_HZ, notch_hz)
    signal_mv = np.where(valid, resampled, np.nan).astype(np.float32)
    r_samples = np.unique(np.rint(peaks.times_s * TARGET_RATE_HZ).astype(np.int64))
    return signal_mv, r_samples[r_samples < signal_mv.shape[1]]
