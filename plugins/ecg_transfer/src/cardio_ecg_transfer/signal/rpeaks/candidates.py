"""Where a QRS complex could be, and how tall and how sharp it would be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import signal as sps
from scipy.ndimage import median_filter, uniform_filter1d

from cardio_ecg_transfer.signal.filters import qrs_band
from cardio_ecg_transfer.signal.rpeaks.config import RPeakConfig

Heights = TypeVar("Heights", NDArray[np.float32], NDArray[np.float64])


@dataclass(frozen=True)
class Candidates:
    """Local maxima of the envelope, each measured against the usual beat of its surroundings.

    Attributes
    ----------
    time_s : ndarray of float64, shape (n_candidates,)
        Ascending.
    tall : ndarray of float64, shape (n_candidates,)
        Height of the deflection, mean over leads; 1 is that of a usual beat.
    sharp : ndarray of float64, shape (n_candidates,)
        Height of its fast part, mean over leads; 1 is that of a usual beat.
    """

    time_s: NDArray[np.float64]
    tall: NDArray[np.float64]
    sharp: NDArray[np.float64]

    def __len__(self) -> int:
        return self.time_s.size

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Candidates:
        """Keep some of them."""
        return Candidates(self.time_s[chosen], self.tall[chosen], self.sharp[chosen])


def find_candidates(
    signal_mv: NDArray[np.float64], rate_hz: float, config: RPeakConfig
) -> Candidates:
    """Find what could be a beat.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without baseline wander and noise above 40 Hz.
    rate_hz : float
        Its sampling rate.
    config : RPeakConfig

    Returns
    -------
    Candidates
    """
    envelope = shannon_envelope(signal_mv, rate_hz, config)
    samples, _ = sps.find_peaks(envelope, distance=max(1, config.candidate_distance_s * rate_hz))
    time_s = samples / rate_hz
    half = round(config.half_complex_s * rate_hz)
    tall_mv = swing(above_mean(signal_mv, rate_hz, config.tall_s), samples, half)
    sharp_mv = swing(above_mean(signal_mv, rate_hz, config.sharp_s), samples, half)
    tall = _relative(tall_mv, time_s, config)
    sharp = _relative(sharp_mv, time_s, config)
    found = Candidates(time_s, tall, sharp)
    return found.only((tall > config.smallest_share) & (sharp > 0))


def shannon_envelope(
    signal_mv: NDArray[np.float64], rate_hz: float, config: RPeakConfig
) -> NDArray[np.float64]:
    """Smooth Shannon energy of the normalised slope in the QRS band, summed over leads.

    The slope is divided by its local level and by the square root of e. Up to there ``-d2 ln d2``
    rises with ``d2``, so that a tall beat is never lower than a small one; it still lifts small
    beats more than the square does.
    """
    slope = np.diff(qrs_band(signal_mv, rate_hz, config.chebyshev_order), axis=-1, append=0.0)
    slope[:, -1] = 0.0
    slope = slope.astype(np.float32)  # half the time for the logarithm and the transform
    energy = np.zeros(slope.shape[-1], dtype=np.float32)
    for lead in slope:
        square = np.square(lead / _slope_level(np.abs(lead), rate_hz, config))
        np.minimum(square, 1.0, out=square)
        square /= np.float32(np.e)
        energy -= square * np.log(square + np.float32(1e-12))
    window = np.hanning(round(config.envelope_s * rate_hz) + 2)[1:-1].astype(np.float32)
    return np.asarray(sps.oaconvolve(energy, window / window.sum(), mode="same"))


def _slope_level(
    slope: NDArray[np.float32], rate_hz: float, config: RPeakConfig
) -> NDArray[np.float32]:
    """Usual height of the slope at each sample: straight lines between the centres of blocks."""
    n_block = round(config.level_block_s * rate_hz)
    n_blocks = -(-slope.size // n_block)
    padded = np.zeros(n_blocks * n_block, dtype=np.float32)
    padded[: slope.size] = slope
    usual = _usual(padded.reshape(n_blocks, n_block).max(axis=1), config)
    # Half a block of the first and last level at either end, a ramp for every block between.
    usual = np.concatenate([usual[:1], usual, usual[-1:]])
    ramp = (np.arange(n_block) / n_block).astype(np.float32)
    level = usual[:-1, np.newaxis] + np.diff(usual)[:, np.newaxis] * ramp
    start = n_block - n_block // 2
    return np.maximum(level.ravel()[start : start + slope.size], np.float32(1e-9))


def _relative(
    size_mv: NDArray[np.float64], time_s: NDArray[np.float64], config: RPeakConfig
) -> NDArray[np.float64]:
    """Size divided by the usual size of a beat, mean over the leads that show any beat."""
    if not time_s.size:
        return np.zeros(0)
    block = (time_s // config.level_block_s).astype(np.int64)
    centre_s = (np.arange(block[-1] + 1) + 0.5) * config.level_block_s
    total, n_usable = np.zeros(time_s.size), np.zeros(time_s.size)
    for size in size_mv:
        highest = np.zeros(block[-1] + 1)
        np.maximum.at(highest, block, size)
        level = np.interp(time_s, centre_s, _usual(highest, config))
        usable = level >= config.smallest_mv
        total += np.where(usable, size / np.maximum(level, config.smallest_mv), 0.0)
        n_usable += usable
    return total / np.maximum(n_usable, 1)


def _usual(highest: Heights, config: RPeakConfig) -> Heights:
    """Running median of block maxima: no single artefact or pause moves it."""
    level = median_filter(highest, min(config.level_n_blocks, highest.size), mode="mirror")
    return np.asarray(np.maximum(level, 0.2 * np.median(level)), dtype=highest.dtype)


def above_mean(
    signal_mv: NDArray[np.float64], rate_hz: float, window_s: float
) -> NDArray[np.float64]:
    """Signal minus its running mean: what is shorter than the window, without any phase shift."""
    n_window = 2 * round(window_s * rate_hz / 2) + 1
    return np.asarray(signal_mv - uniform_filter1d(signal_mv, n_window, axis=-1, mode="nearest"))


def around(
    signal_mv: NDArray[np.float64], samples: NDArray[np.int64], half: int
) -> NDArray[np.float64]:
    """Signal within ``half`` samples of each position, shape (..., n_positions, 2 half + 1)."""
    index = samples[:, np.newaxis] + np.arange(-half, half + 1)
    return np.asarray(signal_mv[..., np.clip(index, 0, signal_mv.shape[-1] - 1)])


def swing(
    signal_mv: NDArray[np.float64], samples: NDArray[np.int64], half: int
) -> NDArray[np.float64]:
    """Peak to peak within ``half`` samples of each position, shape (..., n_positions)."""
    near = around(signal_mv, samples, half)
    return np.asarray(near.max(-1) - near.min(-1))
