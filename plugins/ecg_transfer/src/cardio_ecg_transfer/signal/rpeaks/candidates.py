"""Where a QRS complex could be, and how tall and how sharp it would be there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import signal as sps
from scipy.ndimage import median_filter, uniform_filter1d

from cardio_ecg_transfer.signal.filters import qrs_band

_CHEBYSHEV_ORDER = 2  # of the low-pass prototype of the 6 to 18 Hz band
_ENVELOPE_S = 0.12  # Hann window that smooths the Shannon energy
_CANDIDATE_DISTANCE_S = 0.15  # two candidates lie at least so far apart
HALF_COMPLEX_S = 0.075  # a deflection is measured within this time of its candidate
# Running means that are taken off first: about a QRS complex, and about its upstroke.
TALL_S = 0.16
_SHARP_S = 0.06
# The usual beat: a running median of so many blocks' maxima, each block of this length.
_LEVEL_BLOCK_S = 2.0
_LEVEL_N_BLOCKS = 9
_SMALLEST_SHARE = 0.1  # weaker deflections, as a share of the usual beat, are no candidates
_SMALLEST_MV = 0.01  # a lead whose usual deflection is lower shows no beats

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

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Candidates:
        """Keep some of them."""
        return Candidates(self.time_s[chosen], self.tall[chosen], self.sharp[chosen])


def find_candidates(
    signal_mv: NDArray[np.float64], complexes_mv: NDArray[np.float64], rate_hz: float
) -> Candidates:
    """Find what could be a beat.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Without baseline wander and noise above 40 Hz.
    complexes_mv : ndarray, same shape
        The same above its mean over `TALL_S`.
    rate_hz : float
        Their sampling rate.
    """
    envelope = shannon_envelope(signal_mv, rate_hz)
    samples, _ = sps.find_peaks(envelope, distance=max(1, _CANDIDATE_DISTANCE_S * rate_hz))
    time_s = samples / rate_hz
    half = round(HALF_COMPLEX_S * rate_hz)
    tall_mv = swing(complexes_mv, samples, half)
    sharp_mv = swing(above_mean(signal_mv, rate_hz, _SHARP_S), samples, half)
    tall = _relative(tall_mv, time_s)
    sharp = _relative(sharp_mv, time_s)
    found = Candidates(time_s, tall, sharp)
    return found.only((tall > _SMALLEST_SHARE) & (sharp > 0))


def shannon_envelope(signal_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Smooth Shannon energy of the normalised slope in the QRS band, summed over leads.

    The slope is divided by its local level and by the square root of e. Up to there ``-d2 ln d2``
    rises with ``d2``, so that a tall beat is never lower than a small one; it still lifts small
    beats more than the square does.
    """
    slope = np.diff(qrs_band(signal_mv, rate_hz, _CHEBYSHEV_ORDER), axis=-1, append=0.0)
    slope[:, -1] = 0.0
    slope = slope.astype(np.float32)  # half the time for the logarithm and the transform
    energy = np.zeros(slope.shape[-1], dtype=np.float32)
    for lead in slope:
        square = np.square(lead / _slope_level(np.abs(lead), rate_hz))
        np.minimum(square, 1.0, out=square)
        square /= np.float32(math.e)
        energy -= square * np.log(square + np.float32(1e-12))
    window = np.hanning(round(_ENVELOPE_S * rate_hz) + 2)[1:-1].astype(np.float32)
    return np.asarray(sps.oaconvolve(energy, window / window.sum(), mode="same"))


def _slope_level(slope: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    """Usual height of the slope at each sample: straight lines between the centres of blocks."""
    n_block = round(_LEVEL_BLOCK_S * rate_hz)
    n_blocks = -(-slope.size // n_block)
    padded = np.zeros(n_blocks * n_block, dtype=np.float32)
    padded[: slope.size] = slope
    usual = _usual(padded.reshape(n_blocks, n_block).max(axis=1))
    # Half a block of the first and last level at either end, a ramp for every block between.
    usual = np.concatenate([usual[:1], usual, usual[-1:]])
    ramp = (np.arange(n_block) / n_block).astype(np.float32)
    level = usual[:-1, np.newaxis] + np.diff(usual)[:, np.newaxis] * ramp
    start = n_block - n_block // 2
    return np.maximum(level.ravel()[start : start + slope.size], np.float32(1e-9))


def _relative(size_mv: NDArray[np.float64], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size divided by the usual size of a beat, mean over the leads that show any beat."""
    if not time_s.size:
        return np.zeros(0)
    block = (time_s // _LEVEL_BLOCK_S).astype(np.int64)
    centre_s = (np.arange(block[-1] + 1) + 0.5) * _LEVEL_BLOCK_S
    total, n_usable = np.zeros(time_s.size), np.zeros(time_s.size)
    for size in size_mv:
        highest = np.zeros(block[-1] + 1)
        np.maximum.at(highest, block, size)
        level = np.interp(time_s, centre_s, _usual(highest))
        usable = level >= _SMALLEST_MV
        total += np.where(usable, size / np.maximum(level, _SMALLEST_MV), 0.0)
        n_usable += usable
    return total / np.maximum(n_usable, 1)


def _usual(highest: Heights) -> Heights:
    """Running median of block maxima: no single artefact or pause moves it."""
    level = median_filter(highest, min(_LEVEL_N_BLOCKS, highest.size), mode="mirror")
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
    first = np.maximum(samples - half, 0)
    last = np.minimum(samples + half, signal_mv.shape[-1] - 1)
    # Each window up to its last sample, and between them what lies between two windows.
    edges = np.stack([first, last], axis=-1).ravel()
    ends_mv = signal_mv[..., last]
    highest = np.maximum(np.maximum.reduceat(signal_mv, edges, axis=-1)[..., ::2], ends_mv)
    lowest = np.minimum(np.minimum.reduceat(signal_mv, edges, axis=-1)[..., ::2], ends_mv)
    return np.asarray(highest - lowest)
