"""Phase and amplitude of the wall's curves: the first harmonic over the cardiac cycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.api import DataError
from cardio_spect_polar.polar.angles import wrapped_deg

MIN_SLOTS = {1: 3, 3: 8}
"""Fewest time slots for one harmonic and for three."""

_STEP_DEG = 2.0


@dataclass(frozen=True)
class Harmonic:
    """What harmonics say of curves over one cycle; every array has the shape of the samples.

    Attributes
    ----------
    phase_deg : ndarray
        Angle of the first harmonic, [0, 360): the time of its maximum, 360 degrees a cycle. NaN
        where the curve is flat or not finite.
    amplitude : ndarray
        Of the first harmonic, in counts.
    mean : ndarray
        Mean over the cycle, in counts.
    onset_deg : ndarray
        Onset of thickening, [0, 360): where the curve crosses its mean upwards, last before its
        maximum. With one harmonic that is `phase_deg` - 90.
    relaxation_deg : ndarray
        Onset of diastole, [0, 360): where the curve is largest. With one harmonic that is
        `phase_deg`.
    n_slots : int
        Time slots of the curves.
    """

    phase_deg: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    mean: NDArray[np.float64]
    onset_deg: NDArray[np.float64]
    relaxation_deg: NDArray[np.float64]
    n_slots: int


def first_harmonic(curves: ArrayLike, n_harmonics: Literal[1, 3] = 1) -> Harmonic:
    """Return phase, amplitude and mean of each curve.

    Parameters
    ----------
    curves : array-like, shape (n_slots, ...)
        Counts in slots of equal length that fill one cycle, the first of which begins at the R
        wave. Slot n stands for its middle, t = (n + 1/2) / n_slots.
    n_harmonics : {1, 3}
        Three give onset and relaxation from the curve of three harmonics; phase and amplitude
        are those of the first one in both cases.

    Raises
    ------
    DataError
        Fewer than 3 slots, or fewer than 8 for three harmonics.

    Notes
    -----
    C = (2/N) sum f cos 2 pi t, S = (2/N) sum f sin 2 pi t, amplitude = hypot(C, S), phase =
    atan2(S, C): Chen et al., J Nucl Cardiol 2005;12:687. Averaging over a slot damps harmonic k
    by sinc(k/N). A phase does not feel it; the curve of three harmonics is restored from it.

    Examples
    --------
    >>> middles = (np.arange(8) + 0.5) / 8
    >>> found = first_harmonic(100 + 20 * np.cos(2 * np.pi * middles - np.radians(135)))
    >>> round(float(found.phase_deg), 6), round(float(found.amplitude), 6)
    (135.0, 20.0)
    """
    values = np.asarray(curves, np.float64)
    n_slots = values.shape[0] if values.ndim else 0
    if n_slots < MIN_SLOTS[n_harmonics]:
        raise DataError(
            f"first harmonic: expected at least {MIN_SLOTS[n_harmonics]} time slots for "
            f"{n_harmonics} harmonic(s), found {n_slots}; use a study with more slots"
        )
    mean = values.mean(axis=0)
    waves = _harmonics(values - mean, n_harmonics)
    amplitude = np.abs(waves[0])
    flat = ~(amplitude > 1e-9 * np.abs(mean))
    phase = np.where(flat, np.nan, wrapped_deg(np.degrees(np.angle(waves[0]))))
    if n_harmonics == 1:
        onset, relaxation = wrapped_deg(phase - 90.0), phase
    else:
        damping = np.sinc(np.arange(1, n_harmonics + 1) / n_slots)
        restored = waves / damping.reshape(-1, *[1] * (values.ndim - 1))
        onset, relaxation = _landmarks(restored)
        onset = np.where(flat, np.nan, onset)
        relaxation = np.where(flat, np.nan, relaxation)
    return Harmonic(phase, amplitude, mean, onset, relaxation, n_slots)


def _harmonics(values: NDArray[np.float64], n_harmonics: int) -> NDArray[np.complex128]:
    """Return C + iS of each harmonic, shape (n_harmonics, ...)."""
    n_slots = values.shape[0]
    middles = (np.arange(n_slots) + 0.5) / n_slots
    order = np.arange(1, n_harmonics + 1)
    kernel = 2 / n_slots * np.exp(2j * np.pi * order[:, None] * middles)
    return np.asarray(np.tensordot(kernel, values, axes=1))


def _landmarks(waves: NDArray[np.complex128]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the upward mean crossing and the maximum of a curve of harmonics, in degrees."""
    order = np.arange(1, len(waves) + 1)
    grid = np.arange(0.0, 360.0, _STEP_DEG)
    back = np.exp(-1j * np.radians(grid)[:, None] * order)
    curve = np.tensordot(back, waves, axes=1).real
    n = len(grid)
    top = curve.argmax(axis=0)[None]
    below, peak, above = (np.take_along_axis(curve, (top + k) % n, 0)[0] for k in (-1, 0, 1))
    bend = below - 2 * peak + above
    shift = np.divide(0.5 * (below - above), bend, out=np.zeros_like(bend), where=bend < 0)
    relaxation = wrapped_deg((top[0] + shift) * _STEP_DEG)

    rank = np.arange(n).reshape(-1, *[1] * (curve.ndim - 1))
    before = np.take_along_axis(curve, (top - rank) % n, 0)
    steps = (before < 0).argmax(axis=0)[None]
    low = np.take_along_axis(before, steps, 0)[0]
    high = np.take_along_axis(before, np.maximum(steps - 1, 0), 0)[0]
    rise = high - low
    share = np.divide(-low, rise, out=np.zeros_like(rise), where=rise > 0)
    onset = wrapped_deg((top[0] - steps[0] + share) * _STEP_DEG)
    return onset, relaxation
