"""Phases of the wall: the first harmonic of each curve, its uncertainty, and the histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter
from scipy.special import ive

from cardio_core.api import DataError
from cardio_spect_polar.polar.maps import signed_deg, wrapped_deg

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


SMOOTHING_DEG = 5
_WIDE_DEG = 31


def phase_histogram(
    phase_deg: ArrayLike, *, weights: ArrayLike | None = None, n_bins: int = 360
) -> NDArray[np.float64]:
    """Return how many samples, or how much weight, lies in each bin of [0, 360).

    Parameters
    ----------
    phase_deg : array-like
        Degrees of any range; NaN is left out.
    weights : array-like, optional
        Of the same shape.
    n_bins : int

    Returns
    -------
    ndarray, shape (n_bins,)
        Bin k begins at k * 360 / n_bins degrees.

    Examples
    --------
    >>> phase_histogram([0.5, 0.7, 359.9, 361.0], n_bins=360)[[0, 1, 359]]
    array([2., 1., 1.])
    """
    phase = np.ravel(np.asarray(phase_deg, np.float64))
    known = np.isfinite(phase)
    weight = None if weights is None else np.ravel(np.asarray(weights, np.float64))[known]
    # Rounding keeps a phase that is meant to lie on an edge in the bin that begins there.
    index = np.floor(np.round(wrapped_deg(phase[known]) * n_bins / 360, 9)).astype(np.int64)
    return np.bincount(index % n_bins, weight, minlength=n_bins).astype(np.float64)


def smooth_circle(heights: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the moving mean over an odd number of bins, around the circle."""
    half = width // 2
    rolled = np.concatenate([heights[-half:], heights, heights[:half]])
    sums = np.convolve(rolled, np.ones(width), mode="valid")
    return np.asarray(sums / width)


def cut_deg(phase_deg: ArrayLike) -> float:
    """Return where to cut the circle: the centre of the largest empty arc.

    Parameters
    ----------
    phase_deg : array-like
        Degrees; NaN is left out.

    Returns
    -------
    float
        [0, 360). Of the histogram of 360 bins smoothed over 5 degrees. Of arcs of equal length
        the one farthest from the circular mean is taken. Where no arc is empty, as under heavy
        noise, the emptiest 31 degrees are.

    Examples
    --------
    >>> cut_deg([10.5, 20.5, 110.5])
    240.5
    """
    heights = phase_histogram(phase_deg)
    # Counts are whole numbers; sums of them are exact, so zero is zero.
    filled = np.flatnonzero(smooth_circle(heights, SMOOTHING_DEG) > 0)
    if filled.size < heights.size and filled.size:
        after = np.append(filled[1:], filled[0] + 360)
        length = after - filled - 1
        ties = np.flatnonzero(length == length.max())
        centres = np.asarray(filled[ties] + 1 + length[ties] / 2, np.float64)
    else:
        wide = smooth_circle(heights, _WIDE_DEG)
        lowest = np.flatnonzero(wide <= wide.min() * (1 + 1e-12))
        centres = np.asarray(lowest + 0.5, np.float64)
    return float(_farthest(centres % 360, heights))


def _farthest(candidates: NDArray[np.float64], heights: NDArray[np.float64]) -> np.float64:
    """Return the candidate farthest from the histogram's circular mean."""
    centres = np.radians(np.arange(heights.size) + 0.5)
    mean = np.degrees(np.angle(np.sum(heights * np.exp(1j * centres))))
    away = np.abs(signed_deg(candidates - mean))
    return np.float64(candidates[np.argmax(np.round(away, 6))])


def unwrapped(phase_deg: ArrayLike, cut: float | None = None) -> NDArray[np.float64]:
    """Return phases as numbers on the line that begins at the cut.

    Parameters
    ----------
    phase_deg : array-like
        Degrees; NaN stays.
    cut : float, optional
        Where the circle is cut; `cut_deg` of the phases by default.

    Returns
    -------
    ndarray
        [cut, cut + 360).

    Examples
    --------
    >>> unwrapped([350.0, 10.0]).tolist()
    [350.0, 370.0]
    """
    phase = np.asarray(phase_deg, np.float64)
    start = cut_deg(phase) if cut is None else cut
    return start + wrapped_deg(phase - start)


MIN_SLOTS_FOR_NOISE = 6
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
    if values.ndim != 3 or values.shape[0] < MIN_SLOTS_FOR_NOISE:
        raise DataError(
            "phase uncertainty: expected curves (slots, rings, rays) of at least "
            f"{MIN_SLOTS_FOR_NOISE} slots, found shape {values.shape}; two "
            "harmonics leave no residual of fewer"
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
