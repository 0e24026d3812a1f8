"""How well each phase is known: noise of the curves, carried over to phase and amplitude."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter

from cardio_core.api import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MIN_SLOTS = 6
"""Two harmonics and the mean take five degrees of freedom."""

NO_PHASE_DEG = 180 / math.sqrt(3)
"""Standard deviation of an angle about which nothing is known."""

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
        Standard error of the phase, 0 to `NO_PHASE_DEG`.
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

    Returns
    -------
    PhaseUncertainty

    Raises
    ------
    DataError
        Fewer than 6 slots.

    Notes
    -----
    The noise is what two harmonics leave over, on n_slots - 5 degrees of freedom, pooled over 3
    rings and 5 rays. With white noise the Cramer-Rao bound of the phase is
    (noise / amplitude) sqrt(2 / n_slots) radians (Rife and Boorstyn, IEEE Trans Inf Theory
    1974;20:591), which the first harmonic reaches while the amplitude is well above its error.
    Beyond that a phase cannot be worse than unknown, `NO_PHASE_DEG`.

    Examples
    --------
    >>> middles = (np.arange(8) + 0.5) / 8
    >>> wave = 100 + 10 * np.cos(2 * np.pi * middles)
    >>> alternating = np.where(np.arange(8) % 2, 1.0, -1.0)
    >>> curves = np.tile((wave + alternating)[:, None, None], (1, 4, 40))
    >>> found = phase_uncertainty(curves)
    >>> round(float(found.noise[0, 0]), 3), round(float(found.sigma_deg[0, 0]), 2)
    (1.633, 4.68)
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
    ratio = np.divide(error, amplitude, out=np.full(error.shape, np.inf), where=amplitude > 0)
    return PhaseUncertainty(noise, error, np.minimum(np.degrees(ratio), NO_PHASE_DEG))
