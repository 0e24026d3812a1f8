"""Windows of 5 s at 2 kHz, whatever the stethoscope gave."""

from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfiltfilt

from cardio_heart_sounds.readers.wav import Sound

RATE_HZ = 2000
WINDOW_S = 5.0

Floats = NDArray[np.float32]


def cut_windows(sound: Sound) -> Floats:
    """Return the sound above 25 Hz by its own level, shape (n_windows, 10000)."""
    shared = gcd(RATE_HZ, sound.rate_hz)
    values = resample_poly(sound.values, RATE_HZ // shared, sound.rate_hz // shared)
    values = sosfiltfilt(butter(2, 25, "highpass", fs=RATE_HZ, output="sos"), values)
    length = int(RATE_HZ * WINDOW_S)
    windows = values[: len(values) // length * length].reshape(-1, length)
    return np.asarray(windows / (np.percentile(np.abs(values), 95) + 1e-9), np.float32)


def quiet_share(windows: Floats) -> NDArray[np.float64]:
    """Return the share of each window's half seconds without a sound, shape (n_windows,)."""
    loudest = np.abs(windows).reshape(len(windows), 10, -1).max(axis=2)
    return np.asarray((loudest < 0.2).mean(axis=1))
