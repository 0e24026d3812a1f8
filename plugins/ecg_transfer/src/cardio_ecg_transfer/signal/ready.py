"""A recording made ready for its segments: resampled, filtered, its beats found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.filters import TARGET_RATE_HZ, high_pass, notch, resample
from cardio_ecg_transfer.signal.leads.electrodes import electrode_flags
from cardio_ecg_transfer.signal.quality import assess_quality
from cardio_ecg_transfer.signal.rpeaks.detect import detect_r_peaks


@dataclass(frozen=True)
class Ready:
    """A recording at the working rate, with its beats found.

    Attributes
    ----------
    signal_mv : ndarray of float32, shape (n_chosen_leads, n_samples)
        At 360 Hz, filtered as configured; NaN where the recording has no value.
    peaks : ndarray of int64, shape (n_peaks,)
        R peaks as samples at 360 Hz.
    flags : tuple of str
        Of the file, the leads' quality, and the electrodes.
    """

    signal_mv: NDArray[np.float32]
    peaks: NDArray[np.int64]
    flags: tuple[str, ...]


def make_ready(
    ecg: Ecg, chosen: list[int], *, high_pass_hz: float | None, notch_hz: float | None
) -> Ready:
    """Resample and filter the chosen leads of a recording, and find its beats in all leads.

    Parameters
    ----------
    ecg : Ecg
        Whole: R peaks are found in all its leads.
    chosen : list of int
        Positions of the leads that become pictures.
    high_pass_hz : float or None
        None leaves the baseline.
    notch_hz : float or None
        50 or 60; None is off.

    Raises
    ------
    DataError
        If fewer than three beats are found, or a chosen lead is flat.
    """
    resampled, valid = resample(ecg.signal_mv, ecg.rate_hz)
    peaks = detect_r_peaks(ecg.signal_mv, ecg.rate_hz)
    if peaks.samples.size < 3:
        raise DataError(
            f"expected beats, found {peaks.samples.size} in {ecg.duration_s:.0f} s; "
            "check that the recording is an ECG in mV"
        )
    quality = assess_quality(ecg)
    flat = [quality[i].lead for i in chosen if quality[i].is_flat]
    if flat:
        raise DataError(
            f"expected a signal in every lead that becomes a picture, found {flat[0]} flat; "
            "check the electrode, or leave the recording out"
        )
    flags = (
        *ecg.flags,
        *(flag for lead in quality for flag in lead.flags()),
        *electrode_flags(ecg, peaks.samples),
    )
    if high_pass_hz is not None:
        resampled = high_pass(resampled, TARGET_RATE_HZ, high_pass_hz)
    if notch_hz is not None:
        resampled = notch(resampled, TARGET_RATE_HZ, notch_hz)
    signal = np.where(valid, resampled, np.nan).astype(np.float32)
    at_360 = np.unique(np.rint(peaks.times_s * TARGET_RATE_HZ).astype(np.int64))
    return Ready(signal[chosen], at_360[at_360 < signal.shape[1]], flags)
