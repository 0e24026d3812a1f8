"""How well each phase is known: noise of the curves, carried over to phase and amplitude."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter
from scipy.special import ive

from cardio_core.api import DataError

MIN_SLOTS = 6
"""Two harmonics and the mean take five degrees of freedom."""

POOL = (5, 9)
"""Rings and rays around a sample whose residuals and amplitudes are pooled with its own.
Neighbours share voxels, so that 3 x 5 of them know little more than one: errors of 42 degrees in
a scar were stated as 53, over 5 x 9 as 46, and samples where the noise came out too low gained
weight that they do not deserve."""

DOUBT = 0.01
"""Share of a sample's counts that beats for other reasons than its wall: a scar that moves towards
activity beside it brightens and fades by a percent or two, and has the phase of that motion."""

_SHARPEST = 100.0
_N_TERMS = 80


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
        Standard error of the phase, 0 to 103.9 (any phase is as likely as any other).
    doubt_deg : ndarray
        By how much a beat of 1 % of the sample's counts could turn the phase, 0 to 90. It is no
        noise and is not subtracted; a sample that hardly beats gets less weight for it.
    """

    noise: NDArray[np.float64]
    amplitude_se: NDArray[np.float64]
    sigma_deg: NDArray[np.float64]
    doubt_deg: NDArray[np.float64]

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
    The noise is what two harmonics leave over, on n_slots - 5 degrees of freedom, pooled over 5
    rings and 9 rays; noise times sqrt(2 / n_slots) is the error of the amplitude and of what lies
    across it (Rife and Boorstyn, IEEE Trans Inf Theory 1974;20:591). Of a true amplitude A, an
    amplitude a that was measured and an error e the phase scatters as a von Mises distribution
    of concentration A a / e^2: white noise around a phasor, read at a known distance from zero.
    The stated error is the standard deviation of that. Amplitudes as measured are too large,
    above all where there is nothing but noise; so A comes from the mean of a^2 - 2 e^2 over the
    same samples. Where the noise is small the error is e / a radians, as the Cramer-Rao
    bound has it.

    Examples
    --------
    >>> middles = (np.arange(8) + 0.5) / 8
    >>> wave = 100 + 10 * np.cos(2 * np.pi * middles)
    >>> alternating = np.where(np.arange(8) % 2, 1.0, -1.0)
    >>> curves = np.tile((wave + alternating)[:, None, None], (1, 4, 40))
    >>> found = phase_uncertainty(curves)
    >>> round(float(found.noise[0, 0]), 3), round(float(found.sigma_deg[0, 0]), 2)
    (1.633, 4.7)
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
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(amplitude > 0, amplitude / error, 0.0)
    # Beyond this the error is below a tenth of a degree, and sums of squares stay finite.
    ratio = np.minimum(ratio, 1e3)
    true = uniform_filter(ratio**2, POOL, mode=("nearest", "wrap")) - 2
    sigma = _scatter_deg(np.sqrt(np.maximum(true, 0.0)) * ratio)
    doubt = np.degrees(np.arctan2(DOUBT * np.abs(values.mean(axis=0)), amplitude))
    return PhaseUncertainty(noise, error, sigma, doubt)


def _scatter_deg(concentration: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of von Mises distributions, in degrees."""
    grid, variance = _von_mises()
    sharp = np.maximum(concentration, _SHARPEST)
    of_sharp = 1 / sharp + 0.5 / sharp**2
    wide = concentration < _SHARPEST
    return np.degrees(np.sqrt(np.where(wide, np.interp(concentration, grid, variance), of_sharp)))


@cache
def _von_mises() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tabulate the variance of an angle, in squared radians, by its concentration.

    From the Fourier series of angle^2: pi^2 / 3 + 4 sum (-1)^j I_j / (j^2 I_0).
    """
    grid = np.concatenate([[0.0], np.geomspace(1e-3, _SHARPEST, 600)])
    order = np.arange(1, _N_TERMS + 1)[:, None]
    waves = (-1.0) ** order / order**2 * ive(order, grid) / ive(0, grid)
    return grid, np.pi**2 / 3 + 4 * waves.sum(axis=0)
