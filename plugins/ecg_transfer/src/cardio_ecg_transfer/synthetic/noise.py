"""Noise of nine electrodes, so that every lead gets the difference it would get.

Limb leads share electrodes, and precordial leads are taken against the mean of the limbs. Noise
drawn per electrode therefore obeys Einthoven's law, as real noise does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from cardio_ecg_transfer.signal.leads.names import INDEPENDENT_LEADS
from cardio_ecg_transfer.synthetic.patient import Noise

DOWER: NDArray[np.float64] = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
"""Rows: `INDEPENDENT_LEADS`. Columns: x to the left, y to the feet, z to the back."""


def twelve_leads(eight_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Complete the eight independent leads to the twelve of the standard.

    Parameters
    ----------
    eight_mv : ndarray, shape (8, n_samples)
        Leads in the order of `INDEPENDENT_LEADS`.

    Returns
    -------
    ndarray, shape (12, n_samples)
        In the order of `signal.leads.names.STANDARD_LEADS`; III, aVR, aVL and aVF follow from I
        and II.

    Examples
    --------
    >>> twelve_leads(DOWER @ np.array([[1.0], [0.0], [0.0]]))[:3, 0].round(3).tolist()
    [0.632, 0.235, -0.397]
    """
    i, ii = eight_mv[0], eight_mv[1]
    limb = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
    return np.concatenate([np.stack(limb), eight_mv[2:]])


ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")

_BREATHING_HZ = 0.25
_MUSCLE_HZ = (20.0, 150.0)
_MOTION_HZ = (1.0, 12.0)
_MOTION_PER_S = 0.15


def electrodes_to_leads() -> NDArray[np.float64]:
    """Return the matrix from `ELECTRODES` to the eight independent leads, shape (8, 9).

    Examples
    --------
    >>> electrodes_to_leads()[:2, :3].tolist()
    [[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]]
    """
    matrix = np.zeros((len(INDEPENDENT_LEADS), len(ELECTRODES)))
    matrix[0, :2] = -1.0, 1.0
    matrix[1, [0, 2]] = -1.0, 1.0
    matrix[2:, :3] = -1.0 / 3.0
    matrix[2:, 3:] = np.eye(6)
    return matrix


def noise_in_leads(
    noise: Noise, n_samples: int, rate_hz: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw noise of unit power in the eight independent leads.

    Parameters
    ----------
    noise : Noise
        Its shares; `snr_db` is applied by the caller, who knows the signal.
    n_samples : int
        Length.
    rate_hz : float
        Sampling rate.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    ndarray, shape (8, n_samples)
        The variances of its leads have a mean of 1.
    """
    shape = (len(ELECTRODES), n_samples)
    t = np.arange(n_samples) / rate_hz
    parts = (
        (noise.wander, _wander(shape, t, rng)),
        (noise.muscle, _muscle(shape, t, rate_hz, rng)),
        (noise.mains, _mains(shape, t, noise.mains_hz, rng)),
        (noise.motion, _motion(shape, t, rate_hz, rng)),
    )
    to_leads = electrodes_to_leads()
    total = np.zeros((len(INDEPENDENT_LEADS), n_samples))
    for share, part in parts:
        in_leads = to_leads @ part
        power = in_leads.var(axis=1).mean()
        if power > 0:
            total += np.sqrt(share / power) * in_leads
    power = total.var(axis=1).mean()
    return total / np.sqrt(power) if power > 0 else total


def _wander(
    shape: tuple[int, int], t: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Breathing at 0.25 Hz and slower drifts, each electrode with its own phases."""
    total = np.zeros(shape)
    for frequency_hz, size in ((_BREATHING_HZ, 1.0), (0.11, 0.7), (0.05, 0.7), (0.4, 0.3)):
        phase = rng.uniform(0.0, 2 * np.pi, (shape[0], 1))
        height = size * rng.uniform(0.4, 1.6, (shape[0], 1))
        total += height * np.sin(2 * np.pi * frequency_hz * t + phase)
    return total


def _muscle(
    shape: tuple[int, int], t: NDArray[np.float64], rate_hz: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """White noise in the muscles' band, swelling and fading."""
    band = (_MUSCLE_HZ[0], min(_MUSCLE_HZ[1], 0.45 * rate_hz))
    sos = butter(2, band, "bandpass", fs=rate_hz, output="sos")
    phase = rng.uniform(0.0, 2 * np.pi, (shape[0], 1))
    swelling = 1.0 + 0.5 * np.sin(2 * np.pi * 0.07 * t + phase)
    return np.asarray(sosfiltfilt(sos, rng.normal(size=shape)) * swelling)


def _mains(
    shape: tuple[int, int], t: NDArray[np.float64], mains_hz: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A sine of the mains' frequency, of a size and phase of its own at each electrode."""
    phase = rng.uniform(0.0, 2 * np.pi, (shape[0], 1))
    height = rng.uniform(0.3, 1.0, (shape[0], 1))
    return np.asarray(height * np.sin(2 * np.pi * mains_hz * t + phase))


def _motion(
    shape: tuple[int, int], t: NDArray[np.float64], rate_hz: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Now and then one electrode moves: noise in the QRS's band, for about a second."""
    sos = butter(2, _MOTION_HZ, "bandpass", fs=rate_hz, output="sos")
    rumble = sosfiltfilt(sos, rng.normal(size=shape))
    envelope = np.zeros(shape)
    n_events = max(1, int(rng.poisson(_MOTION_PER_S * t[-1])))
    for electrode, start_s, length_s in zip(
        rng.integers(0, shape[0], n_events),
        rng.uniform(0.0, t[-1], n_events),
        rng.uniform(0.4, 1.6, n_events),
        strict=True,
    ):
        envelope[electrode] += np.exp(-0.5 * ((t - start_s) / (length_s / 2)) ** 2)
    return np.asarray(rumble * envelope)
