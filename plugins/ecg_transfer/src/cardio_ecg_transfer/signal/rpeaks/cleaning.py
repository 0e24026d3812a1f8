"""What no heart makes is taken out before beats are looked for: flat stretches, pacing spikes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter, minimum_filter1d

from cardio_ecg_transfer.signal.rpeaks.config import RPeakConfig


def without_flat(
    signal_mv: NDArray[np.float64], rate_hz: float, config: RPeakConfig
) -> NDArray[np.float64]:
    """Mark stretches of exactly equal samples as missing: the amplifier was off or saturated.

    Their borders are steps, which would look like a QRS complex.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        NaN where missing.
    rate_hz : float
        Sampling rate.
    config : RPeakConfig
        Its ``flat_s`` says from which duration on.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
        A copy with NaN in flat stretches, or the given array if there are none.
    """
    n_least = max(2, round(config.flat_s * rate_hz))
    cleaned = signal_mv
    for i, lead in enumerate(signal_mv):
        starts = np.append(0, np.flatnonzero(lead[1:] != lead[:-1]) + 1)
        lengths = np.diff(np.append(starts, lead.size))
        for k in np.flatnonzero(lengths >= n_least):
            if cleaned is signal_mv:
                cleaned = signal_mv.copy()
            cleaned[i, starts[k] : starts[k] + lengths[k]] = np.nan
    return cleaned


def without_spikes(
    signal_mv: NDArray[np.float64], rate_hz: float, config: RPeakConfig
) -> NDArray[np.float64]:
    """Replace pacing spikes that overtop their surroundings by the running median.

    A spike lasts 2 ms or less and exceeds the running median by its whole height, a QRS complex
    only by the tip of its R wave.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without NaN.
    rate_hz : float
        Sampling rate. Below ``spike_rate_hz`` nothing is done: the anti-alias filter has made a
        spike as wide as the tip of an R wave.
    config : RPeakConfig
        ``spike_s`` is the length of the median; a spike is higher than all that remains within
        ``spike_around_s``.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
    """
    if rate_hz < config.spike_rate_hz:
        return signal_mv
    n_window = 2 * int(0.5 * config.spike_s * rate_hz) + 1
    smooth = median_filter(signal_mv, (1, n_window), mode="nearest")
    n_around = 2 * round(config.spike_around_s * rate_hz) + 1
    remaining = maximum_filter1d(smooth, n_around) - minimum_filter1d(smooth, n_around)
    return np.where(np.abs(signal_mv - smooth) > remaining, smooth, signal_mv)
