"""How well each phase is known: noise of the curves, carried over to phase and amplitude."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter

from cardio_core.api import DataError

MIN_SLOTS = 6
"""Two harmonics and the mean take five degrees of freedom."""

POOL = (3, 5)
"""Rings and rays around a sample whose residuals are pooled with its own."""


@dataclass(frozen=True)
class PhaseUncertainty:
    """Standard errors of a wall's curves, each of shape (n_rings, n_rays).

    Attributes
    ----------
    noise : ndarray
        Standard deviation of the counts of one slot.
    amplitude_se : ndarray
        Standard error of the amplitude, in counts.
    sigma_deg : ndarray
        Standard error of the phase, 0 to 90.
    """

    noise: NDArray[np.float64]
    amplitude_se: NDArray[np.float64]
    sigma_deg: NDArray[np.float64]

    def weak(self, amplitude: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return the samples whose amplitude is less than twice its standard error."""
        return np.asarray(~(amplitude >= 2 * self.amplitude_se))


def phase_uncertainty(curves: ArrayLike) -> PhaseUncertainty:
    """Return the standard error of each sample's phase.

    Parameters
    ----------
    curves : array-like, shape (n_slots, n_rings, n_rays)
        Counts; at least 6 slots. Rays go once around.

    Raises
    ------
    DataError
        Fewer than 6 slots.

    Notes
    -----
    The noise is what two harmonics leave over, on n_slots - 5 degrees of freedom, pooled over 3
    rings and 5 rays. With white noise the Cramer-Rao bound of the phase is
    s = (noise / amplitude) sqrt(2 / n_slots) radians (Rife and Boorstyn, IEEE Trans Inf Theory
    1974;20:591). The stated error is arctan s, with the amplitude that was measured. To second
    order 1 / amplitude^2 as measured is too large by 1 + 2 s^2, and the phase scatters by more
    than the bound, s^2 (1 + s^2); the arctangent brings the two together, and an unknown phase
    to 90 degrees (104 would be right) instead of beyond the circle. Without it, at 60 counts a
    voxel, subtracting the mean squared error takes a fifth too much from the variance of phases.

    Examples
    --------
    >>> middles = (np.arange(8) + 0.5) / 8
    >>> wave = 100 + 10 * np.cos(2 * np.pi * middles)
    >>> alternating = np.where(np.arange(8) % 2, 1.0, -1.0)
    >>> curves = np.tile((wave + alternating)[:, None, None], (1, 4, 40))
    >>> found = phase_uncertainty(curves)
    >>> round(float(found.noise[0, 0]), 3), round(float(found.sigma_deg[0, 0]), 2)
    (1.633, 4.67)
    """
    values = np.asarray(curves, np.float64)
    if values.ndim != 3 or values.shape[0] < MIN_SLOTS:
        raise DataError(
            f"phase uncertainty: expected curves (slots, rings, rays) of at least {MIN_SLOTS} "
            f"slots, found shape {values.shape}; two harmonics leave no residual of fewer"
        )
    n_slots = values.shape[0]
    spectrum = np.abs(np.fft.rfft(values, axis=0)) ** 2
    # Parseval: slots are real, so every line but the mean and the Nyquist line counts twice.
    share = np.full(spectrum.shape[0], 2.0 / n_slots)
    if n_slots % 2 == 0:
        share[-1] = 1.0 / n_slots
    left = np.tensordot(share[3:], spectrum[3:], axes=1)
    variance = uniform_filter(left / (n_slots - 5), POOL, mode=("nearest", "wrap"))
    noise = np.sqrt(np.maximum(variance, 0.0))
    amplitude = 2 / n_slots * np.sqrt(spectrum[1])
    error = noise * math.sqrt(2 / n_slots)
    return PhaseUncertainty(noise, error, np.degrees(np.arctan2(error, amplitude)))
