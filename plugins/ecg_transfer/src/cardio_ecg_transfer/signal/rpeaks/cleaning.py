"""What no heart makes is taken out before beats are looked for: flat stretches, pacing spikes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter, minimum_filter1d

_FLAT_S = 0.1  # exactly equal samples for this long are no signal
_N_PROBES = 8  # equal samples at even steps, without which no such stretch is looked for
_SPIKE_RATE_HZ = 400.0  # from here on spikes are narrower than the tip of an R wave
_SPIKE_S = 0.012  # of the running median that a spike stands out from ...
_SPIKE_AROUND_S = 0.06  # ... by more than all that remains within this time of it


def without_flat(signal_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Mark stretches of exactly equal samples as missing: the amplifier was off or saturated.

    Their borders are steps, which would look like a QRS complex.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        NaN where missing.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
        A copy with NaN in flat stretches, or the given array if there are none.
    """
    n_least = max(_N_PROBES, round(_FLAT_S * rate_hz))
    cleaned = signal_mv
    for i, lead in enumerate(signal_mv):
        if not _may_be_flat(lead, n_least):
            continue
        starts = np.append(0, np.flatnonzero(lead[1:] != lead[:-1]) + 1)
        lengths = np.diff(np.append(starts, lead.size))
        for k in np.flatnonzero(lengths >= n_least):
            if cleaned is signal_mv:
                cleaned = signal_mv.copy()
            cleaned[i, starts[k] : starts[k] + lengths[k]] = np.nan
    return cleaned


def _may_be_flat(lead: NDArray[np.float64], n_least: int) -> bool:
    """Say cheaply whether `n_least` equal samples in a row are possible: most leads hold none."""
    step = n_least // _N_PROBES
    in_a_row = lead[step::step] == lead[:-step:step]
    for k in (1, 2, 3):  # 2, 4 and 7 equal pairs in a row, which 8 probes have between them
        in_a_row = in_a_row[:-k] & in_a_row[k:]
    return bool(in_a_row.any())


def without_spikes(signal_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Replace pacing spikes that overtop their surroundings by the running median.

    A spike lasts 2 ms or less and exceeds the running median by its whole height, a QRS complex
    only by the tip of its R wave.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without NaN.
    rate_hz : float
        Sampling rate. Below 400 Hz nothing is done: the anti-alias filter has made a spike as wide
        as the tip of an R wave.

    Returns
    -------
    ndarray of float64, shape (n_leads, n_samples)
    """
    if rate_hz < _SPIKE_RATE_HZ:
        return signal_mv
    n_window = 2 * int(0.5 * _SPIKE_S * rate_hz) + 1
    smooth = median_filter(signal_mv, (1, n_window), mode="nearest")
    n_around = 2 * round(_SPIKE_AROUND_S * rate_hz) + 1
    remaining = maximum_filter1d(smooth, n_around) - minimum_filter1d(smooth, n_around)
    return np.where(np.abs(signal_mv - smooth) > remaining, smooth, signal_mv)
