"""Log-mel pictures: the power of a sound over time in bands as wide as the ear's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardio_heart_sounds.signal.windows import RATE_HZ

N_BANDS = 32
LOW_HZ, HIGH_HZ = 25.0, 800.0
FRAME, HOP_S = 128, 0.025
RANGE_DB = 60.0

Floats = NDArray[np.float64]


def mel(hz: NDArray[Any] | float) -> Floats:
    """Return frequencies on the mel scale (O'Shaughnessy 1987); 1000 Hz are 1000 mel."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hz) / 700))


def bands() -> Floats:
    """Return triangles of equal width in mel, shape (n_bands, n_frequencies); each peaks at 1."""
    edges = np.linspace(mel(LOW_HZ), mel(HIGH_HZ), N_BANDS + 2)
    at = mel(np.fft.rfftfreq(4 * FRAME, 1 / RATE_HZ))
    low, middle, high = (edges[i : i + N_BANDS, None] for i in range(3))
    return np.maximum(0, np.minimum((at - low) / (middle - low), (high - at) / (high - middle)))


def spectra(window: NDArray[np.floating]) -> Floats:
    """Return the power spectra of frames under a Hann window, shape (n_frequencies, n_frames)."""
    frames = np.lib.stride_tricks.sliding_window_view(window, FRAME)[:: round(HOP_S * RATE_HZ)]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    return np.asarray(np.abs(np.fft.rfft(frames * hann, 4 * FRAME)).T ** 2)


def log_mel(window: NDArray[np.floating]) -> Floats:
    """Return the power in bands in dB below the loudest, down to -60, (n_bands, n_frames)."""
    levels = 10 * np.log10(bands() @ spectra(window) + 1e-12)
    return np.asarray(np.maximum(levels - levels.max(), -RANGE_DB))
