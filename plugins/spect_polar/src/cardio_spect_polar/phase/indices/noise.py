"""The spread of phases without what noise adds to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_spect_polar.polar.angles import signed_deg

ALIKE_DEG = 5.0
"""Spread below which samples no longer gain weight by being known better: a few of them, with
hardly any noise, would decide alone."""

_N_ROUNDS = 200
_CLOSE_DEG2 = 1e-6


@dataclass(frozen=True)
class WithoutNoise:
    """Phases as they would be without noise, as far as their spread goes.

    Attributes
    ----------
    sd_deg : float
        Their standard deviation.
    shift_deg : ndarray, shape (n,)
        Distance of each from their mean: as measured, drawn in by as much as its noise asks.
    """

    sd_deg: float
    shift_deg: NDArray[np.float64]


def without_noise(
    phase_deg: NDArray[np.float64],
    sigma_deg: NDArray[np.float64],
    weights: NDArray[np.float64],
    doubt_deg: NDArray[np.float64] | float = 0.0,
) -> WithoutNoise:
    """Take the noise off a set of phases.

    Parameters
    ----------
    phase_deg : ndarray, shape (n,)
        At least two.
    sigma_deg : ndarray, shape (n,)
        Standard error of each.
    weights : ndarray, shape (n,)
        What each counts, not negative.
    doubt_deg : ndarray, shape (n,), or float
        Errors that are no noise. They take weight off a phase and are not subtracted.

    Notes
    -----
    Each phase is taken for a true one, of variance t^2 among samples, plus an error of known
    variance s^2. t^2 solves t^2 = sum w (d^2 - s^2) / sum w with w = weight / (t^2 + s^2 + u^2),
    where u is the doubt and d the distance from the mean so weighted (Paule and Mandel, J Res Natl
    Bur Stand 1982;87:377). With equal errors that is PSD^2 - s^2. With unequal ones samples that
    noise drowns, as those of a scar, count little: subtracting their mean s^2, thousands of square
    degrees, from a PSD^2 that they dominate leaves the difference of two large numbers. Phases
    are then drawn in by t / sqrt(t^2 + s^2), which gives them the variance t^2 (constrained
    empirical Bayes; Louis, J Am Stat Assoc 1984;79:393).

    Examples
    --------
    >>> found = without_noise(np.array([125.0, 135.0]), np.array([4.0, 4.0]), np.ones(2))
    >>> round(found.sd_deg, 3), found.shift_deg.round(3).tolist()
    (5.831, [-4.123, 4.123])
    """
    noise = sigma_deg**2
    unsure = noise + np.square(doubt_deg)
    variance = 0.0
    shift = np.zeros(phase_deg.shape)
    known = weights / (unsure + 4 * ALIKE_DEG**2)
    for _ in range(_N_ROUNDS):
        total = known.sum()
        mean = np.degrees(np.angle(known @ np.exp(1j * np.radians(phase_deg))))
        shift = signed_deg(phase_deg - mean)
        shift = shift - (known @ shift) / total
        freedom = 1 - (known @ known) / total**2
        before = variance
        variance = max(0.0, float(known @ (shift**2 / freedom - noise)) / total)
        if abs(variance - before) < _CLOSE_DEG2:
            break
        known = weights / (unsure + max(variance, ALIKE_DEG**2))
    drawn_in = np.sqrt(variance / np.maximum(variance + noise, 1e-300))
    return WithoutNoise(float(np.sqrt(variance)), shift * drawn_in)
