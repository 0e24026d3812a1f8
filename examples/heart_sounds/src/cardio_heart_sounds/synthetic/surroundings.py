"""What comes between a heart and its recording: room, voices, breath, contact, stethoscope."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

Floats = NDArray[np.float64]


class Make(NamedTuple):
    """A make of stethoscope: what it lets through, its own rate, and its hiss."""

    low_hz: float
    high_hz: float
    rate_hz: int
    hiss: float


MAKES = (Make(20, 900, 4000, 0.004), Make(40, 600, 4000, 0.008), Make(25, 1200, 8000, 0.003))


def record(
    heart: Floats, make: Make, noise_db: float, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Return a sound as a stethoscope of this make writes it, with what disturbs it."""
    n, rate_hz, loud = len(heart), make.rate_hz, 10 ** (noise_db / 20)
    times_s = np.arange(n) / rate_hz
    room = _band(rng.normal(size=n), 30, 300, rate_hz) * rng.uniform(0.01, 0.04)
    breath = _band(rng.normal(size=n), 200, 600, rate_hz) * rng.uniform(0, 0.03)
    breath *= np.maximum(0, np.sin(2 * np.pi * (rng.uniform(0.2, 0.4) * times_s + rng.uniform())))
    sound = heart + loud * (room + breath + _voices(times_s, rng) + _knocks(times_s, rng))
    if rng.uniform() < 0.15:  # contact is lost for a second or three
        lost = times_s - rng.uniform(0, times_s[-1])
        sound[(lost > 0) & (lost < rng.uniform(1, 3))] *= 0.02
    sound = sosfilt(
        butter(2, (make.low_hz, make.high_hz), "bandpass", fs=rate_hz, output="sos"), sound
    )
    sound = sound + make.hiss * rng.normal(size=n)
    gain = rng.uniform(0.3, 0.9) * (4 if rng.uniform() < 0.07 else 1)  # some are far too loud
    return np.asarray(np.round(32767 * np.clip(gain * sound, -1, 1)), np.int16)


def _band(noise: Floats, low_hz: float, high_hz: float, rate_hz: int) -> Floats:
    band = sosfilt(butter(1, (low_hz, high_hz), "bandpass", fs=rate_hz, output="sos"), noise)
    return np.asarray(band / band.std())


def _voices(times_s: Floats, rng: np.random.Generator) -> Floats:
    """Return bursts like speech: harmonics of a voice in syllables."""
    sound = np.zeros(len(times_s))
    for _ in range(rng.poisson(0.8)):
        since_s = times_s - rng.uniform(0, times_s[-1])
        spoken = (since_s > 0) & (since_s < rng.uniform(0.4, 1.5))
        pitch_hz = rng.uniform(110, 260)
        voice = sum(np.sin(2 * np.pi * k * pitch_hz * since_s) / k for k in range(1, 5))
        syllables = np.abs(np.sin(np.pi * rng.uniform(3, 5) * since_s))
        sound += rng.uniform(0.05, 0.25) * spoken * syllables * voice
    return sound


def _knocks(times_s: Floats, rng: np.random.Generator) -> Floats:
    """Return short knocks of a hand that moves, louder than the heart."""
    sound = np.zeros(len(times_s))
    for _ in range(rng.poisson(1.0)):
        since_s = times_s - rng.uniform(0, times_s[-1])
        fading = np.exp(-np.maximum(since_s, 0) / 0.02) * (since_s > 0)
        sound += rng.uniform(0.5, 2) * fading * np.sin(2 * np.pi * rng.uniform(40, 120) * since_s)
    return sound
