"""Pulses of a trace: where they are, what they look like, and what can be measured of them."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from cardio_my_modality.readers.recording import Trace

WINDOW_S = 0.6
"""Length of a pulse that is cut out, its top in the middle."""

AROUND_S = np.linspace(-WINDOW_S / 2, WINDOW_S / 2, 32)

Floats = NDArray[np.float64]


def find_pulses(trace: Trace, refractory_s: float) -> Floats:
    """Return the times of the pulses, in seconds, shape (n_pulses,)."""
    low, high = np.percentile(trace.values, [5, 95])
    apart = refractory_s * trace.rate_hz
    tops, _ = find_peaks(trace.values, prominence=(high - low) / 2, distance=max(1.0, apart))
    return np.asarray(tops / trace.rate_hz)


def cut_pulses(trace: Trace, times_s: Floats) -> Floats:
    """Return each pulse above its foot, at the times `AROUND_S`, shape (n_pulses, 32)."""
    known_s = np.arange(len(trace.values)) / trace.rate_hz
    pulses = np.interp(times_s[:, None] + AROUND_S, known_s, trace.values)
    return np.asarray(pulses - np.minimum(pulses[:, :1], pulses[:, -1:]))


def measure(pulses: Floats) -> Floats:
    """Return height (units of the trace) and width (area by height, s) of pulses, shape (n, 2)."""
    height = pulses.max(axis=1)
    return np.column_stack([height, WINDOW_S * pulses.mean(axis=1) / height])


def rate_per_min(times_s: Floats) -> float:
    """Return the rate of pulses at these times, per minute."""
    return float(60 / np.median(np.diff(times_s)))
