"""Beats of a window: rate, S1-S2 interval, and how loud systole and diastole are.

The envelope of the low sounds repeats after a beat, and S2 follows S1 sooner than the next S1 does
S2: both lags are peaks of its autocorrelation. That holds while systole is shorter than diastole,
up to about 130 beats a minute.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, find_peaks, sosfiltfilt

from cardio_heart_sounds.signal.windows import RATE_HZ

STEP_S = 0.01
SLOWEST_PER_MIN, FASTEST_PER_MIN = 42.0, 130.0
REGULAR = 0.2
"""Autocorrelation after a beat below which there may be none."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Rhythm:
    """Times of S1, length of a beat, S1-S2 interval (s), and how alike beats are (0 to 1)."""

    first_s: NDArray[np.float64]
    beat_s: float
    systole_s: float
    regularity: float


def power(window: Floats, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Return the power of a band in steps of 10 ms."""
    band = butter(2, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    squares = sosfiltfilt(band, window) ** 2
    return np.asarray(squares.reshape(-1, round(STEP_S * RATE_HZ)).mean(axis=1))


def find_rhythm(window: Floats) -> Rhythm:
    """Find the beat and its sounds in the envelope between 25 and 120 Hz."""
    envelope = np.convolve(np.sqrt(power(window, 25, 120)), np.ones(5) / 5, "same")
    envelope = np.minimum(envelope, np.percentile(envelope, 95))  # a knock is no heart sound
    centred = envelope - envelope.mean()
    alike = np.correlate(centred, centred, "full")[len(centred) - 1 :] / (centred @ centred)
    beat = _highest(alike, 60 / FASTEST_PER_MIN, 60 / SLOWEST_PER_MIN)
    systole = _highest(alike, 0.15, 0.52 * beat * STEP_S)
    pair = envelope * np.append(envelope[systole:], np.zeros(systole))
    # Both sounds of a beat: at the window's end an S1 without its S2 is none.
    firsts, _ = find_peaks(pair, height=0.15 * pair.max(), distance=max(1, int(0.6 * beat)))
    return Rhythm(firsts * STEP_S, _between_steps(alike, beat), _between_steps(alike, systole),
                  float(max(0.0, alike[beat])))  # fmt: skip


def measure(window: Floats) -> tuple[float, ...]:
    """Return rate (1/min), S1-S2 interval (ms), systolic and diastolic level (dB), regularity."""
    rhythm = find_rhythm(window)
    high, low = power(window, 120, 500), power(window, 25, 120)
    end_s = rhythm.first_s + rhythm.systole_s
    sounds = _between(low, rhythm.first_s - 0.03, rhythm.first_s + 0.03)
    systole = _between(high, rhythm.first_s + 0.08, end_s - 0.05)
    diastole = _between(high, end_s + 0.08, rhythm.first_s + rhythm.beat_s - 0.08)
    return (60 / rhythm.beat_s, 1000 * rhythm.systole_s,
            10 * np.log10(systole / sounds), 10 * np.log10(diastole / sounds),
            rhythm.regularity)  # fmt: skip


def _highest(alike: NDArray[np.float64], least_s: float, most_s: float) -> int:
    """Return the lag of the highest peak between two times, else of the highest value."""
    first, last = round(least_s / STEP_S), max(round(least_s / STEP_S) + 1, round(most_s / STEP_S))
    peaks, _ = find_peaks(alike[first - 1 : last + 2])
    lags = peaks + first - 1 if len(peaks) else np.arange(first, last + 1)
    return int(lags[np.argmax(alike[lags])])


def _between_steps(alike: NDArray[np.float64], lag: int) -> float:
    """Return the time (s) of the top of the parabola through a lag and its neighbours."""
    before, top, after = alike[lag - 1 : lag + 2]
    bend = before - 2 * top + after
    return float(STEP_S * (lag + (0.5 * (before - after) / bend if bend < 0 else 0.0)))


def _between(
    levels: NDArray[np.float64], starts_s: NDArray[np.float64], ends_s: NDArray[np.float64]
) -> float:
    """Return the median over beats of the mean level between two times; never 0."""
    limits = np.round(np.stack([starts_s, ends_s]) / STEP_S).astype(int)
    means = [
        levels[start : max(end, start + 1)].mean()
        for start, end in limits.T
        if start >= 0 and start < len(levels)
    ]
    return float(np.median(means)) + 1e-9 if means else 1e-9
