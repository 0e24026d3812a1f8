"""Where a QRS complex could be, and how strong it would be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import signal as sps
from scipy.ndimage import median_filter

from cardio_ecg_transfer.signal.filters import band_pass, qrs_band

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardio_ecg_transfer.signal.rpeak_config import RPeakConfig

SLOPE_BANDS_HZ = ((5.0, 40.0), (8.0, 40.0))


@dataclass(frozen=True)
class Candidates:
    """Local maxima of the envelope.

    Attributes
    ----------
    samples : ndarray of int64, shape (n_candidates,)
        Positions at the rate of the filtered signal, ascending.
    strength : ndarray of float64, shape (n_candidates,)
        Size of the deflection relative to its surroundings' usual QRS complex, 1 being usual.
    """

    samples: NDArray[np.int64]
    strength: NDArray[np.float64]

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Candidates:
        return Candidates(self.samples[chosen], self.strength[chosen])


def find_candidates(
    signal_mv: NDArray[np.float64], rate_hz: float, config: RPeakConfig
) -> Candidates:
    """Local maxima of the Shannon energy that all leads share, with their strength."""
    envelope = shannon_envelope(signal_mv, rate_hz, config)
    samples, _ = sps.find_peaks(envelope, distance=max(1, config.candidate_distance_s * rate_hz))
    half = round(config.half_complex_s * rate_hz)
    size_mv = np.sqrt(
        np.prod([swing(band_pass(signal_mv, rate_hz, b), samples, half) for b in SLOPE_BANDS_HZ], 0)
    )
    level_mv = np.stack(
        [block_level(size, samples / rate_hz, samples / rate_hz, config) for size in size_mv]
    )
    usable = level_mv >= config.smallest_mv
    relative = np.where(usable, size_mv / np.maximum(level_mv, config.smallest_mv), 0.0)
    strength = relative.sum(0) / np.maximum(usable.sum(0), 1)
    found = Candidates(samples.astype(np.int64), strength)
    return found[strength > config.smallest_relative]


def shannon_envelope(
    signal_mv: NDArray[np.float64], rate_hz: float, config: RPeakConfig
) -> NDArray[np.float64]:
    """Smoothed Shannon energy of the normalised slope in the QRS band, summed over leads.

    The slope is divided by its local level and by the square root of e. Up to there ``-d2 ln d2``
    rises with ``d2``, so that a tall beat is never lower than a small one; it still lifts small
    beats more than the square does.
    """
    slope = np.diff(qrs_band(signal_mv, rate_hz, config.chebyshev_order), prepend=0.0, axis=-1)
    slope[:, 0] = 0.0
    time_s = np.arange(slope.shape[-1]) / rate_hz
    energy = np.zeros(slope.shape[-1])
    for lead in slope:
        level = block_level(np.abs(lead), time_s, time_s, config)
        square = np.minimum(np.square(lead / np.maximum(level, 1e-9)), 1.0) / np.e
        energy -= square * np.log(square + 1e-12)
    window = np.hanning(round(config.envelope_s * rate_hz) + 2)[1:-1]
    return np.asarray(sps.oaconvolve(energy, window / window.sum(), mode="same"))


def block_level(
    size: NDArray[np.float64],
    size_time_s: NDArray[np.float64],
    time_s: NDArray[np.float64],
    config: RPeakConfig,
) -> NDArray[np.float64]:
    """Usual size of a QRS complex: running median of block maxima, which no artefact moves."""
    if not size.size:
        return np.zeros(time_s.size)
    block = (size_time_s // config.level_block_s).astype(np.int64)
    highest = np.zeros(block[-1] + 1)
    np.maximum.at(highest, block, size)
    level = median_filter(highest, min(config.level_n_blocks, highest.size), mode="nearest")
    level = np.maximum(level, 0.2 * np.median(level))
    return np.interp(time_s, (np.arange(level.size) + 0.5) * config.level_block_s, level)


def swing(
    signal_mv: NDArray[np.float64], samples: NDArray[np.int64], half: int
) -> NDArray[np.float64]:
    """Peak to peak within ``half`` samples of each candidate, (n_leads, n_candidates)."""
    index = samples[:, np.newaxis] + np.arange(-half, half + 1)
    around = signal_mv[:, np.clip(index, 0, signal_mv.shape[-1] - 1)]
    return np.asarray(around.max(-1) - around.min(-1))
